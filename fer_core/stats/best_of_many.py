"""How much the best of many looks better than it is, because it was chosen among figures that chance moves."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from fer_core.stats.intervals import standard_error

_LIMIT = 9.0
"""Beyond nine standard deviations nothing counts, also among a million."""
_STEPS = 20_001


@lru_cache(maxsize=1024)
def expected_maximum(n: int) -> float:
    """The expected value of the largest of ``n`` independent standard normal numbers; 0 of a single one.

    The integral of x · n · φ(x) · Φ(x)ⁿ⁻¹, by the trapezoidal rule. Raises ``ValueError`` for ``n`` below 1.
    """
    if n < 1:
        raise ValueError("the largest of no numbers")
    x = np.linspace(-_LIMIT, _LIMIT, _STEPS)
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    below = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in x])
    return float(np.trapezoid(x * n * density * below ** (n - 1), x))


def flattered_by(accuracy: float, faces: int, n: int) -> float:
    """By how much (0..1) the best of ``n`` equally good models is expected to look better than it is.

    ``accuracy`` (0..1) is what they have in common, measured on ``faces`` faces each. Trials that are measured on the
    same faces share a part of their luck, so that this is an upper estimate; it is exact for independent test sets.
    """
    return expected_maximum(n) * standard_error(accuracy, faces)
