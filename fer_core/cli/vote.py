"""``vote``: let several runs vote, as one more run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import label, new_folder, some, some_path
from fer_core.cli.evaluate import metrics_text
from fer_core.cli.terminal import one_line
from fer_core.errors import RunError
from fer_core.formatting import percent
from fer_core.value_types import JsonObject

EPILOG = """\
examples:
  python -m fer_core vote custom_cnn resnet50 --data datasets/fer2013
  python -m fer_core vote my-first my-second vgg16 --data datasets/fer2013 --name three-of-mine
  python -m fer_core predict photo.jpg --model vote
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "vote",
        help="let several runs vote, as one more run",
        description="Build a soft vote of several runs: the weighted mean of their probabilities. Each run's "
        "temperature, then the weights, are chosen on PublicTest; PrivateTest is only scored. The result is a run "
        "folder that works everywhere a run does. It is made from the runs' stored predictions, so it takes seconds; "
        "it needs the runs' folders to stay where they are.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", metavar="RUN", nargs="+", type=some, help="names of at least two runs, or their folders"
    )
    parser.add_argument(
        "--data", type=some_path, required=True, help="dataset folder that all of them were measured on"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--name", type=label, help="name of the vote in the runs folder (default: vote)")
    place.add_argument("--out", type=new_folder, metavar="DIR", help="its folder; a vote that is there is replaced")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.data.dataset import load_dataset
    from fer_core.evaluation.vote import build_vote
    from fer_core.runs.listing import find_run
    from fer_core.runs.vote import read_vote
    from fer_core.writable import check_writable

    members = [find_run(name) for name in args.names]
    target = args.out or _named(args.name)
    check_writable(target, "the vote")
    folder = build_vote(members, load_dataset(args.data), target)
    vote, metrics = read_vote(folder), folder.metrics()
    assert metrics is not None
    lines = [f"{one_line(folder.path)}: a vote of {len(members)} runs."]
    lines += [
        f"  {one_line(member.name)}: weight {percent(member.weight)}, temperature {member.temperature:.3f}"
        for member in vote.members
    ]
    return {"run": str(folder.path), "vote": vote.to_dict(), **metrics}, "\n".join([*lines, metrics_text(metrics)])


def _named(name: str | None) -> Path:
    from fer_core.settings import settings

    name = "vote" if name is None else name
    if not name or name.startswith(".") or Path(name).name != name:
        raise RunError(f"{name!r} cannot be the name of a folder. Give a plain name, or a place with --out.")
    return settings().runs_dir / name
