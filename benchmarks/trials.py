"""Trials an hour of a sweep, one at a time with all cores and several at a time with one each, beside plain trainings.

Part of ``benchmarks/cluster.py``. Each variant trains the same recipes on the drawn sample into a home of its own, to
the end: evaluated, exported and sealed. The whole command counts, with what it takes to start Ray.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import progress, run_quietly, spread, table
from fer_core.errors import FerError

SECONDS = 7_200
PLAIN, ONE, MANY = "train, one after the other", "sweep, one at a time", "sweep, one a core"
VARIANTS = (PLAIN, ONE, MANY)
RECIPE = ("custom_cnn", "--preset", "minute", "--set", "precision=float32")


def commands(variant: str, trials: int, epochs: int, data: Path, cores: int) -> list[list[str]]:
    """The arguments of ``python -m fer_core``, one list for each command that is given after the other."""
    recipe = [*RECIPE, "--data", str(data), "--epochs", str(epochs)]
    if variant == PLAIN:
        return [["train", *recipe, "--seed", str(seed)] for seed in range(trials)]
    cpus = cores if variant == ONE else 1
    return [["sweep", "start", "measured", *recipe, "--seeds", str(trials), "--cpus-per-trial", str(cpus)]]


def seconds_of(variant: str, trials: int, epochs: int) -> float:
    """How long all trials take, in a new home. Raises ``FerError`` where a command fails or a run is not sealed."""
    with tempfile.TemporaryDirectory() as home:
        data = Path(home) / "datasets" / "sample"
        environment = {
            **os.environ,
            "FER_EXPLORER_HOME": home,
            "FER_EXPLORER_CLUSTER": "",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        _run(["data", "import", "sample", "--out", str(data)], environment)
        began = time.perf_counter()
        for arguments in commands(variant, trials, epochs, data, os.cpu_count() or 1):
            _run(arguments, environment)
        taken = time.perf_counter() - began
        sealed = len(list(Path(home).glob("runs/*/run.json")))
    if sealed != trials:
        raise FerError(f"{variant}: {sealed} of {trials} runs are complete.")
    return taken


def measure(trials: int, epochs: int, repeats: int) -> dict[str, Any]:
    """Trials an hour of each variant. Variants take turns."""
    rates: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for repeat in range(repeats):
        for variant in VARIANTS:
            progress(f"{variant}, {repeat + 1} of {repeats}")
            rates[variant].append(3600 * trials / seconds_of(variant, trials, epochs))
    return {variant: spread(values) for variant, values in rates.items()}


def report(rates: dict[str, Any]) -> str:
    """A table: trials an hour, and how many times those of plain trainings."""
    base = rates[PLAIN]["median"]
    rows = [
        [
            variant,
            f"{found['median']:,.0f} ({found['low']:,.0f} to {found['high']:,.0f})",
            f"{found['median'] / base:.2f}",
        ]
        for variant, found in rates.items()
    ]
    return table(["command", "trials an hour", "times plain"], rows)


def _run(arguments: list[str], environment: dict[str, str]) -> None:
    run_quietly([sys.executable, "-m", "fer_core", *arguments], environment, SECONDS)
