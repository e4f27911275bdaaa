"""Twins on Train: asked for, trained later, and shown over each other."""

from __future__ import annotations

import json
from pathlib import Path

from factories import make_run
from train_page import claim, labels_of, unfinished, words_of

from fer_core.data.dataset import load_dataset
from fer_core.runs.folder import RunFolder
from fer_core.runs.twin import TWIN_FILE, write_twins
from fer_core.training import jobs


def _sample_run(home: Path, dataset: Path, name: str, **more: object) -> RunFolder:
    """A complete run that was trained on the drawn sample of this home."""
    info = load_dataset(dataset).info
    return make_run(home / "runs" / name, data={"fingerprint": info.fingerprint, "name": info.name}, **more)


def test_the_twin_is_asked_for_beside_the_button(open_app, home, sample, monkeypatch):
    asked = []
    monkeypatch.setattr(jobs, "start", lambda recipe, data, twin: asked.append(twin) or home / "runs" / "x")
    app = open_app("train")
    app.checkbox(key="twin").check().run()
    assert "twice" in words_of(app)
    next(button for button in app.button if button.label == "Start training").click().run()
    assert asked == [True]


def test_twins_are_shown_over_each_other_with_what_augmentation_gained(open_app, home):
    kinds = (("a", 0.5, "custom_cnn"), ("b", 0.6, "custom_cnn_augmented"))
    runs = [make_run(home / "runs" / name, accuracy=right, architecture=kind) for name, right, kind in kinds]
    for run in runs:
        write_twins(run.path, "a", "b")
    for name in ("a", "b"):
        app = open_app("train", run=name)
        assert not app.exception
        assert "Augmentation gained" in words_of(app)
        drawn = [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]
        assert [spec["layer"][0]["encoding"]["color"]["scale"]["domain"] for spec in drawn] == [["with", "without"]] * 2
        assert any("Compare both" in link.proto.label for link in app.get("page_link"))


def test_while_the_second_twin_trains_the_firsts_link_shows_it(open_app, home):
    make_run(home / "runs" / "first")
    second = unfinished(home, "second")
    for name in ("first", "second"):
        write_twins(home / "runs" / name, "first", "second")
    claim(second)
    app = open_app("train", run="first")
    assert "Training: epoch 3 of 3." in words_of(app)
    assert "After epoch 2 of both" in words_of(app)
    assert app.query_params["run"] == "second"


def test_a_damaged_recipe_does_not_take_the_page_away_while_a_twin_is_to_come(open_app, home):
    """The sentence about what comes next asked for the recipe."""
    first = unfinished(home, "first")
    write_twins(first.path, "first", "second")
    claim(first)
    assert "Next comes the same with" in words_of(open_app("train", run="first"))
    first.recipe_path.write_text("{")
    app = open_app("train", run="first")
    assert not app.exception
    assert "Next comes" not in words_of(app)


def test_a_twin_can_be_trained_later_where_the_faces_are_here(open_app, home, sample, monkeypatch):
    started = []
    monkeypatch.setattr(jobs, "start_twin", lambda run, data: started.append((run.name, data)) or run)
    _sample_run(home, sample, "mine")
    make_run(home / "runs" / "elsewhere")
    assert not [label for label in labels_of(open_app("train", run="elsewhere")) if label.startswith("Train the same")]
    app = open_app("train", run="mine")
    assert app.button(key="job.second").label == "Train the same with augmentation"
    app.button(key="job.second").click().run()
    assert not app.exception
    assert started == [("mine", sample)]


def test_a_damaged_note_about_a_twin_is_said_and_harms_nothing(open_app, home):
    make_run(home / "runs" / "mine")
    (home / "runs" / "mine" / TWIN_FILE).write_text("{")
    app = open_app("train", run="mine")
    assert not app.exception
    assert any(TWIN_FILE in warning.value for warning in app.warning)
    assert "Done: 5 epochs" in words_of(app)
