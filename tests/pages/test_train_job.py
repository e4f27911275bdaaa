"""A job on Train, found again from its run folder: running, stopped, killed, damaged, or done."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import psutil
import pytest
from factories import make_run, make_vote
from train_page import claim, labels_of, unfinished, words_of

from fer_core.data.dataset import load_dataset
from fer_core.errors import RunError
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.settings import settings
from fer_core.training import jobs
from fer_core.training.presets import preset
from pages.parts.train import outcome, progress


def test_a_training_that_ended_is_found_again_by_whoever_comes_anew(open_app, home, sample):
    """Only a link with its name showed it."""
    make_run(home / "runs" / "older", created="2026-03-01T00:00:00+00:00")
    make_run(home / "runs" / "newer", created="2026-03-02T00:00:00+00:00")
    app = open_app("train")
    (link,) = [one.proto for one in app.get("page_link") if "last training" in one.proto.label]
    assert "newer" in link.label
    assert "run=newer" in link.query_string


def test_a_running_job_is_found_without_a_link(open_app, home):
    claim(unfinished(home))
    app = open_app("train")
    assert not app.exception
    assert app.header[0].value == "Custom CNN"
    assert {"Pause", "Stop"} <= set(labels_of(app))
    assert "Training: epoch 3 of 3." in words_of(app)
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
    assert "Go on" in labels_of(app)
    app.button(key="job.first").click().run()
    assert not run.pause_path.exists()
    app.button(key="job.second").click().run()
    assert run.stop_path.exists()
    assert "Stop" not in labels_of(app)
    assert "Stopping after the current batch" in words_of(app)


def test_a_dead_job_is_called_dead_and_can_be_resumed(open_app, home, monkeypatch):
    run = unfinished(home)
    resumed = []
    monkeypatch.setattr(jobs, "restart", resumed.append)
    app = open_app("train")
    assert "killed" in words_of(app)
    assert "Resume after epoch 2" in labels_of(app)
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
    assert "Start again" in labels_of(app)
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
    assert "Done: 5 epochs" in words_of(app)
    assert not {"Pause", "Stop"} & set(labels_of(app))


@pytest.mark.parametrize(("kinds", "beside"), [(("resnet50", "tiny"), "tiny"), (("custom_cnn", "tiny"), "custom_cnn")])
def test_a_finished_job_is_compared_with_a_shipped_run(open_app, home, kinds, beside):
    """It stood on Compare alone, where a difference needs two: the shipped one of its kind, or the best one."""
    for accuracy, kind in zip((0.3, 0.8), kinds, strict=True):
        make_run(settings().models_dir / kind, architecture=kind, accuracy=accuracy)
    make_run(home / "runs" / "mine")
    app = open_app("train", run="mine")
    [link] = [one.proto for one in app.get("page_link") if one.proto.label == "Compare it"]
    asked = parse_qs(link.query_string)
    assert asked["compare.runs"] == ["mine", beside]
    app = open_app("compare", view="Difference", **asked)
    assert not app.exception
    assert not [one for one in app.info if "needs two runs" in one.value]


def test_a_finished_job_is_not_shown_without_its_link(open_app, home):
    make_run(home / "runs" / "mine")
    assert not open_app("train").header


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
    assert "measuring which precision is faster" in words_of(app)
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
    assert not [label for label in labels_of(app) if label.startswith("Resume")]


def test_a_run_whose_process_was_killed_while_it_loaded_can_be_started_again(open_app, home, sample, monkeypatch):
    """Where its dataset lies used to be written down later, so that nothing could be done with the run."""
    stub = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(jobs, "check_resources", lambda recipe, data: [])
    monkeypatch.setattr(jobs, "_command", lambda arguments: stub)
    run_dir = jobs.start(preset("minute", "custom_cnn"), sample)
    kill_trainer()
    app = open_app("train")
    assert "killed" in words_of(app)
    try:
        app.button(key="job.first").click().run()
        assert not app.exception
        assert not app.error
        assert jobs.current() == run_dir
        assert {"Pause", "Stop"} <= set(labels_of(app))
    finally:
        kill_trainer()


def kill_trainer():
    found = jobs.holder()
    if found:
        process = psutil.Process(found.pid)
        process.kill()
        process.wait(10)


def test_a_damaged_run_is_told_and_the_form_stays_usable(open_app, home, sample):
    run = unfinished(home)
    with run.journal_path.open("a") as journal:
        journal.write('{"event": "epoch", "epoch": 3}\n')
    app = open_app("train", run="mine")
    assert not app.exception
    assert "Damaged" in words_of(app)
    assert "Start training" in labels_of(app)
    assert not [label for label in labels_of(app) if label.startswith(("Resume", "Start again"))]


def test_a_start_that_says_nothing_of_precision_is_shown(open_app, home, sample):
    run = unfinished(home)
    events = [{k: v for k, v in event.items() if not k.startswith(("precision", "pid"))} for event in run.events()]
    run.journal_path.write_text("".join(json.dumps(event) + "\n" for event in events))
    app = open_app("train", run="mine")
    assert not app.exception
    assert "Precision" not in words_of(app)


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
    assert "neutral</b> 80&nbsp;%" in cards
    app.select_slider(key="job.epoch.mine").set_value(1).run()
    (cards,) = (one.proto.body for one in app.get("html") if "data:image/png" in one.proto.body)
    assert "happy</b> 100&nbsp;%" in cards
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
