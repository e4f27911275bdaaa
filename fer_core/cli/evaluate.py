"""``evaluate``: predictions and metrics of a run, again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_core.cli import add_json_option
from fer_core.runs.measured import flip_lines, litert_lines, temperature_lines
from fer_core.words import interval, percent


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a run on PublicTest and PrivateTest",
        description="Measure a run on PublicTest and PrivateTest, and fit its temperature on PublicTest. Writes "
        "predictions.parquet, embeddings.parquet, metrics.json, CARD.md and run.json into the run folder; a missing "
        "model.tflite is exported too. A finished training has done all of this by itself.",
    )
    parser.add_argument("name", metavar="RUN", help="name of a run, or its folder")
    parser.add_argument("--data", type=Path, required=True, help="dataset folder")
    parser.add_argument(
        "--average",
        choices=("none", "flip"),
        default="none",
        help="flip: also measure the mean over each face and its mirror image, reported apart. Once measured, every "
        "later evaluation of the run measures it again",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from fer_core.data.dataset import load_dataset
    from fer_core.evaluation.evaluate import evaluate_run
    from fer_core.runs.listing import find_run

    folder = find_run(args.name)
    metrics = evaluate_run(folder, load_dataset(args.data), average=args.average)
    return {"run": str(folder.path), **metrics}, summary(metrics)


def summary(metrics: dict[str, Any]) -> str:
    """Accuracy with its interval, one line a split; then what the LiteRT file, averaging and temperature do."""
    lines = []
    for split, scores in metrics["splits"].items():
        line = (
            f"{split}: accuracy {percent(scores['accuracy'])} ({interval(scores)}), "
            f"macro F1 {scores['macro_f1']:.3f}, n = {scores['n']:,}"
        )
        if clean := scores.get("without_twins"):
            line += f"; without twins {percent(clean['accuracy'])}, n = {clean['n']:,}"
        lines.append(line)
    lines += litert_lines(metrics) + flip_lines(metrics) + temperature_lines(metrics)
    return "\n".join(lines)
