"""Somebody's own test set, with few classes and one split: pages speak of what there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from factories import make_run, make_test_set
from streamlit.testing.v1 import AppTest

from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.evaluation.measure_litert import measure_with_litert
from fer_core.settings import settings

OpenApp = Callable[..., AppTest]


def measured(split: str, labels: Sequence[int]) -> None:
    """Two shipped runs with figures on FER-2013's like, and on a test set called ``mine``."""
    mine = make_test_set(settings().datasets_dir / "mine", split=split, labels=labels)
    for seed, name in enumerate(("one", "two")):
        run = make_run(settings().models_dir / name, seed=seed)
        if split != TRAINING:
            measure_with_litert(run, mine)


def words(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.caption, app.markdown, app.info) for element in kind)


@pytest.mark.parametrize("page", ["compare", "mistakes"])
@pytest.mark.parametrize(("split", "labels"), [(PUBLIC_TEST, (3,)), (PRIVATE_TEST, (3, 5))])
def test_figures_are_about_the_split_and_the_classes_that_there_are(
    home: Path, open_app: OpenApp, page: str, split: str, labels: Sequence[int]
) -> None:
    measured(split, labels)
    app = open_app(page, data="mine")
    assert not app.exception
    assert not app.error
    assert f"All 40 faces of {split} of Mine" in words(app)
    assert f"faces of {' and '.join(NAMES[label] for label in labels)} only" in words(app)


def test_all_views_of_compare_stand_a_test_set_of_one_class(home: Path, open_app: OpenApp) -> None:
    measured(PUBLIC_TEST, (3,))
    for view in ("Matrices", "Difference", "Agreement", "Classes", "Certainty", "Learning"):
        app = open_app("compare", data="mine", view=view)
        assert not app.exception, view
        assert not app.error, view
    app = open_app("compare", data="mine", view="Classes")
    table = next(frame.value for frame in app.dataframe if "Faces" in frame.value)
    assert set(table["Expression"]) == {"happy", "mean"}


def test_a_link_to_a_split_that_is_not_there_shows_the_one_that_is(home: Path, open_app: OpenApp) -> None:
    measured(PUBLIC_TEST, (3,))
    app = open_app("mistakes", data="mine", split=PRIVATE_TEST)
    assert not app.error
    assert "All 40 faces of PublicTest" in words(app)


def test_the_run_s_card_speaks_of_the_classes_that_there_are(home: Path, open_app: OpenApp) -> None:
    measured(PUBLIC_TEST, (3, 5))
    app = open_app("run", run="one")
    assert not app.exception
    [elsewhere] = [element.value for element in app.markdown if "Measured elsewhere" in element.value]
    assert "of PublicTest" in elsewhere
    assert "happy and surprise only" in elsewhere


@pytest.mark.parametrize(("split", "missing"), [(PRIVATE_TEST, "Training faces"), (TRAINING, "PublicTest faces")])
def test_training_asks_in_one_sentence_for_what_it_needs(
    home: Path, open_app: OpenApp, split: str, missing: str
) -> None:
    measured(split, (3, 5))
    app = open_app("train", data="mine")
    [problem] = [element.value for kind in (app.warning, app.error) for element in kind]
    assert "To train on these data, they need" in problem
    assert missing in problem
    assert next(button for button in app.button if button.label == "Start training").disabled


def test_the_dataset_page_offers_the_splits_and_classes_that_there_are(home: Path, open_app: OpenApp) -> None:
    measured(PRIVATE_TEST, (3, 5))
    app = open_app("dataset", data="mine")
    assert app.selectbox(key="split").options == ["all", PRIVATE_TEST]
    assert app.selectbox(key="class").options == ["all", "happy", "surprise"]
    app = open_app("dataset", data="mine", view="Classes")
    assert not app.exception
    assert "no face of angry, disgust, fear, sad and neutral" in words(app)
    assert "all PrivateTest faces" in words(app)
