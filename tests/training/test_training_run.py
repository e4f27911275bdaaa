"""Trainings as people run them: child processes of the command line, on a small dataset, from start to finish.

What need not be a process of its own runs in the tests' own: loading TensorFlow takes longer than training here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fer_core
from fer_core.cli import main
from fer_core.data.dataset import write_dataset
from fer_core.emotions import SPLITS
from fer_core.errors import FerError, RunError
from fer_core.files import sha256_of
from fer_core.runs.folder import SEALED_FILES, RunFolder
from fer_core.runs.journal import thinned
from fer_core.runs.recipe import Recipe
from fer_core.runs.transaction import LOCK_FILE
from fer_core.settings import PROJECT_ROOT
from fer_core.training import jobs
from fer_core.training.presets import preset
from fer_core.zoo import custom_cnn

pytestmark = pytest.mark.slow

SMALL = ["--set", "precision=float32", "--batch-size", "16"]


@pytest.fixture
def data(home: Path) -> Path:
    """Seven classes that differ in where a bright square is: 112 Training, 28 PublicTest, 28 PrivateTest faces."""
    rng = np.random.default_rng(0)
    labels = np.arange(168) % 7
    images = rng.integers(0, 90, (168, 48, 48), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * label : 6 * label + 8, 6 * label : 6 * label + 8] += 120
    splits = np.array([SPLITS[0]] * 112 + [SPLITS[1]] * 28 + [SPLITS[2]] * 28)
    write_dataset(home / "datasets" / "squares", images, labels, splits, title="Squares", source="drawn by a test")
    return home / "datasets" / "squares"


def cli(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fer_core", *map(str, arguments)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=1000,
        check=False,
    )


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The same command in this process."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, printed.out, printed.err)

    return run


def wait_for(condition: Callable[[], object], what: str, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def events(run_dir: Path, kind: str) -> list[dict[str, object]]:
    return [event for event in RunFolder(run_dir).events() if event["event"] == kind]


def figures(value: Any, *at: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every number of nested figures, with its way there; words stay out."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if isinstance(value, int | float):
        yield at, value
    elif parts is not None:
        for name, part in parts:
            yield from figures(part, *at, str(name))


def test_a_training_leaves_a_complete_run_folder_and_evaluates_to_the_same_figures(
    home: Path, data: Path, here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    run_dir = home / "runs" / "first"
    done = cli("train", "custom_cnn_augmented", "--data", data, "--epochs", "2", "--run-dir", run_dir, "--json", *SMALL)
    assert done.returncode == 0, done.stderr
    folder = RunFolder(run_dir)
    manifest = folder.manifest()
    assert manifest is not None
    assert manifest["state"] == "done"
    assert {name: sha256_of(run_dir / name) for name in SEALED_FILES} == {
        name: entry["sha256"] for name, entry in manifest["files"].items()
    }
    left = {path.name for path in run_dir.iterdir()} - set(SEALED_FILES) - {"run.json", LOCK_FILE}
    assert left == {"CARD.md", "evaluations"}, "nothing of the training itself stays behind"
    measured = folder.evaluation(manifest["data"]["fingerprint"])
    assert measured is not None
    assert set(measured.files) == {"predictions.parquet", "metrics.json", "embeddings.parquet"}
    assert list(folder.history()["epoch"]) == [1, 2]
    assert thinned(folder.journal_path.read_bytes()) == folder.journal_path.read_bytes()
    dataset = fer_core.load_dataset(data)
    predictions = folder.predictions()
    assert predictions is not None
    assert set(predictions["row"]) == set(dataset.rows("PublicTest")), "PrivateTest stays closed"
    assert (predictions["label"].to_numpy() == dataset.labels[predictions["row"].to_numpy()]).all()

    model = fer_core.load_model("first")
    rows = predictions["row"].to_numpy()
    probabilities, maps = model.explain(dataset.images[rows])
    assert np.allclose(probabilities, predictions[[f"p{label}" for label in range(7)]], atol=1e-4)
    assert maps.shape == (len(rows), 7, 6, 6)
    assert maps.min() >= 0
    assert [info.name for info in fer_core.list_models()] == ["first"]

    again = here("evaluate", run_dir, "--data", data, "--json")
    assert again.returncode == 0, again.stderr
    first, second = (dict(figures(one)) for one in (json.loads(done.stdout)["metrics"], json.loads(again.stdout)))
    # Single precision: the order of the sums depends on how batches fall on the threads.
    assert {key: second[key] for key in first if key[0] == "splits"} == pytest.approx(
        {key: value for key, value in first.items() if key[0] == "splits"}, rel=1e-5
    )
    assert "PrivateTest stays closed" in " ".join(json.loads(again.stdout)["notes"])
    assert not (home / "ledger.jsonl").exists()
    final = here("evaluate", run_dir, "--data", data, "--final", "--json")
    assert final.returncode == 0, final.stderr
    assert json.loads(final.stdout)["splits"]["PrivateTest"]["n"] == len(dataset.rows("PrivateTest"))
    assert json.loads(final.stdout)["opened"]["model"] == sha256_of(folder.tflite_path)
    assert len((home / "ledger.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert fer_core.load_model(run_dir).name == "first", "run.json must name the new files' hashes"

    refused = here("train", "custom_cnn", "--data", data, "--run-dir", run_dir)
    assert refused.returncode == 2
    assert "is not empty" in refused.stderr


def test_kill_9_loses_at_most_the_epoch_it_hit_and_the_curves_join(
    home: Path, data: Path, here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    run_dir = jobs.start(preset_recipe(epochs=5), data, home / "runs" / "killed")
    wait_for(lambda: events(run_dir, "epoch"), "the first epoch")
    jobs.pause(run_dir)  # so that it is in the middle of an epoch, whichever that is
    wait_for(lambda: events(run_dir, "paused"), "the pause")
    hit = int(str(events(run_dir, "paused")[-1]["epoch"]))
    assert hit > 1
    pid = events(run_dir, "start")[-1]["pid"]
    os.kill(int(str(pid)), signal.SIGKILL)
    wait_for(lambda: not jobs.status(run_dir).alive, "the end of the process")
    now = jobs.status(run_dir)
    assert now.state == "died"
    assert now.resumable
    assert not RunFolder(run_dir).complete
    best_before = RunFolder(run_dir).keras_path.stat().st_size

    RunFolder(run_dir).pause_path.unlink()
    done = here("train", "--resume", run_dir, "--json")
    assert done.returncode == 0, done.stderr
    assert best_before > 0
    starts = events(run_dir, "start")
    assert starts[-1]["first_epoch"] == hit
    assert list(RunFolder(run_dir).history()["epoch"]) == [1, 2, 3, 4, 5]
    assert jobs.status(run_dir).state == "done"
    assert "is done" in here("train", "--resume", run_dir).stderr


def test_pause_and_stop_act_within_one_batch_and_a_stopped_run_is_usable_and_resumes(home: Path, data: Path) -> None:
    run_dir = jobs.start(preset_recipe(epochs=50), data, home / "runs" / "stopped")
    wait_for(lambda: events(run_dir, "epoch"), "the first epoch")
    with pytest.raises(RunError, match="stopped is training"):
        jobs.start(preset_recipe(epochs=1), data)
    jobs.pause(run_dir)
    wait_for(lambda: jobs.status(run_dir).state == "paused", "the pause")
    steps = len(events(run_dir, "batch"))
    jobs.unpause(run_dir)
    wait_for(lambda: len(events(run_dir, "batch")) > steps, "the training to go on")
    kinds = [event["event"] for event in RunFolder(run_dir).events()]
    assert kinds[kinds.index("paused") + 1] == "resumed", "it went on while paused"
    jobs.stop(run_dir)
    wait_for(lambda: RunFolder(run_dir).complete, "evaluation and export of the best epoch")
    wait_for(lambda: not jobs.status(run_dir).alive, "the end of the process")
    now = jobs.status(run_dir)
    assert now.state == "stopped"
    assert now.resumable
    assert fer_core.load_model("stopped").predict(np.zeros((1, 48, 48), dtype=np.uint8)).shape == (1, 7)

    trained = len(now.epochs)
    jobs.restart(run_dir)
    wait_for(lambda: len(jobs.status(run_dir).epochs) > trained, "another epoch")
    assert events(run_dir, "start")[-1]["first_epoch"] == trained + 1
    jobs.stop(run_dir)
    wait_for(lambda: not jobs.status(run_dir).alive, "the second stop")
    assert jobs.status(run_dir).state == "stopped"


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, a custom CNN of the same layers with few channels."""
    monkeypatch.setattr(custom_cnn, "WIDTHS", (4, 4, 4, 32))


def preset_recipe(epochs: int) -> Recipe:
    from dataclasses import replace

    return replace(preset("minute", "custom_cnn"), epochs=epochs, batch_size=8, precision="float32")


def test_a_loss_that_explodes_fails_with_advice_and_the_journal_says_so(
    home: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from fer_core.evaluation.training_run import train

    monkeypatch.setattr(keras.Model, "train_on_batch", lambda *_, **__: {"loss": float("nan"), "accuracy": 0.0})
    run_dir = home / "runs" / "exploded"
    with pytest.raises(FerError, match=r"infinite in epoch 1, batch 1\. Lower the learning rate"):
        train(preset_recipe(epochs=1), data, run_dir)
    assert jobs.status(run_dir).state == "failed"
    assert "Lower the learning rate" in jobs.status(run_dir).message
    assert jobs.current() is None


@pytest.mark.usefixtures("narrow")
def test_weights_that_are_no_numbers_fail_though_the_loss_is_finite(
    home: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from fer_core.evaluation.training_run import train

    real = keras.Model.train_on_batch

    def spoil(model: keras.Model, *arguments: object, **options: object) -> object:
        result = real(model, *arguments, **options)
        variance = next(weight for weight in model.weights if weight.name == "moving_variance")
        variance.assign(np.full(variance.shape, np.inf))
        return result

    monkeypatch.setattr(keras.Model, "train_on_batch", spoil)
    with pytest.raises(FerError, match="moving_variance holds values"):
        train(preset_recipe(epochs=1), data, home / "runs" / "spoilt")


@pytest.mark.usefixtures("narrow")
def test_the_optimiser_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    from fer_core.training.build import build_model, compile_stage
    from fer_core.training.resume_state import TrainingState, load_progress, load_state, save_state

    recipe = Recipe("custom_cnn", precision="float32")
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1)).astype(np.float32)
    targets = np.eye(7, dtype=np.float32)[np.arange(8) % 7]
    model = build_model(recipe, precision="float32")
    compile_stage(model, recipe, 1)
    for _ in range(3):
        model.train_on_batch(images, targets)
    save_state(tmp_path / "resume.npz", model, TrainingState(epoch=3, best_accuracy=0.5))
    other = build_model(recipe, precision="float32")
    compile_stage(other, recipe, 1)
    load_state(tmp_path / "resume.npz", other)
    assert load_progress(tmp_path / "resume.npz") == TrainingState(epoch=3, best_accuracy=0.5)
    for one, two in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(two)), one.path
    assert int(other.optimizer.iterations) == 3
    assert np.array_equal(model.predict_on_batch(images), other.predict_on_batch(images))


def test_transfer_trains_the_head_first_and_then_from_the_chosen_layer() -> None:
    from fer_core.errors import RecipeError
    from fer_core.training.build import build_model, compile_stage

    recipe = Recipe("vgg16", epochs=3, frozen_epochs=1, input_size=48, fine_tune_from="block4_conv1")
    model = build_model(recipe, precision="float32")
    compile_stage(model, recipe, 1)
    assert {weight.path.split("/")[0] for weight in model.trainable_weights} == {"hidden", "probabilities"}
    compile_stage(model, recipe, 2)
    trainable = {weight.path.split("/")[0] for weight in model.trainable_weights}
    assert "block4_conv1" in trainable
    assert "block3_conv3" not in trainable
    with pytest.raises(RecipeError, match="no such layer"):
        compile_stage(model, Recipe("vgg16", fine_tune_from="conv9"), 1)


@pytest.mark.usefixtures("narrow")
def test_a_growing_training_that_dies_between_its_sizes_goes_on_at_the_larger_one(
    home: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from fer_core.evaluation.training_run import resume, train
    from fer_core.runs.folder import RunFolder
    from fer_core.training.loop import Trainer

    recipe = replace(preset_recipe(epochs=2), start_size=32, start_epochs=1)
    run_dir = home / "runs" / "grown"
    one_epoch = Trainer._epoch

    def dies_in_the_second(self, model, epoch):
        if epoch == 2:
            raise FerError("the power went out")
        return one_epoch(self, model, epoch)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_epoch", dies_in_the_second)
        with pytest.raises(FerError, match="power"):
            train(recipe, data, run_dir)
    sizes = []

    def notes_the_size(self, model, epoch):
        sizes.append(model.get_layer("block1_conv1").output.shape[1])
        return one_epoch(self, model, epoch)

    monkeypatch.setattr(Trainer, "_epoch", notes_the_size)
    folder = resume(run_dir)
    assert sizes == [48]
    assert folder.complete
    best = (folder.manifest() or {})["best_epoch"]
    assert RunFolder(run_dir).description().input_size == {1: 32, 2: 48}[best]
