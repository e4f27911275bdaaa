"""How sure a share is: the percentile bootstrap, and Wilson's score interval.

Efron, 1979, https://doi.org/10.1214/aos/1176344552; Wilson, 1927, https://doi.org/10.1080/01621459.1927.10502953.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from typing_extensions import TypedDict

from fer_core.value_types import Share

FloatArray = npt.NDArray[np.float64]

RESAMPLES, SEED = 2000, 0
"""How often faces are drawn anew for a bootstrap, and from which seed, wherever nothing else is asked for: so the same
faces have the same interval on every page. Another seed would move an end by some 2 % of the interval's width."""


class ClassBounds(TypedDict):
    """The ends of one class's 95 % intervals; None where there is none."""

    precision_low: Share | None
    precision_high: Share | None
    recall_low: Share | None
    recall_high: Share | None
    f1_low: Share | None
    f1_high: Share | None


def bootstrap_interval(
    correct: npt.ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED, level: float = 0.95
) -> tuple[float, float]:
    """The percentile interval of the accuracy over faces drawn anew with replacement.

    ``correct``: bool (n,), True where the answer was right. ``level`` in (0, 1). Returns (low, high), both
    0..1.

    Drawing n of n right-or-wrong answers with replacement and counting the right ones *is* one draw from a
    binomial distribution with n trials and the observed accuracy, so all resamples are drawn at once, without
    indices. With no wrong answer at all (or no right one) every resample is the same, which does not mean that the
    accuracy is known: then the interval is Wilson's, :func:`wilson_interval`. Raises ``ValueError`` for an empty array,
    fewer than one resample or a level outside (0, 1).
    """
    right = np.asarray(correct, dtype=bool)
    if right.ndim != 1 or len(right) == 0:
        raise ValueError(f"correct must be a non-empty one-dimensional array, not shape {right.shape}")
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(f"resamples must be at least 1 and level in (0, 1), not {resamples} and {level}")
    if right.all() or not right.any():
        low, high = wilson_interval(right.sum(), len(right), level=level)
        return float(low), float(high)
    counts = np.random.default_rng(seed).binomial(len(right), right.mean(), size=resamples)
    tail = (1 - level) / 2
    low, high = np.quantile(counts / len(right), [tail, 1 - tail])
    return float(low), float(high)


def bootstrap_gain(
    before: npt.ArrayLike, after: npt.ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED, level: float = 0.95
) -> tuple[float, float]:
    """The percentile interval of how much more accurate ``after`` is than ``before`` on the same faces (paired).

    Both bool (n,), True where the answer was right. ``level`` in (0, 1). Returns (low, high), both -1..1.

    A face counts +1, 0 or -1, so a resample of faces is one draw from a multinomial distribution: see
    :func:`bootstrap_interval`. Where all faces count the same every resample is the same, and the interval is
    :func:`gain_at_the_end`. Raises ``ValueError`` for empty arrays, arrays of different length, fewer than one resample
    or a level outside (0, 1).
    """
    old, new = np.asarray(before, dtype=bool), np.asarray(after, dtype=bool)
    if old.ndim != 1 or len(old) == 0 or old.shape != new.shape:
        raise ValueError(
            f"before {old.shape} and after {new.shape} must be two non-empty one-dimensional arrays of equal length"
        )
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(f"resamples must be at least 1 and level in (0, 1), not {resamples} and {level}")
    won, lost = np.mean(new & ~old), np.mean(old & ~new)
    if max(won, lost, 1 - won - lost) == 1:
        low, high = gain_at_the_end(int(won) - int(lost), len(old), level=level)
        return float(low), float(high)
    counts = np.random.default_rng(seed).multinomial(len(old), [won, lost, max(0.0, 1 - won - lost)], size=resamples)
    tail = (1 - level) / 2
    low, high = np.quantile((counts[:, 0] - counts[:, 1]) / len(old), [tail, 1 - tail])
    return float(low), float(high)


def gain_at_the_end(gain: npt.ArrayLike, n: npt.ArrayLike, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """The interval of a gain where all ``n`` ≥ 1 faces count the same: (low, high), float64 of the common shape, -1..1.

    ``gain``: 1 where all were won, -1 where all were lost, 0 where none changed. Other faces may do otherwise: the
    width is that of Wilson's interval of a share of which all or none are right.
    """
    same, total = np.broadcast_arrays(np.asarray(gain, dtype=np.float64), np.asarray(n, dtype=np.float64))
    unseen = wilson_interval(np.zeros_like(total), total, level=level)[1]
    low = np.where(same > 0, 1 - unseen, np.where(same < 0, -1.0, -unseen))
    high = np.where(same > 0, 1.0, np.where(same < 0, unseen - 1, unseen))
    return low, high


def standard_error(accuracy: float, faces: int) -> float:
    """Of an accuracy (0..1) measured on that many faces, at least one: the binomial one, 0..0.5."""
    return math.sqrt(accuracy * (1 - accuracy) / faces)


def chance_margin(accuracy: float, faces: int) -> float:
    """How far chance alone moves such an accuracy, either way, 19 times out of 20: 1.96 standard errors.

    For sentences that say what is large and what is not. An interval is that of :func:`wilson_interval`.
    """
    return NormalDist().inv_cdf(0.975) * standard_error(accuracy, faces)


def wilson_interval(right: npt.ArrayLike, n: npt.ArrayLike, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """The interval of each share ``right / n``: (low, high), both float64 0..1 of the inputs' common shape.

    ``right`` and ``n``: whole numbers, 0 ≤ right ≤ n, of any shapes that broadcast. ``level`` in (0, 1). Where n is 0
    nothing is known and both ends are NaN. Unlike a bootstrap's the interval has a width even where all or none are
    right, which happens all the time in small bins. Raises ``ValueError`` for other numbers or another level.
    """
    hits, total = np.broadcast_arrays(np.asarray(right, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not ((hits >= 0) & (hits <= total)).all():
        raise ValueError("right must lie between 0 and n")
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), not {level}")
    z = NormalDist().inv_cdf((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = hits / total
        centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
        half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    # Rounding must not move the two ends that are known exactly.
    low = np.where((hits == 0) & (total > 0), 0.0, centre - half)
    high = np.where((hits == total) & (total > 0), 1.0, centre + half)
    return low, high
