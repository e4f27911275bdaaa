"""The command ``score``: what it says, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from scored import make_model, make_pictures

from fer_core.cli import main


def test_results_are_not_written_into_a_folder_that_is_called_like_an_address(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder ``s3:`` was made where the command was given, and nothing was in the store."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["score", str(tmp_path), "--out", "s3://bucket/scored", "--models", "one"])
    assert "is an address" in capsys.readouterr().err
    assert list(tmp_path.glob("s3*")) == []


def test_the_command_says_what_it_did(mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["score", str(mixed), "--out", str(tmp_path / "out"), "--models", "one"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "in 11 files" in said
    assert "1 file could not be read" in said
    assert "data import" in said
    assert main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["files"], result["unreadable"], result["shards_done_before"]) == (11, 1, 1)


def test_more_than_one_worker_without_ray_is_one_sentence(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    make_model()
    source = make_pictures(tmp_path / "source", 1)
    assert main(["score", str(source), "--out", str(tmp_path / "out"), "--models", "one", "--workers", "2"]) == 2
    assert "requirements-ray.txt" in capsys.readouterr().err
