"""``predictions``: answers of a model from elsewhere, brought as a run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import add_visitor_option, label, some, some_path
from fer_core.cli.evaluate import metrics_text
from fer_core.cli.terminal import one_line, whisper
from fer_core.emotions import TEST_SPLITS
from fer_core.errors import ModelError
from fer_core.formatting import percent
from fer_core.value_types import JsonObject

if TYPE_CHECKING:
    from fer_core.bring.answers import Look

EPILOG = """\
what the file holds, in any of these forms:
  a column row (or file, with names of pictures) and one column for each class: probabilities or logits
  a column row (or file) and a column answer
  a NumPy array with a line for each face of PublicTest, PrivateTest or both, in the dataset's order

examples:
  python -m fer_core predictions import answers.csv --data datasets/fer2013
  python -m fer_core predictions import answers.npy --data datasets/fer2013 --classes alphabetical --name my-torch-net
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "predictions",
        help="bring the answers of a model from elsewhere",
        description="Bring what a model of any framework says about a dataset's test faces, as one more run.",
    )
    commands = parser.add_subparsers(dest="what", metavar="import", required=True)
    bring = commands.add_parser(
        "import",
        help="bring a file of answers",
        description="Bring a file of answers (.csv, .parquet, .npy). It is checked, and the order of its classes is "
        "tried on labelled faces before anything is written; on PrivateTest only where nothing else has answers, which "
        "is a look at it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bring.add_argument("file", metavar="FILE", type=some_path, help="the file of answers")
    bring.add_argument("--data", type=some_path, required=True, help="dataset folder that they are about")
    bring.add_argument(
        "--classes",
        type=some,
        help="the classes of the columns in their order, with commas between; or fer, alphabetical, rafdb, affectnet, "
        "ferplus, ckplus or best",
    )
    bring.add_argument("--split", choices=TEST_SPLITS, help="which faces, where the file does not say")
    bring.add_argument("--name", type=label, help="name of the run (default: that of the file)")
    add_visitor_option(bring)
    add_json_option(bring)
    bring.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.bring.answers import bring, look, metrics_of
    from fer_core.bring.naming import free_run, title_of
    from fer_core.data.dataset import load_dataset
    from fer_core.writable import check_writable

    dataset = load_dataset(args.data)
    out = free_run(args.name, args.file)
    found = look(
        args.file,
        dataset,
        classes=args.classes or "",
        split=args.split or "",
        visitor=args.visitor is not None,
        out=out,
    )
    table = fits_text(found)
    if found.doubtful:
        whisper(table)
        raise ModelError(found.question())
    check_writable(out, "the run")
    folder = bring(found, dataset, out, title_of(args.name, args.file), visitor=args.visitor)
    metrics = metrics_of(folder)
    lines = [
        f"{one_line(folder.path)}: {found.kind} for {len(found.rows):,} faces of {', '.join(found.splits)}.",
        *(one_line(note) for note in found.notes),
        table,
        metrics_text(metrics),
    ]
    record = folder.import_record()
    return {"run": str(folder.path), "import": record, "notes": list(found.notes), **metrics}, "\n".join(lines)


def fits_text(found: Look) -> str:
    """How each order of the classes does, as lines."""
    lines = [f"The order of the classes, tried on {found.tried:,} faces of {found.tried_on}:"]
    for one in found.fits:
        mark = "*" if one is found.assumed else " "
        lines.append(
            f" {mark} {percent(one.accuracy):>7} ({100 * one.low:.1f}-{100 * one.high:.1f} %)  {one.order.name:<13}"
            f"{', '.join(one.order.classes)}"
        )
    lines.append(f"   {percent(found.most_frequent):>7} always the most frequent class. * is the order that is taken.")
    return "\n".join(lines)
