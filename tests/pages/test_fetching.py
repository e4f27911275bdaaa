"""What Home says while FER-2013 is fetched, and to whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data import fetch
from fer_core.data.fetch import SHA256, URL, FetchState

OpenApp = Callable[..., AppTest]
WHY = "/home/app/cache/fetch could not be written"


@pytest.fixture
def asked(home: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "https://host.example/fer2013.csv.gz?token=secret")
    monkeypatch.setenv(SHA256, "0" * 64)
    fetch.folder().mkdir(parents=True)


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.parts.access._connects_as_owner", lambda: False)


def words(app: AppTest) -> str:
    assert not app.exception
    bars = [bar.proto.text for bar in app.get("progress")]
    return " ".join([*bars, *(element.value for kind in (app.caption, app.warning) for element in kind)])


def test_everybody_sees_how_far_it_is(asked: None, visitor: None, open_app: OpenApp) -> None:
    record = fetch.new_record("host.example", 0)
    fetch.tell({**record, "done": 50_000_000, "total": 100_000_000})
    app = open_app("home")
    assert app.get("progress")[0].proto.value == 50
    assert "fetched from host.example: 50 of 100 MB" in words(app)
    assert "secret" not in words(app)
    fetch.tell({**record, "state": FetchState.IMPORTING, "done": 1234, "unit": "faces"})
    assert "being imported: 1,234 faces" in words(open_app("home"))


def test_why_a_try_failed_is_told_to_the_owner_alone(
    asked: None, open_app: OpenApp, request: pytest.FixtureRequest
) -> None:
    record = fetch.new_record("host.example", 2)
    fetch.tell({**record, "state": FetchState.WAITING, "message": WHY, "next": time.time() + 90})
    text = words(open_app("home"))
    assert "could not be fetched yet (tried 2 times)" in text
    assert "could not be written" in text
    request.getfixturevalue("visitor")
    text = words(open_app("home"))
    assert "could not be fetched yet (tried 2 times)" in text
    assert "could not be written" not in text


def test_what_makes_no_sense_is_told_to_the_owner_alone(
    asked: None, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv(URL, "file:///etc/passwd")
    assert "is no web address" in words(open_app("home"))
    request.getfixturevalue("visitor")
    assert "is no web address" not in words(open_app("home"))


def test_where_nobody_asked_nothing_is_said(home: Path, sample: Path, open_app: OpenApp) -> None:
    assert "fetched" not in words(open_app("home"))
