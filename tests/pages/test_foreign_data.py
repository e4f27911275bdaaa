"""Somebody's own test set, with few classes and one split: pages speak of what there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from factories import make_run
from made_up_faces import make_test_set
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import load_dataset
from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.evaluation import measuring
from fer_core.evaluation.measure_litert import measure_with_litert
from fer_core.formatting import interval, percent
from fer_core.review.across_data import across_data
from fer_core.runs.listing import find_run
from fer_core.settings import settings
from pages.parts import unmeasured
from pages.parts.compare import across
from pages.parts.run import card

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
    for view in ("Matrices", "Difference", "Agreement", "Classes", "Certainty", "Learning", "Across data"):
        app = open_app("compare", data="mine", view=view)
        assert not app.exception, view
        assert not app.error, view
    app = open_app("compare", data="mine", view="Classes", all_measures="true")
    table = next(frame.value for frame in app.dataframe if "Faces" in frame.value)
    assert set(table["Expression"]) == {"happy", "mean"}


def test_a_link_to_a_split_that_is_not_there_shows_the_one_that_is(home: Path, open_app: OpenApp) -> None:
    measured(PUBLIC_TEST, (3,))
    app = open_app("mistakes", data="mine", split=PRIVATE_TEST)
    assert not app.error
    assert "All 40 faces of PublicTest" in words(app)


def test_the_run_s_card_speaks_of_the_classes_that_there_are(home: Path, open_app: OpenApp) -> None:
    measured(PUBLIC_TEST, (3, 5))
    app = open_app("run", run="one", **{card.FIGURES: "true"})
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


def test_one_run_is_shown_across_the_data_it_was_measured_on(home: Path, open_app: OpenApp) -> None:
    measured(PUBLIC_TEST, (3, 5))
    app = open_app("compare", data="mine", view="Across data", across_of="two")
    assert not app.exception
    tables = {tuple(frame.value.columns): frame.value for frame in app.dataframe}
    about = tables["Data", "Split", "Faces (n)", "Classes"].set_index("Data")
    assert about.loc["Mine"].tolist() == [PUBLIC_TEST, 40, "happy and surprise"]
    assert about.loc["the drawn sample"].tolist() == [PUBLIC_TEST, 140, "all seven"]
    [accuracy] = [table for columns, table in tables.items() if columns[0] == "Run" and "Mine" in columns]
    assert accuracy["Run"].tolist() == ["one", "two"]
    scores = find_run("two").metrics(load_dataset(settings().datasets_dir / "mine").info.fingerprint)
    assert scores is not None
    own = scores["splits"][PUBLIC_TEST]
    assert accuracy["Mine"][1] == f"{percent(own['accuracy'])} ({interval(own)})"
    [recall] = [table for columns, table in tables.items() if columns[0] == "Expression"]
    of_mine = recall.set_index("Expression")["Mine"]
    assert of_mine["disgust"] == "no faces"
    assert of_mine["happy"] == f"{percent(own['per_class'][3]['recall'] or 0)} of 20"


def test_a_run_that_was_not_measured_on_some_data_says_so(home: Path) -> None:
    mine = make_test_set(settings().datasets_dir / "mine")
    one, two = (make_run(settings().models_dir / name, seed=seed) for seed, name in enumerate(("one", "two")))
    measure_with_litert(one, mine)
    found = across_data([one, two], PUBLIC_TEST)
    assert [(entry.run, entry.data["title"], entry.split) for entry in found] == [
        ("one", "Made-up faces", PUBLIC_TEST),
        ("one", "Mine", PRIVATE_TEST),
        ("two", "Made-up faces", PUBLIC_TEST),
    ]
    names = {entry.data["fingerprint"]: entry.data["title"] for entry in found}
    table = across.accuracy_table(found, ["one", "two"], names).set_index("Run")
    assert table.loc["two", "Mine"] == across.MISSING
    assert "%" in table.loc["one", "Mine"]


def test_one_button_has_all_models_measured_on_new_faces(
    home: Path, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        measuring, "start", lambda info, runs: begun.append((info.name, [Path(run).name for run in runs]))
    )
    for name in ("one", "two"):
        make_run(settings().models_dir / name)
    make_run(settings().runs_dir / "answers-alone").tflite_path.unlink()
    make_test_set(settings().datasets_dir / "mine")
    app = open_app("dataset", data="mine")
    [button] = [button for button in app.button if button.label == unmeasured.QUESTION]
    button.click().run()
    assert not app.exception
    assert begun == [("mine", ["one", "two"])]


@pytest.mark.usefixtures("visitor")
def test_a_visitor_has_no_such_button(home: Path, open_app: OpenApp) -> None:
    make_run(settings().models_dir / "one")
    make_test_set(settings().datasets_dir / "mine")
    app = open_app("dataset", data="mine")
    assert not app.exception
    assert unmeasured.QUESTION not in [button.label for button in app.button]


@pytest.mark.parametrize("page", ["compare", "mistakes"])
def test_faces_to_train_on_alone_cannot_be_measured_on_and_no_button_says_so(
    home: Path, open_app: OpenApp, page: str
) -> None:
    measured(TRAINING, (3, 5))
    app = open_app(page, data="mine")
    assert "has no PublicTest or PrivateTest faces" in words(app)
    assert not [button for button in app.button if button.key == "measure-here"]
    dataset = open_app("dataset", data="mine")
    assert not dataset.exception
    assert not [button for button in dataset.button if button.key == "measure-here"]


def test_explain_picks_mistakes_of_the_split_that_is_there(home: Path, open_app: OpenApp) -> None:
    measured(PUBLIC_TEST, (3, 5))
    app = open_app("explain", data="mine")
    assert not app.exception
    button = app.button(key="explain-shuffle")
    assert not button.disabled
    assert "of PublicTest" in button.proto.help
