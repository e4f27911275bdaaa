"""Pause and stop, as the training loop honours them: after a batch, before an epoch, and while it waits."""

from __future__ import annotations

import os
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.runs.recipe import Recipe
from fer_core.training import jobs, pause_and_stop
from fer_core.training.lock import TrainingLock
from fer_core.training.loop import Trainer
from fer_core.training.pause_and_stop import Control
from fer_core.training.resume_state import TrainingState


@pytest.fixture
def folder(folder: RunFolder) -> RunFolder:
    write_json(folder.recipe_path, Recipe("custom_cnn", epochs=3).to_dict())
    return folder


def kinds(folder: RunFolder) -> list[str]:
    return [event["event"] for event in folder.events()]


def while_waiting(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Do ``act`` in the first moment that the control waits, as somebody at a page would."""
    waits = threading.Event()

    def sleep(_: float) -> None:
        assert not waits.is_set(), "it still waits after what was asked"
        waits.set()
        act()

    monkeypatch.setattr(pause_and_stop, "time", types.SimpleNamespace(sleep=sleep, monotonic=lambda: 0.0))


def test_a_stop_ends_a_pause(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page offers Stop for a paused run: it must not need "Go on" first."""
    with TrainingLock(folder.path):
        jobs.pause(folder.path)
        while_waiting(monkeypatch, lambda: jobs.stop(folder.path))
        assert Control(folder, Journal(folder.journal_path)).stop_wanted(1, 5)
        assert jobs.status(folder.path).state == "stopping"
    assert kinds(folder) == ["paused", "resumed"]


def test_what_was_asked_on_another_computer_waited_until_the_network_disk_showed_it(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such disks remember for up to a minute that there was no such file."""
    monkeypatch.setattr(Path, "exists", lambda path: path.name not in ("stop", "pause") and os.path.lexists(path))
    with TrainingLock(folder.path):
        jobs.stop(folder.path)
        assert jobs.status(folder.path).state == "stopping"
        assert Control(folder, Journal(folder.journal_path)).stop_wanted(1, 5)


def test_a_pause_that_is_taken_back_goes_on(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with TrainingLock(folder.path):
        jobs.pause(folder.path)
        while_waiting(monkeypatch, lambda: jobs.unpause(folder.path))
        assert not Control(folder, Journal(folder.journal_path)).stop_wanted(1, 5)


class Loop(Trainer):
    """The training loop without a network: an epoch is a list of batches, of which each asks the control."""

    def __init__(self, folder: RunFolder, during_validation: Callable[[int], None]) -> None:
        self.folder, self.recipe = folder, folder.recipe()
        self.journal = Journal(folder.journal_path)
        self.control = Control(folder, self.journal)
        self.progress = TrainingState()
        self.during_validation = during_validation
        self.batches_done: list[tuple[int, int]] = []

    def _begin(self):
        return None

    def _write_start(self, first: int, precision_reason: str) -> None:
        pass

    def _epoch(self, model, epoch: int) -> bool:
        for step in (1, 2):
            self.batches_done.append((epoch, step))
            if self.control.stop_wanted(epoch, step):
                return False
        self.during_validation(epoch)
        return True


@pytest.fixture
def no_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    utils = types.SimpleNamespace(set_random_seed=lambda seed: None)
    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(utils=utils))


@pytest.mark.usefixtures("no_keras")
def test_a_stop_asked_for_while_public_test_is_measured_trains_no_further_batch(folder: RunFolder) -> None:
    loop = Loop(folder, lambda epoch: folder.stop_path.touch())
    assert loop.run("") == "stopped"
    assert loop.batches_done == [(1, 1), (1, 2)]
    assert kinds(folder)[-1] == "stopped"


@pytest.mark.usefixtures("no_keras")
def test_a_pause_asked_for_while_public_test_is_measured_waits_before_the_next_batch(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    done_while_waiting: list[int] = []

    def go_on() -> None:
        done_while_waiting.append(len(loop.batches_done))
        folder.pause_path.unlink()

    while_waiting(monkeypatch, go_on)
    loop = Loop(folder, lambda epoch: folder.pause_path.touch() if epoch == 1 else None)
    assert loop.run("") == "done"
    assert done_while_waiting == [2]
    assert len(loop.batches_done) == 6


@pytest.mark.usefixtures("no_keras")
def test_a_stop_asked_for_while_the_last_epoch_is_measured_loses_nothing(folder: RunFolder) -> None:
    loop = Loop(folder, lambda epoch: folder.stop_path.touch() if epoch == 3 else None)
    assert loop.run("") == "done"


@pytest.mark.parametrize("ask", [jobs.pause, jobs.stop])
def test_after_the_last_batch_a_request_is_refused_with_the_reason(
    folder: RunFolder, ask: Callable[[Path], None]
) -> None:
    """It used to be taken, never honoured, and left as a file in the finished run's folder."""
    Journal(folder.journal_path).write("phase", name="evaluating", detail="predicting PublicTest")
    with TrainingLock(folder.path), pytest.raises(RunError, match=r"too late.*Evaluating"):
        ask(folder.path)
    assert not folder.pause_path.exists()
    assert not folder.stop_path.exists()


def test_no_request_stays_in_the_folder_of_a_run_that_has_ended(folder: RunFolder) -> None:
    folder.pause_path.touch()
    folder.stop_path.touch()
    Control(folder, Journal(folder.journal_path)).done()
    assert sorted(path.name for path in folder.path.iterdir()) == ["recipe.json"]
