"""The Leaderboard page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from edited_runs import measured_on
from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core.leaderboard.entries import published
from fer_core.settings import settings

OpenApp = Callable[..., AppTest]
REAL = {"kind": "csv", "title": "FER-2013"}


def test_our_runs_stand_beside_the_published_systems(home: Path, open_app: OpenApp) -> None:
    run = make_run(settings().models_dir / "custom_cnn", accuracy=0.7, data=REAL)
    app = open_app("leaderboard", table="true")
    assert not app.exception
    table = app.dataframe[0].value.set_index("System")
    assert len(table) == 1 + len(published())
    metrics = run.metrics()
    assert metrics is not None
    scores = metrics["splits"]["PrivateTest"]
    assert table.loc["custom_cnn (ours)", "Accuracy (%)"] == 100 * scores["accuracy"]
    assert table.loc["custom_cnn (ours)", "Faces (n)"] == scores["n"]
    assert table.loc["custom_cnn (ours)", "Group"] == "Fair"
    assert table.loc["Challenge winner 2013 (Tang)", "Chosen"] == "blind"
    alt = app.get("plotly_chart")[0].proto.alt
    assert f"custom_cnn {100 * scores['accuracy']:.1f} %" in alt
    assert "chance 14 %, people 65 %" in alt


def test_the_address_chooses_the_groups(home: Path, open_app: OpenApp) -> None:
    app = open_app("leaderboard", groups=["Flattered", "People"], table="true", sources="true")
    assert set(app.dataframe[0].value["Group"]) == {"Flattered", "People"}
    text = " ".join(block.value for block in app.markdown)
    assert "What people reach" in text
    assert "Challenge winner" not in text


def test_every_word_of_the_table_is_explained_on_the_page(home: Path, open_app: OpenApp) -> None:
    app = open_app("leaderboard", table="true")
    table = app.dataframe[0].value
    text = " ".join(block.value for block in app.markdown)
    for word in [*table["Chosen"], *table["Obtained again"]]:
        assert f"*{word}*" in text
    for word in table["Group"]:
        assert f"**{word}**" in text


def test_without_a_group_the_page_asks_for_one(home: Path, open_app: OpenApp) -> None:
    app = open_app("leaderboard")
    app.button_group(key="groups").set_value([]).run()
    assert not app.exception
    assert any("at least one group" in info.value for info in app.info)


def test_a_damaged_shipped_run_is_named(home: Path, open_app: OpenApp) -> None:
    run = make_run(settings().models_dir / "custom_cnn", data=REAL)
    measured_on(run).metrics_path.write_text("{", encoding="utf-8")
    app = open_app("leaderboard")
    assert not app.exception
    assert any("metrics.json is damaged" in error.value for error in app.warning)


def test_the_sentence_counts_every_dot_that_is_higher(home: Path, open_app: OpenApp) -> None:
    """It told of 4, where the picture showed 9: it counted one group alone."""
    make_run(settings().models_dir / "custom_cnn", accuracy=0.7, data=REAL)
    app = open_app("leaderboard")
    [sentence] = [block.value for block in app.markdown if "higher, but" in block.value]
    leading = float(re.findall(r"leads: ([\d.]+) %", sentence)[0])
    traces = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    higher = [trace for trace in traces if trace["x"][0] > leading + 0.05]
    told = re.findall(r"(\d+) figures are higher", sentence)
    assert told == [str(len(higher))]
    of_each = re.findall(r"(\d+) in “(\w+)”", sentence)
    assert [group for _, group in of_each] == ["Averaged", "Flattered"]
    assert sum(int(count) for count, _ in of_each) == len(higher)


def test_before_anything_is_opened_there_is_a_picture_and_few_words(home: Path, open_app: OpenApp) -> None:
    make_run(settings().models_dir / "custom_cnn", accuracy=0.7, data=REAL)
    app = open_app("leaderboard")
    assert not app.dataframe
    words = " ".join(block.value for block in [*app.main.markdown, *app.main.caption])
    assert "custom_cnn leads" in words
    assert "points above people" in words
    assert "cannot be compared" in words
    assert len(words.split()) < 150
