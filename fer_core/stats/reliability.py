"""Does confidence fit how often a model is right? The reliability diagram's numbers.

DeGroot and Fienberg, 1983 (https://doi.org/10.2307/2987588); for networks Guo et al., 2017
(https://arxiv.org/abs/1706.04599). Confidence is the highest of the seven probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.stats.calibration import apply_temperature
from fer_core.stats.intervals import wilson_interval
from fer_core.stats.metrics import checked, confidence_bins, expected_calibration_error

FloatArray = npt.NDArray[np.float64]
BINS = 15
"""As Guo et al., and as ``ece`` in ``metrics.json``."""


@dataclass(frozen=True)
class Reliability:
    """Faces by confidence, in bins of equal width, each open below and closed above.

    ``edges``: float64 (bins + 1,), 0..1. By bin: ``counts`` int64 (bins,), faces; ``confidence``, ``accuracy``, and the
    95 % Wilson interval of the latter, ``low`` and ``high``: float64 (bins,), 0..1, NaN in an empty bin. ``ece``: the
    expected calibration error, 0..1. ``surplus``: mean confidence less accuracy over all faces, -1..1: above 0 the
    model is too sure of itself. ``temperature``: what was applied, 1 for none.
    """

    edges: FloatArray
    counts: npt.NDArray[np.int64]
    confidence: FloatArray
    accuracy: FloatArray
    low: FloatArray
    high: FloatArray
    ece: float
    surplus: float
    temperature: float

    @property
    def n(self) -> int:
        """Faces in all."""
        return int(self.counts.sum())


def reliability(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, bins: int = BINS, temperature: float = 1.0
) -> Reliability:
    """The reliability of one model's confidence, with a temperature applied to it first.

    ``labels``: int (n,), 0..6, n ≥ 1; ``probabilities``: float (n, 7); ``bins`` ≥ 1. With ``temperature`` 1 the
    probabilities are taken as they are. Faces may change bins with it; no answer changes. Raises ``ValueError`` for
    anything else.
    """
    if temperature != 1:
        probabilities = apply_temperature(probabilities, temperature)
    true, rows = checked(labels, probabilities)
    sure = rows.max(axis=1)
    right = rows.argmax(axis=1) == true
    place = confidence_bins(sure, bins)
    counts = np.bincount(place, minlength=bins)
    hits = np.bincount(place[right], minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, weights=sure, minlength=bins) / counts
        accuracy = hits / counts
    low, high = wilson_interval(hits, counts)
    return Reliability(
        edges=np.arange(bins + 1) / bins,
        counts=counts,
        confidence=confidence,
        accuracy=accuracy,
        low=low,
        high=high,
        ece=expected_calibration_error(true, rows, bins=bins),
        surplus=float(sure.mean() - right.mean()),
        temperature=float(temperature),
    )
