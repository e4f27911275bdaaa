"""One training at a time: a lock file that names the process and the run, and outlives neither."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import TypedDict

import psutil

from fer_core.errors import RunError
from fer_core.settings import settings
from fer_core.writable import check_writable, explained


class Holder(TypedDict):
    """Who trains: the process, when it began (POSIX seconds), and the run folder."""

    pid: int
    started: float
    run_dir: str


def lock_path() -> Path:
    return settings().runs_dir / ".training.json"


def alive(pid: int, started: float) -> bool:
    """Whether the very process ``pid`` that began at ``started`` (POSIX seconds) still runs.

    The start time tells it from a later process that was given the same number.
    """
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def holder() -> Holder | None:
    """Who trains now: ``pid``, ``started``, ``run_dir``. None if nobody does."""
    try:
        value: Holder = json.loads(lock_path().read_text(encoding="utf-8"))
        return value if isinstance(value["run_dir"], str) and alive(value["pid"], value["started"]) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # Absent, or half written by a process that died on the spot: nobody holds it.
        return None


def check_places(run_dir: Path) -> None:
    """Raise ``RunError`` unless both the run, in ``run_dir``, and the lock can be written."""
    for folder in {settings().runs_dir: None, run_dir.resolve(): None}:
        check_writable(folder, "The run", RunError)


def busy_message(current: Holder) -> str:
    return (
        f"{Path(current['run_dir']).name} is training (process {current['pid']}). Two trainings at once would "
        "slow each other down: wait for it, or stop it first."
    )


def claim(pid: int, run_dir: Path) -> None:
    """Take the lock for process ``pid``, which trains into ``run_dir``; again for the same process is fine.

    Whoever starts a child claims for it at once, so that nobody else can start one while it is still loading.
    Raises ``RunError`` naming the run that holds the lock already, or if the lock cannot be written.
    """
    path = lock_path()
    owner: Holder = {"pid": pid, "started": psutil.Process(pid).create_time(), "run_dir": str(run_dir)}
    with explained(f"The lock of the one training at a time cannot be written to {path.parent}", RunError):
        path.parent.mkdir(parents=True, exist_ok=True)
        _take(path, owner)


def _take(path: Path, owner: Holder) -> None:
    """Give the lock at ``path`` to ``owner``. Raises ``RunError`` naming who holds it, ``OSError``."""
    pid = owner["pid"]
    # Linking a finished file is atomic: of two processes that try at once, one gets the name.
    temporary = path.with_name(f".training.{os.getpid()}.{pid}.tmp")
    temporary.write_text(json.dumps(owner), encoding="utf-8")
    try:
        for _ in range(2):
            try:
                os.link(temporary, path)
                return
            except FileExistsError:
                current = holder()
                if current is not None and (current["pid"], current["run_dir"]) == (pid, owner["run_dir"]):
                    return
                if current is not None:
                    raise RunError(busy_message(current)) from None
                path.unlink(missing_ok=True)  # left by a process that died
    finally:
        temporary.unlink(missing_ok=True)
    raise RunError("another training started at this very moment. Try again.")


class TrainingLock:
    """Held by the training process itself. Raises ``RunError`` naming the run that holds it already."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir

    def __enter__(self) -> TrainingLock:
        claim(os.getpid(), self.run_dir)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        current = holder()
        if current is not None and current["pid"] == os.getpid():
            lock_path().unlink(missing_ok=True)
