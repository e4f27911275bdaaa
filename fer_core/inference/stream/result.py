"""What one frame gave: plain data, safe to hand to another thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COLOURS, NAMES
from fer_core.inference.detectors import Face

UNSURE = "unsure"
UNSURE_COLOUR = "#BBBBBB"


@dataclass(frozen=True)
class ClassMap:
    """One model's map of one class on one face.

    ``model``: whose. ``label``: the class, 0..6. ``values``: float32 (h, w) ≥ 0, over the square that was cut, rows
    from top to bottom, on the scale of :meth:`fer_core.inference.predictor.Predictor.explain`.
    """

    model: str
    label: int
    values: npt.NDArray[np.float32]


@dataclass(frozen=True)
class FaceResult:
    """One face of one frame.

    ``number``: the same as long as the face is followed, from 1. ``face``: box and landmarks in pixels of this frame.
    ``square``: what was cut: centre x, centre y, side (pixels), tilt (radians). ``crop``: what the models saw, uint8
    (48, 48). ``raw`` and ``smoothed``: for each model, float32 (7,), summing to 1. ``shown``: for each model the class
    0..6, None for "unsure". ``map``: of the chosen model, None if no map was asked for.
    """

    number: int
    face: Face
    square: tuple[float, float, float, float]
    crop: npt.NDArray[np.uint8]
    raw: Mapping[str, npt.NDArray[np.float32]]
    smoothed: Mapping[str, npt.NDArray[np.float32]]
    shown: Mapping[str, int | None]
    map: ClassMap | None = None


@dataclass(frozen=True)
class Timings:
    """Milliseconds each stage took on one frame; ``detect_ms`` is 0 where the detector did not look.

    ``track_ms``: following the faces and matching them with the detector's. ``crop_ms``: cutting all faces.
    ``predict_ms``: for each model, all faces together, maps included. ``total_ms``: the whole call.
    """

    detect_ms: float
    track_ms: float
    crop_ms: float
    predict_ms: Mapping[str, float]
    total_ms: float


@dataclass(frozen=True)
class Result:
    """One frame. ``time_s``: as handed in. ``size``: the frame's height and width. ``faces``: by number.

    ``detected``: whether the detector looked at this frame.
    """

    time_s: float
    size: tuple[int, int]
    faces: tuple[FaceResult, ...]
    detected: bool
    timings: Timings


def name_of(label: int | None) -> str:
    """The class's name, or "unsure"."""
    return UNSURE if label is None else NAMES[label]


def colour_of(label: int | None) -> str:
    """The class's colour as a hex string, or grey for "unsure"."""
    return UNSURE_COLOUR if label is None else COLOURS[label]
