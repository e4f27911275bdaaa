"""What the benchmarks share: the machine, child processes that measure, spread, tables.

Everything that loads TensorFlow runs in a child process of its own, one after another: no variant inherits another's
memory, threads or graphs.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.errors import FerError

if TYPE_CHECKING:
    from fer_core.runs.folder import RunFolder

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy", "opencv-python-headless", "keras", "tensorflow", "tensorflow-cpu", "ai-edge-litert")
CHILD_SECONDS = 1800
"""Longest a single measurement may take before something is wrong."""
BATCHES = (1, 64)
"""Faces a call, where a library is compared with another."""
WARM_UP = 5
LARGE_BATCH_SHARE = 4
"""A large batch is timed this many times less often than one face: its call is that much longer, and steadier."""


def machine(packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """Processor, cores, memory (GB), system, and versions of what does the work."""
    import psutil

    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # TensorFlow has two names, of which one is installed
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": versions,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def machine_text(about: dict[str, Any]) -> str:
    """Two lines for people; a busy machine is said, because it spoils every figure."""
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    text = f"{about['processor']}, {about['cores']} cores, {about['memory_gb']} GB, {about['system']}\n{versions}"
    if about["load"] is not None and about["load"] > 0.5:
        text += f"\nThe machine was busy at the start (load {about['load']}): do not quote these figures."
    return text


def run_child(script: str, task: dict[str, Any], *, seconds: float = CHILD_SECONDS) -> Any:
    """Run ``script --child TASK`` in a fresh interpreter; its last line of output is the result, JSON.

    Raises ``FerError`` with the end of what the child wrote where it fails.
    """
    command = [sys.executable, str(Path(script).resolve()), "--child", json.dumps(task)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FerError(f"{task} took longer than {seconds:.0f} s. Choose smaller settings.") from error
    if done.returncode != 0:
        raise FerError(f"the measurement {task} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_quietly(
    command: Sequence[str], environment: dict[str, str], seconds: float, *, allowed: Sequence[int] = (0,)
) -> None:
    """Run a command in the project's folder, its output thrown away. Raises ``FerError`` with the end of what it
    complained about where its exit code is not among the ``allowed``.
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=seconds,
    )
    if done.returncode not in allowed:
        raise FerError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def clock(answer: Callable[[Any], object], faces: Any, calls: int, *, warm_up: int) -> dict[str, float]:
    """Median and 95th percentile of milliseconds per face over ``calls`` of ``answer(faces)``, after a warm-up.

    ``faces``: (B, 48, 48), whatever ``answer`` takes.
    """
    for _ in range(warm_up):
        answer(faces)
    seconds = []
    for _ in range(calls):
        began = time.perf_counter()
        answer(faces)
        seconds.append(time.perf_counter() - began)
    per_face = 1000 * np.array(seconds) / len(faces)
    return {"median_ms": float(np.median(per_face)), "p95_ms": float(np.percentile(per_face, 95)), "calls": calls}


def clock_batches(answer: Callable[[Any], object], faces: Any, repeats: int) -> list[dict[str, Any]]:
    """:func:`clock` for each of :data:`BATCHES`: one face ``repeats`` times, a large batch less often.

    ``faces``: uint8 (at least the largest batch, 48, 48); each batch is its beginning.
    """
    figures = []
    for batch in BATCHES:
        calls = repeats if batch == 1 else max(1, repeats // LARGE_BATCH_SHARE)
        figures.append({"batch": batch, **clock(answer, faces[:batch], calls, warm_up=min(WARM_UP, repeats))})
    return figures


def runs_with_keras(models: Sequence[str] | None, repeats: int) -> dict[str, RunFolder]:
    """The named runs, or all that ship but the votes: folders that hold LiteRT and Keras files to compare, by name.

    Raises ``FerError`` for an unknown run or a vote, if nothing ships, or for ``repeats`` below one.
    """
    from fer_core.runs.listing import find_run, list_models

    if repeats < 1:
        raise FerError("--repeats must be at least 1.")
    names = models or [info.name for info in list_models() if info.shipped and not info.is_vote]
    runs = {name: find_run(name) for name in names}
    if not runs:
        raise FerError("no trained run ships here. Name one: --models RUN")
    for name, folder in runs.items():
        if not folder.keras_path.exists():
            raise FerError(f"{name} has no model.keras to compare with. A vote has none: measure its members.")
    return runs


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Median, lowest and highest of repeated measurements, and all of them."""
    return {"median": float(np.median(values)), "low": min(values), "high": max(values), "all": list(values)}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well in a terminal: first column left, the others right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = "|".join(
        ["", *("-" * (width + 1) + ("-" if column == 0 else ":") for column, width in enumerate(widths)), ""]
    )
    return "\n".join([line(head), rule, *(line(row) for row in rows)])


def finish(work: Callable[[], tuple[dict[str, Any], str]], *, as_json: bool) -> int:
    """Run a benchmark and print its result. Returns the exit code: 0 fine, 2 a mistake with a message."""
    try:
        result, text = work()
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=2) if as_json else text)
    return 0


def progress(text: str) -> None:
    """Say on standard error what is measured now: a run takes minutes."""
    print(text, file=sys.stderr, flush=True)
