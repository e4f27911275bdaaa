"""What the app says to whom: paths to the owner alone, and people's own words as they are."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from apptest import ROOT
from edited_runs import reseal
from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core.errors import DataError, RunError
from fer_core.files import write_json
from fer_core.settings import settings
from pages.parts import messages
from pages.parts.run import card


def test_a_visitor_reads_no_path_and_the_log_has_it_under_the_reference(
    visitor: None, caplog: pytest.LogCaptureFixture
) -> None:
    said = messages.told(DataError("There is nothing at /srv/secret/faces.csv."))
    assert "secret" not in said
    reference = said.rstrip(".").rpartition(" ")[2]
    assert [one for one in caplog.messages if reference in one and "/srv/secret/faces.csv" in one]


def test_a_message_is_logged_once_however_often_the_page_is_drawn(
    visitor: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert len({messages.told("/srv/drawn/often") for _ in range(3)}) == 1
    assert len([one for one in caplog.messages if "/srv/drawn/often" in one]) == 1


def test_a_visitor_reads_nothing_that_lies_on_the_server(visitor: None) -> None:
    assert "root" not in messages.told(RunError("recipe.json, line 1: 'root:x:0:0'"))
    assert "root" not in messages.told("dataset.json is damaged: 'root:x:0:0'", stored=True)


def test_a_visitor_reads_what_is_wrong_with_their_own_file(visitor: None) -> None:
    assert messages.told(DataError("mine.csv, line 3: there is no row 99.")) == "mine.csv, line 3: there is no row 99."


def test_the_owner_reads_everything(home: Path) -> None:
    assert messages.told(RunError("/srv/x is damaged.")) == "/srv/x is damaged."


def test_a_message_is_text(home: Path) -> None:
    assert messages.told(DataError("**x** [a](javascript:b)")) == r"\*\*x\*\* \[a\](javascript\:b)"


@pytest.mark.parametrize("page", ["home", "dataset", "compare", "run"])
def test_damage_on_the_server_is_told_to_a_visitor_without_its_path(
    visitor: None, page: str, sample: Path, open_app: Callable[..., AppTest]
) -> None:
    damaged = settings().datasets_dir / "broken"
    damaged.mkdir()
    (damaged / "dataset.json").write_text("root:x:0:0")
    app = open_app(page)
    assert not app.exception
    said = [one.value for one in (*app.warning, *app.error, *app.sidebar.warning)]
    assert any("Something on this server" in one for one in said)
    assert not [one for one in said if str(settings().home) in one or "root" in one]


def test_what_nobody_foresaw_has_its_traceback_for_the_owner_and_not_for_visitors(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    def script() -> None:
        from pages.parts import messages

        with messages.unexpected_to_the_owner():
            raise ValueError("/srv/secret")

    caplog.set_level(logging.ERROR)
    owners = AppTest.from_function(script).run()
    assert "/srv/secret" in owners.exception[0].message
    assert "A page failed" in caplog.text
    monkeypatch.setenv("FER_EXPLORER_OWNER", "")
    settings.cache_clear()
    visitors = AppTest.from_function(script).run()
    assert "secret" not in str(visitors.exception[0].proto)
    assert "test_messages" not in str(visitors.exception[0].proto)


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.stem)
def test_no_page_shows_an_error_by_itself(path: Path) -> None:
    """Every message of a ``FerError`` goes through :func:`pages.parts.messages.told`."""
    if path.name in ("messages.py", "access.py"):
        return
    rest = re.sub(r"messages\.told\((?:[^()]|\([^()]*\))*\)", "", path.read_text())
    found = re.findall(r"st\.\w+\([^)]*(?:str\(error|\{error)", rest)
    assert not found


def test_what_is_quoted_from_a_file_is_for_the_owner_alone(visitor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = DataError("row 3: unknown emotion 'a secret'", quoted=["'a secret'"])
    assert "secret" not in messages.told(problem)
    assert "row 3" in messages.told(problem)
    monkeypatch.setenv("FER_EXPLORER_OWNER", "everyone")
    settings.cache_clear()
    assert "a secret" in messages.told(problem)


def test_a_visitor_reads_no_path_of_weights_on_a_card(
    visitor: None, home: Path, open_app: Callable[..., AppTest]
) -> None:
    run = make_run(settings().runs_dir / "mine", architecture="resnet50")
    write_json(run.recipe_path, {**run.recipe().to_dict(), "initial_weights": "/srv/secret/weights.npz"})
    reseal(run)
    app = open_app("run", run="mine", **dict.fromkeys(card.SECTIONS, "true"))
    assert not app.exception
    table = next(one.value for one in app.dataframe if "Field" in one.value)
    assert "a file of this server" in set(table["Value"])
    assert not [one for one in app.get("download_button") if "Recipe" in one.proto.label]
    assert [one for one in app.get("download_button") if "Keras" in one.proto.label]
