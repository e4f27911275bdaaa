"""The Mistakes page over made-up runs: filters, orders, pages, one face, wrong links, no dataset, no embeddings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import make_evaluated_run, make_run, make_vote, reseal_evaluation
from streamlit.testing.v1 import AppTest

from fer_core.data.audit import audit_dataset
from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.emotions import NAMES
from fer_core.evaluation.aligned_predictions import AlignedPredictions, align
from fer_core.inference.predictor import Predictor
from fer_core.review import selection
from fer_core.review.annotations import Annotations
from fer_core.review.selection import SORTS, Filter
from fer_core.runs.embeddings import write_embeddings
from fer_core.runs.folder import RunFolder
from fer_core.stats.label_issues import label_issues
from pages.parts.face_selection import FaceSelection
from pages.parts.mistakes.face import previous_and_next_row
from pages.parts.mistakes.sheet import PER_PAGE, captions, hover, page_of

FEAR, SAD = 2, 4
OpenApp = Callable[..., AppTest]


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    return load_dataset(sample)


@pytest.fixture
def runs(home: Path, dataset: Dataset) -> list[RunFolder]:
    """``one`` and ``two``, measured on the drawn sample, ``one`` on top."""
    return [make(home, dataset, name, seed) for seed, name in enumerate(("one", "two"))]


def make(home: Path, dataset: Dataset, name: str, seed: int) -> RunFolder:
    return make_evaluated_run(home / "runs" / name, dataset, seed=seed)


@pytest.fixture
def with_near_duplicates(home: Path, sample: Path) -> tuple[Dataset, list[int]]:
    """The sample with two PrivateTest faces, the first and the last of the rows, taken from the Training faces between:
    one pixel for pixel and with its label, one brighter by a little noise and with another label.
    """
    drawn = load_dataset(sample)
    images, labels = np.array(drawn.images), np.array(drawn.labels)
    test, (first, second) = drawn.rows("PrivateTest")[[0, -1]], drawn.rows("Training")[[0, 1]]
    images[test[0]], labels[test[0]] = images[first], labels[first]
    noise = np.random.default_rng(0).integers(0, 12, (48, 48))
    images[test[1]] = np.clip(images[second] + noise, 0, 255).astype(np.uint8)
    labels[test[1]] = (labels[second] + 1) % 7
    splits = np.array(drawn.splits)
    shutil.rmtree(sample)
    dataset = write_dataset(sample, images, labels, splits)
    return dataset, [int(row) for row in (test[0], first, second, test[1])]


@pytest.fixture
def aligned(runs: list[RunFolder]) -> AlignedPredictions:
    return align(runs, "PrivateTest")


def open_mistakes(open_app: OpenApp, **query: str | list[str]) -> AppTest:
    app = open_app("mistakes", **query)
    assert not app.exception, app.exception
    return app


def summary(app: AppTest) -> str:
    return next(text.value for text in app.markdown if " faces**" in text.value)


def count(app: AppTest) -> int:
    return int(summary(app).removeprefix("**").split()[0].replace(",", ""))


def sheet(app: AppTest) -> list[int]:
    """The rows on the sheet, in order."""
    chart = next(chart for chart in app.get("plotly_chart") if "Contact sheet" in chart.proto.alt)
    return [point[0] for point in json.loads(chart.proto.spec or chart.proto.figure.spec)["data"][0]["customdata"]]


def expected(aligned: AlignedPredictions, wanted: Filter, by: str = "wrong", **given: Any) -> list[int]:
    known = {
        key: value for key, value in given.items() if key in ("near_duplicate", "label_issue_score", "annotations")
    }
    left = selection.select(aligned, wanted, **known)
    order = {key: value for key, value in given.items() if key in ("label_issue_score", "embeddings", "like")}
    return aligned.rows[selection.order(aligned, left, by, models=wanted.models, **order)].tolist()


def pictures(app: AppTest, words: str) -> list[str]:
    return [picture.alt for image in app.image for picture in image.proto.imgs if words in picture.alt]


# --- Which faces


def test_without_a_filter_it_shows_every_mistake_the_surest_first(
    open_app: OpenApp, aligned: AlignedPredictions
) -> None:
    app = open_mistakes(open_app)
    rows = expected(aligned, Filter(right=False))
    assert count(app) == len(rows)
    assert f"of {len(aligned)} faces**: answered wrong by at least one of one, two." in summary(app)
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
    assert any(f"Face {PER_PAGE} of the {len(rows)} selected, on page 1" in text.value for text in app.caption)
    app.button(key="step-Next").click().run()
    assert app.number_input(key="face").value == rows[PER_PAGE]
    assert sheet(app)[0] == rows[PER_PAGE]
    app.button(key="step-Previous").click().run()
    assert sheet(app)[-1] == rows[PER_PAGE - 1]


def test_before_and_after() -> None:
    found = FaceSelection(np.array([3, 1, 2]), np.array([30, 10, 20]), "", "")
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
    assert captions(aligned, np.array([0, 1])) == ["fear › sad", "sad"]
    assert captions(aligned, np.array([0]), ("b",)) == ["fear"]
    assert hover(aligned, 0) == "row 1,200<br>labelled <b>fear</b><br>&lt;a&gt;: sad 70 %<br>b: fear 70 % ✓"


# --- One face


def test_a_face_with_every_answer_and_map(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    both_wrong = aligned.rows[~aligned.right.any(axis=0)]
    row = int(both_wrong[0])
    at = int(np.flatnonzero(aligned.rows == row)[0])
    app = open_mistakes(open_app, face=str(row))
    assert pictures(app, f"Face in row {row} ")
    lines = next(text.value for text in app.markdown if text.value.startswith("- **one:**"))
    for name, predicted, values in zip(
        aligned.names, aligned.predicted[:, at], aligned.probabilities[:, at], strict=True
    ):
        line = next(line for line in lines.splitlines() if f"**{name}:**" in line)
        assert NAMES[predicted] in line
        assert f"{values.max() * 100:.0f} %" in line
        assert "wrong" in line
        (bars,) = [one.proto.body for one in app.get("html") if f"Probabilities by {name}," in one.proto.body]
        assert f"▸ {NAMES[aligned.labels[at]]}" in bars
        assert f"{values.max() * 100:.0f} %" in bars
        assert len(pictures(app, f"{name}, label: Face with the map of {NAMES[aligned.labels[at]]}")) == 1
        assert len(pictures(app, f"{name}, its answer: Face with the map of {NAMES[predicted]}")) == 1
    assert sum("6×6 cells" in text.value for text in app.caption) == 2


def test_no_map_where_a_model_cannot_be_opened(
    open_app: OpenApp, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    # As long as before, so that only its hash tells.
    runs[1].tflite_path.write_bytes(runs[1].tflite_path.read_bytes()[::-1])
    app = open_mistakes(open_app, face=str(aligned.rows[0]))
    assert any("No maps of two" in warning.value for warning in app.warning)
    assert pictures(app, "one, ")


def test_a_face_that_the_filters_leave_out_is_shown_and_said(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    right = int(aligned.rows[aligned.right.all(axis=0)][0])
    app = open_mistakes(open_app, face=str(right))
    assert pictures(app, f"Face in row {right} ")
    assert any("The filters leave this face out" in caption.value for caption in app.caption)
    assert not app.warning


def test_a_face_of_another_split_is_shown_and_said(
    open_app: OpenApp, dataset: Dataset, aligned: AlignedPredictions
) -> None:
    row = int(dataset.rows("Training")[0])
    app = open_mistakes(open_app, face=str(row))
    assert pictures(app, f"Face in row {row} ")
    assert any(f"Row {row:,} is not in PrivateTest" in info.value and "Training" in info.value for info in app.info)
    assert not pictures(app, "Face with the map")


# --- Faces like it


def test_twins_are_offered_by_the_audit_then_shown(
    open_app: OpenApp, with_near_duplicates: tuple[Dataset, list[int]], home: Path
) -> None:
    dataset, (equal, of_equal, of_alike, alike) = with_near_duplicates
    make(home, dataset, "one", 0)
    app = open_mistakes(open_app, face=str(equal))
    [link] = [link for link in app.get("page_link") if "Look for them with the audit" in link.proto.label]
    assert "view=Audit" in link.proto.query_string
    audit = audit_dataset(dataset)
    app = open_mistakes(open_app, face=str(equal))
    assert any(caption.value.startswith("1 face with the same pixels, 0 nearly") for caption in app.caption)
    assert any(f"row {of_equal} Training" in caption.value for caption in app.caption)
    assert pictures(app, f"row {of_equal}, {NAMES[dataset.labels[of_equal]]}, equal")
    app = open_mistakes(open_app, face=str(alike))
    assert any("0 faces with the same pixels, 1 nearly" in caption.value for caption in app.caption)
    assert any(
        f"among its twins there are {NAMES[dataset.labels[of_alike]]}" in caption.value for caption in app.caption
    )
    assert pictures(
        app, f"row {of_alike}, {NAMES[dataset.labels[of_alike]]}, alike {audit.near_duplicates(alike)[0].ncc:.2f}"
    )


def embed(run: RunFolder, dataset: Dataset) -> np.ndarray:
    """Made-up embeddings of all test faces; returns those of PrivateTest."""
    vectors = np.random.default_rng(5).normal(size=(len(dataset), 8)).astype(np.float32)
    test, training = dataset.splits != "Training", dataset.rows("Training")
    about = np.flatnonzero(test), dataset.splits[test], vectors[test], training, vectors[training]
    fingerprint = dataset.info.fingerprint
    reseal_evaluation(run, lambda one: write_embeddings(one.embeddings_path, *about, fingerprint=fingerprint))
    return vectors


def test_similarity_says_what_is_missing(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    app = open_mistakes(open_app, sort=SORTS["similarity"])
    assert any("Choose the face" in info.value for info in app.info)
    app = open_mistakes(open_app, sort=SORTS["similarity"], like=str(aligned.rows[0]))
    assert any("evaluate one --data" in info.value for info in app.info)
    assert sheet(app) == expected(aligned, Filter(right=False))[:PER_PAGE]
    app = open_mistakes(open_app, sort=SORTS["similarity"], like="0")
    assert any("Row 0 is not among the faces in view" in info.value for info in app.info)


def test_the_nearest_training_faces_and_the_order_by_similarity(
    open_app: OpenApp, dataset: Dataset, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    from fer_core.runs.embeddings import read_embeddings

    embed(runs[1], dataset)
    stored = read_embeddings(runs[1])
    assert stored is not None
    row = int(aligned.rows[0])
    app = open_mistakes(open_app, face=str(row))
    nearest = stored.nearest[int(stored.positions(row))]
    words = "; ".join(f"row {other}, {NAMES[dataset.labels[other]]} " for other in nearest[:1])
    assert pictures(app, words)
    assert any("No nearest faces are kept for one" in info.value for info in app.info)

    app.button(key="sort-like").click().run()
    assert not app.exception
    vectors = stored.vectors[stored.positions(aligned.rows)]
    rows = expected(aligned, Filter(right=False), "similarity", embeddings=vectors, like=0)
    assert sheet(app) == rows[:PER_PAGE]
    assert any("in the eyes of two" in caption.value for caption in app.caption)
    assert app.number_input(key="like").value == row
    app.number_input(key="face").set_value(rows[3]).run()
    assert sheet(app) == rows[:PER_PAGE], "opening another face keeps the order"


def test_damaged_embeddings_are_named_and_the_page_goes_on(
    open_app: OpenApp, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    reseal_evaluation(runs[0], lambda one: one.embeddings_path.write_bytes(b"broken"))
    row = str(aligned.rows[0])
    app = open_mistakes(open_app, sort=SORTS["similarity"], like=row, face=row)
    assert sum("embeddings.parquet" in warning.value for warning in app.warning) == 2
    assert sheet(app) == expected(aligned, Filter(right=False))[:PER_PAGE]


def test_a_vote_has_no_embeddings_of_its_own(
    open_app: OpenApp, home: Path, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    make_vote(home / "runs" / "both", runs)
    app = open_mistakes(open_app, runs="both", face=str(aligned.rows[0]))
    assert any("both is a vote" in caption.value for caption in app.caption)
    assert len(pictures(app, "both, ")) in (1, 2)


def test_a_vote_beside_its_members_asks_none_of_them_twice_and_shows_its_own_maps(
    open_app: OpenApp, home: Path, runs: list[RunFolder], aligned: AlignedPredictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_vote(home / "runs" / "both", runs)
    row = int(aligned.rows[0])
    asked: list[str] = []
    explain = Predictor.explain

    def counted(self: Predictor, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Opening a vote asks its members about nothing.
        asked.extend([self.name] * bool(images.any()))
        return explain(self, images)

    monkeypatch.setattr(Predictor, "explain", counted)
    app = open_mistakes(open_app, runs=[*(run.name for run in runs), "both"], face=str(row))
    assert not app.exception
    assert sorted(asked) == sorted(run.name for run in runs)
    assert len(pictures(app, "both, ")) in (1, 2)


# --- Without the dataset


def test_without_the_dataset_numbers_and_a_table_show(open_app: OpenApp, home: Path) -> None:
    runs = [make_run(home / "runs" / name, seed=seed, accuracy=0.3) for seed, name in enumerate(("one", "two"))]
    aligned = align(runs, "PrivateTest")
    row = int(aligned.rows[~aligned.right.any(axis=0)][0])
    app = open_mistakes(open_app, runs=["one", "two"], true="fear", said="sad", by="two", face=str(row))
    assert any("are not on this computer" in text.value for text in app.markdown)
    rows = expected(aligned, Filter(models=("two",), true=FEAR, predicted=SAD))
    table: pd.DataFrame = next(frame.value for frame in app.dataframe if "two (%)" in frame.value)
    assert table["Row"].tolist() == rows
    assert set(table["Label"]) == {"fear"}
    assert set(table["two"]) == {"sad"}
    at = int(np.flatnonzero(aligned.rows == rows[0])[0])
    assert table["one (%)"][0] == pytest.approx(aligned.probabilities[0, at].max() * 100)
    assert not app.image
    assert any(text.value.startswith("- **one:**") for text in app.markdown)
    assert any("Probabilities by two," in one.proto.body for one in app.get("html"))


def test_without_runs_it_says_what_to_do(open_app: OpenApp) -> None:
    app = open_mistakes(open_app)
    assert "Train a model" in app.info[0].value
