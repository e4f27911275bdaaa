"""The Mistakes page over made-up runs: filters, orders, pages, wrong links, no dataset, no runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import make_run
from mistakes_page import (
    FEAR,
    SAD,
    OpenApp,
    as_photographs,
    cards,
    count,
    expected,
    make,
    open_mistakes,
    pictures,
    sheet,
    summary,
    with_twins,
)

from fer_core.data.audit import audit_dataset
from fer_core.data.dataset import Dataset, load_dataset
from fer_core.evaluation.aligned_predictions import AlignedPredictions, align
from fer_core.review import selection
from fer_core.review.annotations import Annotations
from fer_core.review.ordering import SORTS
from fer_core.review.selection import Filter
from fer_core.runs.folder import RunFolder
from fer_core.stats.label_issues import label_issues
from pages.parts.face_selection import FaceSelection
from pages.parts.mistakes.face import previous_and_next_row
from pages.parts.mistakes.sheet import PER_PAGE, captions, page_of, told


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    return as_photographs(sample)


@pytest.fixture
def runs(home: Path, dataset: Dataset) -> list[RunFolder]:
    """``one`` and ``two``, measured on these faces, ``one`` on top."""
    return [make(home, dataset, name, seed) for seed, name in enumerate(("one", "two"))]


@pytest.fixture
def aligned(runs: list[RunFolder]) -> AlignedPredictions:
    return align(runs, "PrivateTest")


@pytest.fixture
def with_near_duplicates(home: Path, sample: Path) -> tuple[Dataset, list[int]]:
    return with_twins(sample)


# --- Which faces


def test_without_a_filter_it_shows_every_mistake_the_surest_first(
    open_app: OpenApp, aligned: AlignedPredictions
) -> None:
    app = open_mistakes(open_app)
    rows = expected(aligned, Filter(right=False))
    assert count(app) == len(rows)
    assert f"of {len(aligned)} faces** of PrivateTest: answered wrong by at least one of one, two." in summary(app)
    assert sheet(app) == rows[:PER_PAGE]
    assert not [button for button in app.button if button.key == "clear-filters"]
    assert not app.warning


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"true": "fear", "said": "sad", "by": "two"}, Filter(models=("two",), true=FEAR, predicted=SAD)),
        ({"true": "fear", "said": "fear", "by": "one"}, Filter(models=("one",), true=FEAR, predicted=FEAR)),
        ({"true": "fear", "said": "sad"}, Filter(true=FEAR, predicted=SAD)),
        ({"true": "fear"}, Filter(true=FEAR, right=False)),
        ({"said": "sad", "by": "every model"}, Filter(predicted=SAD, right=False, every=True)),
        ({"answer": "right", "by": "two"}, Filter(models=("two",), right=True)),
        ({"answer": "right or wrong"}, Filter()),
        ({"set": "both are wrong"}, Filter(agreement=0)),
        ({"set": "only two is right"}, Filter(agreement=2)),
        ({"set": "both are right", "true": "sad"}, Filter(agreement=3, true=SAD)),
        ({"confidence": ["50", "60"], "by": "one"}, Filter(models=("one",), right=False, confidence=(0.5, 0.6))),
    ],
)
def test_a_link_shows_the_faces_it_names(
    open_app: OpenApp, aligned: AlignedPredictions, query: dict[str, str | list[str]], wanted: Filter
) -> None:
    app = open_mistakes(open_app, **query)
    rows = expected(aligned, wanted)
    assert rows, "the case should leave some face"
    assert count(app) == len(rows)
    assert sheet(app) == rows[:PER_PAGE]
    assert not app.warning
    assert selection.describe(aligned, wanted) in summary(app)


def test_doubt_twins_and_marks_filter_too(open_app: OpenApp, dataset: Dataset, aligned: AlignedPredictions) -> None:
    scores = label_issues(aligned.labels, aligned.probabilities).score
    app = open_mistakes(open_app, doubt="0.6", answer="right or wrong")
    assert count(app) == int((scores >= 0.6).sum()) > 0
    assert "label doubt of 0.60 or more" in summary(app)

    annotations = Annotations.load(dataset.info.fingerprint)
    for row in aligned.rows[:3]:
        annotations.set(int(row), "ambiguous")
    annotations.set(int(aligned.rows[3]), "not a face")
    app = open_mistakes(open_app, marked="ambiguous", answer="right or wrong", sort="Row number")
    assert sheet(app) == aligned.rows[:3].tolist()
    app = open_mistakes(open_app, marked="marked", answer="right or wrong", sort="Row number")
    assert sheet(app) == aligned.rows[:4].tolist()


def test_labels_of_drawn_faces_are_not_doubted(open_app: OpenApp, home: Path, sample: Path) -> None:
    make(home, load_dataset(sample), "one", 0)
    app = open_mistakes(open_app)
    assert "no label is wrong" in summary(app)
    assert SORTS["doubt"] not in app.selectbox(key="sort").options
    for query in ({"sort": SORTS["doubt"]}, {"doubt": "0.6"}):
        app = open_mistakes(open_app, **query)
        assert any("no label is in doubt" in warning.value for warning in app.warning)
        assert app.selectbox(key="sort").value == SORTS["wrong"]
        assert "label doubt" not in summary(app)


def test_twins_filter(open_app: OpenApp, with_near_duplicates: tuple[Dataset, list[int]], home: Path) -> None:
    dataset, (equal, *_, alike) = with_near_duplicates
    audit_dataset(dataset)
    run = make(home, dataset, "one", 0)
    app = open_mistakes(open_app, twin="with a twin in Training", answer="right or wrong", sort="Row number")
    assert sheet(app) == [equal, alike]
    app = open_mistakes(open_app, twin="without a twin", answer="right or wrong")
    assert count(app) == len(align([run], "PrivateTest")) - 2
    assert "without a twin in Training" in summary(app)


def test_twins_that_nobody_knows_cannot_be_asked_for(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    app = open_mistakes(open_app, twin="with a twin in Training")
    assert any("Nobody knows which" in warning.value and "evaluate one" in warning.value for warning in app.warning)
    assert count(app) == len(expected(aligned, Filter(right=False)))


@pytest.mark.parametrize("by", [by for by in SORTS if by != "similarity"])
def test_every_order(open_app: OpenApp, aligned: AlignedPredictions, by: str) -> None:
    scores = label_issues(aligned.labels, aligned.probabilities).score
    app = open_mistakes(open_app, sort=SORTS[by])
    assert sheet(app) == expected(aligned, Filter(right=False), by, label_issue_score=scores)[:PER_PAGE]


def test_empty_says_why_and_can_be_cleared(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    app = open_mistakes(open_app, true="fear", set="both are right", answer="wrong")
    assert count(app) == 0
    assert any("labelled fear" in info.value and "Loosen one" in info.value for info in app.info)
    app.button(key="clear-filters").click().run()
    assert not app.exception
    assert sheet(app) == expected(aligned, Filter(right=False))[:PER_PAGE]
    assert not [key for key in ("true", "set", "answer") if key in app.query_params]


def test_a_view_without_faces_says_why(open_app: OpenApp, dataset: Dataset, aligned: AlignedPredictions) -> None:
    annotations = Annotations.load(dataset.info.fingerprint)
    for row in aligned.rows:
        annotations.set(int(row), "ambiguous")
    app = open_mistakes(open_app, labels="without the faces you marked", face=str(aligned.rows[0]))
    assert count(app) == 0
    assert any("Left out" in caption.value for caption in app.caption)
    assert any("no face of PrivateTest" in info.value for info in app.info)
    assert pictures(app, f"Face in row {aligned.rows[0]}")


def test_sets_end_at_four_runs(open_app: OpenApp, home: Path, dataset: Dataset) -> None:
    for seed in range(5):
        make(home, dataset, f"run{seed}", seed)
    app = open_mistakes(open_app, set="all are right")
    assert not [box for box in app.selectbox if box.key == "set"]
    assert any("up to 4 runs" in warning.value for warning in app.warning)
    assert "wrong by at least one of" in summary(app)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"true": "joy"}, "“joy” is no choice for “true”"),
        ({"said": "joy"}, "“joy” is no choice for “said”"),
        ({"by": "nobody"}, "“nobody” is no choice for “by”"),
        ({"answer": "perhaps"}, "“perhaps” is no choice for “answer”"),
        ({"set": "only nobody is right"}, "“only nobody is right” is no choice for “set”"),
        ({"confidence": ["a", "b"]}, "“a”, “b” is no choice for “confidence”"),
        ({"confidence": "50"}, "“50” is no choice for “confidence”"),
        ({"doubt": "x"}, "“x” is no choice for “doubt”"),
        ({"marked": "x"}, "“x” is no choice for “marked”"),
        ({"sort": "x"}, "“x” is no choice for “sort”"),
        ({"page": "999"}, "There is no page “999”"),
        ({"page": "x"}, "There is no page “x”"),
        ({"face": "999999"}, "There is no row “999999”"),
        ({"face": "x"}, "There is no row “x”"),
        ({"sort": SORTS["similarity"], "like": "999999"}, "There is no row “999999”"),
    ],
)
def test_a_link_with_a_mistake_says_so_and_shows_the_rest(
    open_app: OpenApp, aligned: AlignedPredictions, query: dict[str, str | list[str]], words: str
) -> None:
    app = open_mistakes(open_app, **query)
    assert any(words in warning.value for warning in app.warning)
    assert sheet(app) == expected(aligned, Filter(right=False))[:PER_PAGE]
    app.run()
    assert not app.exception


# --- Pages


def test_pages_come_from_the_link_and_another_selection_starts_anew(
    open_app: OpenApp, aligned: AlignedPredictions
) -> None:
    rows = expected(aligned, Filter(right=False))
    app = open_mistakes(open_app, page="2")
    assert sheet(app) == rows[PER_PAGE : 2 * PER_PAGE]
    app.number_input(key="face").set_value(rows[0]).run()
    assert sheet(app) == rows[PER_PAGE : 2 * PER_PAGE], "a face from elsewhere does not turn the page"
    app.selectbox(key="sort").set_value(SORTS["margin"]).run()
    assert sheet(app) == expected(aligned, Filter(right=False), "margin")[:PER_PAGE]
    assert app.number_input(key="face").value == rows[0]


def test_the_next_face_turns_the_page(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    rows = expected(aligned, Filter(right=False))
    app = open_mistakes(open_app, face=str(rows[PER_PAGE - 1]))
    assert any(f"Face {PER_PAGE} of {len(rows)}, page 1" in text.value for text in app.caption)
    app.button(key="step-Next").click().run()
    assert app.number_input(key="face").value == rows[PER_PAGE]
    assert sheet(app)[0] == rows[PER_PAGE]
    app.button(key="step-Previous").click().run()
    assert sheet(app)[-1] == rows[PER_PAGE - 1]


def test_before_and_after() -> None:
    found = FaceSelection(np.array([3, 1, 2]), np.array([30, 10, 20]), "", "", "")
    assert previous_and_next_row(found, 30) == (None, 10)
    assert previous_and_next_row(found, 10) == (30, 20)
    assert previous_and_next_row(found, 20) == (10, None)
    assert previous_and_next_row(found, 99) == (None, 30)
    assert previous_and_next_row(found, None) == (None, 30)
    assert page_of(found, 20) == (3, 1)
    assert page_of(found, 99) is None


def test_words_on_the_sheet() -> None:
    values = np.full((2, 2, 7), 0.05, np.float32)
    values[0, 0, SAD], values[1, 0, FEAR] = 0.7, 0.7
    values[:, 1, SAD] = 0.7
    labels = np.array([FEAR, SAD], np.int8)
    aligned = AlignedPredictions(("<a>", "b"), "PrivateTest", "0" * 64, np.array([1200, 1300]), labels, values)
    assert captions(aligned, np.array([0, 1])) == ["fear → sad", "sad"]
    assert captions(aligned, np.array([0]), ("b",)) == ["fear"]
    assert told(aligned, 0) == "row 1,200\nlabelled fear\n<a>: sad 70 %\nb: fear 70 % ✓"


def test_a_link_to_rows_shows_just_these_right_or_wrong(
    open_app: OpenApp, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    rows = [int(row) for row in aligned.rows[:5]]
    app = open_mistakes(open_app, among=",".join(map(str, rows)))
    assert not app.exception
    assert sorted(sheet(app)) == rows
    assert any("among 5 faces chosen by row" in element.value for element in app.markdown)
    wrong = open_mistakes(open_app, among="x")
    assert any("not a row number" in warning.value for warning in wrong.warning)
    assert sheet(wrong) == expected(aligned, Filter(right=False))[:PER_PAGE]


# --- Without the dataset


def test_without_the_dataset_numbers_and_a_table_show(open_app: OpenApp, home: Path) -> None:
    runs = [make_run(home / "runs" / name, seed=seed, accuracy=0.3) for seed, name in enumerate(("one", "two"))]
    aligned = align(runs, "PrivateTest")
    row = int(aligned.rows[~aligned.right.any(axis=0)][0])
    app = open_mistakes(
        open_app, runs=["one", "two"], true="fear", said="sad", by="two", face=str(row), panel="How sure"
    )
    assert any("are not on this computer" in text.value for text in app.markdown)
    rows = expected(aligned, Filter(models=("two",), true=FEAR, predicted=SAD))
    table: pd.DataFrame = next(frame.value for frame in app.dataframe if "two (%)" in frame.value)
    assert table["Row"].tolist() == rows
    assert set(table["Label"]) == {"fear"}
    assert set(table["two"]) == {"sad"}
    at = int(np.flatnonzero(aligned.rows == rows[0])[0])
    assert table["one (%)"][0] == pytest.approx(aligned.probabilities[0, at].max() * 100)
    assert not app.image
    assert len(cards(app)) == 2
    assert any("Probabilities by two," in one.proto.body for one in app.get("html"))


def test_without_runs_it_says_what_to_do(open_app: OpenApp) -> None:
    app = open_mistakes(open_app)
    assert "Train a model" in app.info[0].value
