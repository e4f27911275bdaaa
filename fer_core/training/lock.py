"""One training at a time on a host, one process at a time for a run: two leases, which outlive no process.

``runs/.training-<place>.json`` says who trains on this host. ``.lease.json`` in a run's folder says who works on that
run: hosts that share a disk see by it that another one's training lives (:mod:`fer_core.lease`).
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from fer_core import lease
from fer_core.errors import RunError
from fer_core.lease import Heart, HeldError, HolderUnknownError, Lease
from fer_core.processes import place
from fer_core.runs.folder import RunFolder
from fer_core.runs.transaction import LOCK_FILE
from fer_core.settings import settings
from fer_core.training.scheduled import is_scheduled
from fer_core.writable import check_writable, explained

HOST_LOCK = ".training.lock"
"""Held for a moment by whoever writes or deletes a host's lease."""


def lock_path() -> Path:
    """The lease of the one training of this host."""
    return settings().runs_dir / f".training-{place()}.json"


def lease_path(run_dir: Path) -> Path:
    """The lease of whoever works on that run."""
    return RunFolder(run_dir).lease_path


def holder() -> Lease | None:
    """Who trains on this host now, or None. Raises ``RunError`` where that cannot be read."""
    return lease.alive(lock_path())


def worker(run_dir: Path, *, wait: bool = False) -> Lease | None:
    """Who works on that run, on this host or another, or None. Raises ``RunError`` where that cannot be read.

    ``wait``: for whoever is about to change or delete it. Whether another host's process is gone takes seconds to tell.
    """
    found = (lease.settled if wait else lease.alive)(lease_path(run_dir))
    if found is not None:
        return found
    # Of a folder that somebody deletes while it trains, nothing is left but the process.
    here = holder()
    return here if here is not None and here.run_dir == str(run_dir) and not run_dir.is_dir() else None


def check_places(run_dir: Path) -> None:
    """Raise ``RunError`` unless both the run, in ``run_dir``, and the lock can be written."""
    for folder in {settings().runs_dir: None, run_dir.resolve(): None}:
        check_writable(folder, "The run", RunError)


def check_kept(run_dir: Path) -> None:
    """Raise ``RunError`` where another computer works on the run that this process trains."""
    try:
        lost = lease.is_lost(lease_path(run_dir))
    except HolderUnknownError:
        # The disk is away for a moment: whoever took it meanwhile is there at the next look, too.
        return
    if lost:
        raise RunError(
            f"{run_dir} is being trained on another computer by now: this one did not answer for longer than "
            f"{lease.FRESH_S:.0f} seconds. It goes on there."
        )


def busy_message(current: Lease) -> str:
    """Why another training is not started now."""
    name = Path(current.run_dir).name
    if not current.is_here:
        return f"{name} is training on another computer ({current.host}). Wait for it, or stop it first."
    return (
        f"{name} is training (process {current.pid}). Two trainings at once would slow each other down: wait for it, "
        "or stop it first."
    )


def claim(pid: int, run_dir: Path, *, alone: bool = True) -> None:
    """Take both leases for process ``pid``, which trains into ``run_dir``; again for the same process is fine.

    Whoever starts a child claims for it at once, so that nobody else can start one while it is still loading.
    ``alone``: whether it is to be the one training of this host; not where an engine hands out the host's processors.
    Raises ``RunError`` naming the run that trains already, or if a lease cannot be written; ``ProcessLookupError``
    where the process has ended.
    """
    mine, runs = Lease.of(pid, run_dir), lock_path().parent
    if alone:
        with explained(f"The lock of the one training at a time cannot be written to {runs}", RunError):
            runs.mkdir(parents=True, exist_ok=True)
            try:
                lease.take(lock_path(), mine, runs / HOST_LOCK)
            except HeldError as error:
                raise RunError(busy_message(error.lease)) from None
    try:
        if run_dir.is_dir():
            folder = RunFolder(run_dir)
            with explained(f"The lock of the run cannot be written to {run_dir}", RunError):
                # What was asked of an earlier process goes: nobody can have meant one that was not there yet.
                requests = (folder.stop_path, folder.pause_path)
                lease.take(folder.lease_path, mine, run_dir / LOCK_FILE, clear=requests)
    except HeldError as error:
        give_back(mine)
        raise RunError(busy_message(error.lease)) from None
    except BaseException:
        give_back(mine)
        raise


def reserve(run_dir: Path) -> None:
    """Take the run's lease for this process, which trains another one and goes on with this one next.

    Whoever looks in between finds that one or the other lives. Raises ``RunError`` if it cannot be written.
    """
    with explained(f"The lock of the run cannot be written to {run_dir}", RunError):
        lease.take(lease_path(run_dir), Lease.of(os.getpid(), run_dir), run_dir / LOCK_FILE)


def give_back(mine: Lease) -> None:
    """Take away both leases, where they are that process's."""
    run_dir = Path(mine.run_dir)
    lease.release(lease_path(run_dir), mine.process, run_dir / LOCK_FILE)
    lease.release(lock_path(), mine.process, lock_path().parent / HOST_LOCK)


class TrainingLock:
    """Held by the training process itself, which keeps its lease fresh.

    Raises ``RunError`` naming the run that trains already.
    """

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir

    def __enter__(self) -> TrainingLock:
        claim(os.getpid(), self.run_dir, alone=not is_scheduled())
        self._heart = Heart(lease_path(self.run_dir))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heart.stop()
        give_back(Lease.of(os.getpid(), self.run_dir))
