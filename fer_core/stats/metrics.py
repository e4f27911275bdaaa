"""Scores of a seven-class model from its probabilities: NumPy only, every convention stated.

Conventions where a definition divides by zero:

- **precision** of a class that is never predicted is 0.0;
- **recall** and **F1** of a class without a single face are ``None`` (``null`` in JSON): there is nothing to
  find;
- **macro F1** is the mean over the classes that do have faces.

The predicted class is the one with the highest probability; of equals, the one with the lowest label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NotRequired

import numpy as np
import numpy.typing as npt
from typing_extensions import TypedDict

from fer_core.emotions import COUNT, NAMES
from fer_core.stats import by_person as persons_core
from fer_core.stats.by_person import ByPerson
from fer_core.stats.intervals import RESAMPLES, SEED, ClassBounds, bootstrap_interval, wilson_interval
from fer_core.value_types import Amount, Count, Name, Share

__all__ = [
    "ClassScores",
    "Scores",
    "bootstrap_interval",
    "checked",
    "confidence_bins",
    "confusion_matrix",
    "expected_calibration_error",
    "log_loss",
    "per_class",
    "score",
]


class ClassScores(TypedDict):
    """One class; recall and F1 are None where it has no face."""

    emotion: Name
    precision: Share
    recall: Share | None
    f1: Share | None
    support: Count


class ClassIntervals(ClassScores, ClassBounds):
    """One class with 95 % intervals: see :func:`per_class_intervals`. ``answered``: faces the model called so."""

    answered: Count


class Accuracy(TypedDict):
    """An accuracy on ``n`` faces with its 95 % interval."""

    n: Count
    accuracy: Share
    accuracy_low: Share
    accuracy_high: Share


class Scores(Accuracy):
    """The scores of one set of faces. ``confusion``: 7×7 counts, rows true; ``log_loss`` in nats.

    ``by_person``: where it is known whose faces they are; the accuracy's interval is over persons then.
    """

    macro_f1: Share
    log_loss: Amount
    ece: Amount
    per_class: list[ClassScores]
    confusion: list[list[Count]]
    by_person: NotRequired[ByPerson]


SMALLEST_PROBABILITY = 1e-7
"""Probabilities are clipped here before the logarithm: about the resolution of a float32 softmax. One face
whose class got probability zero costs 16.1 nats, not infinity."""
BINS = 15
"""Of calibration, as Guo et al. have them, and ``ece`` in ``metrics.json``."""
_SUM_TOLERANCE = 1e-2


def score(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    persons: npt.ArrayLike | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Scores:
    """All scores of one set of faces, as plain JSON values: SCORES in ``docs/ARCHITECTURE.md``.

    ``labels``: int (n,), 0..6. ``probabilities``: float (n, 7), each row adding up to 1. The accuracy's
    interval is a 95 % percentile bootstrap, over persons where ``persons``, int (n,), tells whose faces they are.
    ``without_near_duplicates`` is not in it: see
    :func:`fer_core.evaluation.scores.score_splits`. Raises ``ValueError`` for no faces, labels outside
    0..6, or rows that are not probabilities.
    """
    labels, probabilities = checked(labels, probabilities)
    predicted = probabilities.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted)
    classes = per_class(confusion)
    people = None
    if persons is None:
        low, high = bootstrap_interval(labels == predicted, resamples=resamples, seed=seed)
    else:
        (low, high), people = persons_core.by_person(labels, predicted, persons, resamples=resamples, seed=seed)
    scores: Scores = {
        "n": len(labels),
        "accuracy": float(np.mean(labels == predicted)),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": float(np.mean([entry["f1"] for entry in classes if entry["f1"] is not None])),
        "log_loss": log_loss(labels, probabilities),
        "ece": expected_calibration_error(labels, probabilities),
        "per_class": classes,
        "confusion": confusion.tolist(),
    }
    if people is not None:
        scores["by_person"] = people
    return scores


def confusion_matrix(labels: npt.ArrayLike, predicted: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Counts, int64 (7, 7): row is the true class, column the predicted one. Both inputs int (n,), 0..6."""
    true, answer = np.asarray(labels, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if true.shape != answer.shape or true.ndim != 1:
        raise ValueError(f"labels {true.shape} and predictions {answer.shape} must be two lists of equal length")
    for name, values in (("labels", true), ("predictions", answer)):
        if len(values) and (values.min() < 0 or values.max() >= COUNT):
            raise ValueError(f"{name} must lie in 0..{COUNT - 1}")
    return np.bincount(true * COUNT + answer, minlength=COUNT * COUNT).reshape(COUNT, COUNT)


def per_class(confusion: npt.ArrayLike) -> list[ClassScores]:
    """Precision, recall, F1 (0..1 or None, see the module) and support (faces) of each class, in label order.

    ``confusion``: int (7, 7), rows true.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    if counts.shape != (COUNT, COUNT):
        raise ValueError(f"a {COUNT}×{COUNT} confusion matrix was expected, not {counts.shape}")
    support, answered = counts.sum(axis=1), counts.sum(axis=0)
    entries: list[ClassScores] = []
    for label, name in enumerate(NAMES):
        right, n, asked = int(counts[label, label]), int(support[label]), int(answered[label])
        entries.append(
            {
                "emotion": name,
                "precision": right / asked if asked else 0.0,
                "recall": right / n if n else None,
                "f1": 2 * right / (n + asked) if n else None,
                "support": n,
            }
        )
    return entries


def log_loss(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Mean negative logarithm of the probability given to the true class, in nats.

    ``labels``: int (n,), 0..6, n ≥ 1. ``probabilities``: float (n, 7), rows adding up to 1; those below
    :data:`SMALLEST_PROBABILITY` count as that. Raises ``ValueError`` for anything else.
    """
    labels, probabilities = checked(labels, probabilities)
    of_truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(of_truth, SMALLEST_PROBABILITY, 1.0)).mean())


def expected_calibration_error(labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, bins: int = BINS) -> float:
    """How far confidence and accuracy lie apart, 0..1 (Guo et al., 2017, https://arxiv.org/abs/1706.04599).

    Faces are sorted by their highest probability into ``bins`` bins of equal width, each open below and
    closed above; the gap between mean confidence and accuracy is averaged over bins, weighted by their faces.
    ``labels``: int (n,), 0..6, n ≥ 1. ``probabilities``: float (n, 7), rows adding up to 1. Raises ``ValueError`` for
    anything else, and for fewer than one bin.
    """
    labels, probabilities = checked(labels, probabilities)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = confidence_bins(confidence, bins)
    # The count of a bin cancels out: count/n · |mean confidence − accuracy| = |sum of the differences| / n.
    gaps = np.bincount(place, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def confidence_bins(confidence: npt.ArrayLike, bins: int = BINS) -> npt.NDArray[np.int64]:
    """The bin 0..bins-1 of each confidence, int64 (n,): equal widths over 0..1, each open below and closed above.

    ``confidence``: float (n,), 0..1. Raises ``ValueError`` for fewer than one bin.
    """
    if bins < 1:
        raise ValueError(f"at least one bin is needed, not {bins}")
    return np.clip(np.ceil(np.asarray(confidence) * bins).astype(np.int64) - 1, 0, bins - 1)


def checked(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Labels as int64 (n,) and probabilities as float64 (n, 7), n ≥ 1. Raises ``ValueError`` where they are not."""
    true = np.asarray(labels)
    rows = np.asarray(probabilities, dtype=np.float64)
    if true.ndim != 1 or rows.shape != (len(true), COUNT):
        raise ValueError(f"labels {true.shape} and probabilities {rows.shape} must be (n,) and (n, {COUNT})")
    if len(true) == 0:
        raise ValueError("there is no face to score")
    if true.dtype.kind not in "iu" or true.min() < 0 or true.max() >= COUNT:
        raise ValueError(f"labels must be whole numbers in 0..{COUNT - 1}")
    if not np.isfinite(rows).all() or rows.min() < 0 or np.abs(rows.sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        raise ValueError("each row of probabilities must be finite, not negative, and add up to 1")
    return true.astype(np.int64), rows


Measure = Literal["precision", "recall", "f1"]
MEASURES: tuple[Measure, ...] = ("precision", "recall", "f1")


@dataclass(frozen=True)
class ShareInterval:
    """``right`` of ``n`` ≥ 1 faces. ``value`` = right / n, with its 95 % Wilson interval ``low``..``high``; 0..1."""

    right: int
    n: int
    value: float
    low: float
    high: float


def share_interval(right: int, n: int) -> ShareInterval:
    """The share of ``right`` in ``n`` ≥ 1 with its interval. Raises ``ValueError`` for n below 1 or right above n."""
    if n < 1:
        raise ValueError("a share of no faces is not known")
    low, high = wilson_interval(right, n)
    return ShareInterval(int(right), int(n), right / n, float(low), float(high))


def per_class_intervals(confusion: npt.ArrayLike, by_person: ByPerson | None = None) -> list[ClassIntervals]:
    """The entries of :func:`fer_core.stats.metrics.per_class`, each with intervals; plain JSON values.

    ``confusion``: int (7, 7), rows true. Added keys: ``answered`` (faces the model called so) and, for each measure of
    :data:`MEASURES`, ``…_low`` and ``…_high`` (0..1). Both ends are None where a measure is None, and precision's where
    the class is never answered: its 0.0 is a convention, not a measurement. With ``by_person`` the ends are those over
    persons. Raises ``ValueError`` for another shape.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    right, support, answered = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    ends = {
        "precision": wilson_interval(right, answered),
        "recall": wilson_interval(right, support),
        "f1": tuple(2 * end / (1 + end) for end in wilson_interval(right, support + answered - right)),
    }

    def ends_of(entry: ClassScores, measure: Measure, label: int) -> tuple[float | None, float | None]:
        if by_person is not None:
            own = by_person["per_class"][label]
            return {
                "precision": (own["precision_low"], own["precision_high"]),
                "recall": (own["recall_low"], own["recall_high"]),
                "f1": (own["f1_low"], own["f1_high"]),
            }[measure]
        low, high = (float(end[label]) for end in ends[measure])
        return (None, None) if entry[measure] is None or np.isnan(low) else (low, high)

    entries: list[ClassIntervals] = []
    for label, entry in enumerate(per_class(confusion)):
        precision, recall, f1 = (ends_of(entry, measure, label) for measure in MEASURES)
        entries.append(
            {
                **entry,
                "answered": int(answered[label]),
                "precision_low": precision[0],
                "precision_high": precision[1],
                "recall_low": recall[0],
                "recall_high": recall[1],
                "f1_low": f1[0],
                "f1_high": f1[1],
            }
        )
    return entries


def interval_of(entry: ClassIntervals, measure: Measure) -> tuple[float, float] | None:
    """The ends of a measure's interval, 0..1; None where it has none."""
    low, high = {
        "precision": (entry["precision_low"], entry["precision_high"]),
        "recall": (entry["recall_low"], entry["recall_high"]),
        "f1": (entry["f1_low"], entry["f1_high"]),
    }[measure]
    return None if low is None or high is None else (low, high)


def top_k(labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, k: int = 2) -> ShareInterval:
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
    return share_interval(int((ahead.sum(axis=1) < k).sum()), len(true))
