"""Train's form: what its fields start at, what reaches the job, and what is told before the start."""

from __future__ import annotations

import pytest
from factories import make_run
from readonly import read_only
from train_page import claim, labels_of, unfinished, words_of

from fer_core.runs.folder import new_run_dir
from fer_core.settings import settings
from fer_core.training import jobs
from fer_core.training.presets import preset


def _fields(app) -> dict[str, object]:
    found = [*app.number_input, *app.selectbox, *app.toggle, *app.text_input]
    return {element.key.rpartition(".")[2]: element.value for element in found if "." in (element.key or "")}


def test_with_nothing_there_it_offers_a_training_on_the_sample(open_app, home):
    app = open_app("train")
    assert not app.exception
    assert "1,680 Training faces" in words_of(app) or "Training faces" in words_of(app)
    assert "Start training" in labels_of(app)
    assert (home / "datasets" / "sample" / "dataset.json").exists()


@pytest.mark.parametrize("key", ["minute", "quick", "serious"])
def test_the_fields_start_at_what_the_preset_says(open_app, key):
    title = {"minute": "A taste", "quick": "Quick look", "serious": "Serious"}[key]
    app = open_app("train", preset=title, architecture="Custom CNN + augmentation")
    assert not app.exception
    fields, wanted = _fields(app), preset(key, "custom_cnn_augmented")
    assert fields["epochs"] == wanted.epochs
    assert fields["learning_rate"] == pytest.approx(wanted.learning_rate)
    assert fields["flip"] is wanted.augmentation.flip
    assert fields["erasing"] == wanted.augmentation.erasing


def test_every_field_of_the_recipe_reaches_the_job(open_app, home, monkeypatch):
    seen = []
    monkeypatch.setattr(jobs, "start", lambda recipe, data, twin: seen.append((recipe, data)) or home / "runs" / "x")
    app = open_app("train")
    values = {
        "name": "Mine",
        "epochs": 2,
        "optimizer": "sgd",
        "batch_size": 16,
        "learning_rate": 0.05,
        "warmup": 0.5,
        "schedule": "constant",
        "weight_decay": 0.001,
        "early_stopping": 1,
        "averaging": 0.99,
        "class_weights": "balanced",
        "sampling": "balanced",
        "label_smoothing": 0.2,
        "start_epochs": 1,
        "flip": True,
        "shift": 0.2,
        "rotation": 15.0,
        "zoom": 0.05,
        "erasing": 0.5,
        "mixup": 0.3,
        "input_size": 64,
        "precision": "float32",
        "seed": 7,
    }
    for element in [*app.number_input, *app.selectbox, *app.toggle, *app.text_input]:
        field = (element.key or "").rpartition(".")[2]
        if "." in (element.key or "") and field in values:
            element.set_value(values[field])
    app.run()
    next(button for button in app.button if button.label == "Start training").click().run()
    assert not app.exception
    recipe, data = seen[0]
    assert data == home / "datasets" / "sample"
    got = recipe.to_dict()
    got.update(got.pop("augmentation"))
    got["warmup"] = got.pop("warmup_epochs")
    assert {key: got[key] for key in values} == values


def test_transfer_models_have_their_own_fields(open_app):
    assert "frozen" in _fields(open_app("train", architecture="VGG16 transfer"))


def test_custom_models_have_no_transfer_fields(open_app):
    assert "frozen" not in _fields(open_app("train"))


def test_fields_come_from_the_url(open_app):
    app = open_app("train", **{"custom_cnn.minute.epochs": "3"})
    assert _fields(app)["epochs"] == 3


@pytest.mark.parametrize(
    ("field", "value"), [("epochs", 5_000), ("learning_rate", 1e-7), ("early_stopping", 2_000), ("start_epochs", 2_000)]
)
def test_the_fields_take_whatever_a_recipe_takes(open_app, field, value):
    """The form had ranges of its own, narrower than those of the command line."""
    app = open_app("train", **{f"custom_cnn.minute.{field}": str(value)})
    assert _fields(app)[field] == value


def test_bad_query_values_are_ignored(open_app):
    app = open_app("train", run="../x", preset="nope", architecture="nope", **{"custom_cnn.minute.epochs": "many"})
    assert not app.exception
    assert any("no run called" in warning.value for warning in app.warning)
    assert _fields(app)["epochs"] == preset("minute", "custom_cnn").epochs


def test_an_impossible_recipe_is_told_before_the_start(open_app):
    app = open_app("train", **{"custom_cnn.minute.warmup": "50"})
    assert "warmup_epochs is 50" in app.error[0].value
    assert next(b for b in app.button if b.label == "Start training").disabled


def test_the_crowds_labels_are_a_choice_and_without_votes_the_start_says_what_is_missing(open_app):
    app = open_app("train")
    next(one for one in app.selectbox if (one.key or "").endswith(".labels")).set_value("crowd").run()
    assert "fer2013new.csv" in app.error[0].value
    assert next(b for b in app.button if b.label == "Start training").disabled


def test_too_little_memory_is_told_before_the_start(open_app, monkeypatch):
    monkeypatch.setattr(jobs, "check_resources", lambda recipe, data: ["This needs 9 GB and 1 GB is free."])
    app = open_app("train")
    assert "9 GB" in app.error[0].value
    assert next(b for b in app.button if b.label == "Start training").disabled


def test_a_second_training_is_refused_with_the_reason(open_app, home):
    claim(unfinished(home, "first"))
    app = open_app("train")
    next(button for button in app.button if button.label == "Start training").click().run()
    assert not app.exception
    assert any("first is training" in error.value for error in app.error)
    assert [path.name for path in (home / "runs").iterdir() if path.is_dir()] == ["first"]


def test_on_a_read_only_disk_the_page_opens_and_the_start_says_so(open_app, home, sample):
    with read_only(home):
        app = open_app("train")
        assert not app.exception
        next(button for button in app.button if button.label == "Start training").click().run()
        assert not app.exception
        assert any("read-only" in error.value and str(home) in error.value for error in app.error)


def test_a_run_without_a_name_is_called_by_the_first_free_number(open_app, home, sample, monkeypatch):
    seen = []
    monkeypatch.setattr(jobs, "start", lambda recipe, data, twin: seen.append(recipe) or home / "runs" / "x")
    make_run(home / "runs" / "a", name="My CNN 1")
    app = open_app("train")
    next(button for button in app.button if button.label == "Start training").click().run()
    assert seen[0].name == "My CNN 2"


def test_a_folder_is_called_as_the_run(home):
    assert new_run_dir("custom_cnn", "My CNN 1").name == "my-cnn-1"
    (home / "runs" / "my-cnn-1").mkdir(parents=True)
    assert new_run_dir("custom_cnn", "My CNN 1").name == "my-cnn-1-2"
    assert new_run_dir("custom_cnn", "../…").name.startswith("custom_cnn-")
    (settings().models_dir / "vgg16").mkdir()
    assert new_run_dir("vgg16", "VGG16").name == "vgg16-2", "two runs of one name could not be told apart"
