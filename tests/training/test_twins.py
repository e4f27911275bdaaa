"""Twins: the same recipe with and without augmentation, one trained after the other."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from edited_runs import as_unfinished
from factories import make_run

from fer_core.errors import RunError
from fer_core.evaluation import training_run
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Augmentation, Recipe
from fer_core.runs.twin import TWIN_FILE, read_twins, twin_of, write_twins
from fer_core.runs.visitor import VISITOR_FILE, read_visitor, write_visitor
from fer_core.training import jobs, lock, twins
from fer_core.training.resume_state import remembered_data
from fer_core.value_types import LONGEST_LINE


def done(home: Path, name: str = "mine", **more: object) -> RunFolder:
    return make_run(home / "runs" / name, name="Mine", **more)


def test_twins_differ_in_augmentation_and_name_alone() -> None:
    recipe = Recipe("custom_cnn", epochs=3, seed=5, augmentation=Augmentation(flip=True), name="Mine")
    plain = twins.twin_recipe(recipe)
    assert plain == replace(recipe, augmentation=Augmentation(), name="Mine, not augmented")
    back = twins.twin_recipe(plain)
    assert back.augmentation.active
    assert twins.twin_recipe(replace(recipe, name="x" * LONGEST_LINE)).validate()


def test_a_twin_is_begun_with_all_that_its_start_needs(home: Path, data: Path) -> None:
    first = done(home)
    twins.plan(first.path, first.recipe())
    assert twins.follows(first)
    second = twins.prepare(first, data)
    assert twin_of(first.path) == second.path
    assert twin_of(second.path) == first.path
    assert second.recipe() == twins.twin_recipe(first.recipe())
    assert remembered_data(second) == data
    assert not twins.follows(first)
    assert not twins.follows(second)
    assert twins.unfinished_twin(first) == second
    with pytest.raises(RunError, match="has a twin"):
        twins.prepare(first, data)


def test_a_stopped_training_has_no_twin_which_would_learn_for_longer(home: Path, data: Path) -> None:
    first = done(home, state="stopped")
    twins.plan(first.path, first.recipe())
    assert not twins.may_follow(first)
    with pytest.raises(RunError):
        twins.prepare(first, data)


def test_a_run_that_got_a_deleted_twins_name_is_no_twin(home: Path, data: Path) -> None:
    first, other = done(home), done(home, "other")
    write_twins(first.path, "mine", "other")
    assert twin_of(first.path) is None
    write_twins(other.path, "third", "other")
    assert twin_of(first.path) is None
    assert twins.prepare(first, data).name != "other"


@pytest.mark.parametrize("name", ["../theirs", ".hidden", "a/b"])
def test_a_note_leads_to_no_other_place(home: Path, name: str) -> None:
    first = done(home)
    write_json(first.path / TWIN_FILE, {"first": "mine", "second": name})
    with pytest.raises(RunError, match="no name of a folder"):
        read_twins(first.path)


def test_a_visitors_twin_has_what_is_left_of_their_time(home: Path, data: Path) -> None:
    first = done(home)
    write_visitor(first.path, "somebody", 600)
    begun = (datetime.now(UTC) - timedelta(seconds=500)).isoformat(timespec="milliseconds")
    write_json(first.path / VISITOR_FILE, {"mark": "somebody", "started": begun, "seconds": 600.0})
    found = read_visitor(twins.prepare(first, data).path)
    assert found is not None
    assert found["mark"] == "somebody"
    assert 80 < found["seconds"] < 101


def test_a_visitors_twin_is_not_begun_when_their_time_is_up(home: Path, data: Path) -> None:
    first = done(home)
    long_ago = (datetime.now(UTC) - timedelta(seconds=599)).isoformat(timespec="milliseconds")
    write_json(first.path / VISITOR_FILE, {"mark": "somebody", "started": long_ago, "seconds": 600.0})
    with pytest.raises(RunError, match="time"):
        twins.prepare(first, data)
    assert twin_of(first.path) is None


@pytest.fixture
def trained(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Trainings without a network: each appears here by its name, with whether its lease was held."""
    found: list[tuple[str, bool]] = []

    def pretend(folder: RunFolder, _: Path) -> None:
        found.append((folder.name, lock.worker(folder.path) is not None))
        shutil.copytree(
            make_run(home / "made" / folder.name, name=folder.recipe().name).path, folder.path, dirs_exist_ok=True
        )

    monkeypatch.setattr(training_run, "_train", pretend)
    return found


def test_somebody_lives_from_the_first_training_to_the_end_of_the_second(
    home: Path, data: Path, trained: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = training_run.train(Recipe("custom_cnn", name="Mine"), data, home / "runs" / "mine", twin=True)
    second = twins.unfinished_twin(first)
    assert second is not None
    assert lock.worker(second.path) is not None, "a page that looks now would find both at rest"
    assert lock.worker(first.path) is None
    training_run.train_twin(first)
    assert [name for name, _ in trained] == ["mine", second.name]
    assert all(held for _, held in trained)
    assert lock.worker(second.path) is None
    assert training_run.train_twin(first) is None


def test_a_first_one_that_died_goes_on_and_its_twin_follows(
    home: Path, data: Path, trained: list[tuple[str, bool]]
) -> None:
    first = as_unfinished(done(home))
    twins.plan(first.path, first.recipe())
    training_run.resume(first.path, data)
    assert twins.unfinished_twin(first) is not None


def test_without_a_note_no_twin_follows(home: Path, data: Path, trained: list[tuple[str, bool]]) -> None:
    first = training_run.train(Recipe("custom_cnn"), data, home / "runs" / "mine")
    assert twins.unfinished_twin(first) is None
    assert not twins.follows(first)


def test_a_job_notes_the_twin_before_its_child_begins(home: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[list[str]] = []
    monkeypatch.setattr(jobs, "_spawn", lambda _, arguments: spawned.append(arguments))
    run = jobs.start(Recipe("custom_cnn", name="Mine"), data, twin=True)
    assert twins.follows(RunFolder(run))
    twin = jobs.start_twin(done(home, "other").path, data)
    assert twin_of(twin) == home / "runs" / "other"
    assert spawned[1] == ["train", "--resume", str(twin)]
