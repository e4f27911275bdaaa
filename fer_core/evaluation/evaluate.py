"""Complete a training, measure a run on a dataset, export it again. Child processes only."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.data.face_rows import FaceRows, in_batches
from fer_core.emotions import COUNT, PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.embeddings import write_embeddings_of
from fer_core.evaluation.export import Parity, export_litert
from fer_core.evaluation.half_precision import halve_keras
from fer_core.evaluation.measure import library_versions, measure, open_rows, seal_measured, write_test_predictions
from fer_core.evaluation.scores import accuracies
from fer_core.evaluation.vote import evaluate_vote
from fer_core.files import sha256_of
from fer_core.inference.predictor import Average, Predictor, mirrored
from fer_core.runs.card import write_card
from fer_core.runs.contracts import Metrics
from fer_core.runs.evaluations import (
    EMBEDDINGS,
    FOLDER,
    PREDICTIONS,
    Evaluation,
    folder_name,
)
from fer_core.runs.events import best_epoch, starts_of
from fer_core.runs.folder import RunFolder, check_sealed, seal
from fer_core.runs.journal import Journal, epochs_of, thinned, utc_now
from fer_core.runs.predictions import read_predictions
from fer_core.runs.transaction import Change, change
from fer_core.runs.upgrade import upgrade
from fer_core.zoo.keras_model import load_keras, predict

if TYPE_CHECKING:
    import keras

    from fer_core.data.dataset import Dataset

_SEAL_KEYS = ("schema", "origin", "files")
"""What :func:`fer_core.runs.folder.seal` writes into ``run.json`` by itself."""


def complete_run(
    folder: RunFolder,
    dataset: Dataset,
    state: str,
    journal: Journal | None = None,
    *,
    average: Average = "none",
    final: bool = False,
) -> Metrics:
    """Make a trained run folder complete. Returns the metrics.

    ``state`` is ``done`` or ``stopped``. With ``journal`` each step is announced there. ``average`` and
    ``final`` as in :func:`evaluate_run`. Raises ``RunError``, ``ExportError`` or ``DataError``; model,
    evaluation and ``run.json`` appear together, at the end.
    """
    model = load_keras(folder.keras_path)
    with change(folder.path) as prepared:
        tflite = prepared.file(folder.tflite_path.name)
        _announce(journal, "exporting", "writing model.tflite and comparing it with model.keras")
        export_litert(model, tflite, parity_faces(dataset))
        metrics = _evaluate(
            folder, prepared, dataset, model, tflite, flip=average == "flip", final=final, journal=journal
        )
        _announce(journal, "writing card", "")
        if journal and state == "done":
            journal.write("done", seconds=sum(event["seconds"] for event in epochs_of(folder.events())))
        if folder.journal_path.exists():
            prepared.file(folder.journal_path.name).write_bytes(thinned(folder.journal_path.read_bytes()))
        seal(folder, _manifest(folder, dataset, state), prepared)
    write_card(folder)
    return metrics


def evaluate_run(folder: RunFolder, dataset: Dataset, *, average: Average = "none", final: bool = False) -> Metrics:
    """Measure on a dataset: predictions, embeddings, metrics. Model files and other evaluations stay.

    An earlier evaluation on the same dataset is replaced as a whole, when the new one is there. A vote keeps its
    weights. ``average="flip"`` also measures the mean with the mirror image, apart from the plain scores; once an
    evaluation has that, a later one on the same data measures it again. ``final`` opens PrivateTest, and the
    ledger gets a line of it. Returns the metrics. Raises ``RunError`` if
    the run has no model.
    """
    folder.check_has_model()
    upgrade(folder, drop_damaged=True)
    manifest = folder.manifest()
    if manifest is not None and not folder.is_vote:
        check_sealed(folder, manifest, folder.keras_path.name, "Restore the file, or train the run again.")
    if not folder.is_vote and (manifest is None or not folder.tflite_path.exists()):
        state = _state_of(folder) if manifest is None else manifest["state"]
        return complete_run(folder, dataset, state, average=average, final=final)
    flip = average == "flip" or _has_flip_average(folder, dataset.info.fingerprint)
    if folder.is_vote:
        return evaluate_vote(folder, dataset, flip=flip, final=final)
    assert manifest is not None
    again = f"Make it again with: python -m fer_core export {folder.path} --data {dataset.info.path}"
    check_sealed(folder, manifest, folder.tflite_path.name, again)
    model = load_keras(folder.keras_path)
    with change(folder.path) as prepared:
        metrics = _evaluate(folder, prepared, dataset, model, folder.tflite_path, flip=flip, final=final)
    write_card(folder)
    return metrics


def export_run(folder: RunFolder, dataset: Dataset, *, half_precision: str | None = None) -> Parity:
    """Write the run's ``model.tflite`` anew, and measure what follows from it; all of it takes effect together.

    ``half_precision``: ``both`` stores large kernels of both model files as float16, ``keras`` those of ``model.keras``
    alone. Predictions made with ``model.keras`` stay where its weights stay. Evaluations on other data than
    ``dataset`` are about another file then, and go, unless the new file is the same. Raises ``ExportError``, with
    nothing changed, where the files would not be the same model.
    """
    folder.check_has_model()
    upgrade(folder, drop_damaged=True)
    manifest = folder.manifest()
    if manifest is not None:
        check_sealed(folder, manifest, folder.keras_path.name, "Restore the file, or train the run again.")
    with change(folder.path) as prepared:
        keras_path = folder.keras_path
        if half_precision:
            keras_path = prepared.file(folder.keras_path.name)
            halve_keras(folder.keras_path, keras_path, dataset, fit=half_precision == "both")
        model = load_keras(keras_path)
        tflite = prepared.file(folder.tflite_path.name)
        # A brought model may have a head that gives no class maps.
        maps = not folder.is_brought or folder.description().map_grid != (0, 0)
        parity = export_litert(model, tflite, parity_faces(dataset), half_precision=half_precision == "both", maps=maps)
        if manifest is not None:
            own = folder.evaluation(dataset.info.fingerprint)
            same = own if own is not None and own.sound(PREDICTIONS) and not half_precision else None
            flip = _has_flip_average(folder, dataset.info.fingerprint)
            # Figures of PrivateTest that are there are made anew, with another model: that is a look.
            final = same is None and own is not None and PRIVATE_TEST in own.metrics()["splits"]
            _evaluate(folder, prepared, dataset, model, tflite, flip=flip, final=final, predicted=same)
            record = {key: value for key, value in manifest.items() if key not in _SEAL_KEYS}
            seal(folder, record, prepared, known=manifest["files"])
    if manifest is not None:
        write_card(folder)
    return parity


def parity_faces(dataset: Dataset) -> FaceRows:
    """The faces an export is checked on: PublicTest, uint8 (n, 48, 48); all faces where that split is empty."""
    rows = dataset.rows(PUBLIC_TEST)
    return FaceRows(dataset.images, rows if len(rows) else np.arange(len(dataset)))


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
    return (
        "done"
        if any(event["event"] == "phase" and event["name"] == "early stopping" for event in last_attempt)
        else "stopped"
    )


def _has_flip_average(folder: RunFolder, fingerprint: str) -> bool:
    try:
        metrics = folder.metrics(fingerprint)
    except RunError:
        return False  # damaged, and about to be written anew
    return metrics is not None and any("flip_average" in scores for scores in metrics["splits"].values())


def _evaluate(
    folder: RunFolder,
    prepared: Change,
    dataset: Dataset,
    model: keras.Model,
    tflite: Path,
    *,
    flip: bool,
    final: bool,
    journal: Journal | None = None,
    predicted: Evaluation | None = None,
) -> Metrics:
    """Prepare the evaluation of ``model`` and its LiteRT file ``tflite`` on the dataset. Returns the metrics.

    ``predicted``: an evaluation by the same weights on the same faces, with sound predictions, which are taken over as
    its embeddings are. Measurements on request are taken over where they are about this very LiteRT file. Where the
    change brings another one, evaluations that are about the old one go.
    """
    data, digest = dataset.info.record(), sha256_of(tflite)
    path = prepared.directory(f"{FOLDER}/{folder_name(data)}")
    if predicted is None:
        rows, opened = open_rows(folder, dataset, digest, folder.path, final=final)
    else:
        rows, opened = np.sort(predicted.predictions()["row"].to_numpy()), predicted.metrics().get("opened")
    if predicted is not None:
        shutil.copy2(predicted.predictions_path, path / PREDICTIONS)
    else:
        _announce(journal, "evaluating", "predicting test faces with the best epoch")
        write_test_predictions(path / PREDICTIONS, dataset, rows, predict(model, FaceRows(dataset.images, rows)))
    if predicted is not None and predicted.sound(EMBEDDINGS):
        shutil.copy2(predicted.embeddings_path, path / EMBEDDINGS)
    else:
        _announce(journal, "evaluating", "looking for the Training faces nearest to each test face")
        write_embeddings_of(path / EMBEDDINGS, dataset, model, rows)
    _announce(journal, "evaluating", "measuring how accurate and how fast model.tflite is")
    frame = read_predictions(path / PREDICTIONS, fingerprint=dataset.info.fingerprint)
    faces = FaceRows(dataset.images, frame["row"].to_numpy())
    metrics = measure(
        frame,
        dataset,
        Predictor(tflite, threads=1),
        {folder.keras_path.name: prepared.newest(folder.keras_path), folder.tflite_path.name: tflite},
        litert=accuracies(frame, in_batches(Predictor(tflite).predict, faces, (COUNT,))),
        flipped=in_batches(lambda batch: predict(model, mirrored(batch)), faces, (COUNT,)) if flip else None,
        opened=opened,
    )
    seal_measured(folder, prepared, path, metrics, digest, new_model=prepared.has(folder.tflite_path.name))
    return metrics


def _manifest(folder: RunFolder, dataset: Dataset, state: str) -> dict[str, Any]:
    """``run.json`` of a run that has just been trained, less what :func:`seal` adds."""
    recipe, old = folder.recipe(), folder.manifest()
    events = folder.events()
    epochs = epochs_of(events)
    starts = starts_of(events)
    return {
        "id": old["id"] if old else folder.name,
        "name": folder.name,
        "title": recipe.title,
        "architecture": recipe.architecture,
        "created": old["created"] if old else utc_now(),
        "state": state,
        "data": (starts[-1].get("data") if starts else None) or dataset.info.record(),
        "epochs": len(epochs),
        "best_epoch": best_epoch(events) or len(epochs),
        "versions": old["versions"] if old else library_versions(),
        **({} if recipe.labels == "dataset" else {"labels": recipe.labels}),
    }


def _announce(journal: Journal | None, name: str, detail: str) -> None:
    if journal:
        journal.write("phase", name=name, detail=detail)
