from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from apptest import ROOT
from edited_runs import as_unfinished
from factories import make_run
from streamlit import config
from streamlit.testing.v1 import AppTest

from fer_core.access import trainings
from fer_core.access.password import VARIABLE
from fer_core.errors import AccessError
from fer_core.review.annotations import Annotations
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import list_runs
from fer_core.runs.visitor import started_by, write_visitor
from fer_core.settings import PROJECT_ROOT, settings
from fer_core.training import jobs
from fer_core.training.lock import TrainingLock
from pages.parts.dataset import audit_job, ferplus, import_job
from pages.parts.dataset_extras import annotations_of
from pages.parts.mistakes import marking
from pages.parts.run import card
from pages.parts.train import progress

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


def test_marks_that_everybody_shares_change_only_by_those_who_may(visitor: None, home: Path) -> None:
    with pytest.raises(AccessError, match="everybody"):
        marking.changeable(Annotations("a" * 64))
    own = Annotations("a" * 64, in_memory=True)
    assert marking.changeable(own) is own


def test_a_visitor_deletes_no_run_of_somebody_else(visitor: None, open_app: Callable[..., AppTest], home: Path) -> None:
    make_run(settings().runs_dir / "mine")
    app = open_app("run", run="mine")
    assert not app.exception
    assert not [one for one in app.button if "Delete" in one.label]
    card._delete_now(list_runs()[0])
    assert (settings().runs_dir / "mine").exists()


ACTING = re.compile(
    r"\bjobs\.(start|stop|pause|unpause|restart|delete)\b|\b(import_dataset|add_ferplus|remove_ferplus|fetch_now)\(|"
    r"\bjobs\(\)\.start\(|\bworker\(\)\.stop\b|nnotations\)?\.(set|unset|add)\("
)
"""Calls that change something for others, or for good."""
ASKS = re.compile(r"\baccess\.(check|only|person|may)\(|\bchangeable\(")


def acting_functions(source: str) -> Iterator[tuple[str, str]]:
    """Name and source, with its decorators, of each function at the top of a module that acts; "" for the rest."""
    tree, lines = ast.parse(source), source.splitlines()
    for node in tree.body:
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        if ACTING.search(text):
            yield getattr(node, "name", ""), text


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "pages").rglob("*.py")),
    ids=lambda path: path.stem,
)
def test_whatever_acts_asks_first(path: Path) -> None:
    silent = [name for name, text in acting_functions(path.read_text()) if not ASKS.search(text)]
    assert not silent, f"{path}: {silent} act, and do not ask whether this person may"


@pytest.mark.parametrize(("address", "words"), [("127.0.0.1", "this computer alone"), (None, "others in your network")])
def test_the_owner_sees_where_the_app_listens(
    address: str | None, words: str, monkeypatch: pytest.MonkeyPatch, open_app: Callable[..., AppTest]
) -> None:
    asked = config.get_option
    monkeypatch.setattr(config, "get_option", lambda name: address if name == "server.address" else asked(name))
    assert any(words in caption.value for caption in open_app("limits").sidebar.caption)


def test_a_visitor_does_not_see_where_the_app_listens(visitor: None, open_app: Callable[..., AppTest]) -> None:
    assert not any("Listens" in caption.value for caption in open_app("limits").sidebar.caption)


def test_the_owner_is_told_of_a_password_that_is_too_short(
    monkeypatch: pytest.MonkeyPatch, open_app: Callable[..., AppTest]
) -> None:
    monkeypatch.setenv(VARIABLE, "short")
    assert any("shorter" in warning.value for warning in open_app("limits").sidebar.warning)


def test_a_visitor_steers_no_training_of_the_owner(
    visitor: None, open_app: Callable[..., AppTest], sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = as_unfinished(make_run(settings().runs_dir / "mine"))
    app = open_app("train", run="mine")
    assert not app.exception
    assert not [one for one in app.button if one.label.startswith(("Start again", "Resume", "Stop", "Pause"))]
    monkeypatch.setattr(st, "session_state", {})
    progress._act(trainings.restart, run.path)
    assert "owner" in str(st.session_state[progress._PROBLEM])


def test_a_visitor_is_offered_the_short_training_and_nothing_to_set(
    visitor: None, sample: Path, open_app: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app("train")
    assert not app.exception
    assert not app.number_input
    assert not app.text_input
    assert "resnet50" not in app.selectbox("architecture").options
    spawned: list[RunFolder] = []
    monkeypatch.setattr(jobs, "_spawn", lambda folder, _: spawned.append(folder))
    next(one for one in app.button if "Start" in one.label).click().run()
    assert not app.exception
    assert started_by(spawned[0].path)


def test_a_visitor_neither_sees_nor_stops_a_training_of_another(
    visitor: None, sample: Path, open_app: Callable[..., AppTest]
) -> None:
    run = make_run(settings().runs_dir / "secret-name").path
    write_visitor(run, "another", 60)
    with TrainingLock(run):
        for page in ("train", "run", "home", "compare"):
            app = open_app(page, run="secret-name")
            assert not app.exception
            assert not [one for one in app.button if one.label in ("Stop", "Pause") or "Delete" in one.label]
            shown = [one for one in (*app.markdown, *app.subheader, *app.header) if "secret-name" in one.value]
            assert not shown


def test_pages_list_runs_at_one_place_which_knows_who_asks() -> None:
    files = [*(PROJECT_ROOT / "pages").rglob("*.py")]
    assert [
        str(path.relative_to(PROJECT_ROOT)) for path in files if re.search(r"list_(runs|models)\(", path.read_text())
    ] == ["pages/parts/runs.py"]
