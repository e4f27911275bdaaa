"""The JSON result of reading pictures and videos: what its entries hold. The page and the CLI give the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NotRequired, TypedDict

from fer_core.emotions import NAMES
from fer_core.inference.detectors import Face, caution
from fer_core.inference.predictor import Predictor, Probabilities
from fer_core.value_types import JsonObject


class FaceBox(TypedDict):
    """A face's box in pixels; x and y are of its upper left corner."""

    x: int
    y: int
    width: int
    height: int


class FaceEntry(TypedDict):
    """One face of a picture. ``probabilities``: by model and class, 0..1."""

    box: FaceBox
    score: float
    probabilities: dict[str, dict[str, float]]


class PictureEntry(TypedDict):
    """One picture of the JSON result."""

    file: str
    width: int
    height: int
    faces: list[FaceEntry]


class SeenEntry(TypedDict):
    """One face that was followed through a video. ``shown``: by model, the share of its frames with each answer."""

    face: int
    first_s: float
    last_s: float
    frames: int
    probabilities: dict[str, dict[str, float]]
    shown: dict[str, dict[str, float]]


class MomentFace(FaceEntry):
    """One face of a moment; ``face`` is its number in the video."""

    face: int


class MomentEntry(TypedDict):
    """The faces of one frame, smoothed over time."""

    time_s: float
    faces: list[MomentFace]


class ClipEntry(TypedDict):
    """One video of the JSON result: see :func:`fer_core.inference.videos.read_clip`."""

    file: str
    width: int
    height: int
    seconds: float
    frames: int
    frames_with_faces: int
    note: str
    faces: list[SeenEntry]
    moments: list[MomentEntry]


class ProblemEntry(TypedDict):
    """A file that could not be read, and why."""

    file: str
    reason: str


class Report(TypedDict):
    """The JSON result of reading pictures and videos. ``detector_caution``: what to bear in mind about the faces that
    it found, where there is something."""

    models: list[JsonObject]
    calibrated: bool
    average: str
    detector: str
    detector_caution: NotRequired[str]
    pictures: list[PictureEntry]
    videos: list[ClipEntry]
    problems: list[ProblemEntry]
    passed_over: NotRequired[int]


def report_head(
    models: Iterable[Predictor],
    detector: str,
    *,
    calibrated: bool,
    average: str = "none",
    temperatures: Mapping[str, float] | None = None,
) -> Report:
    """The head of the JSON result, with empty lists for ``pictures``, ``videos`` and ``problems``.

    ``detector``: its title. ``temperatures``: by model, where the caller applied them and not the predictors.
    """
    applied = temperatures or {}
    report: Report = {
        "models": [
            {"name": model.name, "title": model.title, "temperature": applied.get(model.name, model.temperature)}
            for model in models
        ],
        "calibrated": calibrated,
        "average": average,
        "detector": detector,
        "pictures": [],
        "videos": [],
        "problems": [],
    }
    if words := caution(detector):
        report["detector_caution"] = words
    return report


def box_json(face: Face) -> FaceBox:
    """A face's box in pixels."""
    return {"x": face.x, "y": face.y, "width": face.width, "height": face.height}


def named(probabilities: Probabilities) -> dict[str, float]:
    """Seven probabilities (7,) by class, rounded to six digits."""
    return dict(zip(NAMES, (round(float(p), 6) for p in probabilities), strict=True))
