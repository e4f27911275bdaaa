"""A sweep's folder: written once, whole, by one process at a time, and read without trust."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from factories import make_run
from made_up_faces import make_test_set

from fer_core.cli import main
from fer_core.errors import FerError, RecipeError, SweepError
from fer_core.files import write_json
from fer_core.settings import settings
from fer_core.sweeps.contracts import Outcome
from fer_core.sweeps.folder import FILE, Plan, Sweep, create, find_sweep, list_sweeps, read_sweep


def test_a_sweep_names_a_run_for_each_combination_and_seed(sweep: Sweep) -> None:
    read = find_sweep("rates")
    assert read == sweep
    assert [(trial["run"], trial["settings"], trial["seed"]) for trial in read.manifest["trials"]] == [
        ("rates-001", {"learning_rate": 0.001}, 0),
        ("rates-002", {"learning_rate": 0.001}, 1),
        ("rates-003", {"learning_rate": 0.003}, 0),
        ("rates-004", {"learning_rate": 0.003}, 1),
    ]
    recipe = read.recipe(read.trial("rates-004"))
    assert (recipe.learning_rate, recipe.seed, recipe.epochs) == (0.003, 1, 5)
    assert recipe.name == "rates · learning rate 0.003 · seed 1"
    assert read.manifest["data"]["title"] == "Noise"
    assert not settings().runs_dir.exists(), "nothing is started by writing it down"


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"name": "../elsewhere"}, SweepError, "small letters"),
        ({"name": "Rates"}, SweepError, "small letters"),
        ({"name": ""}, SweepError, "small letters"),
        ({"grid": {"learning_rate": [20]}}, RecipeError, "learning_rate=20"),
        ({"data": Path("nowhere")}, FerError, "nowhere"),
    ],
)
def test_what_would_not_work_is_said_before_anything_is_written(
    plan: Plan, change: dict[str, Any], kind: type[FerError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        create(replace(plan, **change))
    assert not settings().sweeps_dir.exists()


def test_names_that_are_taken_are_refused(plan: Plan, sweep: Sweep) -> None:
    with pytest.raises(SweepError, match="sweep resume rates"):
        create(plan)
    make_run(settings().runs_dir / "others-003")
    with pytest.raises(SweepError, match="a run called others-003"):
        create(replace(plan, name="others"))


def test_what_the_driver_learns_is_written_whole(sweep: Sweep) -> None:
    later = sweep.with_outcome("rates-002", Outcome.STOPPED_EARLY)
    later = later.with_outcome("rates-003", Outcome.FAILED, "the loss became infinite")
    later = later.with_precision("mixed_bfloat16", "measured")
    read = read_sweep(sweep.path)
    assert read == later
    assert read.trial("rates-002")["outcome"] == "stopped early"
    assert read.trial("rates-003")["problem"] == "the loss became infinite"
    assert "outcome" not in read.trial("rates-001")
    assert read.recipe(read.trial("rates-001")).precision == "mixed_bfloat16"
    assert [path.name for path in sweep.path.iterdir()] == [FILE]


DAMAGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "schema": lambda value: value.update(schema=2),
    "other name": lambda value: value.update(name="other"),
    "no trials": lambda value: value.update(trials=[]),
    "trial outside": lambda value: value["trials"][0].update(run="rates-/../../models/x"),
    "another's run": lambda value: value["trials"][0].update(run="custom_cnn"),
    "a trial twice": lambda value: value["trials"][0].update(run="rates-002"),
    "other settings": lambda value: value["trials"][0].update(settings={"epochs": 2}),
    "wrong settings": lambda value: value["trials"][0].update(settings={"learning_rate": "fast"}),
    "a list for a value": lambda value: value["trials"][0].update(settings={"learning_rate": [1]}),
    "unknown outcome": lambda value: value["trials"][0].update(outcome="lost"),
    "unknown stopper": lambda value: value.update(stopper="median"),
    "no processors": lambda value: value.update(cpus_per_trial=0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_and_harms_no_other_sweep(plan: Plan, sweep: Sweep, damage: str) -> None:
    create(replace(plan, name="other"))
    value = json.loads((sweep.path / FILE).read_text())
    DAMAGES[damage](value)
    write_json(sweep.path / FILE, value)
    with pytest.raises(SweepError, match=re.escape(str(sweep.path / FILE))):
        read_sweep(sweep.path)
    sweeps, problems = list_sweeps()
    assert [one.name for one in sweeps] == ["other"]
    assert len(problems) == 1


def test_an_unknown_name_leads_to_the_known_ones(sweep: Sweep) -> None:
    with pytest.raises(SweepError, match="Known sweeps: rates"):
        find_sweep("rate")


def test_one_process_drives_a_sweep(sweep: Sweep) -> None:
    with pytest.raises(SweepError, match="not running"):
        sweep.ask_to_stop()
    with sweep.held():
        driver = sweep.driver()
        assert driver is not None
        sweep.ask_to_stop()
        assert sweep.stop_path.exists()
    assert sweep.driver() is None


def test_a_full_disk_left_a_name_that_could_neither_be_started_nor_resumed(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("fer_core.sweeps.folder.write_json", raise_no_space)
        with pytest.raises(SweepError, match="space"):
            create(plan)
    assert list(settings().sweeps_dir.iterdir()) == []
    (settings().sweeps_dir / plan.name).mkdir()  # as earlier versions left it
    assert find_sweep(create(plan).name).name == plan.name


def raise_no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_of_two_that_start_one_name_at_once_one_is_refused(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    first = create(plan)
    monkeypatch.setattr(Plan, "check", lambda _: None)  # it looked a moment earlier
    with pytest.raises(SweepError, match="already"):
        create(plan)
    assert read_sweep(first.path) == first
    assert len(list(settings().sweeps_dir.iterdir())) == 1


def test_resumed_without_its_faces_all_trials_were_marked_as_failed_for_good(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (sweep.path / FILE).read_bytes()
    hidden = sweep.data.rename(sweep.data.with_name("elsewhere"))
    assert main(["sweep", "resume", sweep.name]) == 2
    assert str(sweep.data) in capsys.readouterr().err
    make_test_set(sweep.data)
    assert main(["sweep", "resume", sweep.name]) == 2
    assert "other faces" in capsys.readouterr().err
    assert (sweep.path / FILE).read_bytes() == before
    shutil.rmtree(sweep.data)
    hidden.rename(sweep.data)
    sweep.check_ready()
