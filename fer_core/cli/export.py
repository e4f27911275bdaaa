"""``export``: ``model.tflite`` with class maps, refused when it disagrees with ``model.keras``."""

from __future__ import annotations

import argparse
from typing import Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import some, some_path
from fer_core.cli.terminal import one_line
from fer_core.errors import RunError
from fer_core.formatting import percent
from fer_core.value_types import JsonObject


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "export",
        help="write a run's model.tflite (probabilities and class maps)",
        description="Write a run's model.tflite: probabilities and the class maps of all seven classes in one call. "
        "It is compared with model.keras first and not written when the two disagree. With --half, model.keras is "
        "rewritten too, and the run is evaluated again.",
    )
    parser.add_argument("name", metavar="RUN", type=some, help="name of a run, or its folder")
    parser.add_argument(
        "--data", type=some_path, required=True, help="dataset folder whose PublicTest faces are compared"
    )
    parser.add_argument(
        "--half",
        nargs="?",
        choices=("both", "keras"),
        const="both",
        help="store weights in half precision, half the size: in both model files, or in model.keras alone, for a "
        "network whose LiteRT file does not bear it",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from dataclasses import asdict

    from fer_core.data.dataset import load_dataset
    from fer_core.evaluation.evaluate import export_run
    from fer_core.runs.listing import find_run
    from fer_core.runs.measurements import gone_lines, there
    from fer_core.writable import check_writable

    folder = find_run(args.name)
    if folder.is_vote:
        raise RunError(f"{folder.name} is a vote and has no model of its own. Export its members instead.")
    check_writable(folder.path, "the run's files")
    dataset = load_dataset(args.data)
    before = there(folder)
    parity = export_run(folder, dataset, half_precision=args.half)
    size = folder.tflite_path.stat().st_size
    gone = gone_lines(folder, before, args.data)
    text = (
        f"{one_line(folder.tflite_path)}: {size / 1e6:.1f} MB. On {parity.faces:,} faces probabilities differ from "
        f"model.keras by at most {parity.largest_difference:.1e}; {percent(parity.agreement, 2)} of the "
        "answers are the same."
    )
    result = {"file": str(folder.tflite_path), "bytes": size, "parity": asdict(parity), "notes": gone}
    return result, "\n".join([text, *gone])
