"""Where nothing can be written, everything that writes says so in plain words, and before it begins to work."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from factories import make_run
from made_up_faces import make_noise
from readonly import full, read_only

from fer_core import writable
from fer_core.data import ferplus, importer
from fer_core.data.audit import job as audit_job
from fer_core.data.dataset import Dataset
from fer_core.errors import DataError, FerError, RunError
from fer_core.evaluation import training_run
from fer_core.review.annotations import AMBIGUOUS, Annotations
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Recipe
from fer_core.training import jobs, resume_state
from fer_core.training.lock import TrainingLock
from fer_core.writable import check_writable, explained

RECIPE = Recipe("custom_cnn")


@dataclass(frozen=True)
class Place:
    """A home with a dataset that has FER+, and a run that was stopped."""

    home: Path
    dataset: Dataset
    run: RunFolder


@pytest.fixture
def place(home: Path) -> Place:
    dataset = make_noise(home / "datasets" / "noise")
    (dataset.path / ferplus.FERPLUS_FILE).write_bytes(b"votes")
    run = make_run(home / "runs" / "stopped", state="stopped")
    run.resume_path.write_bytes(b"state")
    resume_state.remember_data(run, dataset.path)
    return Place(home, dataset, run)


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that takes long. None of it may begin."""

    def begun(*_: object, **__: object) -> None:
        pytest.fail("the work began")

    for module, name in (
        (jobs, "_spawn"),
        (training_run, "_train"),
        (importer, "_import_path"),
        (importer, "_import_sample"),
        (ferplus, "_read_csv"),
        (audit_job, "audit_command"),
    ):
        monkeypatch.setattr(module, name, begun)
    for module in (jobs, training_run):
        monkeypatch.setattr(module, "check_resources", lambda *_: [])


WORK: dict[str, tuple[type[FerError], Callable[[Place], Any]]] = {
    "start": (RunError, lambda place: jobs.start(RECIPE, place.dataset.path)),
    "resume": (RunError, lambda place: jobs.restart(place.run.path)),
    "train": (RunError, lambda place: training_run.train(RECIPE, place.dataset.path, place.home / "runs" / "mine")),
    "train --resume": (RunError, lambda place: training_run.resume(place.run.path)),
    "audit": (DataError, lambda place: audit_job.AuditJob(place.dataset.path)),
    "import": (DataError, lambda place: importer.import_dataset("some.csv", place.home / "datasets" / "new")),
    "sample": (DataError, lambda place: importer.import_dataset("sample", place.home / "datasets" / "sample")),
    "add FER+": (DataError, lambda place: ferplus.add_ferplus(as_csv(place.dataset), "some.csv")),
}
"""Work that takes seconds or hours, what it raises, and how it is begun."""
DEEDS: dict[str, tuple[type[FerError], Callable[[Place], Any]]] = {
    "delete": (RunError, lambda place: jobs.delete(place.run.path)),
    "remove FER+": (DataError, lambda place: ferplus.remove_ferplus(place.dataset)),
    "mark": (DataError, lambda place: Annotations(place.dataset.info.fingerprint).set(1, AMBIGUOUS)),
}
"""What is done at once."""


def as_csv(dataset: Dataset) -> Dataset:
    object.__setattr__(dataset.info, "kind", "csv")
    return dataset


def disk_that_says(number: int) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "is read-only.*FER_EXPLORER_HOME"),
        (errno.ENOSPC, "is full.*Free some space"),
        (errno.EACCES, "Permission denied.*permissions"),
    ],
)
def test_no_work_begins_where_it_could_not_be_kept(
    place: Place, number: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writable.tempfile, "NamedTemporaryFile", disk_that_says(number))
    before = sorted(place.home.rglob("*"))
    for kind, act in WORK.values():
        with pytest.raises(kind, match=f"cannot be written to {place.home}.*{words}"):
            act(place)
    assert sorted(place.home.rglob("*")) == before


@pytest.mark.usefixtures("no_work")
def test_on_a_disk_that_really_is_read_only_everything_says_so(place: Place) -> None:
    with read_only(place.home):
        for kind, act in (*WORK.values(), *DEEDS.values()):
            with pytest.raises(kind, match=f"{place.home}.*is read-only.*FER_EXPLORER_HOME"):
                act(place)
    assert place.run.recipe_path.exists()


@pytest.mark.parametrize("act", [jobs.stop, jobs.pause, jobs.unpause])
def test_a_request_to_a_training_that_cannot_be_written_is_told(place: Place, act: Callable[[Path], None]) -> None:
    place.run.manifest_path.unlink()
    place.run.pause_path.touch()
    told = pytest.raises(RunError, match=f"request to .*{place.home}.*is read-only")
    with TrainingLock(place.run.path), read_only(place.home), told:
        act(place.run.path)


def test_a_full_disk_can_be_freed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion must not be refused because a file cannot be written: it is how a disk becomes free."""
    monkeypatch.setattr(writable.tempfile, "NamedTemporaryFile", disk_that_says(errno.ENOSPC))
    jobs.delete(place.run.path)
    assert not place.run.path.exists()
    assert ferplus.remove_ferplus(place.dataset)


def test_a_mark_on_a_full_disk_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", disk_that_says(errno.ENOSPC))
    with pytest.raises(DataError, match=r"not saved.*disk is full.*Free some space"):
        Annotations(place.dataset.info.fingerprint).set(1, AMBIGUOUS)


@pytest.mark.parametrize("journal_too", [False, True])
def test_a_disk_that_fills_up_during_a_training_is_no_defect(
    place: Place, journal_too: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "_run", disk_that_says(errno.ENOSPC))
    if journal_too:
        monkeypatch.setattr(training_run.Journal, "write", disk_that_says(errno.ENOSPC))
    with pytest.raises(RunError, match="the disk is full"):
        training_run.resume(place.run.path)
    if not journal_too:
        now = jobs.status(place.run.path)
        assert (now.state, now.resumable) == ("failed", True)
        assert "the disk is full" in now.message
        assert "defect" not in now.message


def test_a_folder_that_can_be_written_to_is_left_as_it_was(tmp_path: Path) -> None:
    check_writable(tmp_path / "not" / "there" / "yet", "A file")
    check_writable(tmp_path, "A file")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_really_is_full_is_told_though_an_empty_file_can_be_made(tmp_path: Path) -> None:
    with full(tmp_path):
        (tmp_path / "empty").touch()
        with pytest.raises(FerError, match=f"The run cannot be written to {tmp_path}/runs: the disk is full"):
            check_writable(tmp_path / "runs", "The run")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "filling"]


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match=f"The run cannot be written to {tmp_path}/file/runs: .* is a file"):
        check_writable(tmp_path / "file" / "runs", "The run", RunError)


def test_errors_that_are_for_people_already_pass_unchanged() -> None:
    with pytest.raises(DataError, match=r"^as it is$"), explained("Something cannot be written", RunError):
        raise DataError("as it is")
