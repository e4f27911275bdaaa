"""Faces a second of ``score`` with one and two workers, beside ``predict``; and trials an hour of sweeps, in one run.

    python benchmarks/cluster.py
    python benchmarks/cluster.py --source photos/ --pictures 500 --model vgg16
    python benchmarks/cluster.py --trials 6

Each command reads the same pictures: by default drawn faces of 48×48 pixels, a file each, which need no detector, or
those of ``--source`` under as many names as it takes. It runs twice each time, with few pictures and with all of them.
The difference tells the rate while it works; the whole command also starts, and Ray with it.

``predict`` decodes and asks its models with as many threads as there are cores; a worker of ``score`` has one core. So
``predict`` is told twice: as it is, and held to one core, which is what a worker is to be compared with. Linux only.
More than one worker needs Ray.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image

from benchmarks import trials
from benchmarks.common import finish, machine, machine_text, progress, run_quietly, spread, table
from fer_core.errors import FerError
from fer_core.file_types import PICTURE_ENDINGS

FEW_SHARE = 8
"""The small run reads this part of the pictures."""
SECONDS = 3_600
PREDICT, PREDICT_ONE, ONE, TWO = "predict", "predict, one core", "score, 1 worker", "score, 2 workers"
VARIANTS = (PREDICT, PREDICT_ONE, ONE, TWO)


def write_pictures(folder: Path, number: int, source: Path | None) -> None:
    """``number`` names in ``folder`` for the pictures of ``source``, or for drawn faces. Raises ``FerError``."""
    folder.mkdir()
    if source is None:
        from fer_core.data.sample import draw_sample

        for index, image in enumerate(draw_sample().images[:number]):
            Image.fromarray(image).save(folder / f"{index:06}.png")
    else:
        found = sorted(path for path in source.rglob("*") if path.suffix.lower()[1:] in PICTURE_ENDINGS)
        if not found:
            raise FerError(f"{source} holds no picture.")
        for index, path in enumerate(found[:number]):
            shutil.copyfile(path, folder / f"{index:06}{path.suffix}")
    there = sorted(folder.iterdir())
    for index in range(len(there), number):
        # No symbolic links: predict reads a file once, however often it is named.
        path = there[index % len(there)]
        os.link(path, folder / f"{index:06}{path.suffix}")


def seconds_of(variant: str, source: Path, model: str) -> float:
    """How long a command takes. Raises ``FerError`` where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        if variant in (PREDICT, PREDICT_ONE):
            arguments = ["predict", str(source), "--out", f"{folder}/answers.csv"]
        else:
            arguments = ["score", str(source), "--out", f"{folder}/out", "--workers", "2" if variant == TWO else "1"]
        cores = sorted(os.sched_getaffinity(0))
        command = [sys.executable, "-m", "fer_core", *arguments, "--models", model]
        if variant == PREDICT_ONE:
            command = ["taskset", "-c", str(cores[0]), *command]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "FER_EXPLORER_CLUSTER": ""}
        began = time.perf_counter()
        run_quietly(command, environment, SECONDS, allowed=(0, 1))
        return time.perf_counter() - began


def measure(pictures: int, source: Path | None, model: str, repeats: int, variants: Sequence[str]) -> dict[str, Any]:
    """Pictures a second of each variant, over the whole command and while it works. Variants take turns."""
    few = max(1, pictures // FEW_SHARE)
    whole: dict[str, list[float]] = {variant: [] for variant in variants}
    working: dict[str, list[float]] = {variant: [] for variant in variants}
    with tempfile.TemporaryDirectory() as folder:
        some, every = Path(folder) / "some", Path(folder) / "every"
        write_pictures(some, few, source)
        write_pictures(every, pictures, source)
        for repeat in range(repeats):
            for variant in variants:
                progress(f"{variant}, {repeat + 1} of {repeats}")
                short, long = seconds_of(variant, some, model), seconds_of(variant, every, model)
                whole[variant].append(pictures / long)
                working[variant].append((pictures - few) / max(long - short, 1e-3))
    return {
        "whole_command": {variant: spread(values) for variant, values in whole.items()},
        "while_it_works": {variant: spread(values) for variant, values in working.items()},
    }


def report(result: dict[str, Any]) -> str:
    """The machine, and a table: rates, and how many times that of ``predict``."""
    whole, working = result["whole_command"], result["while_it_works"]
    base = working[PREDICT]["median"]
    one_core = working[PREDICT_ONE]["median"]
    rows = [
        [
            variant,
            f"{working[variant]['median']:,.0f} ({working[variant]['low']:,.0f} to {working[variant]['high']:,.0f})",
            f"{whole[variant]['median']:,.0f}",
            f"{working[variant]['median'] / base:.2f}",
            f"{working[variant]['median'] / one_core:.2f}",
        ]
        for variant in working
    ]
    head = [
        "command",
        "pictures a second while it works",
        "of the whole command",
        "times predict",
        "times one core of it",
    ]
    return f"{machine_text(result['machine'])}\n\n{table(head, rows)}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Pictures a second of score, with one and two workers, beside predict.",
        epilog="Takes some minutes. Let the machine do nothing else.",
    )
    parser.add_argument("--pictures", type=int, default=16_000, help="how many to read (default: 16,000)")
    parser.add_argument("--source", type=Path, help="a folder of pictures (default: drawn faces of 48×48 pixels)")
    parser.add_argument("--model", default="custom_cnn", help="which run is asked (default: custom_cnn)")
    parser.add_argument("--repeats", type=int, default=3, help="how often (default: 3)")
    parser.add_argument(
        "--trials", type=int, default=0, metavar="N", help="also measure N trials an hour of a sweep (default: do not)"
    )
    parser.add_argument("--epochs", type=int, default=5, help="epochs of each trial (default: 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args(argv)

    def work() -> tuple[dict[str, Any], str]:
        if args.pictures < FEW_SHARE or args.repeats < 1:
            raise FerError(f"--pictures must be at least {FEW_SHARE}, --repeats at least 1.")
        if args.trials < 0 or args.epochs < 1 or (args.trials and not importlib.util.find_spec("ray")):
            raise FerError(
                "--trials must be 0 or more, --epochs at least 1, and trials need Ray (requirements-ray.txt)."
            )
        if not hasattr(os, "sched_getaffinity"):
            raise FerError("this measures on Linux only: elsewhere no process can be held to one core.")
        variants = VARIANTS if importlib.util.find_spec("ray") else VARIANTS[:-1]
        if len(variants) < len(VARIANTS):
            progress("Ray is not installed, so that two workers are left out: pip install -r requirements-ray.txt")
        about = machine(("numpy", "opencv-python-headless", "ai-edge-litert", "ray"))
        settings = {"pictures": args.pictures, "model": args.model, "source": str(args.source or "drawn faces")}
        figures = measure(args.pictures, args.source, args.model, args.repeats, variants)
        result = {"machine": about, "settings": settings, **figures}
        if not args.trials:
            return result, report(result)
        rates = trials.measure(args.trials, args.epochs, args.repeats)
        return {**result, "trials_an_hour": rates}, f"{report(result)}\n\n{trials.report(rates)}"

    return finish(work, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
