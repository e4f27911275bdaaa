"""Class maps laid over faces as small pictures, and the one colour legend that belongs to all of them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.plots.faces import overlay

Picture = npt.NDArray[np.uint8]

SIZE = 216
"""Pixels of a picture's side: cells of a 6×6 map are whole pixels."""
OPACITY = 0.6
LEGEND_SIZE = (14, 180)
LEGEND_GREY = 128


def map_on_face(
    face: Picture,
    class_map: npt.NDArray[np.floating],
    *,
    top: float | None = None,
    opacity: float = OPACITY,
    smooth: bool = True,
    size: int = SIZE,
) -> Picture:
    """A class map over a face: uint8 (size, size, 3), red-green-blue. See :func:`fer_core.plots.faces.overlay`.

    ``smooth`` interpolates linearly between the middles of the cells, as deletion and insertion do, so that what is
    shown is what is tested; without it the cells show as they are. Raises ``ValueError`` for other shapes or ranges.
    """
    weights = np.asarray(class_map, dtype=np.float32)
    if smooth and weights.ndim == 2 and weights.size:
        highest = float(weights.max()) if top is None else top
        fine = np.asarray(cv2.resize(weights, (size, size), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
        # Halfway between cells nothing is as high as their middles: the scale stays that of the cells.
        return overlay(face, fine, opacity=opacity, size=size, top=highest)
    return overlay(face, weights, opacity=opacity, size=size, smooth=False, top=top)


def colour_scale(opacity: float = OPACITY) -> Picture:
    """The colours from nothing (left) to the top of the scale, over medium grey: uint8 (14, 180, 3)."""
    height, width = LEGEND_SIZE
    grey = np.full((IMAGE_SIZE, IMAGE_SIZE), LEGEND_GREY, dtype=np.uint8)
    ramp = np.tile(np.linspace(0, 1, width, dtype=np.float32), (width, 1))
    return overlay(grey, ramp, opacity=opacity, size=width, top=1.0)[:height]
