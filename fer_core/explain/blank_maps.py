"""When a map cannot say anything, the page says so and why, instead of drawing noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.base import checked_maps

FLAT = 1e-6
"""A map whose values differ by less than this share of the largest one is the same everywhere: the rest is rounding."""
FINE_ENOUGH = 6
"""Cells along a side from which on a class map tells brows, eyes and mouth apart: each is about 8 pixels high."""


def why_blank(one: npt.ArrayLike, *, model: str = "this model", emotion: str = "this class") -> str | None:
    """Why a map (h, w) says nothing about where a model looks, as a sentence, or None where it does say something.

    ``model`` and ``emotion`` are the names used in the sentence. Raises ``ValueError`` for an empty map or one that is
    not finite, since that is a defect and nothing to explain to people.
    """
    values = checked_maps(one)[0]
    if values.size == 1 and not values.any():
        return (
            f"There are no class maps for the head of {model}. Occlusion and RISE ask it about changed faces, which "
            "works for any model; Grad-CAM can be drawn at any layer that still has places."
        )
    if values.size == 1:
        return (
            f"The maps of {model} have a single cell (1×1): one number for the whole face cannot say where {model} "
            "looks. Its last layers shrink the face to a point; pick an earlier layer, or a method that covers parts "
            "of the face."
        )
    largest = float(np.abs(values).max())
    if largest == 0:
        return (
            f"The map is zero everywhere: in this face {model} finds nothing that speaks for {emotion}, so there is no "
            "place to show."
        )
    if np.ptp(values) <= FLAT * largest:
        return (
            f"The map has the same value everywhere: to {model} every part of this face speaks for {emotion} equally, "
            "or the method cannot tell them apart. There is no place to show."
        )
    return None


def blank(maps: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which of k maps (k, h, w) say nothing, bool (k,): those for which :func:`why_blank` has a reason."""
    values = checked_maps(maps)
    if values.shape[1] * values.shape[2] == 1:
        return np.ones(len(values), dtype=np.bool_)
    largest = np.abs(values).max(axis=(1, 2))
    return np.asarray(np.ptp(values, axis=(1, 2)) <= FLAT * largest)


def coarseness(grid: tuple[int, int]) -> str | None:
    """A warning, as a sentence, about maps of few cells (h, w), or None from 6×6 on. 1×1 is :func:`why_blank`'s."""
    height, width = grid
    if min(grid) >= FINE_ENOUGH or height * width == 1:
        return None
    return (
        f"This map has only {height}×{width} cells, each {IMAGE_SIZE / height:.0f}×{IMAGE_SIZE / width:.0f} pixels "
        "of the face: too coarse to tell an eye from a brow. What looks smooth is drawn between the cells' middles."
    )
