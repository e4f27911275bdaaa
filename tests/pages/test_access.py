from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fer_core.access.password import VARIABLE
from fer_core.errors import AccessError
from fer_core.settings import settings
from pages.parts.dataset import audit_job, ferplus, import_job
from pages.parts.dataset_extras import annotations_of

RIGHT = "correct horse battery"


def test_the_owner_of_a_hosted_app_unlocks_it_and_locks_it_again(
    visitor: None, monkeypatch: pytest.MonkeyPatch, open_app: Callable[..., AppTest]
) -> None:
    monkeypatch.setenv(VARIABLE, RIGHT)
    app = open_app("limits")
    app.sidebar.text_input[0].set_value("something else")
    app.sidebar.button[0].click().run()
    assert any("not the password" in error.value for error in app.error)
    app.sidebar.text_input[0].set_value(RIGHT)
    app.sidebar.button[0].click().run()
    assert not app.sidebar.text_input
    app.sidebar.button("lock-again").click().run()
    assert app.sidebar.text_input


def test_without_a_password_there_is_nothing_to_unlock(visitor: None, open_app: Callable[..., AppTest]) -> None:
    assert not open_app("limits").sidebar.text_input


def test_a_test_without_a_connection_is_a_visitor(visitor: None) -> None:
    assert settings().ownership == "local"


def test_a_visitor_is_offered_no_import_no_audit_and_no_path(
    visitor: None, sample: Path, open_app: Callable[..., AppTest]
) -> None:
    app = open_app("dataset")
    assert [tab.label for tab in app.tabs] == ["Faces", "Classes", "Audit"]
    assert not app.get("file_uploader")
    for view in ("Audit", "Bring real data"):
        app = open_app("dataset", view=view)
        assert not app.exception
        assert not [one for one in app.button if "Audit" in one.label or "mport" in one.label]
        assert not [one for one in app.code if str(sample) in one.value]


@pytest.mark.parametrize(
    "act",
    [
        lambda: import_job.start_import("/etc/passwd", "x"),
        lambda: import_job.stop(import_job.ImportJob("x", "x")),
        import_job.dismiss,
        lambda: ferplus._remove(None),  # type: ignore[arg-type]
        lambda: ferplus._add_votes(None, Path("/etc/passwd")),  # type: ignore[arg-type]
        lambda: audit_job._start(None),  # type: ignore[arg-type]
    ],
)
def test_what_is_not_offered_is_refused_where_it_is_called(visitor: None, act: Callable[[], object]) -> None:
    with pytest.raises(AccessError, match="owner"):
        act()


def test_a_visitors_marks_are_theirs_alone(visitor: None, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(st, "session_state", {})
    own = annotations_of("a" * 64)
    own.set(1, "ambiguous")
    assert annotations_of("a" * 64).all().keys() == {1}
    monkeypatch.setattr(st, "session_state", {})
    assert not annotations_of("a" * 64).all()
    assert not settings().reviews_dir.exists()
