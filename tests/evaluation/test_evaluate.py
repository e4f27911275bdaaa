"""Evaluating a run again: what is measured, and what state the journal tells of."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from edited_runs import measured_on
from factories import make_run
from made_up_faces import make_labels

from fer_core.cli.evaluate import metrics_text
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.errors import RunError
from fer_core.evaluation import evaluate as module
from fer_core.evaluation.evaluate import _state_of, evaluate_run, export_run
from fer_core.files import sha256_of
from fer_core.inference.predictor import Predictor
from fer_core.runs.card import card_of
from fer_core.runs.embeddings import read_embeddings
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.stats.metrics import score


def dataset_at(folder: Path, *, public: bool = True, seed: int = 0, faces: int = 420) -> Dataset:
    """Faces of noise, drawn, so that no split is sealed; 420 have the labels and splits that ``make_run`` makes up."""
    labels, splits = make_labels(faces, seed=2013)
    if not public:
        splits[splits == "PublicTest"] = "Training"
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    return write_dataset(folder, images, labels, splits, title="Noise", kind="sample")


def finished_after_a_stop(folder: Path) -> RunFolder:
    """A run of 5 epochs that was stopped after 3, resumed, and killed while it was being evaluated."""
    run = make_run(folder)
    lines = run.journal_path.read_text(encoding="utf-8").splitlines()
    head = [line for line in lines if '"epoch": 4' not in line and '"epoch": 5' not in line and '"done"' not in line]
    tail = [line for line in lines if '"epoch": 4' in line or '"epoch": 5' in line]
    start = lines[0].replace('"first_epoch": 1', '"first_epoch": 4')
    run.journal_path.write_text("\n".join([*head, ""]), encoding="utf-8")
    Journal(run.journal_path).write("stopped", epoch=4, reason="asked to stop")
    with run.journal_path.open("a", encoding="utf-8") as file:
        file.write("\n".join([start, *tail, ""]))
    run.manifest_path.unlink()
    return run


def test_a_run_stopped_then_resumed_and_finished_but_killed_while_evaluated_counts_as_done(tmp_path: Path) -> None:
    run = finished_after_a_stop(tmp_path / "run")
    assert "stopped" in [event["event"] for event in run.events()]
    assert _state_of(run) == "done"


def test_a_run_resumed_and_killed_before_its_last_epoch_counts_as_stopped(tmp_path: Path) -> None:
    run = finished_after_a_stop(tmp_path / "run")
    lines = [line for line in run.journal_path.read_text().splitlines() if '"event": "epoch", "epoch": 5' not in line]
    run.journal_path.write_text("\n".join([*lines, ""]))
    assert _state_of(run) == "stopped"


def test_early_stopping_is_an_end_only_in_the_last_attempt(tmp_path: Path) -> None:
    run = finished_after_a_stop(tmp_path / "run")
    lines = [line for line in run.journal_path.read_text().splitlines() if '"event": "epoch", "epoch": 5' not in line]
    run.journal_path.write_text("\n".join([*lines, ""]))
    Journal(run.journal_path).write("phase", name="early stopping", detail="no better PublicTest accuracy")
    assert _state_of(run) == "done"
    Journal(run.journal_path).write("stopped", epoch=0, reason="interrupted from the keyboard")
    assert _state_of(run) == "done", "interrupted while it was being evaluated"
    with run.journal_path.open("a", encoding="utf-8") as file:
        file.write(lines[0].replace('"first_epoch": 1', '"first_epoch": 5') + "\n")
    assert _state_of(run) == "stopped", "somebody made the patience longer and went on"


@pytest.mark.slow
def test_an_evaluation_measures_temperature_and_litert_and_the_mirror_image_from_when_it_is_asked(
    tmp_path: Path,
) -> None:
    dataset = dataset_at(tmp_path / "data", faces=630)
    run = make_run(tmp_path / "run")
    metrics = evaluate_run(run, dataset)
    assert metrics == run.metrics(dataset.info.fingerprint)
    assert metrics["temperature"]["fitted_on"] == "PublicTest"
    assert "flip_average" not in metrics["splits"]["PrivateTest"]
    for split, scores in metrics["splits"].items():
        assert metrics["litert"][split]["n"] == scores["n"]
        assert metrics["litert"][split]["accuracy"] == pytest.approx(scores["accuracy"], abs=0.01)
    plain = {split: dict(scores) for split, scores in metrics["splits"].items()}

    metrics = evaluate_run(run, dataset, average="flip")
    rows = dataset.rows("PrivateTest")
    flip = metrics["splits"]["PrivateTest"].pop("flip_average")
    averaged = Predictor(run.tflite_path).predict(np.asarray(dataset.images[rows]), average="flip")
    expected = score(dataset.labels[rows], averaged)
    assert flip["accuracy"] == pytest.approx(expected["accuracy"], abs=0.01)
    assert flip["gain"] == pytest.approx(flip["accuracy"] - plain["PrivateTest"]["accuracy"])
    metrics["splits"]["PublicTest"].pop("flip_average")
    assert metrics["splits"] == plain, "the single-pass figures must not change"

    again = evaluate_run(run, dataset)
    assert again["splits"]["PrivateTest"]["flip_average"] == flip, "once measured, always measured"
    assert "averaged with the mirror image" in card_of(run)
    assert "averaged with the mirror image" in metrics_text(again)
    assert "In LiteRT, as the app runs it" in metrics_text(again)


@pytest.mark.slow
def test_a_new_export_keeps_what_keras_measured_and_measures_other_data_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = dataset_at(tmp_path / "data")
    own, run = dataset.info.fingerprint, make_run(tmp_path / "run")
    # The tiny model has no head of ours, so it comes ready converted.
    monkeypatch.setattr(module, "export_litert", lambda _model, path, *_, **__: shutil.copy(run.tflite_path, path))
    before = evaluate_run(run, dataset, average="flip")
    embeddings = sha256_of(measured_on(run, own).embeddings_path)
    export_run(run, dataset)
    after = run.metrics(own)
    assert after is not None
    for key in ("splits", "temperature", "litert", "data"):
        assert after[key] == before[key]
    assert sha256_of(measured_on(run, own).embeddings_path) == embeddings, "an export leaves the embeddings as they are"

    other = dataset_at(tmp_path / "other", seed=1)
    export_run(run, other)
    new_metrics = run.metrics(other.info.fingerprint)
    assert new_metrics is not None
    found = read_embeddings(run, other.info.fingerprint)
    assert found is not None
    assert found.fingerprint == other.info.fingerprint
    assert new_metrics["splits"] != before["splits"], "the figures must be those of the data that they name"
    again = evaluate_run(run, other)
    assert new_metrics == {**again, "milliseconds_per_face": new_metrics["milliseconds_per_face"]}
    assert run.evaluation_problems() == [], "no evaluation is left that is about another file"


@pytest.mark.slow
def test_an_evaluation_finds_the_nearest_training_faces_of_every_test_face(tmp_path: Path) -> None:
    dataset = dataset_at(tmp_path / "data")
    run = make_run(tmp_path / "run")
    assert read_embeddings(run) is None
    evaluate_run(run, dataset)
    found = read_embeddings(run, dataset.info.fingerprint)
    assert found is not None
    assert found.rows.tolist() == np.flatnonzero(dataset.splits != "Training").tolist()
    assert found.nearest.shape == (len(found), 5)
    assert (dataset.splits[found.nearest] == "Training").all()
    assert measured_on(run, dataset.info.fingerprint).has("embeddings.parquet")


@pytest.mark.slow
def test_an_evaluation_cut_short_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run")
    dataset, other = dataset_at(tmp_path / "data"), dataset_at(tmp_path / "other", seed=1)
    evaluate_run(run, dataset)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fer_core.evaluation.evaluate.write_embeddings_of", killed)
    with pytest.raises(KeyboardInterrupt):
        evaluate_run(run, other)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
    assert run.evaluation(other.info.fingerprint) is None


@pytest.mark.slow
def test_faces_that_cannot_be_evaluated_on_leave_everything_as_it_is(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    dataset = dataset_at(tmp_path / "data")
    evaluate_run(run, dataset)
    only = write_dataset(tmp_path / "only", dataset.images, dataset.labels, ["Training"] * len(dataset))
    with pytest.raises(RunError, match="no PublicTest or PrivateTest faces"):
        evaluate_run(run, only)
    assert run.evaluation(only.info.fingerprint) is None
    assert read_embeddings(run, dataset.info.fingerprint) is not None


@pytest.mark.slow
def test_without_public_test_faces_there_is_no_temperature_and_it_is_said(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    metrics = evaluate_run(run, dataset_at(tmp_path / "data", public=False))
    assert metrics["temperature"] is None
    assert list(metrics["litert"]) == ["PrivateTest"]
    assert "There is no temperature" in card_of(run)
    assert "There is no temperature" in metrics_text(metrics)
