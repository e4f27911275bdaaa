"""Only files with a test that is asked for are imported: markers are found by their text, so they are written out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browser import ROOT
from markers import holds_none, twins_by_name


@pytest.mark.parametrize(
    ("asked", "left_out"),
    [
        ("not slow and not browser and not ray", ""),
        ("", ""),
        ("real", ""),
        ("slow", "browser none"),
        ("slow and not browser", "browser none"),
        ("browser", "slow none"),
        ("ray", "slow browser none"),
    ],
)
def test_a_file_is_left_out_only_where_none_of_its_tests_is_asked_for(
    asked: str, left_out: str, tmp_path: Path
) -> None:
    for name in ("slow", "browser", "none"):
        (tmp_path / name).write_text(f"@pytest.mark.{name}\ndef test_one(): ...\n")
    assert [name for name in ("slow", "browser", "none") if holds_none(tmp_path / name, asked)] == left_out.split()


def test_markers_are_written_out() -> None:
    """A test with a marker that its file does not spell as ``mark.slow`` would never run, and nobody would notice."""
    other = re.compile(r"add_marker\(|getattr\(pytest\.mark|from pytest import .*\bmark\b")
    files = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert [path.name for path in files if other.search(path.read_text(encoding="utf-8"))] == []


def test_two_modules_of_one_name_are_found_before_anything_is_collected(tmp_path: Path) -> None:
    """tests/cli and tests/cluster both had a test_signals.py: each folder passed alone, all together did not."""
    for folder in ("cli", "cluster"):
        (tmp_path / folder).mkdir()
        for name in ("test_signals.py", f"test_{folder}.py", "conftest.py"):
            (tmp_path / folder / name).touch()
    assert twins_by_name(tmp_path) == ["test_signals.py"]
