"""``evaluate``: predictions and metrics of a run, again; or how it does on faces made worse."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import some, some_path, whole
from fer_core.cli.progress import ProgressLine
from fer_core.cli.terminal import one_line
from fer_core.emotions import PRIVATE_TEST
from fer_core.errors import RunError
from fer_core.formatting import interval, percent
from fer_core.runs.contracts import Metrics
from fer_core.runs.metrics import further_lines, looks_lines
from fer_core.value_types import JsonObject

if TYPE_CHECKING:
    from fer_core.corruptions.measurement import Corrupted
    from fer_core.data.dataset import Dataset
    from fer_core.runs.folder import RunFolder

EPILOG = """\
PrivateTest:
  It stays closed while you choose between models, since whoever picks by its figures makes the best of them look too
  good. --final opens it for a model you are done with, and adds a line to the ledger, which counts the looks beside the
  figures. Figures that are there of the very same model are made again without it. Drawn samples, and data that have no
  PublicTest, are measured as a whole.

faces made worse:
  --corruptions asks the run about PublicTest faces with noise, blur, other brightness and contrast, JPEG, low
  resolution, rotation, shift and a covered square, each at five strengths: 46 predictions a face. The answers are kept
  in corruptions.parquet, and nothing else of the run changes. A later evaluation keeps them as long as model and faces
  are the same. All 3,589 faces take about 3 minutes with a small network and half an hour with a large one on two
  cores; --limit 1000 takes less than a third, and the intervals are about twice as wide.

examples:
  python -m fer_core evaluate my-run --data datasets/fer2013
  python -m fer_core evaluate my-run --data datasets/fer2013 --final
  python -m fer_core evaluate custom_cnn --data datasets/fer2013 --corruptions --limit 1000
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a run on PublicTest; with --final on PrivateTest too",
        description="Measure a run on PublicTest and, with --final, on PrivateTest, and fit its temperature on "
        "PublicTest. Writes predictions.parquet, embeddings.parquet, metrics.json, CARD.md and run.json into the run "
        "folder; a missing model.tflite is exported too. A finished training has done all of this by itself.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="RUN", type=some, help="name of a run, or its folder")
    parser.add_argument("--data", type=some_path, required=True, help="dataset folder")
    parser.add_argument(
        "--average",
        choices=("none", "flip"),
        default="none",
        help="flip: also measure the mean over each face and its mirror image, reported apart. Once measured, every "
        "later evaluation of the run measures it again",
    )
    parser.add_argument(
        "--final", action="store_true", help="open PrivateTest: a look, which is counted for ever beside the figures"
    )
    parser.add_argument(
        "--corruptions",
        action="store_true",
        help="measure only this: accuracy on PublicTest faces made worse in many ways at five strengths each",
    )
    parser.add_argument(
        "--limit", type=whole(1), metavar="N", help="with --corruptions: N faces, drawn class by class, instead of all"
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.data.dataset import load_dataset
    from fer_core.evaluation.evaluate import evaluate_run
    from fer_core.memory import stay_moderate
    from fer_core.runs.listing import find_run
    from fer_core.runs.measurements import gone_lines, there
    from fer_core.writable import check_writable

    stay_moderate()
    if args.limit is not None and not args.corruptions:
        raise RunError("--limit goes with --corruptions: the rest of an evaluation always takes all faces.")
    if args.corruptions and args.average != "none":
        raise RunError("--corruptions measures only that, without averaging. Run evaluate twice, once with each.")
    if args.corruptions and args.final:
        raise RunError("--corruptions measures PublicTest faces only, so --final does not go with it.")
    folder = find_run(args.name)
    check_writable(folder.path, "the measurements of the run")
    dataset = load_dataset(args.data)
    if args.corruptions:
        return _corruptions(folder, dataset, args.limit)
    before = there(folder)
    metrics = evaluate_run(folder, dataset, average=args.average, final=args.final)
    gone = [*closed_lines(metrics, dataset), *gone_lines(folder, before, args.data)]
    return {"run": str(folder.path), **metrics, "notes": gone}, "\n".join([metrics_text(metrics), *gone])


def _corruptions(folder: RunFolder, dataset: Dataset, limit: int | None) -> tuple[JsonObject, str]:
    from fer_core.corruptions.measurement import measure_corruptions

    with ProgressLine(sys.stderr) as line:
        corrupted = measure_corruptions(folder, dataset, limit=limit, progress=line.show)
    evaluation = folder.evaluation(dataset.info.fingerprint)
    file = str(evaluation.corruptions_path) if evaluation else ""
    result = {"run": str(folder.path), "file": file, "split": corrupted.about.split}
    return {**result, "of": corrupted.about.of, **corrupted.robustness.summary()}, corruptions_text(corrupted)


def corruptions_text(corrupted: Corrupted) -> str:
    """Accuracy in per cent, a line a corruption and a column a severity; then the mean of all of them."""
    from fer_core.corruptions.kinds import CORRUPTIONS, SEVERITIES

    found = corrupted.robustness
    value, low, high = found.accuracy()
    head = f"{'accuracy (%) at strength':52}" + "".join(f"{severity:>8}" for severity in SEVERITIES)
    lines = [
        f"{f'{CORRUPTIONS[name].title} ({CORRUPTIONS[name].span()})':52}" + "".join(f"{100 * one:8.1f}" for one in row)
        for name, row in zip(found.names, value, strict=True)
    ]
    wide = 100 * float((high - low).max()) / 2
    return "\n".join(
        [
            f"{one_line(corrupted.about.data['title'])}, {corrupted.which()}: {percent(found.clean_accuracy)} of them "
            f"right as they are, {percent(found.mean_accuracy())} on the mean over all ways and strengths.",
            "",
            head,
            *lines,
            "",
            f"95 % intervals reach at most {wide:.1f} points to either side (Wilson's).",
        ]
    )


def closed_lines(metrics: Metrics, dataset: Dataset) -> list[str]:
    """That PrivateTest stays closed, and how it is opened; no line where it is open or there is none."""
    from fer_core.runs.ledger import sealed

    if PRIVATE_TEST in metrics["splits"] or not sealed(dataset):
        return []
    return [f"{PRIVATE_TEST} stays closed. When you have chosen, evaluate with --final opens it, and counts the look."]


def metrics_text(metrics: Metrics) -> str:
    """Accuracy with its interval, one line a split; then what the LiteRT file, averaging and temperature do."""
    lines = []
    for split, scores in metrics["splits"].items():
        line = (
            f"{split}: accuracy {percent(scores['accuracy'])} ({interval(scores)}), "
            f"macro F1 {scores['macro_f1']:.3f}, n = {scores['n']:,}"
        )
        if clean := scores.get("without_near_duplicates"):
            line += f"; without twins {percent(clean['accuracy'])}, n = {clean['n']:,}"
        lines.append(line)
    lines += looks_lines(metrics) + further_lines(metrics)
    return "\n".join(lines)
