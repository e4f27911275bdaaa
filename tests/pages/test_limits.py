"""The Limits page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
from edited_runs import measured_on, rewrite_predictions
from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core.data.info import read_info
from fer_core.evaluation.hard_faces import HardFaces, shipped_hard_faces
from fer_core.evaluation.weak_points import weak_points
from fer_core.formatting import percent, points
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings
from pages.parts.limits import sections

OpenApp = Callable[..., AppTest]


def tables(app: AppTest) -> list[list[list[str]]]:
    """How wrong the runs are: of each table its lines, of each line its cells."""
    return [
        [
            [re.sub("<.*?>", "", cell) for cell in re.findall("<t[hd].*?>(.*?)</t[hd]>", line)]
            for line in re.findall("<tr>.*?</tr>", one.proto.body)
        ]
        for one in app.get("html")
        if "fer-wrong" in one.proto.body
    ]


def test_every_run_is_shown_with_how_often_it_is_wrong(home: Path, open_app: OpenApp) -> None:
    run = make_run(settings().models_dir / "custom_cnn", accuracy=0.7)
    app = open_app("limits")
    assert not app.exception
    points = weak_points(run)
    assert points is not None
    [[heads, line]] = tables(app)
    assert heads == ["Model", "Wrong", "Wrong when sure", "Hardest class, missed"]
    assert line[0] == "custom_cnn"
    assert line[1].startswith(f"{points.wrong.value * 100:.1f} %")
    assert f"n = {points.wrong.n:,}" in line[1]
    assert line[3].startswith(f"{points.hardest} ")


def test_the_table_says_that_it_leaves_out_faces_with_a_twin(home: Path, open_app: OpenApp) -> None:
    """Home called Custom CNN right on 68.0 %, Limits wrong on 34.9 %: of other faces, which nothing beside it said."""
    run = make_run(settings().models_dir / "custom_cnn")
    table = run.predictions()
    assert table is not None
    private = np.flatnonzero(table["split"] == "PrivateTest")
    [said] = [one.value for one in open_app("limits").caption if "PrivateTest" in one.value]
    assert "twin" not in said
    table["near_duplicate"] = False
    table.loc[private[:3], "near_duplicate"] = True
    rewrite_predictions(run, table)
    [said] = [one.value for one in open_app("limits").caption if "PrivateTest" in one.value]
    n = len(private)
    assert said.endswith(f", PrivateTest, {n - 3:,} faces without a twin in Training (of {n:,})")


def test_a_class_of_a_few_faces_is_not_judged_and_told_where_it_is_never_found(home: Path, open_app: OpenApp) -> None:
    make_run(settings().models_dir / "custom_cnn", accuracy=0.0)
    [text] = [block.value for block in open_app("limits").markdown if "missed most often" in block.value]
    assert "fewer than 20 faces are not judged" in text
    assert "never finds disgust (n = " in text


def test_where_every_class_has_a_few_faces_none_is_called_the_hardest(home: Path, open_app: OpenApp) -> None:
    run = make_run(settings().models_dir / "custom_cnn")
    table = pd.DataFrame({"row": np.arange(3), "split": "PrivateTest", "label": [1, 1, 2]})
    for label in range(7):
        table[f"p{label}"] = np.full(3, 0.4 if label == 2 else 0.1, np.float32)
    rewrite_predictions(run, table)
    app = open_app("limits")
    assert not app.exception
    assert [line[3] for line in tables(app)[0][1:]] == ["not judged"]
    [text] = [block.value for block in app.markdown if "not judged" in block.value]
    assert text == "Classes with fewer than 20 faces are not judged: custom_cnn never finds disgust (n = 2)."


def sure(run: RunFolder, wrong: int, n: int) -> None:
    """Let a run be sure of ``n`` faces of PrivateTest, of which ``wrong`` are wrong."""
    table = pd.DataFrame({"row": np.arange(200), "split": "PrivateTest", "label": 3})
    said = np.where(np.arange(200) < wrong, 4, 3)
    for label in range(7):
        high = np.where(np.arange(200) < n, 0.94, 0.4)
        table[f"p{label}"] = np.where(said == label, high, (1 - high) / 6).astype(np.float32)
    rewrite_predictions(run, table)


def in_short(app: AppTest) -> str:
    [text] = [block.value for block in app.markdown if "missed most often" in block.value]
    return str(text)


def test_a_run_on_other_data_with_few_sure_faces_leaves_the_sentence_about_the_others(
    home: Path, open_app: OpenApp
) -> None:
    """A run that was never wrong when sure, of eight drawn faces, took the sentence about FER-2013 away."""
    sure(make_run(settings().models_dir / "vgg16", data={"kind": "csv", "title": "FER-2013"}), 3, 120)
    sure(make_run(settings().runs_dir / "mine", data={"fingerprint": "1" * 64}), 0, 8)
    sure(make_run(settings().runs_dir / "other", data={"fingerprint": "1" * 64}), 0, 150)
    app = open_app("limits")
    assert not app.exception
    assert "Even when vgg16 is sure, 1 face in 40 is wrong" in in_short(app)


def test_few_sure_faces_say_nothing_and_none_wrong_of_many_is_not_never(home: Path, open_app: OpenApp) -> None:
    run = make_run(settings().runs_dir / "mine")
    sure(run, 0, 8)
    assert "is sure" not in in_short(open_app("limits"))
    sure(run, 0, 150)
    assert "none of 150 faces is wrong here; of others 1 in 40 may be" in in_short(open_app("limits"))


def test_each_table_names_its_data_and_none_is_about_several(home: Path, open_app: OpenApp) -> None:
    make_run(settings().models_dir / "vgg16", data={"kind": "csv", "title": "FER-2013"})
    app = open_app("limits")
    assert "**FER-2013**, PrivateTest" in [caption.value.replace("\\", "") for caption in app.caption]
    make_run(settings().runs_dir / "mine", data={"fingerprint": "1" * 64})
    app = open_app("limits")
    assert [[line[0] for line in table[1:]] for table in tables(app)] == [["vgg16"], ["mine"]]
    titles = [caption.value.replace("\\", "") for caption in app.caption if ", PrivateTest" in caption.value]
    assert titles == ["**FER-2013**, PrivateTest", "**the drawn sample**, PrivateTest"]


def test_what_is_said_about_the_first_table_stands_below_it(home: Path, open_app: OpenApp) -> None:
    make_run(settings().models_dir / "vgg16", data={"kind": "csv", "title": "FER-2013"})
    make_run(settings().runs_dir / "mine", data={"fingerprint": "1" * 64})
    shown = list(open_app("limits").main)
    first, second = (at for at, element in enumerate(shown) if "fer-wrong" in str(element.proto))
    [said] = [at for at, each in enumerate(shown) if each.type == "markdown" and "missed most often" in each.value]
    assert first < said < second


def test_the_links_below_the_table_lead_to_what_they_say(home: Path, open_app: OpenApp, sample: Path) -> None:
    """Drawn faces were opened below figures of FER-2013, and Compare on its first tab."""
    about = {"kind": "csv", "name": "fer2013", "title": "FER-2013", "fingerprint": "2" * 64}
    make_run(settings().models_dir / "vgg16", data=about)
    make_run(settings().runs_dir / "mine", data=dict(read_info(sample).record()))
    app = open_app("limits")
    assert app.selectbox(key="data").value == "sample"
    asked = {link.proto.label: parse_qs(link.proto.query_string) for link in app.get("page_link")}
    assert asked["See these faces"] == {"data": ["fer2013"]}
    [unsure] = [query for label, query in asked.items() if "unsure" in label]
    assert unsure == {"data": ["fer2013"], "view": ["Certainty"]}
    # The faces are not here, and the page says of which data its figures are.
    mistakes = open_app("mistakes", data="fer2013")
    assert not mistakes.exception
    assert mistakes.selectbox(key="data").value == "fer2013"
    assert any("not on this computer" in caption.value for caption in mistakes.sidebar.caption)


def test_without_a_run_the_page_says_so_and_still_warns(home: Path, open_app: OpenApp) -> None:
    app = open_app("limits")
    assert not app.exception
    assert any("No run has been measured" in info.value for info in app.info)
    text = " ".join(block.value for block in app.markdown)
    assert "Article 5(1)(f)" in text


def test_who_is_told_apart_from_what_was_measured_and_what_was_not(
    home: Path, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(settings().models_dir / "vgg16", accuracy=0.7)
    found = measured_on(run)
    shipped = {group: {"vgg16": of["vgg16"]} for group, of in shipped_hard_faces().groups.items()}
    figures = HardFaces(found.fingerprint, {"vgg16": found.model}, shipped)
    monkeypatch.setattr(sections, "shipped_hard_faces", lambda: figures)
    app = open_app("limits")
    assert not app.exception
    [table] = [block.value for block in app.markdown if "Measured here" in block.value]
    rows = {line.split("|")[1].strip(" *"): line for line in table.splitlines()[2:]}
    glasses, turned = shipped["glasses"]["vgg16"], shipped["turned"]["vgg16"]
    assert f"{percent(glasses.accuracy, 0)} of {glasses.n} right" in rows["Glasses"]
    assert all("https://" in line for line in rows.values())
    assert all("not measured" in rows[who] for who in ("Beards", "Children", "Old people", "Skin colour"))
    assert turned.gap_high < 0
    [short] = [block.value for block in app.markdown if "kinds of hard faces" in block.value]
    # Better and worse than what?
    assert "than on others" in short
    assert f"worse with head turned by more than 45° ({points(turned.gap, 0)})" in short
    cells = app.dataframe[0].value["vgg16"]
    assert len(cells) == len(shipped)
    assert all(cell.count("to") == 1 for cell in cells)
    # Another model under that name has none of these figures.
    monkeypatch.setattr(sections, "shipped_hard_faces", lambda: replace(figures, models={"vgg16": "0" * 64}))
    app = open_app("limits")
    assert not any("kinds of hard faces" in block.value for block in app.markdown)
    assert any("not measured with these runs" in block.value for block in app.markdown)
