"""Whatever a path leads to, and whatever is typed for one: one sentence, exit code 2, and nothing hangs."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from factories import make_run

from fer_core import cli
from fer_core.cli import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes and devices")

READS_A_FILE = [
    ["data", "import", "PATH", "--out", "NEW"],
    ["train", "--recipe", "PATH", "--data", "x"],
    ["predict", "PATH", "--model", "mine"],
    ["predict", "FACE", "--model", "PATH"],
    ["predict", "FACE", "--model", "PATH.tflite"],
]
READS_A_FOLDER = [
    ["data", "info", "PATH"],
    ["data", "audit", "PATH"],
    ["train", "custom_cnn", "--data", "PATH"],
    ["train", "--resume", "PATH"],
    ["evaluate", "PATH", "--data", "x"],
    ["evaluate", "mine", "--data", "PATH"],
    ["vote", "PATH", "mine", "--data", "x"],
    ["vote", "mine", "other", "--data", "PATH"],
    ["export", "PATH", "--data", "x"],
    ["export", "mine", "--data", "PATH"],
    ["explain", "faithfulness", "--data", "PATH"],
    ["explain", "face", "--row", "0", "--data", "PATH", "--out", "NEW.png"],
    ["runs", "PATH"],
]
WRITES_A_FILE = [
    ["predict", "FACE", "--model", "mine", "--out", "PATH"],
    ["leaderboard", "--write", "PATH"],
    ["explain", "faithfulness", "--data", "x", "--write", "PATH"],
    ["explain", "face", "--row", "0", "--data", "x", "--out", "PATH.png"],
]
WRITES_A_FOLDER = [
    ["data", "import", "sample", "--out", "PATH"],
    ["train", "custom_cnn", "--data", "x", "--run-dir", "PATH"],
    ["vote", "mine", "other", "--data", "x", "--out", "PATH"],
]
TAKES_TEXT = [
    ["data", "import", "sample", "--out", "NEW", "--name", "PATH"],
    ["data", "import", "sample", "--out", "NEW", "--title", "PATH"],
    ["train", "custom_cnn", "--data", "x", "--name", "PATH"],
    ["vote", "mine", "other", "--data", "x", "--name", "PATH"],
]


@pytest.fixture(autouse=True, scope="module")
def one_parser() -> Iterator[None]:
    """Building it takes longer than most commands here."""
    parser = cli.build_parser()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "build_parser", lambda: parser)
        yield


@pytest.fixture
def place(home: Path, tmp_path: Path) -> Path:
    """A folder with odd things in it, and two runs to ask."""
    for name in ("mine", "other"):
        # Found by its name, and never read: the odd thing is found first.
        (home / "runs" / name).mkdir(parents=True)
        (home / "runs" / name / "run.json").write_text("{}", encoding="utf-8")
    folder = tmp_path / "odd"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe.tflite")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)  # a socket's path must be short
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
    for name in ("device", "device.png", "device.tflite"):
        (folder / name).symlink_to("/dev/zero")
    (folder / "file").write_text("text", encoding="utf-8")
    return folder


def refused(command: list[str], path: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence with which the command ends."""
    from PIL import Image

    face, new = folder.parent / "face.png", str(folder.parent / "new")
    Image.new("L", (48, 48)).save(face)
    arguments = [
        path + word.removeprefix("PATH") if word.startswith("PATH") else word.replace("FACE", str(face))
        for word in command
    ]
    arguments = [word.replace("NEW", new) for word in arguments]
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr().err
    assert code == 2, (arguments, said)
    assert "Traceback" not in said
    lines = said.strip().splitlines()
    assert "error: " in lines[-1], said
    assert not list(folder.parent.glob("new*")), "nothing is left behind"
    return lines[-1]


@pytest.mark.parametrize("command", READS_A_FILE, ids=" ".join)
def test_only_regular_files_are_read(command: list[str], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe made the import, a recipe and a prediction wait for ever, and /dev/zero filled the memory."""
    for name in ("pipe", "device", "socket"):
        assert name in refused(command, str(place / name), place, capsys)
    refused(command, str(place / "absent"), place, capsys)
    refused(command, "x" * 300, place, capsys)


@pytest.mark.parametrize("command", READS_A_FOLDER, ids=" ".join)
def test_only_folders_are_read_where_a_folder_is_needed(
    command: list[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("pipe", "device", "file", "absent"):
        refused(command, str(place / name), place, capsys)
    refused(command, "x" * 300, place, capsys)


@pytest.mark.parametrize("command", [*WRITES_A_FILE, *WRITES_A_FOLDER], ids=" ".join)
def test_nothing_replaces_a_device_or_a_pipe(
    command: list[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--out /dev/null`` put a table in the place of the device where one may."""
    before = {path.name: path.lstat().st_mode for path in place.iterdir()}
    for name, kind in (("pipe", "a pipe"), ("device", "a device")):
        assert kind in refused(command, str(place / name), place, capsys) or command[0] == "data"
    if command in WRITES_A_FILE:
        assert "no folder" in refused(command, str(place / "absent" / "x"), place, capsys)
    assert {path.name: path.lstat().st_mode for path in place.iterdir()} == before


@pytest.mark.parametrize(
    "command", [*READS_A_FILE[:4], *READS_A_FOLDER, *WRITES_A_FILE[:3], *WRITES_A_FOLDER, *TAKES_TEXT], ids=" ".join
)
def test_an_empty_text_is_refused(command: list[str], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty path was the folder one happened to be in, and an empty name none at all."""
    for text in ("", "  "):
        assert "must not be empty" in refused(command, text, place, capsys)


@pytest.mark.parametrize("command", [*WRITES_A_FOLDER, *TAKES_TEXT], ids=" ".join)
@pytest.mark.parametrize("text", ["two\nlines", "red\x1b[31m", "not utf-8 \udcff"], ids=ascii)
def test_what_is_named_anew_can_be_shown(
    command: list[str], text: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(command, text, place, capsys)
    assert "cannot be shown" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("command", [*READS_A_FILE, *READS_A_FOLDER], ids=" ".join)
def test_control_characters_in_a_path_are_shown_and_not_sent(
    command: list[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message was sent to the terminal as it was: a name could clear the screen or forge lines."""
    said = refused(command, str(place / "a\nerror: b\x1b[2J\udcff"), place, capsys)
    assert "\x1b" not in said
    assert r"\n" in said


@pytest.mark.parametrize(
    ("command", "values", "allowed"),
    [
        (["train", "custom_cnn", "--epochs"], ("nan", "0", "-1", "1e3", "9" * 5000), "from 1 to 10,000"),
        (["train", "custom_cnn", "--batch-size"], ("1", "4097"), "from 2 to 4,096"),
        (["train", "custom_cnn", "--learning-rate"], ("nan", "inf", "0", "-1", "1e999"), "from 1e-07 to 10"),
        (["train", "custom_cnn", "--seed"], ("-1", str(2**31), "0.5"), "from 0 to 2,147,483,647"),
        (["evaluate", "r", "--data", "x", "--corruptions", "--limit"], ("0", "-5", "1" * 30), "1 or more"),
        (["data", "audit", "x", "--threshold"], ("nan", "1", "0.4", "inf"), "from 0.5 to below 1"),
        (["explain", "faithfulness", "--data", "x", "--n"], ("1", "-1"), "2 or more"),
        (["explain", "faithfulness", "--data", "x", "--masks"], ("9",), "10 or more"),
        (["explain", "face", "--data", "x", "--out", "y.png", "--row"], ("-1", "1.5"), "0 or more"),
        (["predict", "x.png", "--every"], ("-1", "nan", "inf"), "from 0 to 86400"),
    ],
)
def test_numbers_out_of_range_are_refused_with_the_range(
    command: list[str], values: tuple[str, ...], allowed: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in values:
        with pytest.raises(SystemExit) as end:
            main([*command, value])
        assert end.value.code == 2
        assert allowed in capsys.readouterr().err


@pytest.mark.parametrize("assignment", ["epochs.x=1", "epochs=" + "9" * 400, "learning_rate=" + "9" * 400])
def test_choices_of_a_recipe_that_cannot_be_computed_with_are_refused(
    assignment: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A number that no float can hold, and a choice inside of a number, ended with a traceback."""
    assert main(["train", "custom_cnn", "--data", "x", "--set", assignment]) == 2
    assert "error: " in capsys.readouterr().err


def test_a_pipe_in_a_run_folder_is_that_runs_problem(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list of runs waited for ever for somebody to write into it; damaged metrics ended it with an error."""
    for name in ("recipe.json", "run.json", "metrics.json", "CARD.md"):
        run = make_run(home / "runs" / name)
        (path,) = run.path.rglob(name)
        path.unlink()
        os.mkfifo(path)
    (home / "runs" / "recipe.json" / "run.json").unlink()
    make_run(home / "runs" / "good")
    assert main(["runs", "--json"]) == 0
    states = {run["name"]: run["state"] for run in json.loads(capsys.readouterr().out)["runs"]}
    wrong = dict.fromkeys(("recipe.json", "run.json", "metrics.json"), "damaged")
    assert states == {**wrong, "CARD.md": "done", "good": "done"}
    for name in wrong:
        assert main(["runs", name]) == 2
        assert "it is a pipe" in capsys.readouterr().err
