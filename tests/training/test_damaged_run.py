"""Whatever is wrong with a run folder, its state is told: ``damaged`` and why, never an error that ends a page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.training import jobs
from fer_core.training.lock import TrainingLock, lock_path

EVENTS: dict[str, dict[str, Any]] = {
    "start": {"epochs": 4, "steps": 10, "batch_size": 8, "first_epoch": 1},
    "phase": {"name": "training"},
    "batch": {"epoch": 1, "step": 3, "steps": 10, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1},
    "epoch": {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.4, "learning_rate": 0.1},
    "failed": {"message": "memory ran out."},
}
EVENTS["batch"] |= {"images_per_second": 40.0}
EVENTS["epoch"] |= {"images_per_second": 40.0, "seconds": 2.0, "confusion": [[1, 0], [0, 1]]}


def write(folder: RunFolder, kind: str, values: dict[str, Any]) -> None:
    Journal(folder.journal_path).write(kind, **values)


def test_a_journal_with_all_that_is_needed_is_read(folder: RunFolder) -> None:
    for kind, values in EVENTS.items():
        write(folder, kind, values)
    assert jobs.status(folder.path).message == "Failed: memory ran out."


def test_a_start_without_time_process_or_first_epoch_is_read(folder: RunFolder) -> None:
    folder.journal_path.write_text('{"event": "start", "epochs": 3, "steps": 2, "batch_size": 8}\n{"event": "ba')
    now = jobs.status(folder.path)
    assert (now.state, now.resumable) == ("died", True)
    assert "of 3 epochs" in now.message


NEEDS = [(kind, key) for kind, values in EVENTS.items() for key in values if key != "first_epoch"]


@pytest.mark.parametrize(("kind", "key"), [*NEEDS, ("start", "first_epoch")])
def test_an_event_that_lacks_something_or_holds_nonsense_is_told(folder: RunFolder, kind: str, key: str) -> None:
    without = {name: value for name, value in EVENTS[kind].items() if name != key}
    for odd in (*([] if key == "first_epoch" else [without]), {**without, key: None}, {**without, key: {"a": []}}):
        folder.journal_path.unlink(missing_ok=True)
        write(folder, kind, odd)
        now = jobs.status(folder.path)
        assert (now.state, now.alive, now.resumable, now.epochs, now.batches) == ("damaged", False, False, [], [])
        assert str(folder.journal_path) in now.message
        assert key in now.message


def test_an_epoch_of_no_steps_is_told(folder: RunFolder) -> None:
    write(folder, "start", {**EVENTS["start"], "steps": 0})
    assert jobs.status(folder.path).state == "damaged"


def test_a_confusion_matrix_that_is_none_is_told(folder: RunFolder) -> None:
    write(folder, "epoch", {**EVENTS["epoch"], "confusion": [[1, 0], [0]]})
    assert "confusion" in jobs.status(folder.path).message


def break_recipe(folder: RunFolder) -> None:
    folder.recipe_path.write_text('{"architecture": ')


def break_vote(folder: RunFolder) -> None:
    folder.vote_path.write_text('{"members": [7]}')


def break_manifest(folder: RunFolder) -> None:
    folder.manifest_path.write_text("[]")


def empty_manifest(folder: RunFolder) -> None:
    write_json(folder.manifest_path, {"state": "done"})


def lose_recipe(folder: RunFolder) -> None:
    write_json(folder.manifest_path, {"state": "done", "best_epoch": 1})
    folder.recipe_path.unlink()


def journal_is_a_folder(folder: RunFolder) -> None:
    folder.journal_path.mkdir()


BREAKS = [break_recipe, break_vote, break_manifest, empty_manifest, lose_recipe, journal_is_a_folder]


@pytest.mark.parametrize("damage", BREAKS, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_told_and_the_run_can_be_deleted(
    folder: RunFolder, damage: Callable[[RunFolder], None]
) -> None:
    damage(folder)
    now = jobs.status(folder.path)
    assert (now.state, now.resumable, now.can_stop) == ("damaged", False, False)
    assert now.message.startswith("Damaged: ")
    assert str(folder.path) in now.message
    with pytest.raises(RunError, match="cannot be resumed"):
        jobs.restart(folder.path)
    jobs.delete(folder.path)
    assert not folder.path.exists()


def test_a_training_whose_folder_is_damaged_can_still_be_stopped(folder: RunFolder) -> None:
    write(folder, "phase", {})
    with TrainingLock(folder.path):
        now = jobs.status(folder.path)
        assert (now.state, now.alive, now.can_stop) == ("damaged", True, True)
        jobs.stop(folder.path)
    assert folder.stop_path.exists()


def test_a_training_whose_folder_was_deleted_is_told(folder: RunFolder) -> None:
    with TrainingLock(folder.path):
        shutil.rmtree(folder.path)
        now = jobs.status(folder.path)
        assert (now.state, now.alive) == ("damaged", True)
        with pytest.raises(RunError, match="request to stop cannot be written"):
            jobs.stop(folder.path)


def test_a_lock_that_names_no_folder_holds_nothing(folder: RunFolder) -> None:
    with TrainingLock(folder.path):
        owner = json.loads(lock_path().read_text())
        lock_path().write_text(json.dumps({**owner, "run_dir": None}))
        assert jobs.current() is None
