"""A run of which only answers are here: every page treats it well, and says where there is no model to ask."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from factories import make_evaluated_run
from made_up_faces import make_noise, make_probabilities
from streamlit.testing.v1 import AppTest

from fer_core.bring.answers import bring, look
from fer_core.bring.history import write_foreign_history
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES, TRAINING
from fer_core.leaderboard import entries
from fer_core.runs.contracts import HistoryRow
from fer_core.runs.listing import list_runs
from fer_core.settings import settings
from pages.parts.live import camera, now
from pages.parts.run import card

OpenApp = Callable[..., AppTest]
ASK = "no model to ask"


@pytest.fixture
def both(home: Path, tmp_path: Path) -> Dataset:
    """``one``, a trained run, and ``theirs``, answers alone, on the same faces."""
    data = make_noise(settings().datasets_dir / "noise")
    make_evaluated_run(settings().runs_dir / "one", data)
    rows = (data.splits != TRAINING).nonzero()[0]
    frame = pd.DataFrame(make_probabilities(data.labels[rows], 0.8, seed=5), columns=list(NAMES))
    frame.assign(row=rows).to_csv(tmp_path / "theirs.csv", index=False)
    bring(look(tmp_path / "theirs.csv", data), data, settings().runs_dir / "theirs", "theirs")
    return data


def words(app: AppTest) -> str:
    kinds = (app.caption, app.markdown, app.info, app.warning)
    return " ".join(
        [*(element.value for kind in kinds for element in kind), *(one.proto.body for one in app.get("html"))]
    )


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error, [one.value for one in app.error]
    return app


def test_the_card_says_what_was_brought(both: Dataset, open_app: OpenApp) -> None:
    """It crashed for want of a recipe."""
    text = words(sound(open_app("run", run="theirs", **dict.fromkeys(card.SECTIONS, "true"))))
    for word in (ASK, "theirs.csv", "brought here", "surprise", "not known here what it was trained on"):
        assert word in text, word
    assert "ms per face" not in text
    assert "trained to the end" not in text


def test_answers_alone_say_nothing_of_how_sure_they_are(both: Dataset, open_app: OpenApp, tmp_path: Path) -> None:
    """Their calibration error was told, as if each were given with 100 %."""
    rows = (both.splits != TRAINING).nonzero()[0]
    answers = pd.DataFrame({"row": rows, "answer": [NAMES[label] for label in both.labels[rows]]})
    answers.to_csv(tmp_path / "said.csv", index=False)
    bring(look(tmp_path / "said.csv", both), both, settings().runs_dir / "said", "said")
    runs = {"compare.runs": ["one", "theirs", "said"]}
    app = sound(open_app("compare", data="noise", view="Certainty", **runs))
    assert "Only the answers of said" in words(app)
    tables = [set(one.value["Run"]) for one in app.dataframe if "Run" in one.value]
    assert tables == [{"one", "theirs"}] * 2
    app = sound(open_app("compare", data="noise", view="Certainty", **{"compare.runs": ["said"]}))
    assert not [one for one in app.dataframe if "ECE (%)" in one.value]


def test_compare_and_mistakes_hold_it_against_trained_runs(both: Dataset, open_app: OpenApp) -> None:
    for view in ("", "Matrices", "Difference", "Agreement", "Classes", "Certainty", "Learning"):
        app = sound(open_app("compare", data="noise", **({"view": view} if view else {})))
        assert set(app.multiselect(key="compare.runs").value) == {"one", "theirs"}
    assert "no history came with them: theirs" in words(app)
    row = int(both.rows("PrivateTest")[0])
    text = words(sound(open_app("mistakes", data="noise", face=str(row))))
    assert "only its answers are here" in text


ASKING = {"explain": "explain.models", "poke": "poke.models", "photo": "models", "live": "live.model"}
"""What the addresses of these pages call their models."""


@pytest.fixture
def without_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "show", lambda live, facing: None)
    monkeypatch.setattr(camera, "is_trying", lambda camera: False)
    monkeypatch.setattr(now, "connection_status", lambda camera, live: None)


@pytest.mark.usefixtures("without_camera")
@pytest.mark.parametrize("page", ASKING)
def test_whoever_asks_a_model_is_told_that_there_is_none(both: Dataset, open_app: OpenApp, page: str) -> None:
    app = sound(open_app(page, **{ASKING[page]: "theirs"}))
    text = words(app)
    assert f"“theirs”: only its answers are here, so there is {ASK}" in text
    assert "Keras or LiteRT" in text
    assert "There is no model called" not in text
    assert all("theirs" not in field.options for field in app.multiselect)


@pytest.mark.usefixtures("without_camera")
@pytest.mark.parametrize("page", ASKING)
def test_whoever_asks_other_models_is_not_told_of_brought_answers(both: Dataset, open_app: OpenApp, page: str) -> None:
    """Every visit began with a sentence about them."""
    assert ASK not in words(sound(open_app(page)))
    assert ASK not in words(sound(open_app(page, **{ASKING[page]: "one"})))


def test_where_only_answers_are_here_it_is_said_why_nobody_can_be_asked(both: Dataset, open_app: OpenApp) -> None:
    shutil.rmtree(settings().runs_dir / "one")
    assert f"theirs: only its answers are here, so there is {ASK}" in words(sound(open_app("explain")))


@pytest.mark.parametrize("page", ["home", "leaderboard", "limits", "train", "dataset"])
def test_other_pages_stand_it(both: Dataset, open_app: OpenApp, page: str) -> None:
    app = sound(open_app(page, **({"home.figures": "true"} if page == "home" else {})))
    if page == "home":
        table = next(frame.value for frame in app.dataframe if "From" in frame.value)
        assert dict(zip(table["Model"], table["From"], strict=True)) == {
            "one": "trained here",
            "theirs": "brought here",
        }


def test_the_leaderboard_marks_it_and_compares_it_with_nothing(both: Dataset) -> None:
    assert entries.brought(list_runs()) == []
    make_evaluated_run(settings().models_dir / "shipped", both)
    (line,) = entries.brought(list_runs())
    assert (line.run, line.brought, line.group) == ("theirs", True, "flattered")
    assert "brought" in line.system
    assert "theirs.csv" in line.note
    assert "theirs" not in {entry.run for entry in entries.leaderboard()}
    assert "theirs" in {entry.run for entry in entries.leaderboard(list_runs())}


def test_nobody_offers_to_measure_it_on_other_faces(both: Dataset, home: Path, open_app: OpenApp) -> None:
    from made_up_faces import make_test_set

    make_test_set(settings().datasets_dir / "mine", split="PublicTest", labels=(3,))
    app = sound(open_app("compare", data="mine"))
    (button,) = [one for one in app.button if one.key == "measure-here"]
    assert "one" in button.proto.help
    assert "theirs" not in button.proto.help


def test_answers_for_one_split_are_left_out_of_the_other(both: Dataset, tmp_path: Path, open_app: OpenApp) -> None:
    """One such run took Compare's PublicTest away from all others."""
    frame = pd.read_csv(tmp_path / "theirs.csv")
    frame[frame["row"].isin(both.rows("PrivateTest"))].to_csv(tmp_path / "half.csv", index=False)
    half = settings().runs_dir / "half"
    bring(look(tmp_path / "half.csv", both, out=half), both, half, "half")
    for page, key in (("compare", "compare.split"), ("mistakes", "split")):
        text = words(sound(open_app(page, data="noise", **{key: "PublicTest"})))
        assert "no answers for PublicTest: half" in text or "no answers for PublicTest: “half”" in text, text
        assert "no answers for" not in words(sound(open_app(page, data="noise")))


def test_a_history_from_elsewhere_is_drawn_as_what_it_is(both: Dataset, open_app: OpenApp) -> None:
    """Its solid line was called PublicTest, and by time all of its epochs stood at the very beginning."""
    rows = [
        HistoryRow(epoch=epoch, loss=1.5, accuracy=0.4, val_loss=1.6, val_accuracy=0.5, learning_rate=0.0, seconds=0.0)
        for epoch in (1, 2, 3)
    ]
    write_foreign_history(settings().runs_dir / "theirs" / "history.csv", rows)
    app = sound(open_app("compare", view="Learning", learning_table="true"))
    [curves] = [chart.proto.alt for chart in app.get("plotly_chart") if "over epochs" in chart.proto.alt]
    assert "theirs: accuracy (%) on its own validation faces 50.00 after 3 epochs" in curves
    assert "one: accuracy (%) on PublicTest" in curves
    assert "Trained elsewhere, on other faces: theirs" in words(app)
    app = sound(open_app("compare", view="Learning", along="by time"))
    [curves] = [chart.proto.alt for chart in app.get("plotly_chart") if "over training time" in chart.proto.alt]
    assert "theirs" not in curves
    assert "epochs' time is not told: theirs" in words(app)
    app = sound(open_app("run", run="theirs"))
    [curves] = [chart.proto.alt for chart in app.get("plotly_chart") if "over 3 epochs" in chart.proto.alt]
    assert "PublicTest" not in curves
