"""Precision, recall and F1 of each class with 95 % intervals, and how often the truth is among the first two answers.

All intervals are Wilson's, not a bootstrap's. PrivateTest has 55 faces of disgust, and a small run may get none of them
right: resampling such a class can only repeat what was seen, so its interval would shrink to a point just where least
is known. Wilson's keeps its width and covers well from a handful of faces on, needs no random numbers, and agrees with
the bootstrap where a class has hundreds of faces.

- Recall is a share of the class's faces, precision a share of the answers.
- F1 is no share, but F1 / (2 - F1) is: of the faces that are of the class *or* called so, those that are both. Its
  interval, carried back, is F1's: the "Wilson indirect" method of Lam, Gopal and Qian, 2023
  (https://arxiv.org/abs/2309.14621).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.stats.intervals import wilson_interval
from fer_core.stats.metrics import checked, per_class

MEASURES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Share:
    """``right`` of ``n`` ≥ 1 faces. ``value`` = right / n, with its 95 % Wilson interval ``low``..``high``; 0..1."""

    right: int
    n: int
    value: float
    low: float
    high: float


def share(right: int, n: int) -> Share:
    """The share of ``right`` in ``n`` ≥ 1 with its interval. Raises ``ValueError`` for n below 1 or right above n."""
    if n < 1:
        raise ValueError("a share of no faces is not known")
    low, high = wilson_interval(right, n)
    return Share(int(right), int(n), right / n, float(low), float(high))


def per_class_intervals(confusion: npt.ArrayLike) -> list[dict[str, Any]]:
    """The entries of :func:`fer_core.stats.metrics.per_class`, each with intervals; plain JSON values.

    ``confusion``: int (7, 7), rows true. Added keys: ``answered`` (faces the model called so) and, for each measure of
    :data:`MEASURES`, ``…_low`` and ``…_high`` (0..1). Both ends are None where a measure is None, and precision's where
    the class is never answered: its 0.0 is a convention, not a measurement. Raises ``ValueError`` for another shape.
    """
    entries: list[dict[str, Any]] = [dict(entry) for entry in per_class(confusion)]
    counts = np.asarray(confusion, dtype=np.int64)
    right, support, answered = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    ends = {
        "precision": wilson_interval(right, answered),
        "recall": wilson_interval(right, support),
        "f1": tuple(2 * end / (1 + end) for end in wilson_interval(right, support + answered - right)),
    }
    for label, entry in enumerate(entries):
        entry["answered"] = int(answered[label])
        for measure, (low, high) in ends.items():
            known = entry[measure] is not None and not np.isnan(low[label])
            entry[f"{measure}_low"] = float(low[label]) if known else None
            entry[f"{measure}_high"] = float(high[label]) if known else None
    return entries


def top_k(labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, k: int = 2) -> Share:
    """The share of faces whose true class is among the ``k`` (1..7) likeliest, with its 95 % interval.

    ``labels``: int (n,), 0..6, n ≥ 1; ``probabilities``: float (n, 7). Of equal probabilities the lower label comes
    first, so that k = 1 is the accuracy. Raises ``ValueError`` for anything else.
    """
    true, rows = checked(labels, probabilities)
    if not 1 <= k <= rows.shape[1]:
        raise ValueError(f"k must be 1..{rows.shape[1]}, not {k}")
    of_truth = rows[np.arange(len(true)), true][:, None]
    before = np.arange(rows.shape[1]) < true[:, None]
    ahead = (rows > of_truth) | ((rows == of_truth) & before)
    return share(int((ahead.sum(axis=1) < k).sum()), len(true))
