"""Prediction and explanation with LiteRT: faces in, seven probabilities and seven class maps out.

The model file has two outputs, computed in one go (see :mod:`fer_core.zoo.class_maps`), so an explanation
costs a prediction. This module never imports TensorFlow.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.inference.interpreter import CHUNK, NO_MAPS, default_threads, interpreter_of
from fer_core.stats.calibration import apply_temperature

MAX_THREADS = 4
"""At 48×48 more threads cost more in handing over than they gain."""
AVERAGES = ("none", "flip")
"""Passes that a prediction may be the mean of: one over the face; one more over its mirror image."""

Average = Literal["none", "flip"]
Faces = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]
Maps = npt.NDArray[np.float32]


class Predictor:
    """One exported model, ready to run. Safe to share between threads: calls take turns.

    What costs memory is shared by all predictors of the same file: see :mod:`fer_core.inference.interpreter`.

    Attributes:
        name: what the model is called on the command line and in links.
        title: what people read.
        path: the ``.tflite`` file.
        threads: CPU threads the model uses.
        map_grid: (h, w) of the class maps, in cells; (1, 1) for a brought model whose head has none.
        temperature: what the logits are divided by (see :mod:`fer_core.stats.calibration`); 1 changes nothing.
    """

    def __init__(
        self,
        tflite_path: str | Path,
        *,
        name: str | None = None,
        title: str | None = None,
        threads: int | None = None,
        temperature: float = 1.0,
    ) -> None:
        """Open the file and run it once on a blank face, so that a broken file fails here.

        Raises ``RunError`` when the file is missing, is no LiteRT model, or has other inputs or outputs than
        ours; ``ValueError`` for a temperature that is not a finite number above 0.
        """
        self.path = Path(tflite_path)
        self.name = name or self.path.stem
        self.title = title or self.name
        self.threads = threads or default_threads(MAX_THREADS)
        self.temperature = temperature
        self._open()
        probabilities, maps = self._run(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8))
        apply_temperature(probabilities, temperature)  # a bad temperature fails here, too
        self.map_grid: tuple[int, int] = (maps.shape[2], maps.shape[3])

    def called(self, name: str) -> Self:
        """The same model, sharing all that it has open, under the name that people read."""
        other = copy.copy(self)
        other.name = name
        return other

    @property
    def has_maps(self) -> bool:
        """Whether it gives class maps; see :data:`~fer_core.inference.interpreter.NO_MAPS` for one that does not."""
        return self.map_grid != NO_MAPS.shape[2:]

    def predict(self, images: Faces, *, average: Average = "none") -> Probabilities:
        """Probabilities, float32 (B, 7), rows adding up to 1. ``images``: uint8 (B, 48, 48), grey 0..255.

        ``average="flip"`` gives the mean of the probabilities of each face and of its mirror image, at twice the
        time. Where there is a temperature it is applied to each pass first, as it was fitted. Raises ``ValueError``
        for another shape, dtype or average.
        """
        if average not in AVERAGES:
            raise ValueError(f"average must be one of {', '.join(AVERAGES)}, not {average!r}")
        plain = self.explain(images)[0]
        if average == "none":
            return plain
        return (plain + self.explain(mirrored(images))[0]) * np.float32(0.5)

    def explain(self, images: Faces) -> tuple[Probabilities, Maps]:
        """Probabilities (B, 7) and class maps (B, 7, h, w) ≥ 0, both float32, (h, w) being :attr:`map_grid`.

        A map says how much each part of the face speaks for that class, on the scale of the class's logit
        (Grad-CAM, https://arxiv.org/abs/1610.02391); a temperature changes the probabilities, never the maps.
        ``images``: uint8 (B, 48, 48), grey 0..255; B may be 0. Raises ``ValueError`` for another shape or dtype.
        """
        images = _checked(images)
        probabilities = np.empty((len(images), COUNT), dtype=np.float32)
        maps = np.empty((len(images), COUNT, *self.map_grid), dtype=np.float32)
        for start in range(0, len(images), CHUNK):
            part = slice(start, start + CHUNK)
            probabilities[part], maps[part] = self._run(images[part])
        return apply_temperature(probabilities, self.temperature), maps

    def __repr__(self) -> str:
        return f"Predictor({self.name!r}, {str(self.path)!r}, map_grid={self.map_grid})"

    def _open(self) -> None:
        self._interpreter = interpreter_of(self.path, self.threads)

    def _run(self, images: Faces) -> tuple[Probabilities, Maps]:
        return self._interpreter.run(images)


def mirrored(images: Faces) -> Faces:
    """Each face's mirror image (left and right exchanged), uint8 (B, 48, 48), contiguous."""
    return np.ascontiguousarray(_checked(images)[:, :, ::-1])


def _checked(images: Faces) -> Faces:
    array = np.asarray(images)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise ValueError(
            f"images must be uint8 of shape (B, {IMAGE_SIZE}, {IMAGE_SIZE}), not {array.dtype} of shape {array.shape}"
        )
    return array
