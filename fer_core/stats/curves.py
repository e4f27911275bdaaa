"""One class against the rest: ROC and precision-recall curves and their areas.

Definitions are scikit-learn's. A threshold is one of the probabilities that occur, and all faces at or above it are
called so: faces of equal probability are never split. The area under the ROC curve is the trapezoids' (half a point for
a tie); average precision is the sum of precision times the recall gained at each threshold, without interpolation
(https://scikit-learn.org/stable/modules/model_evaluation.html#precision-recall-f-measure-metrics).

Areas are always those of the whole curve. Only what is drawn is thinned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.stats.metrics import checked

FloatArray = npt.NDArray[np.float64]
POINTS = 200
"""Enough for a line of a thousand pixels; the browser gets up to 42 of them."""


@dataclass(frozen=True)
class Curve:
    """One line, left to right, ready to draw.

    ``x``, ``y``: float64 (m,), 0..1, x rising. ROC: false-positive rate and recall, straight lines between. Precision
    and recall: x is recall, y the precision over the step that ends there (first up or down, then right).
    ``threshold``: float64 (m,), the least probability that reaches the point; infinite where no face is called so; None
    for a mean over classes, which has no single threshold. ``area``: of the whole curve, 0..1. ``faces`` are of the
    class, ``others`` are not (a mean: the faces of its classes, and 0). ``chance``: the area that guessing gets.
    """

    x: FloatArray
    y: FloatArray
    threshold: FloatArray | None
    area: float
    faces: int
    others: int
    chance: float


@dataclass(frozen=True)
class OneVsRest:
    """``classes``: seven curves in label order, None where there is nothing to measure. ``macro``: the mean of those
    that are there, each class counting alike; None if there is none."""

    classes: tuple[Curve | None, ...]
    macro: Curve | None


@dataclass(frozen=True)
class _Steps:
    """Counts at or above each distinct probability, highest first. ``hits``, ``alarms``: float64 (t,), cumulative."""

    threshold: FloatArray
    hits: FloatArray
    alarms: FloatArray


def roc(labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, points: int = POINTS) -> OneVsRest:
    """ROC curves of the seven classes and their mean. ``area`` is the AUC.

    ``labels``: int (n,), 0..6, n ≥ 1; ``probabilities``: float (n, 7); ``points`` ≥ 10: at most so many a curve. A
    class without faces, or without any other face, has no curve. The mean is that of the recalls at equal
    false-positive rates; its area is the mean AUC. Raises ``ValueError`` for anything else.
    """
    true, rows = _checked(labels, probabilities, points)
    whole = [_roc_line(_steps(rows[:, label], true == label)) for label in range(COUNT)]
    areas = [None if line is None else float(np.trapezoid(line[1], line[0])) for line in whole]
    classes = tuple(
        None if line is None or area is None else _thinned_roc(*line, area, _support(true, label), points)
        for label, (line, area) in enumerate(zip(whole, areas, strict=True))
    )
    lines = [line for line in whole if line is not None]
    macro = None
    if lines:
        # Most of what there is to see lies at low rates: half of the points go to the first tenth.
        grid = np.concatenate([np.linspace(0, 0.1, points // 2, endpoint=False), np.linspace(0.1, 1, points // 2 - 1)])
        mean = np.mean([np.interp(grid, x, y) for x, y, _ in lines], axis=0)
        macro = _mean_curve(np.r_[0.0, grid], np.r_[0.0, mean], classes)
    return OneVsRest(classes, macro)


def precision_recall(labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, points: int = POINTS) -> OneVsRest:
    """Precision-recall curves of the seven classes and their mean. ``area`` is the average precision.

    Arguments and errors as :func:`roc`. A class without faces has no curve. Where steps are joined to stay within
    ``points``, the new step has their mean precision, so the area drawn *is* the average precision. The mean is that of
    the precisions at equal recall.
    """
    true, rows = _checked(labels, probabilities, points)
    steps = [_steps(rows[:, label], true == label) for label in range(COUNT)]
    whole = [_recall_line(step) for step in steps]
    classes = tuple(
        None if line is None else _thinned_steps(*line, _support(true, label), points)
        for label, line in enumerate(whole)
    )
    lines = [line for line in whole if line is not None]
    macro = None
    if lines:
        grid = np.linspace(0, 1, points)
        mean = np.mean([np.interp(grid, recall, area) for recall, area, _ in lines], axis=0)
        macro = _mean_curve(grid, _heights(grid, mean), classes)
    return OneVsRest(classes, macro)


def areas(curves: OneVsRest) -> tuple[float | None, ...]:
    """The seven areas in label order (None where there is no curve) and, last, their mean."""
    return tuple(None if curve is None else curve.area for curve in (*curves.classes, curves.macro))


def _checked(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, points: int
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    if points < 10:
        raise ValueError(f"points must be at least 10, not {points}")
    return checked(labels, probabilities)


def _support(true: npt.NDArray[np.int64], label: int) -> tuple[int, int]:
    faces = int((true == label).sum())
    return faces, len(true) - faces


def _steps(scores: FloatArray, member: npt.NDArray[np.bool_]) -> _Steps:
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.r_[np.flatnonzero(np.diff(falling)), len(falling) - 1]
    hits = np.cumsum(member[order])[last].astype(np.float64)
    return _Steps(falling[last], hits, last + 1 - hits)


def _roc_line(steps: _Steps) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """False-positive rate, recall, threshold, from (0, 0) to (1, 1); None without faces on either side."""
    if not (steps.hits[-1] and steps.alarms[-1]):
        return None
    return (
        np.r_[0.0, steps.alarms / steps.alarms[-1]],
        np.r_[0.0, steps.hits / steps.hits[-1]],
        np.r_[np.inf, steps.threshold],
    )


def _recall_line(steps: _Steps) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Recall where it rises, the area up to there, and the threshold; from (0, 0) on; None without faces."""
    if not steps.hits[-1]:
        return None
    recall = steps.hits / steps.hits[-1]
    gained = np.diff(recall, prepend=0.0)
    precision = steps.hits / (steps.hits + steps.alarms)
    rises = gained > 0
    return (
        np.r_[0.0, recall[rises]],
        np.r_[0.0, np.cumsum(gained[rises] * precision[rises])],
        np.r_[np.inf, steps.threshold[rises]],
    )


def _thinned_roc(
    x: FloatArray, y: FloatArray, threshold: FloatArray, area: float, support: tuple[int, int], points: int
) -> Curve:
    """Points of the curve at about equal distances along it (measured right plus up), both ends among them."""
    keep = np.arange(len(x))
    if len(x) > points:
        # Each threshold adds a face to one side or the other, so this rises strictly, from exactly 0 to exactly 2.
        keep = np.unique(np.searchsorted(x + y, np.linspace(0, 2, points)))
    return Curve(x[keep], y[keep], threshold[keep], area, *support, chance=0.5)


def _thinned_steps(
    recall: FloatArray, area: FloatArray, threshold: FloatArray, support: tuple[int, int], points: int
) -> Curve:
    keep = np.unique(np.linspace(0, len(recall) - 1, min(points, len(recall))).round().astype(np.int64))
    x = recall[keep]
    total = float(area[-1])
    return Curve(x, _heights(x, area[keep]), threshold[keep], total, *support, chance=support[0] / sum(support))


def _heights(x: FloatArray, area: FloatArray) -> FloatArray:
    """The mean height of each step from the area up to its end; the first point takes that of the first step."""
    heights = np.diff(area) / np.diff(x)
    return np.r_[heights[0], heights]


def _mean_curve(x: FloatArray, y: FloatArray, classes: Sequence[Curve | None]) -> Curve:
    there = [curve for curve in classes if curve is not None]

    def mean(of: Callable[[Curve], float]) -> float:
        return float(np.mean([of(curve) for curve in there]))

    faces = sum(curve.faces for curve in there)
    return Curve(x, y, None, mean(lambda curve: curve.area), faces, 0, mean(lambda curve: curve.chance))
