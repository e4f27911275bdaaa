"""Trainings of visitors: what they may start, and who sees, stops and deletes which run."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from factories import make_run, make_vote

from fer_core.access import trainings
from fer_core.access.policy import Person
from fer_core.errors import AccessError, RunError
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import list_runs
from fer_core.runs.recipe import Recipe
from fer_core.runs.visitor import NOBODY, VISITOR_FILE, read_visitor, started_by, write_visitor
from fer_core.settings import settings
from fer_core.training import jobs
from fer_core.training.lock import TrainingLock
from fer_core.training.presets import preset

MINUTE = preset("minute", "custom_cnn")
VISITOR = Person(owner=False)
OWNER = Person(owner=True)


@pytest.fixture
def spawned(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What would have been trained, without a child process."""
    found: list[Path] = []
    monkeypatch.setattr(jobs, "_spawn", lambda folder, _: found.append(folder.path))
    return found


def a_run(name: str, mark: str | None) -> Path:
    run = make_run(settings().runs_dir / name).path
    if mark is not None:
        write_visitor(run, mark, 60)
    return run


def test_a_visitor_trains_the_short_recipe_on_the_drawn_sample(spawned: list[Path], drawn_sample: Path) -> None:
    run = trainings.start(VISITOR, replace(MINUTE, name="Mine"), drawn_sample)
    assert spawned == [run]
    assert started_by(run) == VISITOR.mark
    assert VISITOR.token not in (run / VISITOR_FILE).read_text()


@pytest.mark.parametrize(
    "recipe",
    [
        replace(MINUTE, epochs=11),
        replace(MINUTE, batch_size=4096),
        replace(MINUTE, initial_weights="/etc/passwd"),
        preset("quick", "custom_cnn"),
        preset("minute", "resnet50"),
    ],
)
def test_a_visitor_trains_nothing_else(spawned: list[Path], drawn_sample: Path, recipe: Recipe) -> None:
    with pytest.raises(AccessError, match="owner"):
        trainings.start(VISITOR, recipe, drawn_sample)
    assert not spawned


def test_a_visitor_waits_while_somebody_trains(spawned: list[Path], drawn_sample: Path, home: Path) -> None:
    with TrainingLock(make_run(settings().runs_dir / "theirs").path), pytest.raises(AccessError) as refused:
        trainings.start(VISITOR, MINUTE, drawn_sample)
    assert "theirs" not in str(refused.value)
    assert not spawned


def test_twins_count_for_two_and_a_later_one_has_the_limits_of_any_training(
    spawned: list[Path], drawn_sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainings, "MOST_RUNS", 2)
    a_run("done", VISITOR.mark)
    with pytest.raises(AccessError, match="as many"):
        trainings.start(VISITOR, MINUTE, drawn_sample, twin=True)
    twin = trainings.start_twin(VISITOR, settings().runs_dir / "done", drawn_sample)
    assert started_by(twin) == VISITOR.mark
    found = read_visitor(twin)
    assert found is not None
    assert found["seconds"] == trainings.VISITORS_SECONDS
    with pytest.raises(AccessError):
        trainings.start_twin(Person(owner=False, token="another"), settings().runs_dir / "done", drawn_sample)
    assert spawned == [twin]


@pytest.mark.parametrize(
    "act", [trainings.stop, trainings.pause, trainings.unpause, trainings.restart, trainings.delete]
)
@pytest.mark.parametrize("mark", [None, NOBODY, Person(owner=False, token="another").mark])
def test_a_visitor_touches_no_run_of_another(home: Path, act, mark: str | None) -> None:
    run = a_run("theirs", mark)
    before = sorted(run.rglob("*"))
    with pytest.raises(AccessError, match="owner"):
        act(VISITOR, run)
    assert sorted(run.rglob("*")) == before


def test_a_visitor_and_the_owner_delete_what_the_visitor_started(home: Path) -> None:
    for person in (VISITOR, OWNER):
        run = a_run("mine", VISITOR.mark)
        trainings.delete(person, run)
        assert not run.exists()


def test_visitors_see_their_own_runs_and_not_each_others(home: Path) -> None:
    a_run("owners", None)
    a_run("mine", VISITOR.mark)
    a_run("anothers", Person(owner=False).mark)
    (a_run("damaged", "x") / VISITOR_FILE).write_text("{")
    own = {info.name for info in list_runs() if not info.shipped}
    assert own == {"owners", "mine", "anothers", "damaged"}
    assert {info.name for info in trainings.visible(VISITOR, list_runs()) if not info.shipped} == {"owners", "mine"}
    assert {info.name for info in trainings.visible(OWNER, list_runs()) if not info.shipped} == own


def test_a_visitors_run_is_cleared_away_after_a_day_and_no_other(home: Path) -> None:
    a_run("owners", None)
    new, old, training = (a_run(name, VISITOR.mark) for name in ("new", "old", "training"))
    for run in (old, training):
        long_ago = time.time() - trainings.KEPT_SECONDS - 1
        os.utime(run / VISITOR_FILE, (long_ago, long_ago))
    with TrainingLock(training):
        assert trainings.clear_old() == ["old"]
    assert new.exists()
    assert training.exists()
    assert not old.exists()


def test_a_host_whose_clock_was_days_ahead_cleared_away_runs_of_just_now(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run("new", VISITOR.mark)
    ahead = time.time() + 2 * trainings.KEPT_SECONDS
    monkeypatch.setattr(time, "time", lambda: ahead)
    assert trainings.clear_old() == []
    assert run.exists()


def test_what_is_noted_of_a_visitor_comes_back(home: Path) -> None:
    run = a_run("mine", VISITOR.mark)
    found = read_visitor(run)
    assert found is not None
    assert (found["mark"], found["seconds"]) == (VISITOR.mark, 60)
    assert read_visitor(a_run("owners", None)) is None
    assert RunFolder(run).complete


def test_visitors_together_leave_no_more_runs_than_are_kept(
    spawned: list[Path], drawn_sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainings, "MOST_RUNS", 1)
    trainings.start(VISITOR, MINUTE, drawn_sample)
    with pytest.raises(AccessError, match="tomorrow"):
        trainings.start(Person(owner=False), MINUTE, drawn_sample)
    assert len(spawned) == 1


def test_where_it_cannot_be_noted_whose_run_it_is_nothing_is_trained(
    spawned: list[Path], drawn_sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training went on, as everybody's and without an end."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trainings, "write_visitor", full)
    with pytest.raises(RunError):
        trainings.start(VISITOR, MINUTE, drawn_sample)
    assert not spawned
    assert not [path for path in settings().runs_dir.iterdir() if path.is_dir()]


def shown_first(person: Person, most: int = 6) -> list[str]:
    return [info.name for info in trainings.first_choice(person, trainings.visible(person, list_runs()), most)]


def test_ones_own_newest_runs_are_shown_beside_the_shipped_ones(home: Path) -> None:
    """Six ship, and six were shown: whatever one trained was left out."""
    kinds = ("custom_cnn", "custom_cnn_augmented", "resnet50", "tiny", "vgg16")
    shipped = [make_run(settings().models_dir / kind, architecture=kind) for kind in kinds]
    make_vote(settings().models_dir / "vote", shipped[:2])
    ships = shown_first(OWNER)
    assert len(ships) == 6
    for day in range(1, 5):
        make_run(settings().runs_dir / f"mine{day}", created=f"2026-03-0{day}T00:00:00+00:00")
    assert shown_first(OWNER) == [*ships[:3], "mine4", "mine3", "mine2"]
    assert shown_first(VISITOR) == ships, "they are not the visitor's own"
    write_visitor(make_run(settings().runs_dir / "theirs").path, VISITOR.mark, 60)
    assert shown_first(VISITOR) == [*ships[:5], "theirs"]
    assert "theirs" not in shown_first(OWNER)


def test_places_that_nothing_else_needs_are_for_ones_own_runs(home: Path) -> None:
    make_run(settings().models_dir / "shipped")
    for day in range(1, 8):
        make_run(settings().runs_dir / f"mine{day}", created=f"2026-03-0{day}T00:00:00+00:00")
    assert shown_first(OWNER) == ["shipped", "mine7", "mine6", "mine5", "mine4", "mine3"]
