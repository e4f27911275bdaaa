"""Is model B really better than model A? Both answered the same faces, so they are compared face by face.

Everywhere **A** is the first model and **B** the second, differences are B less A, and what is unlikely by chance is
so at :data:`ALPHA`. Tests and intervals are about two trained models and faces like these: training either again, with
another seed, moves its accuracy, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.stats.intervals import RESAMPLES, SEED, bootstrap_gain, gain_at_the_end

ALPHA = 0.05
"""The level at which a difference counts as unlikely to be chance; intervals hold 1 - ALPHA."""
FEWEST = 6
"""With fewer faces that only one of two models gets right, no outcome gives an exact p below :data:`ALPHA`."""

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class McNemar:
    """``n10``: faces that only A gets right; ``n01``: faces that only B gets right; ``p``: exact, two-sided, 0..1."""

    n01: int
    n10: int
    p: float


@dataclass(frozen=True)
class Difference:
    """B less A of a score 0..1, with its 95 % interval, each -1..1, and the number of faces ``n``."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, eq=False)
class DifferenceMatrix:
    """Row-normalised confusion matrix of B less that of A. All arrays (7, 7), rows true, unless noted.

    ``points``: float, percentage points of the true class, -100..100; ``low``, ``high``: its 95 % interval.
    ``n10``, ``n01``: int, faces that only A, or only B, takes for that class. ``p``: exact McNemar test of the cell;
    ``adjusted``: the same after Holm's correction over all cells; ``significant``: bool, ``adjusted`` below
    :data:`ALPHA`. ``support``: int (7,), faces of each true class. Rows without a face are NaN, and False in
    ``significant``.
    """

    points: Floats
    low: Floats
    high: Floats
    n10: Counts
    n01: Counts
    p: Floats
    adjusted: Floats
    significant: npt.NDArray[np.bool_]
    support: Counts


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything about one pair of models on the same ``n`` faces."""

    n: int
    accuracy: Difference
    macro_f1: Difference
    test: McNemar
    matrix: DifferenceMatrix

    def verdict(self, name_a: str, name_b: str) -> str:
        """See :func:`comparison_text`."""
        return comparison_text(name_a, name_b, self.accuracy, self.test)


def compare(
    labels: npt.ArrayLike,
    predicted_a: npt.ArrayLike,
    predicted_b: npt.ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Comparison:
    """All that this module knows about two models' answers. Three times int (n,), 0..6, n ≥ 1.

    Raises ``ValueError`` for other shapes or values, or fewer than one resample.
    """
    true, a, b = _checked(labels, predicted_a, predicted_b, resamples)
    right_a, right_b = a == true, b == true
    return Comparison(
        len(true),
        accuracy_difference(right_a, right_b, resamples=resamples, seed=seed),
        macro_f1_difference(true, a, b, resamples=resamples, seed=seed),
        mcnemar(right_a, right_b),
        difference_matrix(true, a, b, resamples=resamples, seed=seed),
    )


def mcnemar(right_a: npt.ArrayLike, right_b: npt.ArrayLike) -> McNemar:
    """McNemar's exact test (1947, https://doi.org/10.1007/BF02295996) of whether A and B are right equally often.

    Both bool (n,). Of the faces that only one model gets right, each is B's with probability one half if the two are
    equally good; p is the two-sided binomial probability of a split at least so uneven, 1 where there is no such
    face. Raises ``ValueError`` for arrays of different shape.
    """
    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"right_a {a.shape} and right_b {b.shape} must be two lists of equal length")
    n01, n10 = int(np.sum(b & ~a)), int(np.sum(a & ~b))
    return McNemar(n01, n10, exact_p(n01, n10))


def exact_p(n01: int, n10: int) -> float:
    """The two-sided p, 0..1, of ``n01`` heads and ``n10`` tails of a fair coin. Raises ``ValueError`` below 0.

    Twice the smaller tail, at most 1. The tail is summed from its largest term on, as ratios of neighbours, so that
    hundreds of thousands of throws neither overflow nor take noticeable time.
    """
    if min(n01, n10) < 0:
        raise ValueError(f"counts cannot be negative: {n01}, {n10}")
    fewer, n = min(n01, n10), n01 + n10
    if n01 == n10:
        return 1.0
    log_largest = math.lgamma(n + 1) - math.lgamma(fewer + 1) - math.lgamma(n - fewer + 1) - n * math.log(2)
    k = np.arange(fewer, 0, -1, dtype=np.float64)
    tail = math.exp(log_largest) * (1 + float(np.cumprod(k / (n - k + 1)).sum()))
    return min(1.0, 2 * tail)


def holm(p: npt.ArrayLike) -> Floats:
    """p adjusted for asking many questions at once, same shape (Holm, 1979, https://www.jstor.org/stable/4615733).

    The chance of even one false alarm stays below the level, however the questions hang together. NaN marks a
    question that could not be asked: it stays NaN and does not count. Raises ``ValueError`` for a p outside 0..1.
    """
    raw = np.asarray(p, dtype=np.float64)
    asked = ~np.isnan(raw)
    values = raw[asked]
    if len(values) and (values.min() < 0 or values.max() > 1):
        raise ValueError("p must lie in 0..1")
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    sorted_back = np.empty_like(values)
    sorted_back[order] = np.minimum(stepped, 1.0)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[asked] = sorted_back
    return adjusted


def accuracy_difference(
    right_a: npt.ArrayLike, right_b: npt.ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Difference:
    """How much more often B is right than A, with a paired bootstrap interval. Both bool (n,), n ≥ 1.

    Raises ``ValueError`` as :func:`fer_core.stats.intervals.bootstrap_gain` does.
    """
    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    low, high = bootstrap_gain(a, b, resamples=resamples, seed=seed, level=1 - ALPHA)
    return Difference(int(b.sum() - a.sum()) / len(a), low, high, len(a))


def macro_f1_difference(
    labels: npt.ArrayLike,
    predicted_a: npt.ArrayLike,
    predicted_b: npt.ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """Macro F1 of B less that of A, with a paired bootstrap interval. Three times int (n,), 0..6, n ≥ 1.

    A face is one of 7×7×7 kinds (its class, A's answer, B's answer), so drawing n faces with replacement is one draw
    from a multinomial distribution over the kinds that occur. As in :mod:`fer_core.stats.metrics`, classes
    without a face do not count in the mean. Raises ``ValueError`` as :func:`compare` does.
    """
    true, a, b = _checked(labels, predicted_a, predicted_b, resamples)
    counts = np.bincount((true * COUNT + a) * COUNT + b, minlength=COUNT**3)
    kinds = np.flatnonzero(counts)
    n, observed = len(true), counts[kinds]
    draws = np.random.default_rng(seed).multinomial(n, observed / n, size=resamples)
    of_class, of_a, of_b = np.unravel_index(kinds, (COUNT, COUNT, COUNT))
    tables = np.vstack([observed, draws])
    change = _macro_f1(tables, of_class, of_b) - _macro_f1(tables, of_class, of_a)
    low, high = _interval(change[1:])
    return Difference(float(change[0]), float(low), float(high), n)


def difference_matrix(
    labels: npt.ArrayLike,
    predicted_a: npt.ArrayLike,
    predicted_b: npt.ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> DifferenceMatrix:
    """Where B's confusion matrix differs from A's, and which cells chance does not explain.

    Three times int (n,), 0..6, n ≥ 1. A cell asks, among the faces of one true class, whether A and B take equally
    many for one class: McNemar's exact test, then Holm's correction over the cells of all classes that have a face.
    The intervals are paired bootstraps within the class: a face counts +1, 0 or -1, so a resample is one multinomial
    draw; they are not corrected. Raises ``ValueError`` as :func:`compare` does.
    """
    true, a, b = _checked(labels, predicted_a, predicted_b, resamples)
    differ = a != b
    n10 = np.bincount(true[differ] * COUNT + a[differ], minlength=COUNT**2).reshape(COUNT, COUNT)
    n01 = np.bincount(true[differ] * COUNT + b[differ], minlength=COUNT**2).reshape(COUNT, COUNT)
    support = np.bincount(true, minlength=COUNT)
    with_faces = support > 0
    p, points, low, high = (np.full((COUNT, COUNT), np.nan) for _ in range(4))
    for cell in zip(*np.nonzero(np.broadcast_to(with_faces[:, None], p.shape)), strict=True):
        p[cell] = exact_p(int(n01[cell]), int(n10[cell]))
    faces = support[with_faces, None]
    won, lost = n01[with_faces], n10[with_faces]
    points[with_faces] = 100 * (won - lost) / faces
    shares = np.stack([won / faces, lost / faces, (faces - won - lost) / faces], axis=-1)
    draws = np.random.default_rng(seed).multinomial(faces, shares, size=(resamples, *won.shape))
    ends = _interval((draws[..., 0] - draws[..., 1]) / faces)
    alike = shares.max(axis=-1) == 1  # every resample of such a cell is the same
    ends = np.where(alike, gain_at_the_end((won - lost) / faces, faces, level=1 - ALPHA), ends)
    low[with_faces], high[with_faces] = 100 * ends
    adjusted = holm(p)
    return DifferenceMatrix(points, low, high, n10, n01, p, adjusted, adjusted < ALPHA, support)


def comparison_text(name_a: str, name_b: str, accuracy: Difference, test: McNemar) -> str:
    """One sentence about two models' accuracy, as honest as the numbers allow.

    For example ``VGG16 is better than CNN: +1.4 points (+0.3 to +2.5); this is unlikely to be chance.`` Every number is
    B less A, as everywhere, so its sign says who is better. In brackets the 95 % interval, in percentage points.
    Whether chance explains it is McNemar's exact test's to say; where that test and the interval part ways, the
    sentence says so. ``accuracy`` and ``test`` are of the same faces, A first.
    """
    discordant = test.n01 + test.n10
    if not discordant:
        return (
            f"{name_a} and {name_b} are right on the same faces and wrong on the same faces: nothing here tells them "
            "apart."
        )
    value, low, high = accuracy.value, accuracy.low, accuracy.high
    if value == 0:
        return (
            f"{name_a} and {name_b} are right equally often ({_points(low)} to {_points(high)} points), but not on the "
            f"same faces: each gets {test.n01:,} right that the other gets wrong. That does not prove them equal."
        )
    amount = f"{_points(value)} points" if abs(value) >= 0.0005 else "less than 0.1 points"
    start = (
        f"{name_b} is {'better' if value > 0 else 'worse'} than {name_a}: {amount} ({_points(low)} to {_points(high)})"
    )
    if discordant < FEWEST:
        who = "only 1 face tells" if discordant == 1 else f"only {discordant} faces tell"
        return f"{start}, but {who} the two apart: too few to rule out chance."
    if (test.p < ALPHA) != (low > 0 or high < 0):
        return f"{start}; whether this is chance is a close call ({p_words(test.p)})."
    return f"{start}; this {'is unlikely to' if test.p < ALPHA else 'may well'} be chance."


def p_words(p: float) -> str:
    """A p as people read it: ``p = 0.21``, ``p = 0.012``, ``p < 0.001``; never rounded across :data:`ALPHA`."""
    if p < 0.001:
        return "p < 0.001"
    text = f"{p:.2f}" if p >= 0.1 else f"{p:.3f}"
    return f"p = {text}" if (float(text) < ALPHA) == (p < ALPHA) else f"p = {p:.4g}"


def _points(share: float) -> str:
    """With its sign; what rounds to zero has none."""
    text = f"{100 * share:+.1f}".replace("-", "−")
    return "0.0" if text in ("−0.0", "+0.0") else text


def _macro_f1(counts: Counts, true: npt.NDArray[np.intp], answer: npt.NDArray[np.intp]) -> Floats:
    """Macro F1, float (m,), of m tables of counts (m, kinds); ``true`` and ``answer`` (kinds,) are each kind's."""
    classes = np.arange(COUNT)
    is_true, is_answer = (true[:, None] == classes), (answer[:, None] == classes)
    # One product with float columns instead of three with whole numbers, which NumPy does without BLAS.
    sums = counts.astype(np.float64) @ np.hstack([is_true & is_answer, is_true, is_answer]).astype(np.float64)
    right, support, answered = np.split(sums, 3, axis=1)
    f1 = np.divide(2 * right, support + answered, out=np.zeros_like(right), where=support > 0)
    return f1.sum(axis=1) / (support > 0).sum(axis=1)


def _interval(draws: Floats) -> Floats:
    """The percentile interval over the first axis: low, then high."""
    return np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2], axis=0)


def _checked(
    labels: npt.ArrayLike, predicted_a: npt.ArrayLike, predicted_b: npt.ArrayLike, resamples: int
) -> tuple[Counts, ...]:
    arrays = [np.asarray(values) for values in (labels, predicted_a, predicted_b)]
    shapes = [values.shape for values in arrays]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1 or not len(arrays[0]):
        raise ValueError(f"labels and both predictions must be non-empty and of equal length, not {shapes}")
    if any(values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= COUNT for values in arrays):
        raise ValueError(f"labels and predictions must be whole numbers in 0..{COUNT - 1}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}")
    return tuple(values.astype(np.int64) for values in arrays)
