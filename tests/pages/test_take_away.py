"""The selection on Mistakes, taken away as a table and as pictures."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import make_evaluated_run, make_run
from mistakes_page import as_photographs
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST
from fer_core.review.annotations import AMBIGUOUS, Annotations
from fer_core.review.scope import scope
from fer_core.runs.listing import list_models
from fer_core.settings import settings

OpenApp = Callable[..., AppTest]
Given = dict[str, dict[str, Any]]


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    dataset = as_photographs(sample)
    for seed, name in enumerate(("one", "two")):
        make_evaluated_run(settings().runs_dir / name, dataset, seed=seed, accuracy=0.6, name=name)
    return dataset


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """What each download button was given in the last run of the page, by key: ``AppTest`` cannot press them."""
    import streamlit as st

    buttons: Given = {}
    real = st.download_button

    def remember(label: str, **options: Any) -> bool:
        buttons[options["key"]] = {"label": label, **options}
        return real(label, **options)

    monkeypatch.setattr(st, "download_button", remember)
    return buttons


def expected_rows(split: str, true: str, said: str, by: int) -> list[int]:
    aligned = scope([run.folder for run in list_models()], split).aligned
    keep = (aligned.labels == NAMES.index(true)) & (aligned.predicted[by] == NAMES.index(said))
    return sorted(int(row) for row in aligned.rows[keep])


def test_the_files_hold_the_selection_and_their_names_tell_it(
    open_app: OpenApp, dataset: Dataset, given: Given
) -> None:
    names = [run.name for run in list_models()]
    query = {"split": PUBLIC_TEST, "true": "fear", "said": "sad", "by": names[0], "sort": "Row number"}
    app = open_app("mistakes", take="true", panel="Your mark", **query)
    assert not app.exception
    rows = expected_rows(PUBLIC_TEST, "fear", "sad", 0)
    assert rows
    table, pictures = given["take-away.csv"], given["take-away.zip"]
    stem = f"PublicTest_true-fear_said-sad_by-{names[0]}_{len(rows)}-face"
    assert table["file_name"].startswith(stem)
    assert table["file_name"].endswith(".csv")
    assert pictures["file_name"].endswith(".zip")
    assert f"{len(rows)} face" in table["label"]
    assert "kB" in pictures["label"]

    lines = list(csv.DictReader(io.StringIO(table["data"]().decode(), newline="")))
    assert [int(line["row"]) for line in lines] == rows
    assert {line["label"] for line in lines} == {"fear"}
    assert {line[names[0]] for line in lines} == {"sad"}
    assert all(0 <= float(line["doubt"]) <= 1 for line in lines)
    with zipfile.ZipFile(io.BytesIO(pictures["data"]())) as archive:
        inside = archive.namelist()
    assert [int(name[4:10]) for name in inside] == rows
    assert all("_true-fear_" in name and f"_pred-sad_{names[0]}-" in name for name in inside)


def test_marks_go_along_as_they_are_when_the_button_is_pressed(
    open_app: OpenApp, dataset: Dataset, given: Given
) -> None:
    row = int(np.flatnonzero(dataset.splits == PRIVATE_TEST)[0])
    app = open_app("mistakes", take="true", panel="Your mark", face=str(row), answer="right or wrong")
    app.button(key=f"review.{AMBIGUOUS}").click().run()
    assert not app.exception
    assert Annotations.load(dataset.info.fingerprint).all()[row].kind == AMBIGUOUS
    lines = list(csv.DictReader(io.StringIO(given["take-away.csv"]["data"]().decode(), newline="")))
    assert {int(line["row"]): line["mark"] for line in lines}[row] == AMBIGUOUS
    assert "right-or-wrong" in given["take-away.csv"]["file_name"]


def test_nothing_is_made_before_somebody_asks(
    open_app: OpenApp, dataset: Dataset, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_early(*_: object, **__: object) -> bytes:
        raise AssertionError("made though nobody asked")

    monkeypatch.setattr("pages.parts.mistakes.take_away.write_selection_csv", too_early)
    monkeypatch.setattr("pages.parts.mistakes.take_away.faces_zip", too_early)
    app = open_app("mistakes", take="true", panel="Your mark")
    assert not app.exception
    assert set(given) == {"take-away.csv", "take-away.zip"}
    assert given["take-away.csv"]["file_name"].startswith("PrivateTest_wrong_")


def test_an_empty_selection_says_so(open_app: OpenApp, dataset: Dataset, given: Given) -> None:
    app = open_app("mistakes", take="true", panel="Your mark", doubt="1", answer="right")
    assert not app.exception
    assert not given
    assert any("nothing to take away" in text.value for text in app.caption)


def test_too_many_faces_for_one_zip(
    open_app: OpenApp, dataset: Dataset, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.parts.mistakes.take_away.MOST_FACES", 5)
    app = open_app("mistakes", take="true", panel="Your mark")
    assert not app.exception
    assert given["take-away.zip"]["disabled"]
    assert "at most 5 faces" in given["take-away.zip"]["help"]
    assert not given["take-away.csv"].get("disabled", False)


def test_without_the_faces_there_is_the_table_alone(open_app: OpenApp, home: Path, given: Given) -> None:
    make_run(settings().runs_dir / "one")
    app = open_app("mistakes", take="true", panel="Your mark")
    assert not app.exception
    assert "take-away.csv" in given
    assert "take-away.zip" not in given
    assert any("Pictures need the data" in text.value for text in app.caption)
