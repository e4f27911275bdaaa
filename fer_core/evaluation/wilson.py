"""How sure a share is: Wilson's score interval (1927, https://doi.org/10.1080/01621459.1927.10502953)."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def wilson_interval(right: npt.ArrayLike, n: npt.ArrayLike, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """The interval of each share ``right / n``: (low, high), both float64 0..1 of the inputs' common shape.

    ``right`` and ``n``: whole numbers, 0 ≤ right ≤ n, of any shapes that broadcast. ``level`` in (0, 1). Where n is 0
    nothing is known and both ends are NaN. Unlike a bootstrap the interval has a width even where all or none are
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
