"""Maps that know nothing of the model. An explanation that does no better than these explains nothing.

The habit is Adebayo et al.'s (2018, https://arxiv.org/abs/1810.03292), who found that edge detectors look as convincing
as explanations do.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.base import Faces, at_face_size, checked_face

Maps = npt.NDArray[np.float64]
Grid = tuple[int, int]
GRID: Grid = (6, 6)
"""Cells of a random map: as many as the class maps of our models have."""
CENTRE_SIGMA = IMAGE_SIZE / 4
"""Pixels: a blob that covers eyes, nose and mouth of a centred face."""


def random_maps(n: int, *, grid: Grid = GRID, seed: int = 0) -> Maps:
    """``n`` maps float64 (n, 48, 48), 0..1, of random cells, smoothed as class maps are.

    ``grid``: (h, w) in cells, each 1..48. It should be as fine as the maps to be compared with: deleting single pixels
    here and there sprinkles the face with noise, which hurts a network far more than deleting one blob of the same
    size, whatever is below. (48, 48) is right for maps that are themselves as fine as pixels. Raises ``ValueError`` for
    another grid or a negative ``n``.
    """
    if n < 0 or not all(1 <= side <= IMAGE_SIZE for side in grid):
        raise ValueError(f"n must not be negative and a grid's sides be 1..{IMAGE_SIZE}, not {n} and {grid}")
    return at_face_size(np.random.default_rng(seed).random((n, *grid)))


def centre_map(sigma: float = CENTRE_SIGMA) -> Maps:
    """A round Gaussian blob in the middle, float64 (48, 48), 0..1. ``sigma`` > 0 in pixels."""
    if sigma <= 0:
        raise ValueError(f"sigma must be above 0, not {sigma}")
    away = np.arange(IMAGE_SIZE) - (IMAGE_SIZE - 1) / 2
    side = np.exp(-0.5 * (away / sigma) ** 2)
    return np.outer(side, side)


def edge_map(face: Faces) -> Maps:
    """How steep the face's grey is (length of the Sobel gradient), float64 (48, 48) ≥ 0, of uint8 (48, 48)."""
    pixels = checked_face(face).astype(np.float64)
    across, down = (cv2.Sobel(pixels, cv2.CV_64F, dx, 1 - dx, ksize=3) for dx in (1, 0))
    return np.asarray(np.hypot(across, down), dtype=np.float64)
