"""The few faces whose answers a training keeps after each epoch, so that people see single faces being learned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT

WATCHED = 8
"""One of each class and one more: a row on a page."""
DIGITS = 3
"""Of a probability in the journal."""


def choose_watched(labels: npt.NDArray[np.int8]) -> npt.NDArray[np.intp]:
    """Positions in ``labels`` (0..6): the first face of each class, then second ones, :data:`WATCHED` at most.

    The same for the same labels, so that trainings on the same data, and one that goes on, watch the same faces.
    """
    rounds = [np.flatnonzero(labels == label) for label in range(COUNT)]
    found = [faces[turn] for turn in range(WATCHED) for faces in rounds if turn < len(faces)]
    return np.array(found[:WATCHED], dtype=np.intp)


def rounded(probabilities: npt.NDArray[np.float32]) -> list[list[float]]:
    """Probabilities (B, 7) as the journal has them."""
    return [[round(float(value), DIGITS) for value in row] for row in probabilities]
