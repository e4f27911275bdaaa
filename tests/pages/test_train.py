"""The Train page: the form, and a job found again from its run folder."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from factories import as_unfinished, make_run, make_vote
from readonly import read_only

from fer_core.data.dataset import load_dataset
from fer_core.errors import RunError
from fer_core.runs.folder import RunFolder, new_run_dir
from fer_core.runs.journal import Journal
from fer_core.runs.twin import TWIN_FILE, write_twins
from fer_core.settings import settings
from fer_core.training import jobs, lock
from fer_core.training.presets import preset
from pages.parts.train import outcome, progress


def unfinished(home: Path, name: str = "mine", *, epochs: int = 3) -> RunFolder:
    """A run whose process died in its third epoch."""
    run = as_unfinished(make_run(home / "runs" / name, epochs=epochs))
    events = run.events()
    last = max(index for index, event in enumerate(events) if event["event"] == "epoch")
    run.journal_path.write_text("".join(json.dumps(event) + "\n" for event in events[:last]))
    run.resume_path.write_bytes(b"state")
    return run


def claim(run: RunFolder) -> None:
    """Make the run look alive: this test's own process holds the lock for it."""
    lock.claim(os.getpid(), run.path.resolve())


def _words(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def _labels(app) -> list[str]:
    return [button.label for button in app.button]


def _fields(app) -> dict[str, object]:
    found = [*app.number_input, *app.selectbox, *app.toggle, *app.text_input]
    return {element.key.rpartition(".")[2]: element.value for element in found if "." in (element.key or "")}


def test_with_nothing_there_it_offers_a_training_on_the_sample(open_app, home):
    app = open_app("train")
    assert not app.exception
    assert "1,680 Training faces" in _words(app) or "Training faces" in _words(app)
    assert "Start training" in _labels(app)
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


def test_a_running_job_is_found_without_a_link(open_app, home):
    claim(unfinished(home))
    app = open_app("train")
    assert not app.exception
    assert app.header[0].value == "Custom CNN"
    assert {"Pause", "Stop"} <= set(_labels(app))
    assert "Training: epoch 3 of 3." in _words(app)
    assert app.query_params["run"] == "mine"
    # Two of three epochs have ended.
    table = next(e.value for e in app.dataframe if "Epoch" in e.value.columns)
    assert list(table["Epoch"]) == [2, 1]
    metrics = {metric.label: metric.value for metric in app.metric}
    assert any(label.startswith("Loss so far, epoch 3") for label in metrics)


def test_pause_go_on_and_stop_reach_the_run_folder(open_app, home):
    run = unfinished(home)
    claim(run)
    app = open_app("train", run="mine")
    app.button(key="job.first").click().run()
    assert run.pause_path.exists()
    assert "Go on" in _labels(app)
    app.button(key="job.first").click().run()
    assert not run.pause_path.exists()
    app.button(key="job.second").click().run()
    assert run.stop_path.exists()
    assert "Stop" not in _labels(app)
    assert "Stopping after the current batch" in _words(app)


def test_a_dead_job_is_called_dead_and_can_be_resumed(open_app, home, monkeypatch):
    run = unfinished(home)
    resumed = []
    monkeypatch.setattr(jobs, "restart", resumed.append)
    app = open_app("train")
    assert "killed" in _words(app)
    assert "Resume after epoch 2" in _labels(app)
    app.button(key="job.first").click().run()
    assert resumed == [run.path]


def test_a_dead_job_shows_its_log(open_app, home):
    run = unfinished(home)
    run.log_path.write_text("first\nOut of memory\n")
    app = open_app("train")
    assert "Out of memory" in app.code[0].value


def test_a_run_stopped_in_its_first_epoch_is_not_offered_to_compare(open_app, home):
    run = unfinished(home)
    for file in (run.resume_path, run.keras_path, run.history_path):
        file.unlink()
    before = [event for event in run.events() if event["event"] not in {"epoch", "checkpoint"}]
    stopped = {**before[-1], "event": "stopped", "epoch": 1, "reason": "asked to stop"}
    run.journal_path.write_text("".join(json.dumps(event) + "\n" for event in [*before, stopped]))
    app = open_app("train")
    assert not app.exception
    assert "Start again" in _labels(app)
    assert [link.proto.label for link in app.get("page_link") if "Compare" in link.proto.label] == []


def test_a_refused_resume_says_why(open_app, home, monkeypatch):
    unfinished(home)

    def refuse(run_dir: Path) -> Path:
        raise RunError("another one is training")

    monkeypatch.setattr(jobs, "restart", refuse)
    app = open_app("train")
    app.button(key="job.first").click().run()
    assert not app.exception
    assert "another one is training" in app.error[0].value


def test_a_finished_job_stays_under_its_link(open_app, home):
    make_run(home / "runs" / "mine")
    app = open_app("train", run="mine")
    assert not app.exception
    assert "Done: 5 epochs" in _words(app)
    assert not {"Pause", "Stop"} & set(_labels(app))


def test_a_finished_job_is_not_shown_without_its_link(open_app, home):
    make_run(home / "runs" / "mine")
    assert not open_app("train").header


def _sample_run(home: Path, dataset: Path, name: str, **more: object) -> RunFolder:
    """A complete run that was trained on the drawn sample of this home."""
    info = load_dataset(dataset).info
    return make_run(home / "runs" / name, data={"fingerprint": info.fingerprint, "name": info.name}, **more)


def test_the_twin_is_asked_for_beside_the_button(open_app, home, sample, monkeypatch):
    asked = []
    monkeypatch.setattr(jobs, "start", lambda recipe, data, twin: asked.append(twin) or home / "runs" / "x")
    app = open_app("train")
    app.checkbox(key="twin").check().run()
    assert "twice" in _words(app)
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
        assert "Augmentation gained" in _words(app)
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
    assert "Training: epoch 3 of 3." in _words(app)
    assert "After epoch 2 of both" in _words(app)
    assert app.query_params["run"] == "second"


def test_a_twin_can_be_trained_later_where_the_faces_are_here(open_app, home, sample, monkeypatch):
    started = []
    monkeypatch.setattr(jobs, "start_twin", lambda run, data: started.append((run.name, data)) or run)
    _sample_run(home, sample, "mine")
    make_run(home / "runs" / "elsewhere")
    assert "Train its twin" not in _labels(open_app("train", run="elsewhere"))
    app = open_app("train", run="mine")
    app.button(key="job.second").click().run()
    assert not app.exception
    assert started == [("mine", sample)]


def test_a_damaged_note_about_a_twin_is_said_and_harms_nothing(open_app, home):
    make_run(home / "runs" / "mine")
    (home / "runs" / "mine" / TWIN_FILE).write_text("{")
    app = open_app("train", run="mine")
    assert not app.exception
    assert any(TWIN_FILE in warning.value for warning in app.warning)
    assert "Done: 5 epochs" in _words(app)


def test_nothing_polls_unless_a_process_lives(home, monkeypatch):
    asked = []
    monkeypatch.setattr(progress.st, "fragment", lambda function, run_every: asked.append(run_every) or (lambda *a: 0))
    run = unfinished(home)
    progress.show(run.path)
    claim(run)
    progress.show(run.path)
    assert asked == [None, "1s"]


def test_measuring_the_precision_is_no_share_of_the_training(open_app, home):
    """The page stood at 0 % for as long as it took, which on some machines was minutes."""
    run = unfinished(home)
    run.journal_path.write_text("")
    journal = Journal(run.journal_path)
    journal.write("phase", name="loading", detail="libraries and faces")
    journal.write("phase", name="measuring precision", detail="float32 against mixed_bfloat16")
    claim(run)
    app = open_app("train")
    assert not app.exception
    assert "measuring which precision is faster" in _words(app)
    assert not app.get("progress")
    journal.write("phase", name="training", detail="epoch 1 of 3")
    assert open_app("train").get("progress")


def test_progress_in_words(home):
    run = unfinished(home)
    claim(run)
    words = progress.progress_words(jobs.status(run.path))
    assert words.startswith("Epoch 3 of 3 · step 4 of 4 · 100 %")
    assert "520 faces per second" in words


def test_a_vote_is_no_training(open_app, home):
    members = [make_run(home / "runs" / name) for name in ("one", "two")]
    make_vote(home / "runs" / "both", members)
    app = open_app("train", run="both")
    assert not app.exception
    assert not app.header
    assert not [label for label in _labels(app) if label.startswith("Resume")]


def test_a_run_whose_process_was_killed_while_it_loaded_can_be_started_again(open_app, home, sample, monkeypatch):
    """Where its dataset lies used to be written down later, so that nothing could be done with the run."""
    stub = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(jobs, "check_resources", lambda recipe, data: [])
    monkeypatch.setattr(jobs, "_command", lambda arguments: stub)
    run_dir = jobs.start(preset("minute", "custom_cnn"), sample)
    kill_trainer()
    app = open_app("train")
    assert "killed" in _words(app)
    try:
        app.button(key="job.first").click().run()
        assert not app.exception
        assert not app.error
        assert jobs.current() == run_dir
        assert {"Pause", "Stop"} <= set(_labels(app))
    finally:
        kill_trainer()


def kill_trainer():
    found = jobs.holder()
    if found:
        process = psutil.Process(found.pid)
        process.kill()
        process.wait(10)


def test_on_a_read_only_disk_the_page_opens_and_the_start_says_so(open_app, home, sample):
    with read_only(home):
        app = open_app("train")
        assert not app.exception
        next(button for button in app.button if button.label == "Start training").click().run()
        assert not app.exception
        assert any("read-only" in error.value and str(home) in error.value for error in app.error)


def test_a_damaged_run_is_told_and_the_form_stays_usable(open_app, home, sample):
    run = unfinished(home)
    with run.journal_path.open("a") as journal:
        journal.write('{"event": "epoch", "epoch": 3}\n')
    app = open_app("train", run="mine")
    assert not app.exception
    assert "Damaged" in _words(app)
    assert "Start training" in _labels(app)
    assert not [label for label in _labels(app) if label.startswith(("Resume", "Start again"))]


def test_a_start_that_says_nothing_of_precision_is_shown(open_app, home, sample):
    run = unfinished(home)
    events = [{k: v for k, v in event.items() if not k.startswith(("precision", "pid"))} for event in run.events()]
    run.journal_path.write_text("".join(json.dumps(event) + "\n" for event in events))
    app = open_app("train", run="mine")
    assert not app.exception
    assert "Precision" not in _words(app)


def watching(run: RunFolder) -> None:
    """As a training writes it that knows the faces' rows and its answers: at first wrong about the second face."""
    events = run.events()
    for event in events:
        if event["event"] == "start":
            event["watched"] = [3, 5]
            event["data"]["fingerprint"] = load_dataset(settings().datasets_dir / "sample").info.fingerprint
        elif event["event"] == "epoch":
            event["watched"] = [[0.1, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.2, 0.0, 0.8]]
            event["watched"][1][3] = 1.0 if event["epoch"] == 1 else 0.0
    run.journal_path.write_text("".join(json.dumps(event) + "\n" for event in events))


def test_the_same_faces_after_each_epoch(open_app, home, sample):
    run = unfinished(home)
    watching(run)
    app = open_app("train")
    assert not app.exception, app.exception
    (cards,) = (one.proto.body for one in app.get("html") if "data:image/png" in one.proto.body)
    assert cards.count("<img") == 2
    assert "neutral</b> 80 %" in cards
    app.select_slider(key="job.epoch.mine").set_value(1).run()
    (cards,) = (one.proto.body for one in app.get("html") if "data:image/png" in one.proto.body)
    assert "happy</b> 100 %" in cards
    # While it trains there is nothing to choose: the last epoch is what is new.
    claim(run)
    assert not open_app("train").select_slider


def test_the_outcome_is_a_sentence_and_a_way():
    confusion = np.diag([10, 0, 5, 10, 10, 10, 10])
    confusion[1, 0] = 4
    confusion[2, 4] = 5
    words, worst = outcome.sentence({"val_accuracy": 0.6, "confusion": confusion.tolist()})
    assert "46 points above chance" in words
    assert "never says disgust" in words
    assert worst == 1
    confusion[0, 1] = 1
    words, worst = outcome.sentence({"val_accuracy": 0.1, "confusion": confusion.tolist()})
    assert "below chance" in words
    assert "worst at disgust: 0 of 4" in words
    confusion[1, 1] = 40
    assert outcome.sentence({"val_accuracy": 0.6, "confusion": confusion.tolist()})[1] == 2


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
