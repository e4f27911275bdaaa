"""The command line: help that teaches, errors that help, JSON for machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from factories import make_run

from fer_core import lease
from fer_core.cli import COMMANDS, build_parser, main
from fer_core.files import write_json
from fer_core.lease import Lease
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Recipe
from fer_core.settings import PROJECT_ROOT


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_a_json_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    extra = {"data": ["info"], "explain": ["faithfulness"], "predictions": ["import"], "models": ["import"]}
    extra = {**extra, "sweep": ["status"]}.get(command, [])
    with pytest.raises(SystemExit) as stop:
        main([command, *extra, "--help"])
    assert stop.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_building_the_parser_loads_no_tensorflow() -> None:
    code = "import sys; from fer_core.cli import build_parser; build_parser(); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_environment_without_the_libraries_was_answered_with_a_traceback() -> None:
    # -S leaves out whatever is installed.
    command = [sys.executable, "-S", "-m", "fer_core", "runs"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "pip install -r requirements.txt" in done.stderr


def test_a_library_that_a_command_lacks_is_named_and_a_module_of_ours_is_a_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(name: str) -> None:
        def list_runs() -> None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        monkeypatch.setattr("fer_core.runs.listing.list_runs", list_runs)

    lacking("pandas.core")
    assert main(["runs", "--json"]) == 2
    assert "pandas.core is not installed" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    lacking("fer_core.gone")
    with pytest.raises(ModuleNotFoundError):
        main(["runs"])


def test_a_mistake_ends_with_its_message_and_exit_code_2(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "nobody"]) == 2
    assert "there is no run called 'nobody'. Known runs: none yet." in capsys.readouterr().err
    assert main(["runs", "nobody", "--json"]) == 2
    assert "no run called" in json.loads(capsys.readouterr().out)["error"]


def test_no_runs_yet_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    assert "python -m fer_core train" in capsys.readouterr().out


def test_runs_are_listed_with_interval_and_number_of_faces(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(home / "runs" / "mine", accuracy=0.7)
    (home / "runs" / "broken").mkdir()
    (home / "runs" / "broken" / "run.json").write_text("{", encoding="utf-8")
    assert main(["runs", "--json"]) == 0
    runs = {run["name"]: run for run in json.loads(capsys.readouterr().out)["runs"]}
    scores = runs["mine"]["private_test"]
    assert scores["accuracy_low"] <= scores["accuracy"] <= scores["accuracy_high"]
    assert runs["broken"]["state"] == "damaged"
    assert "damaged" in runs["broken"]["problem"]
    assert main(["runs"]) == 0
    assert f"{scores['n']:,} PrivateTest faces" in capsys.readouterr().out
    assert main(["runs", "mine"]) == 0
    assert "## Limits" in capsys.readouterr().out


def test_a_training_of_before_a_reboot_was_listed_as_alive(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "WATCH_S", 0.2)
    for name in ("first", "second"):
        folder = RunFolder(home / "runs" / name)
        folder.path.mkdir(parents=True)
        write_json(folder.recipe_path, Recipe("custom_cnn", epochs=4).to_dict())
        # The boot is part of the place: to the system of now it is another one.
        write_json(folder.lease_path, asdict(replace(Lease.of(os.getpid(), folder.path), place="0" * 12)))
        os.utime(folder.lease_path, (1, 1))
    assert main(["runs", "--json"]) == 0
    assert [run["state"] for run in json.loads(capsys.readouterr().out)["runs"]] == ["died", "died"]
    lease._seen.clear()
    assert main(["runs", "first", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "died"


def test_architectures_show_their_size_and_layers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["architectures"]) == 0
    assert "1.2 M parameters" in capsys.readouterr().out
    assert main(["architectures", "vgg16"]) == 0
    assert "block5_conv3" in capsys.readouterr().out
    assert main(["architectures", "lenet"]) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["custom_cnn"], "--data FOLDER"),
        (["--data", "x"], "name an architecture"),
        (["lenet", "--data", "x"], "no architecture called 'lenet'"),
        (["custom_cnn", "--data", "x", "--set", "epochs"], "KEY=VALUE"),
        (["custom_cnn", "--data", "x", "--set", "optimizer=lion"], "adam, sgd"),
        (["custom_cnn", "--data", "x", "--set", "depth=3"], "unknown keys: depth"),
        (["custom_cnn", "--data", "x", "--set", "augmentation.flop=true"], r"augmentation\.flop"),
        (["custom_cnn", "--data", "x", "--preset", "lazy"], "minute, quick, serious"),
        (["--recipe", "absent.json", "--data", "x"], "cannot be read as a recipe"),
        (["--resume", "absent"], "no run called 'absent'"),
        (["custom_cnn", "--data", "absent"], "absent"),
    ],
)
def test_train_refuses_what_it_cannot_do_in_words(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    import re

    assert main(["train", *arguments]) == 2
    assert re.search(words, capsys.readouterr().err)


def test_epochs_shorten_the_stages_of_a_preset(home: Path) -> None:
    from fer_core.cli.train import chosen_recipe

    args = build_parser().parse_args(["train", "vgg16", "--preset", "serious", "--epochs", "2", "--data", "x"])
    recipe = chosen_recipe(args)
    assert (recipe.epochs, recipe.start_epochs, recipe.warmup_epochs) == (2, 1, 1)
    args = build_parser().parse_args(["train", "vgg16", "--epochs", "1", "--data", "x"])
    recipe = chosen_recipe(args)
    assert (recipe.epochs, recipe.frozen_epochs, recipe.warmup_epochs) == (1, 0, 0.5)


@pytest.mark.parametrize("command", [["predict", "face.png"], ["evaluate", "mine", "--data", "x"]])
def test_averages_on_offer_are_those_that_the_predictor_knows(command: list[str]) -> None:
    from fer_core.inference.predictor import AVERAGES

    assert build_parser().parse_args(command).average == "none"
    for average in AVERAGES:
        assert build_parser().parse_args([*command, "--average", average]).average == average
    with pytest.raises(SystemExit):
        build_parser().parse_args([*command, "--average", "ten"])
