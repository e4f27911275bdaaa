"""In place of Keras and LiteRT, for tests of what is written and when: quick, and the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fer_core.data.face_rows import Images
from fer_core.emotions import COUNT
from fer_core.evaluation.export import Parity
from fer_core.runs.embeddings import write_embeddings


class Model:
    """Answers after the brightness of the face, and after the content of its file."""

    def __init__(self, path: Path, **_: Any) -> None:
        self.path, self.content = Path(path), Path(path).read_bytes()
        self.threads, self.map_grid = 1, (6, 6)

    def predict(self, faces: Images, **_: Any) -> np.ndarray:
        faces = np.asarray(faces[:])
        bright = faces.reshape(len(faces), -1)[:, : 7 * 40].reshape(len(faces), COUNT, -1).mean(axis=2)
        values = np.exp((bright - bright.mean(axis=1, keepdims=True)) / (5 + len(self.content) % 7))
        return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)

    def explain(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.predict(faces), np.ones((len(faces), COUNT, *self.map_grid), np.float32)


def _embeddings(path: Path, dataset: Any, model: Model, test: npt.NDArray[np.intp]) -> None:
    training = dataset.rows("Training")
    faces, known = (np.asarray(dataset.images[rows])[:, 0, :4].astype(np.float32) for rows in (test, training))
    write_embeddings(path, test, dataset.splits[test], faces, training, known, fingerprint=dataset.info.fingerprint)


def _export(model: Model, path: Path, faces: Images, *, half_precision: bool = False, maps: bool = True) -> Parity:
    temporary = path.with_name(f".{path.stem}.tflite")
    temporary.write_bytes(b"a LiteRT file of " + model.content)
    temporary.replace(path)
    return Parity(len(faces), 0.0, 1.0, 0.0)


def _halve(source: Path, target: Path, dataset: Any, *, fit: bool = False) -> None:
    target.write_bytes(source.read_bytes().removesuffix(b"halved") + b"halved")


def without_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """``evaluate``, ``export`` and ``vote`` with these stand-ins, few resamples and no clock."""
    evaluate, vote = "fer_core.evaluation.evaluate", "fer_core.evaluation.vote"
    for name, value in {
        f"{evaluate}.load_keras": Model,
        f"{evaluate}.predict": lambda model, faces: model.predict(faces),
        f"{evaluate}.write_embeddings_of": _embeddings,
        f"{evaluate}.export_litert": _export,
        f"{evaluate}.halve_keras": _halve,
        f"{evaluate}.Predictor": Model,
        f"{vote}.VotePredictor": Model,
        "fer_core.evaluation.measure.RESAMPLES": 5,
        "fer_core.evaluation.measure.TIMED_CALLS": 1,
        "fer_core.evaluation.measure._timing": lambda *_: {
            "milliseconds_per_face": 1.0,
            "threads": 1,
            "machine": "none",
        },
        "fer_core.inference.models.load_model": lambda folder, **_: Model(Path(folder) / "run.json"),
    }.items():
        monkeypatch.setattr(name, value)
