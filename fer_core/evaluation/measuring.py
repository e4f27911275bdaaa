"""Runs measured in the background: one child process at a time, over all sessions and servers of a home.

All is on disk: what is asked for and how far it is in ``evaluations/.measuring.json``, and that somebody works on it in
a lock that the system takes from a process that dies. So a page that reloads and a second server see the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
from typing_extensions import TypedDict

from fer_core.data.contracts import DatasetRecord
from fer_core.data.info import DatasetInfo
from fer_core.errors import RunError
from fer_core.files import disk_time_ns, write_json
from fer_core.memory import no_room
from fer_core.reading import UnreadableError, parse, read_bytes
from fer_core.settings import PROJECT_ROOT, settings
from fer_core.try_lock import try_lock
from fer_core.writable import check_writable, explained

LOWEST_PRIORITY = 19
"""Niceness of the child: it takes what nobody else wants."""
CHILD_BYTES = 0.4e9
"""The child with LiteRT, the largest model that ships and the faces of FER-2013."""
STARTING_S = 20.0
"""Seconds that a child may take until it holds the lock: on a busy machine Python alone takes some."""


class MeasuringState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"


class MeasuringRecord(TypedDict):
    """``evaluations/.measuring.json``."""

    schema: int
    data: DatasetRecord
    runs: list[str]
    done: int
    now: str
    share: float
    problems: list[str]
    ended: bool


@dataclass(frozen=True)
class Measuring:
    """The latest measuring.

    Attributes:
        data: the faces.
        runs: the names of the runs, in the order in which they are measured; ``done`` of them are.
        now: what is being done, in words.
        share: of the whole, 0..1.
        problems: a sentence for each run that could not be measured.
    """

    state: MeasuringState
    data: DatasetRecord
    runs: tuple[str, ...]
    done: int
    now: str
    share: float
    problems: tuple[str, ...]

    @property
    def running(self) -> bool:
        return self.state == MeasuringState.RUNNING


def record_path() -> Path:
    return settings().evaluations_dir / ".measuring.json"


def status() -> Measuring | None:
    """How far the latest measuring is; None where there was none, or nobody can tell."""
    try:
        record = parse(read_bytes(record_path()), MeasuringRecord)
        written = record_path().stat().st_mtime_ns
    except (UnreadableError, OSError):
        return None
    if record["ended"]:
        state = MeasuringState.DONE
    elif _is_held() or abs(disk_time_ns(record_path().parent) - written) < STARTING_S * 1e9:
        state = MeasuringState.RUNNING
    else:
        state = MeasuringState.INTERRUPTED
    return Measuring(
        state,
        record["data"],
        tuple(record["runs"]),
        record["done"],
        record["now"],
        record["share"],
        tuple(record["problems"]),
    )


def start(dataset: DatasetInfo, runs: Sequence[str | Path]) -> None:
    """Measure these runs, names or folders, on a dataset in a child process of the lowest priority.

    Raises ``RunError`` while another measuring runs, where too little memory is left for the child, or where nothing
    can be written or started.
    """
    found = status()
    if found is not None and found.running:
        raise RunError(f"Models are being measured on {found.data['title']} right now. Try again when that is done.")
    if why := no_room(CHILD_BYTES, "Measuring models runs in a process of its own, which"):
        raise RunError(why)
    check_writable(settings().evaluations_dir, "What is measured", RunError)
    names = [Path(run).name for run in runs]
    with explained("What is measured cannot be written", RunError):
        settings().evaluations_dir.mkdir(parents=True, exist_ok=True)
        write_json(record_path(), new_record(dataset.record(), names))
        child = subprocess.Popen(
            [sys.executable, "-m", "fer_core.evaluation.measuring_child", str(dataset.path), *map(str, runs)],
            cwd=PROJECT_ROOT,
            env={
                **os.environ,
                "FER_EXPLORER_HOME": str(settings().home),
                "FER_EXPLORER_MODELS": str(settings().models_dir),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",
        )
    try:
        psutil.Process(child.pid).nice(psutil.IDLE_PRIORITY_CLASS if sys.platform == "win32" else LOWEST_PRIORITY)
    except psutil.NoSuchProcess:
        return  # it has ended already: what it wrote says how


def new_record(data: DatasetRecord, names: Sequence[str]) -> MeasuringRecord:
    """What is written before anything is measured."""
    return MeasuringRecord(
        schema=1, data=data, runs=list(names), done=0, now="starting", share=0.0, problems=[], ended=False
    )


@contextmanager
def held(patience_s: float = 10.0) -> Iterator[bool]:
    """Hold the lock of the one that measures; gives False, at once or after ``patience_s``, where another does."""
    with try_lock(record_path().with_name(".measuring.lock"), patience_s) as free:
        yield free


def _is_held() -> bool:
    try:
        with held(0) as free:
            return not free
    except OSError:
        # A disk, or a lock of another account, that cannot be written to: nothing is measured from here.
        return False
