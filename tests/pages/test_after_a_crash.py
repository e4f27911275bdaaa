"""What pages say after the app was killed: what is lost, and what is kept."""

from __future__ import annotations

import time

import pytest

from fer_core.runs import clean_up
from fer_core.runs.clean_up import CleanedUp


@pytest.fixture
def crashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_up, "_last", (time.monotonic(), CleanedUp(("my_faces",), 1, 1, 0)))


def said(app) -> str:
    assert not app.exception
    return "\n".join(element.value for element in app.info)


def test_an_import_that_was_cut_short_is_told_where_imports_begin(open_app, sample, crashed):
    words = said(open_app("dataset", view="Bring real data"))
    assert "middle of an import (my" in words
    assert "import it again" in words
    assert "annotations are as they were" in words


def test_a_video_that_was_cut_short_is_told_to_visitors_without_names(open_app, sample, crashed, visitor):
    words = said(open_app("photo", way="Video"))
    assert "bring it again" in words
    assert "my_faces" not in words


def test_after_an_orderly_end_nothing_is_said(open_app, sample, monkeypatch):
    monkeypatch.setattr(clean_up, "_last", (time.monotonic(), CleanedUp(others=3)))
    assert "unexpectedly" not in said(open_app("dataset", view="Bring real data"))
    assert "unexpectedly" not in said(open_app("photo", way="Video"))
