"""Do two maps say the same, and does a map point where it should?

- Rank correlation (Spearman, 1904, https://doi.org/10.2307/1412159): 1 the same order of all pixels, 0 no relation, -1
  the reverse. Adebayo et al. (2018, https://arxiv.org/abs/1810.03292) compare maps so. Maps that mark the middle of a
  face correlate well whatever they mean: read it beside the correlation with the centre blob.
- The pointing game (Zhang et al., 2016, https://arxiv.org/abs/1608.00507): is the map's maximum in a known region?
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.base import at_face_size

Floats = npt.NDArray[np.float64]
Region = npt.NDArray[np.bool_]

TOLERANCE = 3
"""Pixels a map may miss a region by. The paper allows 15 pixels in photos of about 225 to 500 pixels."""


def rank_correlation(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Spearman's correlation of two maps (h, w) of any grids, on the face's 48×48 pixels: -1..1.

    Equal pixels share their mean rank. NaN where a map is the same everywhere: it has no order.
    """
    first, second = at_face_size(one), at_face_size(other)
    return float(rank_correlations(np.concatenate([first, second]))[0, 1])


def rank_correlations(maps: npt.ArrayLike) -> Floats:
    """The same of every two of k maps (k, h, w): float64 (k, k), symmetric, 1 on the diagonal; NaN for flat maps."""
    ranks = _ranks(at_face_size(maps).reshape(-1, IMAGE_SIZE**2))
    rest = ranks - ranks.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(rest).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        result = rest @ rest.T / np.outer(length, length)
    np.fill_diagonal(result, np.where(length > 0, 1.0, np.nan))
    return np.asarray(np.clip(result, -1, 1))


def pointing_game(maps: npt.ArrayLike, region: Region, *, tolerance: int = TOLERANCE) -> Floats:
    """Does each map's maximum lie in the region? float64 (k,) for maps (k, h, w): 1 yes, 0 no.

    ``region``: bool (48, 48). ``tolerance``: pixels that the maximum may be outside of it. Where several pixels share
    the maximum the answer is the share of them inside. NaN for a map that is the same everywhere. Raises ``ValueError``
    for another region or a negative tolerance.
    """
    hit_region = widened(region, tolerance)
    pixels = at_face_size(maps).reshape(-1, IMAGE_SIZE**2)
    highest = pixels == pixels.max(axis=1, keepdims=True)
    hits = (highest & hit_region.ravel()).sum(axis=1) / highest.sum(axis=1)
    return np.where(pixels.max(axis=1) > pixels.min(axis=1), hits, np.nan)


def hit_by_chance(region: Region, *, tolerance: int = TOLERANCE) -> float:
    """How often a maximum anywhere on the face would hit the region with the same tolerance: 0..1."""
    return float(widened(region, tolerance).mean())


def widened(region: Region, tolerance: int) -> Region:
    """The region and all pixels at most ``tolerance`` pixels away from it (as the crow flies), bool (48, 48)."""
    inside = np.asarray(region)
    if inside.dtype != np.bool_ or inside.shape != (IMAGE_SIZE, IMAGE_SIZE) or tolerance < 0:
        raise ValueError(f"a region must be bool (48, 48), not {inside.dtype} {inside.shape}, and tolerance ≥ 0")
    if not inside.any():
        return inside.copy()
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Distances come in float32: exactly 3 must not become 3.0000002.
    return np.asarray(away <= tolerance + 1e-4)


def _ranks(rows: Floats) -> Floats:
    """Ranks from 1 along each row, equal values sharing their mean rank."""
    result = np.empty_like(rows)
    for row, ranks in zip(rows, result, strict=True):
        _, place, times = np.unique(row, return_inverse=True, return_counts=True)
        ranks[:] = (np.cumsum(times) - (times - 1) / 2)[place]
    return result
