"""What if a model may say "I do not know"? It then answers only where it is confident enough.

Geifman and El-Yaniv, 2017, *Selective Classification for Deep Neural Networks* (https://arxiv.org/abs/1705.08500).
**Coverage** is the share of faces answered, **risk** the share of wrong answers among them. The area under the risk by
coverage (AURC) sums a model up without choosing a threshold: Geifman, Uziel and El-Yaniv, 2019
(https://arxiv.org/abs/1805.08206). Confidence is the highest of the seven probabilities.

Faces of the same confidence are answered together or not at all, since no threshold can tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.stats.intervals import wilson_interval
from fer_core.stats.metrics import checked

FloatArray = npt.NDArray[np.float64]
POINTS = 200


@dataclass(frozen=True)
class RiskCoverage:
    """One model's curve, from the surest face to all faces.

    ``coverage``, ``risk``, ``threshold``: float64 (m,), 0..1; coverage rises to 1, and ``threshold`` is the least
    confidence that gives it. ``aurc``: the mean risk over the n thresholds that the n faces set, 0..1, lower is better;
    of all points, also where fewer are kept to draw. ``best``: the lowest AURC possible with as many wrong answers,
    those being the least sure; the difference of the two is what the order of confidence costs (E-AURC). ``n``: faces.
    """

    coverage: FloatArray
    risk: FloatArray
    threshold: FloatArray
    aurc: float
    best: float
    n: int


@dataclass(frozen=True)
class Answered:
    """What a model does that answers only with a confidence of at least ``least_confidence`` (0..1).

    ``answered`` of ``n`` faces, ``right`` of those; ``coverage`` = answered / n. ``accuracy`` = right / answered, with
    its 95 % Wilson interval ``low``..``high``, all 0..1, all None where no face is answered.
    """

    least_confidence: float
    answered: int
    right: int
    n: int
    coverage: float
    accuracy: float | None
    low: float | None
    high: float | None


def risk_coverage(labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, points: int = POINTS) -> RiskCoverage:
    """The risk-coverage curve and its area.

    ``labels``: int (n,), 0..6, n ≥ 1; ``probabilities``: float (n, 7); ``points`` ≥ 2: at most so many are kept, evenly
    by coverage, the first and the last among them. Raises ``ValueError`` for anything else.
    """
    if points < 2:
        raise ValueError(f"points must be at least 2, not {points}")
    threshold, answered, right = _steps(labels, probabilities)
    n = int(answered[-1])
    risk = 1 - right / answered
    faces = np.diff(answered, prepend=0)
    ideal = np.arange(1, n + 1)
    keep = np.arange(len(threshold))
    if len(keep) > points:
        keep = np.unique(np.searchsorted(answered, np.linspace(answered[0], n, points)))
    return RiskCoverage(
        coverage=answered[keep] / n,
        risk=risk[keep],
        threshold=threshold[keep],
        aurc=float((faces * risk).sum() / n),
        best=float((np.maximum(ideal - right[-1], 0) / ideal).mean()),
        n=n,
    )


def at_threshold(labels: npt.ArrayLike, probabilities: npt.ArrayLike, least_confidence: float) -> Answered:
    """Coverage and accuracy where only a confidence of at least ``least_confidence`` (0..1) is an answer.

    ``labels``: int (n,), 0..6, n ≥ 1; ``probabilities``: float (n, 7). Raises ``ValueError`` for anything else.
    """
    if not 0 <= least_confidence <= 1:
        raise ValueError(f"the least confidence must lie in 0..1, not {least_confidence}")
    confidence, right = _answers(labels, probabilities)
    sure = confidence >= least_confidence
    return _answered(least_confidence, int(sure.sum()), int(right[sure].sum()), len(right))


def threshold_for(labels: npt.ArrayLike, probabilities: npt.ArrayLike, accuracy: float) -> Answered | None:
    """The threshold that answers the most faces with at least the wanted ``accuracy`` (0..1); None if none reaches it.

    Arguments and errors as :func:`at_threshold`. Accuracy does not always rise with the threshold, so the lowest
    threshold that reaches it is given, even if a higher one falls short again. A threshold picked on some faces
    flatters the model on them: pick it on PublicTest and read what it gives on PrivateTest with :func:`at_threshold`.
    Rounding a threshold can change the faces answered.
    """
    if not 0 <= accuracy <= 1:
        raise ValueError(f"an accuracy lies in 0..1, not {accuracy}")
    threshold, answered, right = _steps(labels, probabilities)
    # Counts, not shares: 9 of 10 must reach an accuracy of 0.9, whatever its last binary digit is.
    reached = np.flatnonzero(right >= accuracy * answered - 1e-9 * answered)
    if not len(reached):
        return None
    last = reached[-1]
    return _answered(float(threshold[last]), int(answered[last]), int(right[last]), int(answered[-1]))


def _steps(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike
) -> tuple[FloatArray, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each confidence that occurs, highest first, with the faces at or above it and the right answers among them."""
    confidence, right = _answers(labels, probabilities)
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    last = np.r_[np.flatnonzero(np.diff(falling)), len(falling) - 1]
    return falling[last], last + 1, np.cumsum(right[order])[last].astype(np.int64)


def _answers(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Each face's confidence and whether the answer is right."""
    true, rows = checked(labels, probabilities)
    # A float32 softmax can give a hair more than 1, which would be no threshold.
    return np.minimum(rows.max(axis=1), 1.0), rows.argmax(axis=1) == true


def _answered(least_confidence: float, answered: int, right: int, n: int) -> Answered:
    if not answered:
        return Answered(float(least_confidence), 0, 0, n, 0.0, None, None, None)
    low, high = (float(end) for end in wilson_interval(right, answered))
    return Answered(float(least_confidence), answered, right, n, answered / n, right / answered, low, high)
