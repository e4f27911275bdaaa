"""Temperature scaling: one number that makes a model's confidence fit how often it is right.

Guo et al., 2017, *On Calibration of Modern Neural Networks* (https://arxiv.org/abs/1706.04599). The logits are divided
by a temperature T > 0 before the softmax. T > 1 makes a model less sure of itself, T < 1 surer; the order of the
classes stays, so no answer and no accuracy changes. Our files hold probabilities, and softmax(logits / T) is
softmax(log p / T): the constant between a logit and log p drops out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.stats.intervals import wilson_interval
from fer_core.stats.metrics import BINS, SMALLEST_PROBABILITY, checked, confidence_bins, expected_calibration_error

TEMPERATURES = (0.05, 20.0)
"""What a fitted temperature may be. Only a model that is nearly always right, or hardly better than chance, is held
back."""
FEWEST_TO_CALIBRATE = 200
"""From fewer faces no temperature is fitted for use: it would say more about these few than about the model."""
_HALVINGS = 60
"""Enough to pin down a float64."""

Float32 = npt.NDArray[np.float32]


def fit_temperature(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """The temperature, within :data:`TEMPERATURES`, at which these faces' log loss is smallest.

    ``labels``: int (n,), 0..6. ``probabilities``: float (n, 7), rows adding up to 1, each counted as at least
    :data:`~fer_core.stats.metrics.SMALLEST_PROBABILITY`. Raises ``ValueError`` for anything else, or no face.
    """
    true, rows = checked(labels, probabilities)
    logits = _logits(rows)
    of_truth = logits[np.arange(len(true)), true]

    def slope(beta: float) -> float:
        """Derivative of the log loss by beta = 1/T: the expected logit less that of the truth."""
        return float(((_softmax(beta * logits) * logits).sum(axis=1) - of_truth).mean())

    # The log loss is convex in 1/T: its slope only rises, so halving the interval around its zero finds the minimum.
    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if slope(low) >= 0:
        return TEMPERATURES[1]
    if slope(high) <= 0:
        return TEMPERATURES[0]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return 2 / (low + high)


def usable_temperature(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float | None:
    """:func:`fit_temperature`; None where there are fewer faces than :data:`FEWEST_TO_CALIBRATE`, or none at all."""
    return fit_temperature(labels, probabilities) if len(np.asarray(labels)) >= FEWEST_TO_CALIBRATE else None


def apply_temperature(probabilities: npt.ArrayLike, temperature: float) -> Float32:
    """softmax(log p / ``temperature``), float32 (n, 7), rows adding up to 1. ``probabilities``: float (n, 7), 0..1.

    At temperature 1 the probabilities come back as they are. n may be 0. Raises ``ValueError`` for another shape, or
    a temperature that is not a finite number above 0.
    """
    rows = np.asarray(probabilities, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != COUNT:
        raise ValueError(f"probabilities must be (n, {COUNT}), not {rows.shape}")
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"a temperature is a finite number above 0, not {temperature}")
    if temperature == 1:
        return rows
    return _softmax(_logits(rows.astype(np.float64)) / temperature).astype(np.float32)


def _logits(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # As the log loss clips: a float32 softmax gives exact zeros, whose logarithm is infinite.
    return np.log(np.clip(probabilities, SMALLEST_PROBABILITY, 1.0))


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


FloatArray = npt.NDArray[np.float64]


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
