"""``metrics.json``: the scores of a run's predictions, the time of a prediction, the sizes of the model files."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.data.audit import near_duplicates_of
from fer_core.data.persons import persons_of
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.scores import flip_average, score_splits, temperature_scores
from fer_core.files import write_json
from fer_core.inference.predictor import Predictor
from fer_core.runs.contracts import LitertScores, Metrics, Opened, Timing
from fer_core.runs.evaluations import METRICS, SCHEMA, made_useless, seal_evaluation
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import utc_now
from fer_core.runs.ledger import last_look, looks_at, sealed, write_look
from fer_core.runs.measurements import still_true
from fer_core.runs.predictions import read_predictions, write_predictions
from fer_core.runs.transaction import Change
from fer_core.stats.intervals import RESAMPLES, SEED

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.data.dataset import Dataset

TIMED_CALLS = 50
LIBRARIES = (
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "numpy",
    "ai-edge-litert",
    "opencv-python-headless",
)


def measure(
    predictions: pd.DataFrame,
    dataset: Dataset,
    predictor: Predictor | None,
    files: Mapping[str, Path | Sequence[Path]],
    *,
    litert: dict[str, LitertScores] | None = None,
    flipped: npt.ArrayLike | None = None,
    opened: Opened | None = None,
) -> Metrics:
    """``metrics.json``: scores of the predictions, the time of a prediction, the sizes of the model files.

    ``predictions``: as from :func:`fer_core.runs.predictions.read_predictions`. ``predictor``: what is timed, with one
    thread; None where only a model's answers are here. ``files``: the model files by the names under which their sizes
    are told; of several, the sum. ``opened``: when PrivateTest was, where it is sealed.
    ``litert``: see :func:`fer_core.evaluation.scores.accuracies`. ``flipped``: float (n, 7), the probabilities of the
    mirror images, row by row; with them the mean of both is scored, too.
    """
    persons = persons_of(dataset, predictions["row"].to_numpy())
    splits = score_splits(predictions, near_duplicates_of(dataset), persons=persons, resamples=RESAMPLES, seed=SEED)
    if flipped is not None:
        flips = flip_average(predictions, flipped, persons=persons, resamples=RESAMPLES, seed=SEED)
        for split, flip in flips.items():
            splits[split]["flip_average"] = flip
    metrics: Metrics = {
        "schema": SCHEMA,
        "data": dataset.info.record(),
        "seed": SEED,
        "resamples": RESAMPLES,
        "splits": splits,
        "temperature": temperature_scores(predictions),
        **(Timing() if predictor is None else _timing(predictor, np.asarray(dataset.images[:1]))),
        "megabytes": {name: _megabytes(path) for name, path in files.items()},
    }
    if litert:
        metrics["litert"] = litert
    if opened:
        metrics["opened"] = opened
    return metrics


def write_test_predictions(
    path: Path, dataset: Dataset, rows: npt.NDArray[np.intp], probabilities: npt.ArrayLike
) -> pd.DataFrame:
    """``predictions.parquet``: what a run says of the faces of these rows, int (n,), as float (n, 7). Read back.

    The one place for every kind of run that is measured: split, label and twins are the dataset's.
    """
    fingerprint = dataset.info.fingerprint
    twins = near_duplicates_of(dataset).exact_or_near
    write_predictions(
        path, rows, dataset.splits[rows], dataset.labels[rows], probabilities, twins[rows], fingerprint=fingerprint
    )
    return read_predictions(path, fingerprint=fingerprint)


def test_rows(dataset: Dataset, *, final: bool) -> npt.NDArray[np.intp]:
    """Rows of the faces to measure on, ascending: of PublicTest and, with ``final``, of PrivateTest.

    Where PrivateTest is not sealed (:func:`fer_core.runs.ledger.sealed`), of both. Raises ``RunError`` where there is
    none.
    """
    wanted = dataset.splits == PUBLIC_TEST
    if final or not sealed(dataset):
        wanted |= dataset.splits == PRIVATE_TEST
    rows = np.flatnonzero(wanted)
    if not len(rows):
        raise RunError(f"{dataset.info.path} has no {PUBLIC_TEST} or {PRIVATE_TEST} faces to evaluate on.")
    return rows


def open_rows(
    folder: RunFolder, dataset: Dataset, model: str, where: Path, *, final: bool, known_as: str = ""
) -> tuple[npt.NDArray[np.intp], Opened | None]:
    """:func:`test_rows` for a model of this SHA-256, whose figures go to ``where``; and when PrivateTest was opened.

    Each ``final`` look is written into the ledger first. Figures that are there of this very model are made again
    without a new look: they tell nothing new. Where nothing is sealed, nothing is written down. Raises ``RunError``
    where the ledger cannot be written.
    """
    if not sealed(dataset):
        return test_rows(dataset, final=True), None
    fingerprint = dataset.info.fingerprint
    seen = last_look(folder.path, known_as, fingerprint) if known_as else ""
    if final and not seen:
        write_look(where, folder.path, model, dataset.info.record())
    when = seen or last_look(folder.path, model, fingerprint) or _measured_before_the_ledger(folder, fingerprint, model)
    if not when:
        return test_rows(dataset, final=False), None
    found = looks_at(folder.path, fingerprint)
    # Figures that are older than the ledger stand for a look, at least.
    opened = Opened(when=when, model=model, looks=max(1, found.count), at_least=found.at_least or not found.count)
    return test_rows(dataset, final=True), opened


def opened_before(folder: RunFolder, fingerprint: str, model: str) -> bool:
    """Whether there are figures of PrivateTest of this very model: by the ledger, or from before it."""
    return bool(last_look(folder.path, model, fingerprint) or _measured_before_the_ledger(folder, fingerprint, model))


def _measured_before_the_ledger(folder: RunFolder, fingerprint: str, model: str) -> str:
    """When; empty where it was not, or those figures are damaged and about to be made anew."""
    old = folder.evaluation(fingerprint) if folder.manifest() is not None else None
    if old is None or old.model != model or not old.sound(METRICS):
        return ""
    metrics = old.metrics()
    if PRIVATE_TEST not in metrics["splits"]:
        return ""
    return metrics["opened"]["when"] if "opened" in metrics else old.created


def seal_measured(
    folder: RunFolder, prepared: Change, path: Path, metrics: Metrics, model: str, *, new_model: bool
) -> None:
    """End the evaluation in ``path`` of ``prepared``, whose predictions are written: metrics, what is taken over, seal.

    ``model``: SHA-256 of what was measured. Measurements on request are taken over where they are about that very
    model; other evaluations of the same faces go and, with a ``new_model``, those that are about the old one.
    """
    data = metrics["data"]
    write_json(path / METRICS, metrics)
    old = folder.evaluation(data["fingerprint"])
    if old is not None:
        for name in still_true(old, model):
            shutil.copy2(old.path / name, path / name)
    seal_evaluation(path, data, model)
    for name in made_useless(folder.path, data, model if new_model else ""):
        prepared.remove(name)


def machine_text() -> str:
    """Where it was measured, in words."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores"


def _megabytes(paths: Path | Sequence[Path]) -> float:
    every = [paths] if isinstance(paths, Path) else paths
    return round(sum(path.stat().st_size for path in every) / 1e6, 3)


def _timing(predictor: Predictor, face: npt.NDArray[np.uint8]) -> Timing:
    """Median milliseconds of one call with class maps for one face, uint8 (1, 48, 48); of a vote, of all members."""
    seconds = []
    for _ in range(TIMED_CALLS + 5):
        began = time.perf_counter()
        predictor.explain(face)
        seconds.append(time.perf_counter() - began)
    return Timing(
        milliseconds_per_face=round(float(np.median(seconds[5:])) * 1000, 3),
        threads=predictor.threads,
        machine=machine_text(),
    )


def untrained_manifest(
    name: str, title: str, architecture: str, dataset: Dataset, *, epochs: int = 0
) -> dict[str, object]:
    """What :func:`fer_core.runs.folder.seal` writes of a run that was not trained here: a vote, or what was brought.

    ``dataset``: what it was chosen or tried on, or what its answers are about. ``epochs``: of its own history.
    """
    return {
        "id": name,
        "name": name,
        "title": title,
        "architecture": architecture,
        "created": utc_now(),
        "state": "done",
        "data": dataset.info.record(),
        "epochs": epochs,
        "best_epoch": None,
        "versions": library_versions(),
    }


def library_versions() -> dict[str, str]:
    """Versions of the libraries that decide a training's result, and of Python."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # tensorflow or tensorflow-cpu: only one of the two is installed
    return found
