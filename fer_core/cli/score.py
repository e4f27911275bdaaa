"""``score``: what the models say about millions of pictures and videos, as Parquet."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import add_answer_options, real, some, some_path, whole
from fer_core.cli.progress import ProgressLine
from fer_core.cli.terminal import one_line
from fer_core.errors import PartlyDoneError
from fer_core.formatting import plural
from fer_core.value_types import JsonObject

MOST_WORKERS = 10_000
EPILOG = """\
examples:
  python -m fer_core score pictures/ --out scored/ --models custom_cnn,vote
  python -m fer_core score pictures/ --out scored/ --models vote --workers 8
  FER_EXPLORER_CLUSTER=head:6379 python -m fer_core score s3://bucket/faces --out /shared/scored --models vote
  python -m fer_core data import scored/ --out datasets/scored

The answers are those of predict. The folder holds a Parquet file for each 1,000 pictures, a row for each face, and one
for each file that could not be read, with the reason. Whatever ends the command, the same command goes on from there.

One worker takes one core, here. More than one, and a cluster's, need Ray: pip install -r requirements-ray.txt. An
address needs fsspec and the package of its store: s3fs for s3://, gcsfs for gs://.
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "score",
        help="have millions of pictures and videos read, into Parquet files",
        description="Find the faces in all pictures and videos of a folder or object store, and write what each model "
        "says about each of them into Parquet files. It goes on where an earlier start ended.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=some,
        help="a folder, or an address such as s3://bucket/faces",
    )
    parser.add_argument("--out", type=some_path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--model",
        "--models",
        dest="models",
        action="append",
        type=some,
        required=True,
        metavar="NAME",
        help="a run's name or folder, a .tflite file, several of them with commas between, or 'all'",
    )
    parser.add_argument(
        "--workers",
        type=whole(1, MOST_WORKERS),
        metavar="N",
        help="cores that work at once; more than one needs Ray (default: one, or all that the cluster has which "
        "FER_EXPLORER_CLUSTER names)",
    )
    add_answer_options(parser)
    parser.add_argument(
        "--every",
        type=real(0, 86_400),
        default=1.0,
        metavar="SECONDS",
        help="between two moments of a video that are kept; 0 for every frame (default: 1)",
    )
    parser.add_argument(
        "--labels-from-folders",
        action="store_true",
        help="the name of a file's folder is the label of its faces",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Raises ``PartlyDoneError`` where shards are missing at the end, and what :func:`score` raises."""
    from fer_core.cluster.scoring.scoring import Request, score

    request = Request(
        args.source,
        args.out,
        tuple(args.models),
        average=args.average,
        already_cut=args.already_cut,
        calibrated=args.calibrated,
        every_s=args.every,
        labels_from_folders=args.labels_from_folders,
        workers=args.workers,
    )
    with ProgressLine(sys.stderr) as line:
        outcome = score(request, line.show)
    lines = [f"{one_line(args.out)}: {plural(outcome.faces, 'face')} in {plural(outcome.files, 'file')}."]
    if outcome.done_before:
        lines.append(
            f"{plural(outcome.done_before, 'shard')} of {outcome.manifest['shards']:,} "
            f"{'was' if outcome.done_before == 1 else 'were'} there already."
        )
    if outcome.without_face:
        lines.append(f"{plural(outcome.without_face, 'file')} without a face.")
    if outcome.unreadable:
        lines.append(f"{plural(outcome.unreadable, 'file')} could not be read: the column problem says why.")
    if not outcome.failed:
        lines.append(f"To look at the faces: python -m fer_core data import {one_line(args.out)} --out datasets/NAME")
    result = {
        "out": str(args.out),
        "files": outcome.files,
        "faces": outcome.faces,
        "without_face": outcome.without_face,
        "unreadable": outcome.unreadable,
        "shards": outcome.manifest["shards"],
        "shards_done_before": outcome.done_before,
        "failed": {str(number): why for number, why in outcome.failed.items()},
    }
    if outcome.failed:
        problems = [f"shard {number}: {why}" for number, why in sorted(outcome.failed.items())]
        raise PartlyDoneError([*problems, "Give the command once more to try again."], result, "\n".join(lines))
    return result, "\n".join(lines)
