"""On a disk that takes nothing, every command that writes says so in one sentence, before it computes."""

from __future__ import annotations

import errno
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from PIL import Image

from fer_core import emotions
from fer_core.cli import main
from fer_core.data.dataset import write_dataset
from fer_core.settings import settings
from fer_core.writable import check_output, check_writable

COMMANDS = [
    ["train", "custom_cnn", "--data", "DATA"],
    ["train", "--resume", "mine"],
    ["evaluate", "mine", "--data", "DATA"],
    ["evaluate", "mine", "--data", "DATA", "--corruptions"],
    ["export", "mine", "--data", "DATA"],
    ["vote", "mine", "other", "--data", "DATA"],
    ["data", "import", "sample", "--out", "HOME/new"],
    ["predict", "HOME/face.png", "--out", "HOME/answers.csv"],
    ["explain", "face", "--row", "0", "--data", "DATA", "--out", "HOME/face.png"],
    ["explain", "faithfulness", "--data", "DATA", "--n", "2"],
    ["explain", "faithfulness", "--data", "DATA", "--n", "2", "--write", "HOME/document.md"],
    ["leaderboard", "--write", "HOME/leaderboard.md"],
]


def filled(home: Path) -> None:
    """A dataset of 21 faces, and two runs that were measured on it."""
    labels = np.tile(np.arange(7, dtype=np.int8), 3)
    splits = np.repeat(emotions.SPLITS, 7)
    images = np.random.default_rng(0).integers(0, 256, (21, 48, 48), dtype=np.uint8)
    data = write_dataset(home / "datasets" / "faces", images, labels, splits)
    for name in ("mine", "other"):
        make_run(home / "runs" / name, labels=labels, splits=splits, data=data.info.record())
    Image.fromarray(images[0]).save(home / "face.png")


@pytest.fixture
def simulated(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    filled(home)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    return home


@pytest.fixture
def mounted(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a disk that is read-only in truth. Needs the right to mount."""
    command = shutil.which("mount")
    if command is None or subprocess.run([command, "-t", "tmpfs", "tmpfs", home], capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        filled(home)
        subprocess.run([command, "-o", "remount,ro", home], check=True)
        yield home
    finally:
        settings.cache_clear()
        subprocess.run(["umount", "-l", home], check=True)


@pytest.mark.parametrize("disk", ["simulated", "mounted"])
def test_every_command_that_writes_says_so_before_it_computes(
    disk: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """A training on a read-only disk ended with a traceback, an evaluation after minutes of work."""
    home: Path = request.getfixturevalue(disk)
    for command in COMMANDS:
        words = [word.replace("DATA", f"{home}/datasets/faces").replace("HOME", str(home)) for word in command]
        code, printed = main(words), capsys.readouterr()
        assert (code, printed.out) == (2, ""), (command, printed)
        [line] = printed.err.splitlines()
        assert "read-only" in line, command
        assert str(home) in line, command
    assert {path.name for path in home.iterdir()} == {"datasets", "runs", "face.png"}


def test_an_audit_that_cannot_be_kept_says_so_first_and_answers_all_the_same(
    simulated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "audit", str(simulated / "datasets" / "faces")]) == 0
    printed = capsys.readouterr()
    assert "audit's result cannot be written" in printed.err
    assert "exact duplicates" in printed.out


def test_trying_leaves_nothing_behind_and_needs_no_folder_yet(tmp_path: Path) -> None:
    check_writable(tmp_path / "deep" / "er", "the run")
    check_output(tmp_path / "new.csv", "the table")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_system_is_a_sentence_with_its_place(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever was not foreseen was a traceback."""
    from fer_core.cli import architectures

    def fail(args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(home / "x"))

    monkeypatch.setattr(architectures, "run", fail)
    assert main(["architectures"]) == 2
    assert f"error: {home / 'x'}: Permission denied. Change its permissions" in capsys.readouterr().err
