"""Only files with a test that is asked for are imported: markers are found by their text, so they are written out."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from browser import ROOT
from conftest import pytest_ignore_collect


@pytest.mark.parametrize(
    ("asked", "ignored"),
    [
        ("not slow and not browser and not ray", {None}),
        ("", {None}),
        ("real", {None}),
        ("slow and not browser", {None, True}),
        ("ray", {None, True}),
    ],
)
def test_a_file_is_left_out_only_where_none_of_its_tests_is_asked_for(
    asked: str, ignored: set[bool | None], tmp_path: Path
) -> None:
    marked, unmarked = tmp_path / "test_marked.py", tmp_path / "test_unmarked.py"
    marked.write_text("@pytest.mark.slow\n@pytest.mark.ray\ndef test_one(): ...\n")
    unmarked.write_text("@pytest.mark.browser\ndef test_one(): ...\n")
    config = SimpleNamespace(getoption=lambda name: asked)
    assert pytest_ignore_collect(marked, config) is None
    assert {pytest_ignore_collect(path, config) for path in (marked, unmarked)} == ignored
    assert pytest_ignore_collect(tmp_path, config) is None


def test_markers_are_written_out() -> None:
    """A test with a marker that its file does not spell as ``mark.slow`` would never run, and nobody would notice."""
    other = re.compile(r"add_marker\(|getattr\(pytest\.mark|from pytest import .*\bmark\b")
    files = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert [path.name for path in files if other.search(path.read_text(encoding="utf-8"))] == []
