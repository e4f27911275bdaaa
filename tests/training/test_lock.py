"""One training at a time, also after crashes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fer_core.errors import RunError
from fer_core.training.lock import TrainingLock, alive, claim, holder, lock_path


def test_the_holder_is_known_and_gone_afterwards(home: Path) -> None:
    assert holder() is None
    with TrainingLock(home / "runs" / "mine"):
        found = holder()
        assert found is not None
        assert found["pid"] == os.getpid()
        assert found["run_dir"] == str(home / "runs" / "mine")
    assert holder() is None
    assert list((home / "runs").iterdir()) == []


def test_a_second_training_is_refused_and_told_which_one_runs(home: Path) -> None:
    with TrainingLock(home / "runs" / "first"), pytest.raises(RunError, match="first is training"):
        TrainingLock(home / "runs" / "second").__enter__()


def test_the_lock_of_a_killed_process_is_taken_over(home: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    started = psutil.Process(child.pid).create_time()
    lock_path().parent.mkdir(parents=True)
    lock_path().write_text(json.dumps({"pid": child.pid, "started": started, "run_dir": "x"}), encoding="utf-8")
    assert holder() is not None
    child.kill()
    child.wait()
    assert holder() is None
    with TrainingLock(home / "runs" / "next"):
        assert holder() is not None


def test_another_process_that_was_given_the_same_number_holds_nothing() -> None:
    mine = psutil.Process()
    assert alive(mine.pid, mine.create_time())
    assert not alive(mine.pid, mine.create_time() - 100)


def test_a_lock_file_cut_in_half_holds_nothing(home: Path) -> None:
    lock_path().parent.mkdir(parents=True)
    lock_path().write_text('{"pid": 12', encoding="utf-8")
    assert holder() is None
    with TrainingLock(home / "runs" / "next"):
        pass


def test_whoever_starts_a_child_can_claim_for_it_and_the_child_enters(home: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        claim(child.pid, home / "runs" / "mine")
        claim(child.pid, home / "runs" / "mine")
        with pytest.raises(RunError, match="mine is training"):
            claim(os.getpid(), home / "runs" / "other")
    finally:
        child.kill()
        child.wait()
