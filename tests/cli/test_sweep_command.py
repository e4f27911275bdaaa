"""``sweep``: what is refused before anything starts, and what is told without Ray."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from factories import make_run
from made_up_faces import make_noise

from fer_core.cli import main
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.sweeps.folder import Plan, create

START = ["sweep", "start", "rates", "--data"]


@pytest.fixture
def data(home: Path) -> str:
    return str(make_noise(settings().datasets_dir / "few").info.path)


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)


def test_without_ray_starting_says_in_one_sentence_what_is_missing(
    data: str, without_ray: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*START, data, "--grid", "learning_rate=0.001,0.003"]) == 2
    error = capsys.readouterr().err
    assert "pip install -r requirements-ray.txt" in error
    assert len(error.splitlines()) == 1
    assert not settings().sweeps_dir.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--grid", "learning_rate=0.001,20"], "learning_rate=20"),
        (["--grid", "learning_rte=1"], "unknown keys"),
        (["lenet", "--grid", "epochs=1"], "lenet"),
        (["--set", "epochs=0"], "epochs is 0"),
    ],
)
def test_wrong_choices_are_refused_before_ray_is_asked_for(
    data: str, without_ray: None, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    # The architecture stands before --data, like the name.
    positional = [one for one in arguments[:1] if not one.startswith("--")]
    assert main([*START[:3], *positional, "--data", data, *arguments[len(positional) :]]) == 2
    assert words in capsys.readouterr().err
    assert not settings().sweeps_dir.exists()


def test_status_is_told_without_ray(data: str, without_ray: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "status"]) == 0
    assert "No sweeps yet" in capsys.readouterr().out
    create(Plan("rates", Recipe("custom_cnn"), {"learning_rate": [0.001, 0.003]}, Path(data)))
    make_run(settings().runs_dir / "rates-002", accuracy=0.6)
    assert main(["sweep", "status", "rates"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "interrupted" in lines[0]
    assert "rates-002  [done, 5/" in lines[2]
    assert "learning_rate=0.003 seed=0" in lines[2]
    assert main(["sweep", "status", "rates", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [trial["state"] for trial in told["trials"]] == ["waiting", "done"]
    assert told["best"] == "rates-002"
    assert told["trials"][1]["public_test"]["n"] == 140
    assert main(["sweep", "status"]) == 0
    assert "rates  [interrupted]  2 trials" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["status", "stop", "resume"])
def test_a_sweep_that_is_not_there_is_named(home: Path, capsys: pytest.CaptureFixture[str], action: str) -> None:
    assert main(["sweep", action, "nothing"]) == 2
    assert "no sweep called 'nothing'" in capsys.readouterr().err


def test_what_is_not_running_cannot_be_stopped(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    create(Plan("rates", Recipe("custom_cnn"), {"learning_rate": [0.001]}, Path(data)))
    assert main(["sweep", "stop", "rates"]) == 2
    assert "rates is not running" in capsys.readouterr().err
