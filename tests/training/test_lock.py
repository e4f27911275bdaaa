"""One training at a time, also after crashes and clock steps."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.lease import Lease
from fer_core.training.lock import HOST_LOCK, TrainingLock, claim, holder, lease_path, lock_path, worker

WAIT = "import time; time.sleep(60)"


def test_the_holder_is_known_and_gone_afterwards(home: Path) -> None:
    assert holder() is None
    with TrainingLock(home / "runs" / "mine"):
        found = holder()
        assert found is not None
        assert (found.pid, found.run_dir) == (os.getpid(), str(home / "runs" / "mine"))
    assert holder() is None
    assert [path.name for path in (home / "runs").iterdir() if path.name != HOST_LOCK] == []


def test_a_second_training_is_refused_and_told_which_one_runs(home: Path) -> None:
    with TrainingLock(home / "runs" / "first"), pytest.raises(RunError, match="first is training"):
        TrainingLock(home / "runs" / "second").__enter__()


def test_the_lock_of_a_killed_process_is_taken_over(home: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WAIT])
    claim(child.pid, home / "runs" / "before")
    assert holder() is not None
    child.kill()
    child.wait()
    assert holder() is None
    with TrainingLock(home / "runs" / "next"):
        assert holder() is not None


def test_another_process_that_was_given_the_same_number_holds_nothing(home: Path) -> None:
    lock_path().parent.mkdir(parents=True)
    mine = asdict(Lease.of(os.getpid(), home / "runs" / "x"))
    write_json(lock_path(), mine)
    assert holder() is not None
    write_json(lock_path(), {**mine, "start": mine["start"] - 1})
    assert holder() is None


def test_a_clock_that_was_set_makes_no_living_training_count_as_dead(home: Path) -> None:
    """A step of one second did: it was told by when the process began, which psutil counts from the clock."""
    run = home / "runs" / "mine"
    run.mkdir(parents=True)
    with TrainingLock(run):
        for seconds in (1, 10**9):
            os.utime(lock_path(), (seconds, seconds))
            os.utime(lease_path(run), (seconds, seconds))
            assert holder() is not None
            assert worker(run) is not None
            with pytest.raises(RunError, match="mine is training"):
                TrainingLock(home / "runs" / "other").__enter__()


def test_a_lock_file_cut_in_half_holds_nothing(home: Path) -> None:
    lock_path().parent.mkdir(parents=True)
    for text in ('{"pid": 12', "[]", "null", '{"pid": 12}', ""):
        lock_path().write_text(text, encoding="utf-8")
        assert holder() is None
    with TrainingLock(home / "runs" / "next"):
        pass


def test_whoever_starts_a_child_can_claim_for_it_and_the_child_enters(home: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WAIT])
    try:
        claim(child.pid, home / "runs" / "mine")
        claim(child.pid, home / "runs" / "mine")
        with pytest.raises(RunError, match="mine is training"):
            claim(os.getpid(), home / "runs" / "other")
    finally:
        child.kill()
        child.wait()


def test_a_run_that_another_host_trains_is_neither_dead_nor_taken(home: Path) -> None:
    run = home / "runs" / "shared"
    run.mkdir(parents=True)
    elsewhere = {**asdict(Lease.of(os.getpid(), run)), "place": "0" * 12, "host": "lab-2", "pid": 4_000_000}
    write_json(lease_path(run), elsewhere)
    assert worker(run) is not None
    with pytest.raises(RunError, match="lab-2"):
        TrainingLock(run).__enter__()
    # Another run may be trained here meanwhile: one training a host.
    with TrainingLock(home / "runs" / "own"):
        assert holder() is not None
