"""How well points of one class lie together: whose neighbours on a map they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT

_BLOCK = 512
"""Points compared with all others at once."""


def neighbour_shares(places: npt.ArrayLike, labels: npt.ArrayLike, k: int = 10) -> npt.NDArray[np.float64]:
    """Which share of the ``k`` nearest others of each class's points is of which class: float64 (7, 7), a row a class.

    ``places``: float (n, d), ``labels``: int (n,), 0..6. Rows of classes without a point are NaN, and so are all where
    there are fewer than two points. Raises ``ValueError`` for other shapes.
    """
    points, of = np.asarray(places, dtype=np.float32), np.asarray(labels, dtype=np.int64)
    if points.ndim != 2 or of.shape != (len(points),):
        raise ValueError(f"places {points.shape} and labels {of.shape} do not fit")
    n = len(points)
    k = min(k, n - 1)
    counts = np.zeros((COUNT, COUNT), dtype=np.int64)
    squares = (points**2).sum(axis=1)
    for start in range(0, n, _BLOCK) if k > 0 else ():
        block = np.arange(start, min(start + _BLOCK, n))
        distances = squares - 2 * points[block] @ points.T
        distances[np.arange(len(block)), block] = np.inf
        near = np.argpartition(distances, k - 1, axis=1)[:, :k]
        np.add.at(counts, (np.repeat(of[block], k), of[near].ravel()), 1)
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.full((COUNT, COUNT), np.nan), where=totals > 0)
