"""Average maps on Explain: which faces, how many of them, and the ways from Mistakes and Compare and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from factories import make_evaluated_run
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset, load_dataset
from fer_core.emotions import PRIVATE_TEST
from fer_core.evaluation.aligned_predictions import AlignedPredictions, align
from fer_core.explain.average_maps import average
from fer_core.inference.models import load_model
from pages.parts.explain.averages import SEED, blob_words, sample_faces
from pages.parts.links_to_explain import averages_query

OpenApp = Callable[..., AppTest]
FEAR, SAD = 2, 4


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    return load_dataset(sample)


@pytest.fixture
def aligned(home: Path, dataset: Dataset) -> AlignedPredictions:
    """What ``one`` and ``two`` say about PrivateTest."""
    runs = [
        make_evaluated_run(home / "runs" / name, dataset, seed=seed, accuracy=0.4)
        for seed, name in enumerate(("one", "two"))
    ]
    return align(runs, PRIVATE_TEST)


def open_averages(open_app: OpenApp, **query: str | list[str]) -> AppTest:
    app = open_app("explain", **{"explain.view": "Averages"}, **query)
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """The grid's words."""
    bodies = [element.proto.body for element in app.get("html") if "mean face" in element.proto.body]
    return " ".join(re.sub("<[^>]*>", " ", " ".join(bodies)).split())


def numbers(app: AppTest) -> dict[str, dict[str, object]]:
    table = next(frame.value for frame in app.dataframe if "With a round blob" in frame.value)
    return table.set_index("Model").to_dict("index")


def test_a_confusion_cell_is_averaged_for_each_model(
    open_app: OpenApp, aligned: AlignedPredictions, dataset: Dataset
) -> None:
    query = {"explain.average.true": "fear", "explain.average.said": "sad", "explain.average.by": "one"}
    app = open_averages(open_app, **query)
    rows = aligned.rows[(aligned.labels == FEAR) & (aligned.predicted[0] == SAD)]
    assert len(rows)
    assert f"one , n = {len(rows)} faces" in words(app)
    expected = average(load_model("one").explain, np.asarray(dataset.images[rows]), None)
    found = numbers(app)
    assert set(found) == {"one", "two"}
    assert found["one"]["Faces"] == expected.n
    assert found["one"]["Strongest cell"] == pytest.approx(float(expected.mean.max()), abs=1e-5)


def test_maps_of_the_label_or_of_one_expression(
    open_app: OpenApp, aligned: AlignedPredictions, dataset: Dataset
) -> None:
    query: dict[str, str | list[str]] = {"explain.average.true": "fear", "explain.models": ["one"]}
    rows = aligned.rows[(aligned.labels == FEAR) & ~aligned.right.all(axis=0)]
    faces = np.asarray(dataset.images[rows])
    for of, classes in (("the label", FEAR), ("sad", SAD)):
        app = open_averages(open_app, **query, **{"explain.average.of": of})
        expected = average(load_model("one").explain, faces, classes)
        assert numbers(app)["one"]["Strongest cell"] == pytest.approx(float(expected.mean.max()), abs=1e-5)


def test_more_faces_than_asked_for_are_drawn_by_a_fixed_seed(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    app = open_averages(open_app, **{"explain.average.answer": "right or wrong", "explain.models": ["one"]})
    assert "n = 200 faces" in words(app)
    sentence = next(caption.value for caption in app.caption if "drawn at random" in caption.value)
    assert sentence.startswith(f"200 of the {len(aligned):,} faces, drawn at random (seed {SEED})")
    app.selectbox(key="explain.average.most").select("all faces").run()
    assert f"n = {len(aligned)} faces" in words(app)


def test_whose_map_is_least_like_a_blob_is_said() -> None:
    words = blob_words({"a": 0.9, "b": 0.5, "flat": None})
    assert words.startswith("b ")
    assert "0.50" in words
    assert words.endswith("a most (0.90).")
    assert blob_words({"flat": None}) == ""


def test_drawing_faces() -> None:
    rows, labels = np.arange(100, 200), np.zeros(100, dtype=np.int8)
    some, again = (sample_faces(rows, labels, np.arange(99, -1, -1), 10) for _ in range(2))
    np.testing.assert_array_equal(some.rows, again.rows)
    assert len(set(some.rows)) == 10
    assert (np.diff(some.rows) > 0).all()
    assert sample_faces(rows, labels, np.array([5, 3]), 10).rows.tolist() == [103, 105]
    assert sample_faces(rows, labels, np.array([5, 3]), 10).words() == "All 2 faces."


def test_nothing_to_average_says_why(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    app = open_averages(open_app, **{"explain.average.confidence": ["0", "1"]})
    assert app.info
    assert not words(app)


def link(app: AppTest, label: str, page: str) -> dict[str, list[str]]:
    (found,) = [one.proto for one in app.get("page_link") if one.proto.label == label]
    assert found.page == page
    return parse_qs(found.query_string)


def test_mistakes_leads_here_and_back(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    app = open_app("mistakes", true="fear", answer="right or wrong", runs=["two"], confidence=["50", "100"])
    query = link(app, "Average maps of these faces", "explain")
    assert query["explain.view"] == ["Averages"]
    assert query["explain.models"] == ["two"]
    said = next(text.value for text in app.markdown if "faces**" in text.value)
    app = open_app("explain", **query)
    assert said in [text.value for text in app.markdown]
    back = link(app, "See these faces one by one", "mistakes")
    assert {name: back[name] for name in ("true", "answer", "runs", "confidence")} == {
        "true": ["fear"],
        "answer": ["right or wrong"],
        "runs": ["two"],
        "confidence": ["50", "100"],
    }


def test_compare_leads_here(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    app = open_app("compare", cell_true="fear", cell_said="sad")
    query = link(app, "Average maps of the cell", "explain")
    assert query["explain.average.true"] == ["fear"]
    assert query["explain.average.said"] == ["sad"]
    assert query["explain.models"] == ["one", "two"]


def test_only_what_says_which_faces_goes_into_the_address() -> None:
    assert averages_query({"true": "fear", "face": "3", "page": "2", "sort": "row"}) == {
        "explain.view": "Averages",
        "explain.average.true": "fear",
    }
