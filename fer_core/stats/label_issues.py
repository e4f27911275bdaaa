"""Is the label wrong, or the model? Confident learning, and how many models contradict a label.

Northcutt, Jiang and Chuang, 2021, *Confident Learning: Estimating Uncertainty in Dataset Labels*
(https://arxiv.org/abs/1911.00068). Every function needs **out-of-sample** probabilities: those of a model that has not
learned from the very labels in question. PublicTest and PrivateTest predictions are out-of-sample. Predictions on
Training are not: a network remembers its training labels, wrong ones too, and then doubts hardly any. (PublicTest chose
the best epoch and the temperature. That is one number or two, and tells a model nothing about a single face.)

Test faces that have a twin in Training are an exception: the model has learned a label with that very picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.stats.calibration import apply_temperature
from fer_core.stats.label_doubt import label_doubt
from fer_core.stats.metrics import checked

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Int8 = npt.NDArray[np.int8]
Bool = npt.NDArray[np.bool_]

_SLACK = 1e-6
"""A probability this close below a threshold still reaches it; a class ahead of the label by less is not ahead."""
_LOWEST_THRESHOLD = 2 * _SLACK
_UNREACHABLE = 2.0
_LEFT_PER_CLASS = 1
"""Faces of each class that are never flagged: a class must not vanish."""


@dataclass(frozen=True, eq=False)
class Against:
    """The models against the labels, face by face.

    Attributes:
        count: int64 (n,), 0..K, models whose answer is not the label.
        together: int64 (n,), 0..K, models among them that give the one same answer, the commonest.
        answer: int8 (n,), 0..6, that answer (of equals, the lowest label); -1 where no model contradicts.
    """

    count: Int
    together: Int
    answer: Int8


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """How doubtful each label is.

    Attributes:
        score: float64 (n,), 0..1, higher is more doubtful: the share of faces like this one whose label a crowd
            rejects, see :mod:`fer_core.stats.label_doubt`.
        flagged: bool (n,), whether confident learning counts the label among the wrong ones.
        suggested: int8 (n,), 0..6, the likeliest class by the mean probabilities; equal to the label where they agree.
            Of a flagged face it never is the label.
        against: int64 (n,), 0..K, models whose answer is not the label.
        together: int64 (n,), 0..K, models that share the commonest such answer.
    """

    score: Float
    flagged: Bool
    suggested: Int8
    against: Int
    together: Int


def label_issues(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    temperatures: Sequence[float] | None = None,
) -> LabelIssues:
    """How doubtful each label is, by confident learning on the mean of K models and by their votes against it.

    ``labels``: int (n,), 0..6. ``probabilities``: float (K, n, 7), out-of-sample (see the module). ``temperatures``: K
    numbers above 0, each model's own from ``metrics.json``; probabilities are divided by them before the mean, so that
    an overconfident model does not outvote the others. Leave it out for probabilities that are calibrated already.
    Thresholds and counts belong to the set of faces given: score one split at a time, or
    all test faces together, but not a filtered selection. Raises ``ValueError`` for other shapes, labels outside 0..6
    or rows that are no probabilities.
    """
    values = _stack(probabilities)
    if temperatures is not None:
        if len(temperatures) != len(values):
            raise ValueError(f"{len(values)} models need {len(values)} temperatures, not {len(temperatures)}")
        values = np.stack([apply_temperature(p, t) for p, t in zip(values, temperatures, strict=True)])
    true, mean = checked(labels, values.mean(axis=0, dtype=np.float64))
    votes = against(true, values)
    return LabelIssues(
        score=label_doubt(true, values),
        flagged=flags(true, mean),
        suggested=mean.argmax(axis=1).astype(np.int8),
        against=votes.count,
        together=votes.together,
    )


def against(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Against:
    """How many of K models give another answer than the label, and how many of them the same one.

    ``labels``: int (n,), 0..6. ``probabilities``: float (K, n, 7); a model's answer is its likeliest class.
    """
    values = _stack(probabilities)
    true, _ = checked(labels, values[0])
    answers = values.argmax(axis=2)
    tally = (answers[..., np.newaxis] == np.arange(COUNT)).sum(axis=0)
    tally[np.arange(len(true)), true] = 0
    count = tally.sum(axis=1)
    answer = np.where(count > 0, tally.argmax(axis=1), -1).astype(np.int8)
    return Against(count=count, together=tally.max(axis=1), answer=answer)


def class_thresholds(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Float:
    """The mean probability of each class over the faces labelled so: float64 (7,); equation 2 of the paper.

    ``labels``: int (n,). ``probabilities``: float (n, 7). A class without a face gets 2, which nothing reaches.
    """
    true, values = checked(labels, probabilities)
    here = [true == label for label in range(COUNT)]
    means = [values[mask, label].mean() if mask.any() else _UNREACHABLE for label, mask in enumerate(here)]
    return np.maximum(means, _LOWEST_THRESHOLD)


def confident_joint(labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, calibrate: bool = True) -> Int:
    """Faces by given label (row) and confidently true class (column): int64 (7, 7); equations 1 and 3 of the paper.

    A face counts for a class whose probability reaches the class's threshold; of several, for the likeliest; of none,
    not at all. Each class counts at least one rightly labelled face. Calibrated, each row adds up to the faces with
    that label. ``labels``: int (n,). ``probabilities``: float (n, 7).
    """
    true, values = checked(labels, probabilities)
    reached = values >= class_thresholds(true, values) - _SLACK
    times = reached.sum(axis=1)
    guess = np.where(times > 1, values.argmax(axis=1), reached.argmax(axis=1))
    sure = times > 0
    joint = np.bincount(true[sure] * COUNT + guess[sure], minlength=COUNT**2).reshape(COUNT, COUNT)
    np.fill_diagonal(joint, joint.diagonal().clip(min=1))
    if not calibrate:
        return joint
    shares = joint / joint.sum(axis=1, keepdims=True) * np.bincount(true, minlength=COUNT)[:, np.newaxis]
    return _whole_rows(shares / shares.sum() * len(true))


def flags(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Bool:
    """Which labels confident learning counts among the wrong ones: bool (n,).

    The calibrated joint says how many faces labelled i truly are j. Of each pair i ≠ j that many are flagged, those
    whose probability of j is furthest above that of i (pruning by noise rate, cleanlab's default). A face whose label
    is its likeliest class is never flagged. Of equal faces the earlier goes first.

    ``labels``: int (n,). ``probabilities``: float (n, 7). A class with a single face is left alone. Raises
    ``ValueError`` for anything else.
    """
    true, values = checked(labels, probabilities)
    wrong = _keep_diagonal(confident_joint(true, values))
    chosen = np.zeros(len(true), bool)
    for label in range(COUNT):
        faces = np.flatnonzero(true == label)
        if len(faces) <= _LEFT_PER_CLASS:
            continue
        for other in np.flatnonzero(wrong[label]):
            if other != label:
                margin = values[faces, other] - values[faces, label]
                chosen[faces[np.argsort(-margin, kind="stable")[: wrong[label, other]]]] = True
    ahead = values.copy()
    ahead[np.arange(len(true)), true] += _SLACK
    return chosen & (ahead.argmax(axis=1) != true)


def normalised_margin(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Float:
    """(probability of the label - highest of the others + 1) / 2, float64 (n,), 0..1: low where it is doubtful."""
    true, values = checked(labels, probabilities)
    others = values.copy()
    others[np.arange(len(true)), true] = -1
    return (values[np.arange(len(true)), true] - others.max(axis=1) + 1) / 2


def _stack(probabilities: npt.ArrayLike) -> npt.NDArray[np.floating]:
    values = np.asarray(probabilities)
    if values.ndim != 3 or not len(values) or values.shape[2] != COUNT:
        raise ValueError(f"probabilities must be (models, faces, {COUNT}), not {values.shape}")
    for model in values:
        checked(np.zeros(len(model), np.int8), model)
    return values


def _keep_diagonal(joint: Int) -> Int:
    """The joint with at least one rightly labelled face in each class, taken evenly from the wrong ones.

    As cleanlab does it, so that both flag the same faces: the count of cells to take from is one short where the
    diagonal is empty, and the rest is cut to whole faces.
    """
    right = np.maximum(joint.diagonal(), _LEFT_PER_CLASS)
    cells = np.maximum(np.count_nonzero(joint, axis=1) - 1, 1)
    counts = np.maximum(joint - ((right - joint.diagonal()) / cells)[:, np.newaxis], 0)
    np.fill_diagonal(counts, right)
    return counts.astype(np.int64)


def _whole_rows(values: Float) -> Int:
    """Rounded to whole numbers so that each row keeps its sum: what is over or missing goes where it was nearest."""
    whole = np.round(values)
    for row, ints in zip(values, whole, strict=True):
        missing = int(np.round(row.sum()) - ints.sum())
        order = np.argsort(row - ints, kind="stable")
        if missing > 0:
            ints[order[::-1][:missing]] += 1
        elif missing < 0:
            ints[order[:-missing]] -= 1
    return whole.astype(np.int64)
