"""``metrics.json``: the scores of a run's predictions, the time of a prediction, the sizes of the model files."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.data.audit import twins_of
from fer_core.evaluation.scores import BySplit, score_splits, temperature_scores
from fer_core.files import write_json
from fer_core.inference.predictor import Predictor
from fer_core.inference.vote import VotePredictor
from fer_core.runs.folder import SCHEMA, RunFolder
from fer_core.runs.vote import member_folders, read_vote

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

RESAMPLES = 2000
SEED = 0
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


def write_metrics(
    folder: RunFolder, dataset: Dataset, *, litert: BySplit | None = None, flips: BySplit | None = None
) -> dict[str, Any]:
    """``metrics.json`` from ``predictions.parquet``, the time of a prediction and the sizes of the files.

    ``litert`` (see :func:`fer_core.evaluation.scores.accuracies`) and ``flips``
    (see :func:`fer_core.evaluation.scores.flip_average`) are stored where they are given.
    """
    predictions = folder.predictions()
    assert predictions is not None
    metrics: dict[str, Any] = {
        "schema": SCHEMA,
        "data": dataset.info.record(),
        "seed": SEED,
        "resamples": RESAMPLES,
        "splits": score_splits(predictions, twins_of(dataset), resamples=RESAMPLES, seed=SEED),
        "temperature": temperature_scores(predictions),
        **({"litert": litert} if litert else {}),
        **_timing(folder, dataset),
        "megabytes": _megabytes(folder),
    }
    for split, flip in (flips or {}).items():
        metrics["splits"][split]["flip_average"] = flip
    write_json(folder.metrics_path, metrics)
    return metrics


def _megabytes(folder: RunFolder) -> dict[str, float]:
    """Sizes of the model files; of a vote, what its members' ``model.tflite`` take together."""
    if folder.is_vote:
        paths = [member.tflite_path for member in member_folders(folder, read_vote(folder))]
        return {"model.tflite": round(sum(path.stat().st_size for path in paths) / 1e6, 3)}
    return {path.name: round(path.stat().st_size / 1e6, 3) for path in (folder.keras_path, folder.tflite_path)}


def _timing(folder: RunFolder, dataset: Dataset) -> dict[str, Any]:
    """Median milliseconds of one LiteRT call with class maps for one face, one thread; of a vote, of all members."""
    predictor = (
        VotePredictor(folder.vote_path, threads=1) if folder.is_vote else Predictor(folder.tflite_path, threads=1)
    )
    face = np.asarray(dataset.images[:1])
    seconds = []
    for _ in range(TIMED_CALLS + 5):
        began = time.perf_counter()
        predictor.explain(face)
        seconds.append(time.perf_counter() - began)
    return {
        "milliseconds_per_face": round(float(np.median(seconds[5:])) * 1000, 3),
        "threads": 1,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores",
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
