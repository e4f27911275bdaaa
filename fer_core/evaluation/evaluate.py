"""Evaluate a finished training: predictions, metrics, export, card, ``run.json``. Child processes only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.data.audit import twins_of
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.embeddings import write_embeddings_of
from fer_core.evaluation.export import export_litert
from fer_core.evaluation.measure import RESAMPLES, SEED, library_versions, write_metrics
from fer_core.evaluation.scores import BySplit, accuracies, flip_average
from fer_core.evaluation.vote import evaluate_vote
from fer_core.inference.predictor import Average, Predictor, mirrored
from fer_core.runs.card import write_card
from fer_core.runs.folder import RunFolder, seal
from fer_core.runs.journal import Journal, epochs_of, utc_now
from fer_core.runs.measurements import drop_outdated
from fer_core.runs.predictions import write_predictions
from fer_core.zoo.keras_model import load_keras, predict

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from fer_core.data.dataset import Dataset


def complete_run(
    folder: RunFolder, dataset: Dataset, state: str, journal: Journal | None = None, *, average: Average = "none"
) -> dict[str, Any]:
    """Make a trained run folder complete. Returns the metrics.

    ``state`` is ``done`` or ``stopped``. With ``journal`` each step is announced there. ``average`` as in
    :func:`evaluate_run`. Raises ``RunError``, ``ExportError`` or ``DataError``; until the last step there is no
    ``run.json``.
    """
    flip = average == "flip" or _has_flip_average(folder)
    model = load_keras(folder.keras_path)
    _announce(journal, "evaluating", "predicting PublicTest and PrivateTest with the best epoch")
    folder.manifest_path.unlink(missing_ok=True)
    write_predictions_of(folder, dataset, model)
    _announce(journal, "evaluating", "looking for the Training faces nearest to each test face")
    write_embeddings_of(folder, dataset, model)
    _announce(journal, "exporting", "writing model.tflite and comparing it with model.keras")
    export_litert(model, folder.tflite_path, parity_faces(dataset))
    _announce(journal, "exporting", "measuring how accurate and how fast model.tflite is")
    metrics = _measure(folder, dataset, model, flip=flip)
    _announce(journal, "writing card", "")
    if journal and state == "done":
        journal.write("done", seconds=sum(event["seconds"] for event in epochs_of(folder.events())))
    finish(folder, dataset.info.record(), state, metrics)
    return metrics


def evaluate_run(folder: RunFolder, dataset: Dataset, *, average: Average = "none") -> dict[str, Any]:
    """Evaluate again: fresh predictions, embeddings, metrics, card and ``run.json``; the model files stay.

    On another dataset than the run was trained on, the result describes that dataset (the card says so). A vote keeps
    its weights. ``average="flip"`` also measures the mean with the mirror image, apart from the plain scores; once a
    run has that, every later evaluation measures it again. Returns the metrics. Raises ``RunError`` if the run has no
    model.
    """
    flip = average == "flip" or _has_flip_average(folder)
    if folder.is_vote:
        return evaluate_vote(folder, dataset, flip=flip)
    manifest = folder.manifest()
    state = manifest["state"] if manifest else _state_of(folder)
    if not folder.tflite_path.exists():
        return complete_run(folder, dataset, state, average=average)
    model = load_keras(folder.keras_path)
    write_predictions_of(folder, dataset, model)
    write_embeddings_of(folder, dataset, model)
    metrics = _measure(folder, dataset, model, flip=flip)
    finish(folder, dataset.info.record(), state, metrics)
    return metrics


def parity_faces(dataset: Dataset) -> npt.NDArray[np.uint8]:
    """The faces an export is checked on: PublicTest, uint8 (n, 48, 48); all faces where that split is empty."""
    rows = dataset.rows(PUBLIC_TEST)
    return np.asarray(dataset.images[rows] if len(rows) else dataset.images)


def reseal(folder: RunFolder, dataset: Dataset) -> None:
    """Bring what metrics say of ``model.tflite``, card and ``run.json`` up to date after an export.

    What was measured through ``model.keras`` stays, unless that was on other data: then all is measured anew.
    """
    manifest, metrics = folder.manifest(), folder.metrics()
    assert manifest is not None
    if metrics is None or metrics["data"]["fingerprint"] != dataset.info.fingerprint:
        evaluate_run(folder, dataset)
        return
    flips = {split: scores["flip_average"] for split, scores in metrics["splits"].items() if "flip_average" in scores}
    metrics = write_metrics(folder, dataset, litert=_litert(folder, dataset), flips=flips)
    finish(folder, dataset.info.record(), manifest["state"], metrics)


def _state_of(folder: RunFolder) -> str:
    """``done`` if the journal says that training came to its end, ``stopped`` otherwise.

    A run that was stopped may have been resumed and finished, so only what was reached counts.
    """
    events = folder.events()
    epochs = epochs_of(events)
    if epochs and epochs[-1]["epoch"] >= folder.recipe().epochs:
        return "done"
    starts = [index for index, event in enumerate(events) if event["event"] == "start"]
    last_attempt = events[starts[-1] :] if starts else []
    return "done" if any(event.get("name") == "early stopping" for event in last_attempt) else "stopped"


def _has_flip_average(folder: RunFolder) -> bool:
    try:
        metrics = folder.metrics()
    except RunError:
        return False  # damaged, and about to be written anew
    return any("flip_average" in scores for scores in (metrics or {}).get("splits", {}).values())


def _measure(folder: RunFolder, dataset: Dataset, model: keras.Model, *, flip: bool) -> dict[str, Any]:
    """``metrics.json`` of a run whose predictions and ``model.tflite`` are there."""
    flips = None
    if flip:
        predictions = _predictions(folder)
        probabilities = predict(model, mirrored(np.asarray(dataset.images[predictions["row"].to_numpy()])))
        flips = flip_average(predictions, probabilities, resamples=RESAMPLES, seed=SEED)
    return write_metrics(folder, dataset, litert=_litert(folder, dataset), flips=flips)


def _litert(folder: RunFolder, dataset: Dataset) -> BySplit:
    """How accurate ``model.tflite`` itself is on the faces that were predicted: ``litert`` of ``metrics.json``."""
    predictions = _predictions(folder)
    faces = np.asarray(dataset.images[predictions["row"].to_numpy()])
    return accuracies(predictions, Predictor(folder.tflite_path).predict(faces))


def _predictions(folder: RunFolder) -> pd.DataFrame:
    predictions = folder.predictions()
    assert predictions is not None
    return predictions


def write_predictions_of(folder: RunFolder, dataset: Dataset, model: keras.Model) -> None:
    """``predictions.parquet``: what the Keras model says of every face that is not in Training."""
    rows = np.flatnonzero((dataset.splits == PUBLIC_TEST) | (dataset.splits == PRIVATE_TEST))
    if not len(rows):
        raise RunError(f"{dataset.info.path} has no {PUBLIC_TEST} or {PRIVATE_TEST} faces to evaluate on.")
    probabilities = predict(model, np.asarray(dataset.images[rows]))
    twin = twins_of(dataset).near[rows]
    # An evaluation that is cut short must not leave embeddings beside predictions of other faces.
    folder.embeddings_path.unlink(missing_ok=True)
    write_predictions(folder.predictions_path, rows, dataset.splits[rows], dataset.labels[rows], probabilities, twin)


def finish(folder: RunFolder, data: dict[str, Any], state: str, metrics: dict[str, Any]) -> None:
    """Write the card, drop measurements that are about another model or other faces, and seal with ``run.json``."""
    old = folder.manifest() or {}
    recipe = folder.recipe()
    events = folder.events()
    epochs = epochs_of(events)
    marks = [event for event in events if event["event"] == "checkpoint"]
    starts = [event for event in events if event["event"] == "start"]
    manifest = {
        "id": old.get("id", folder.name),
        "name": folder.name,
        "title": recipe.title,
        "architecture": recipe.architecture,
        "created": old.get("created", utc_now()),
        "state": state,
        # Trained on; metrics.json says what it was evaluated on, which may be another dataset.
        "data": starts[-1]["data"] if starts else data,
        "epochs": len(epochs),
        "best_epoch": marks[-1]["epoch"] if marks else len(epochs),
        "versions": old.get("versions", library_versions()),
    }
    write_card(folder, manifest, metrics)
    drop_outdated(folder, metrics["data"]["fingerprint"])
    seal(folder, manifest)


def _announce(journal: Journal | None, name: str, detail: str) -> None:
    if journal:
        journal.write("phase", name=name, detail=detail)
