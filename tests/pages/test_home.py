"""Home, with nothing at hand and with runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from edited_runs import measured_on
from factories import make_run, make_vote
from made_up_faces import make_labels
from streamlit.testing.v1 import AppTest

from fer_core.data.audit import NearDuplicates
from fer_core.data.catalogue import list_datasets
from fer_core.data.info import read_info
from fer_core.errors import DataError
from fer_core.formatting import percent
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings

OpenApp = Callable[..., AppTest]
FIGURES, DATA = {"home.figures": "true"}, {"home.data": "true"}
"""A link to Home with one of its tables open."""


def test_a_fresh_start_draws_the_sample_and_names_the_next_step(home: Path, open_app: OpenApp) -> None:
    app = open_app("home", **DATA)
    assert not app.exception
    assert app.title[0].value == "FER Explorer"
    assert [info.is_sample for info in list_datasets()] == [True]
    assert any("no model yet" in info.value for info in app.info)
    assert app.selectbox(key="data").value == "sample"
    assert app.dataframe[0].value["Faces"].tolist() == [2100]


def test_runs_appear_with_accuracy_interval_and_number_of_faces(home: Path, open_app: OpenApp) -> None:
    run = make_run(settings().models_dir / "custom_cnn", accuracy=0.8)
    make_run(settings().runs_dir / "mine", accuracy=0.4)
    app = open_app("home", **FIGURES)
    assert not app.exception
    table = app.dataframe[0].value.set_index("Model")
    score = run.metrics()["splits"]["PrivateTest"]
    assert list(table.index) == ["custom_cnn", "mine"]
    assert table.loc["custom_cnn", "Accuracy (%)"] == 100 * score["accuracy"]
    assert table.loc["custom_cnn", "Faces (n)"] == score["n"]
    assert f"{100 * score['accuracy_low']:.1f}" in table.loc["custom_cnn", "95 % interval"]
    assert table["From"].tolist() == ["shipped", "trained here"]
    bars = next(each.proto.body for each in app.get("html") if "how-good" in each.proto.body)
    assert "custom_cnn on the drawn sample" in bars
    assert "chance 14 %" in bars
    # What people reach was asked about FER-2013, not about drawings.
    assert "people 65" not in bars


def test_a_run_with_damaged_metrics_is_named_and_the_page_stands(home: Path, open_app: OpenApp) -> None:
    run = make_run(settings().runs_dir / "mine")
    measured_on(run).metrics_path.write_text("{")
    app = open_app("home")
    assert not app.exception
    assert any("metrics.json is damaged" in warning.value for warning in app.warning)


def test_a_vote_stands_beside_its_members(home: Path, open_app: OpenApp) -> None:
    members = [make_run(settings().models_dir / "custom_cnn"), make_run(settings().runs_dir / "mine")]
    make_vote(settings().models_dir / "vote", members)
    make_vote(settings().runs_dir / "my-vote", members)
    app = open_app("home", **FIGURES)
    assert not app.exception
    table = app.dataframe[0].value.set_index("Model")
    assert list(table.index) == ["custom_cnn", "vote", "my-vote", "mine"]
    assert table["From"].tolist() == ["shipped", "shipped", "built here", "trained here"]
    assert table.loc["vote", "Accuracy (%)"] > 0


def test_twins_of_training_faces_are_told_beside_the_accuracies(home: Path, open_app: OpenApp) -> None:
    labels, splits = make_labels(seed=2013)
    near_duplicate = np.zeros(len(labels), bool)
    near_duplicate[np.flatnonzero(splits == "PrivateTest")[:14]] = True
    make_run(
        settings().models_dir / "custom_cnn",
        labels=labels,
        splits=splits,
        near_duplicates=NearDuplicates(near_duplicate, near_duplicate),
    )
    run = make_run(
        settings().runs_dir / "mine",
        accuracy=1.0,
        labels=labels,
        splits=splits,
        near_duplicates=NearDuplicates(near_duplicate, near_duplicate),
    )
    app = open_app("home", **FIGURES)
    assert not app.exception
    n = run.metrics()["splits"]["PrivateTest"]["n"]
    (sentence,) = (caption.value for caption in app.caption if "also occur in Training" in caption.value)
    assert sentence.startswith(f"Up to {100 * 14 / n:.1f} % of these faces")
    scores = [
        RunFolder(folder).metrics()["splits"]["PrivateTest"]
        for folder in (settings().models_dir / "custom_cnn", run.path)
    ]
    rise = 100 * (scores[0]["without_near_duplicates"]["accuracy"] - scores[0]["accuracy"])
    assert rise > 0.05, "these made-up predictions are better without the twins, and perfect ones stay so"
    assert f"accuracy changes by +0.0 to +{rise:.1f} points" in sentence


def test_without_near_duplicates_nothing_is_said_about_them(home: Path, open_app: OpenApp) -> None:
    make_run(settings().models_dir / "custom_cnn")
    app = open_app("home")
    assert not [caption for caption in app.caption if "also occur in Training" in caption.value]


def test_the_next_steps_lead_to_lessons_mistakes_explanations_and_the_webcam(home: Path, open_app: OpenApp) -> None:
    make_run(settings().models_dir / "custom_cnn")
    links = {link.proto.label: link.proto for link in open_app("home").get("page_link")}
    assert links["Take a lesson"].page == "lessons"
    assert links["See the mistakes"].page == "mistakes"
    assert links["Ask why"].page == "explain"
    assert links["Show your face"].page == "live"


def test_figures_are_told_with_what_they_are_about_and_how_they_fall_on_drawings(
    home: Path, open_app: OpenApp, sample: Path
) -> None:
    """Home's figures are those on the data a model was made for, whatever the sidebar has chosen."""
    drawn = read_info(sample)
    run = make_run(settings().models_dir / "custom_cnn", accuracy=0.9, data={"kind": "csv", "title": "FER-2013"})
    other = measured_on(make_run(settings().runs_dir / "drawn", accuracy=0.2, data=dict(drawn.record())))
    other.path.rename(run.path / "evaluations" / other.path.name)
    app = open_app("home", **FIGURES)
    assert not app.exception
    assert app.selectbox(key="data").value == "sample"
    table = app.dataframe[0].value.set_index("Model")
    assert table.loc["custom_cnn", "Data"] == "FER-2013"
    assert table.loc["custom_cnn", "Accuracy (%)"] == 100 * run.metrics()["splits"]["PrivateTest"]["accuracy"]
    assert any("of **FER-2013**" in text.value for text in app.markdown)
    assert any("people 65 ± 5 %" in each.proto.body for each in app.get("html"))
    assert any("Drawings are not photographs" in caption.value for caption in app.caption)


def test_a_run_on_other_data_is_told_apart_and_never_the_best(home: Path, open_app: OpenApp, sample: Path) -> None:
    """One training on drawings used to be the best of "FER-2013 and the drawn sample", and people were gone."""
    make_run(settings().models_dir / "custom_cnn", accuracy=0.6, data={"kind": "csv", "title": "FER-2013"})
    for name in ("mine", "second"):
        drawn = {**read_info(sample).record()}
        mine = make_run(settings().runs_dir / name, accuracy=0.95, data=drawn)
    app = open_app("home")
    assert not app.exception
    [headline] = [text.value for text in app.markdown if "Of 100 test faces" in text.value]
    assert "of **FER-2013** the best, **custom" in headline.replace("\\", "")
    assert "people about 65" in headline
    [bars] = [each.proto.body for each in app.get("html") if "how-good" in each.proto.body]
    assert "people 65 ± 5 %" in bars
    assert "mine" not in bars
    score = mine.metrics()["splits"]["PrivateTest"]
    [apart] = [caption.value for caption in app.caption if "not to be compared" in caption.value]
    assert f"mine on the drawn sample {percent(score['accuracy'])}" in apart
    assert f"n = {score['n']:,}" in apart


def test_a_sample_that_is_still_to_be_drawn_is_not_called_missing(open_app, home, monkeypatch):
    def later() -> Path:
        raise DataError("not yet")

    monkeypatch.setattr("pages.parts.data.ensure_sample", later)
    sample = {"fingerprint": "2" * 64, "kind": "sample", "name": "sample", "title": "Drawn sample"}
    make_run(home / "runs" / "one", data=sample)
    app = open_app("home")
    assert any("Drawn sample" in caption.value for caption in app.sidebar.caption)
    assert not any("not on this computer" in caption.value for caption in app.sidebar.caption)


def test_a_run_measured_on_public_test_alone_is_not_called_unmeasured(home: Path, open_app: OpenApp) -> None:
    labels, splits = make_labels()
    splits[splits == "PrivateTest"] = "Training"
    run = make_run(settings().runs_dir / "mine", labels=labels, splits=splits)
    table = open_app("home", **FIGURES).dataframe[0].value.set_index("Model")
    assert table.loc["mine", "Accuracy (%)"] == 100 * run.metrics()["splits"]["PublicTest"]["accuracy"]
    assert table.loc["mine", "95 % interval"].endswith("of PublicTest")
