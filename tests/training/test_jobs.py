"""What a job's state is said to be, from its folder alone."""

import errno
import sys
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.runs.recipe import Recipe
from fer_core.runs.visitor import write_visitor
from fer_core.training import jobs
from fer_core.training.lock import TrainingLock
from fer_core.training.pause_and_stop import Control

DATA = {"name": "d", "title": "D", "kind": "csv", "fingerprint": "f" * 64, "faces": 100}


def begin(folder: RunFolder, first_epoch: int = 1) -> Journal:
    journal = Journal(folder.journal_path)
    journal.write("phase", name="loading", detail="")
    journal.write("start", epochs=4, steps=10, batch_size=8, first_epoch=first_epoch, data=DATA)
    journal.write("phase", name="training", detail="")
    return journal


def batch(journal: Journal, epoch: int, step: int) -> None:
    values = {"loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1, "images_per_second": 40.0}
    journal.write("batch", epoch=epoch, step=step, steps=10, **values)


def epoch(journal: Journal, number: int) -> None:
    values = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.4, "learning_rate": 0.1}
    journal.write("epoch", epoch=number, seconds=2.0, images_per_second=40.0, confusion=[], **values)


def test_a_living_training_says_where_it_is(folder: RunFolder) -> None:
    journal = begin(folder)
    epoch(journal, 1)
    batch(journal, 2, 5)
    with TrainingLock(folder.path):
        now = jobs.status(folder.path)
        assert jobs.current() == folder.path
    assert now.state == "running"
    assert now.message == "Training: epoch 2 of 4."
    assert now.progress == pytest.approx(1.5 / 4)
    assert now.seconds_left == pytest.approx(2.5 * 2.0)
    assert now.images_per_second == 40
    assert now.can_stop
    assert not now.resumable


def test_time_left_is_known_before_the_first_epoch_has_ended(folder: RunFolder) -> None:
    batch(begin(folder), 1, 5)
    with TrainingLock(folder.path):
        # 10 batches of 8 faces at 40 faces a second are 2 s an epoch; 3.5 epochs are left.
        assert jobs.status(folder.path).seconds_left == pytest.approx(7.0)


def test_pause_and_stop_requests_show_until_they_are_honoured(folder: RunFolder) -> None:
    journal = begin(folder)
    batch(journal, 1, 3)
    with TrainingLock(folder.path):
        jobs.pause(folder.path)
        assert jobs.status(folder.path).state == "pausing"
        journal.write("paused", epoch=1, step=4)
        assert jobs.status(folder.path).state == "paused"
        jobs.unpause(folder.path)
        journal.write("resumed", epoch=1, step=4)
        assert jobs.status(folder.path).state == "running"
        jobs.stop(folder.path)
        assert jobs.status(folder.path).state == "stopping"
        journal.write("phase", name="exporting", detail="")
        assert jobs.status(folder.path).state == "exporting"


def test_a_process_that_vanished_is_called_died_and_can_be_resumed(folder: RunFolder) -> None:
    journal = begin(folder)
    epoch(journal, 1)
    folder.resume_path.write_bytes(b"x")
    folder.keras_path.write_bytes(b"x")
    now = jobs.status(folder.path)
    assert now.state == "died"
    assert now.resumable
    assert "1 of 4 epochs" in now.message
    assert "without a word" in now.message
    assert "best epoch is kept" in now.message


def test_a_failure_is_told_in_its_own_words_until_a_resume_begins(folder: RunFolder) -> None:
    journal = begin(folder)
    journal.write("failed", message="memory ran out.")
    now = jobs.status(folder.path)
    assert (now.state, now.message) == ("failed", "Failed: memory ran out.")
    begin(folder)
    with TrainingLock(folder.path):
        assert jobs.status(folder.path).state == "running"


def test_a_stop_before_the_first_epoch_ended_keeps_nothing_and_says_so(folder: RunFolder) -> None:
    journal = begin(folder)
    journal.write("stopped", epoch=1, reason="asked to stop")
    now = jobs.status(folder.path)
    assert now.state == "stopped"
    assert "nothing is kept" in now.message


def test_batches_of_an_attempt_that_was_trained_anew_are_dropped(folder: RunFolder) -> None:
    journal = begin(folder)
    batch(journal, 1, 10)
    epoch(journal, 1)
    batch(journal, 2, 7)
    journal = begin(folder, first_epoch=2)
    batch(journal, 2, 1)
    assert [(event["epoch"], event["step"]) for event in jobs.status(folder.path).batches] == [(1, 10), (2, 1)]


def test_a_folder_without_a_recipe_is_no_run(home: Path) -> None:
    with pytest.raises(RunError, match=r"recipe\.json"):
        jobs.status(home)


def test_a_stop_asked_for_before_this_process_began_is_forgotten_but_not_a_later_one(folder: RunFolder) -> None:
    folder.stop_path.touch()
    with TrainingLock(folder.path):
        control = Control(folder, Journal(folder.journal_path))
        assert not control.stop_wanted(1, 1)
        folder.stop_path.touch()
        assert control.stop_wanted(1, 1)


def test_two_starts_before_the_first_child_has_loaded_are_one_training_and_one_refusal(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second start used to slip in while the first child was still importing, and died without a word."""
    monkeypatch.setattr(jobs, "check_resources", lambda *_: [])
    monkeypatch.setattr(jobs, "_command", lambda _: [sys.executable, "-c", "import time; time.sleep(60)"])
    first = jobs.start(Recipe("custom_cnn"), home / "data")
    try:
        assert jobs.status(first).alive
        with pytest.raises(RunError, match=f"{first.name} is training"):
            jobs.start(Recipe("custom_cnn"), home / "data")
        assert [path.name for path in (home / "runs").iterdir() if path.is_dir()] == [first.name]
    finally:
        psutil.Process(jobs.holder().pid).kill()


def test_names_of_runs_started_within_one_second_differ(home: Path) -> None:
    from fer_core.runs.folder import new_run_dir

    one = new_run_dir("vgg16")
    one.mkdir(parents=True)
    assert new_run_dir("vgg16") != one


def test_a_run_is_deleted_only_when_it_rests_and_is_ones_own(folder: RunFolder, tmp_path: Path) -> None:
    with TrainingLock(folder.path), pytest.raises(RunError, match="Stop it first"):
        jobs.delete(folder.path)
    jobs.delete(folder.path)
    assert not folder.path.exists()
    shipped = RunFolder(tmp_path / "models" / "custom_cnn")
    shipped.path.mkdir()
    write_json(shipped.recipe_path, Recipe("custom_cnn").to_dict())
    with pytest.raises(RunError, match="ships with the app"):
        jobs.delete(shipped.path)


def test_a_run_whose_lease_could_not_be_read_was_deleted_while_it_trained(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.lease_path.write_text("{}", encoding="utf-8")

    def refuse(path: Path) -> BinaryIO:
        if path.name == folder.lease_path.name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return path.open("rb")

    monkeypatch.setattr("fer_core.reading.open_file", refuse)
    now = jobs.status(folder.path)
    assert (now.alive, now.resumable, now.can_stop) == (True, False, False)
    assert "Permission denied" in now.message
    for act in (jobs.delete, jobs.restart):
        with pytest.raises(RunError, match="Permission denied"):
            act(folder.path)
    assert folder.recipe_path.exists()


def test_a_visitors_training_stops_by_itself_when_its_time_is_up_paused_or_not(folder: RunFolder) -> None:
    for paused in (False, True):
        write_visitor(folder.path, "somebody", 0.0)
        if paused:
            folder.pause_path.touch()
        assert Control(folder, begin(folder)).stop_wanted(1, 1)
    write_visitor(folder.path, "somebody", 3600.0)
    folder.pause_path.unlink()
    assert not Control(folder, begin(folder)).stop_wanted(1, 1)
