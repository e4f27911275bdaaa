"""A video file as numbers: what each model said about each face, over the whole clip and at moments of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.emotions import COUNT, NAMES
from fer_core.inference.detectors import FaceDetector
from fer_core.inference.pictures import csv_lines
from fer_core.inference.predict_json import ClipEntry, MomentEntry, MomentFace, SeenEntry, box_json, named
from fer_core.inference.predictor import Average, Predictor
from fer_core.inference.stream.pipeline import Pipeline, StreamSettings
from fer_core.inference.stream.result import UNSURE, FaceResult, Result
from fer_core.inference.stream.thresholds import unsure_below
from fer_core.inference.stream.video import Progress, analyse_video
from fer_core.photo import Picture

EVERY_S = 1.0
"""Seconds between two moments that are told: what a face says hardly changes faster than people can read."""

WriteLine = Callable[[tuple[str, ...]], Any]
FLIP_AND_VIDEO = "--average flip is for pictures; a video is smoothed over time instead. Leave it out for videos."
CUT_AND_VIDEO = "--already-cut is for pictures. Leave it out for videos."


def why_no_video(average: Average, *, already_cut: bool) -> str:
    """Why videos are left out where pictures are to be read in this way; empty where they are read."""
    return FLIP_AND_VIDEO if average != "none" else CUT_AND_VIDEO if already_cut else ""


def clip_pipeline(
    models: Iterable[Predictor], detector: FaceDetector, settings: StreamSettings | None = None
) -> Pipeline:
    """A pipeline for one clip; each model is "unsure" below the confidence that its PublicTest answers suggest.

    Raises ``RunError`` for a run whose predictions are damaged.
    """
    by_name = {model.name: model for model in models}
    limits = {name: unsure_below(model) for name, model in by_name.items()}
    return Pipeline(by_name, detector, replace(settings or StreamSettings(), unsure_below=limits))


def read_clip(
    path: Path,
    pipeline: Pipeline,
    *,
    every_s: float = EVERY_S,
    write: WriteLine | None = None,
    tell: Callable[[MomentEntry], None] | None = None,
    progress: Progress | None = None,
) -> ClipEntry:
    """The video's entry in the JSON result.

    ``faces``: of each face that was followed, when it was seen, the mean of its probabilities by model, and the share
    of its frames in which each answer (or "unsure") was shown. ``moments``: every ``every_s`` seconds, and at the first
    frame with a face, the faces in that frame with box and probabilities, smoothed over time; 0 tells every frame.
    ``write`` gets the moments' lines under :data:`fer_core.inference.pictures.HEADER`. With ``tell``, which gets each
    moment as it comes, they are not kept. Memory grows with faces and kept moments, not with frames. Raises
    ``DataError`` for a video that cannot be read, ``ValueError`` for a negative ``every_s``.
    """
    if not every_s >= 0:
        raise ValueError("every_s must not be negative")
    moments: list[MomentEntry] = []
    record = _ClipRecord(str(path), every_s, write, tell or moments.append)
    summary = analyse_video(path, pipeline, video_out=None, csv_out=None, progress=progress, watch=record.add)
    return {
        "file": str(path),
        "width": summary.size[0],
        "height": summary.size[1],
        "seconds": round(summary.seconds, 3),
        "frames": summary.frames,
        "frames_with_faces": summary.frames_with_faces,
        "note": summary.note,
        "faces": [seen.to_json(number) for number, seen in sorted(record.faces.items())],
        "moments": moments,
    }


class Moments:
    """Which frames of a clip are told: the first with a face, then one with a face every so many seconds."""

    def __init__(self, every_s: float) -> None:
        """``every_s``: 0 for every frame with a face."""
        self._every_s = every_s
        self._next_s: float | None = None

    def is_told(self, result: Result) -> bool:
        """Whether this frame is. Asked once for each, in their order."""
        # Half a millisecond of grace: frame times are rounded.
        if not result.faces or (self._next_s is not None and result.time_s < self._next_s - 0.0005):
            return False
        self._next_s = result.time_s + self._every_s
        return True


class _ClipRecord:
    """What is kept of a clip while it is read."""

    def __init__(self, name: str, every_s: float, write: WriteLine | None, tell: Callable[[MomentEntry], None]) -> None:
        self._name, self._write, self._tell = name, write, tell
        self._moments = Moments(every_s)
        self.faces: dict[int, _Seen] = {}

    def add(self, _: Picture, result: Result) -> None:
        for face in result.faces:
            self.faces.setdefault(face.number, _Seen(result.time_s)).add(face, result.time_s)
        if not self._moments.is_told(result):
            return
        self._tell({"time_s": round(result.time_s, 3), "faces": [_moment(face) for face in result.faces]})
        if self._write is not None:
            for face in result.faces:
                for line in csv_lines(self._name, f"{result.time_s:.3f}", face.number, face.face, dict(face.smoothed)):
                    self._write(line)


class _Seen:
    """One face over the whole clip, in sums."""

    def __init__(self, first_s: float) -> None:
        self._first_s = self._last_s = first_s
        self._frames = 0
        self._sums: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {}
        self._shown: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {}

    def add(self, face: FaceResult, time_s: float) -> None:
        self._last_s = time_s
        self._frames += 1
        for model, raw in face.raw.items():
            self._sums.setdefault(model, np.zeros(COUNT))
            self._sums[model] += raw
            label = face.shown[model]
            self._shown.setdefault(model, np.zeros(COUNT + 1, dtype=np.int64))
            self._shown[model][COUNT if label is None else label] += 1

    def to_json(self, number: int) -> SeenEntry:
        return {
            "face": number,
            "first_s": round(self._first_s, 3),
            "last_s": round(self._last_s, 3),
            "frames": self._frames,
            "probabilities": {
                model: named((sums / self._frames).astype(np.float32)) for model, sums in self._sums.items()
            },
            "shown": {
                model: {
                    name: round(int(count) / self._frames, 4)
                    for name, count in zip((*NAMES, UNSURE), counts, strict=True)
                    if count
                }
                for model, counts in self._shown.items()
            },
        }


def _moment(face: FaceResult) -> MomentFace:
    return {
        "face": face.number,
        "box": box_json(face.face),
        "score": round(face.face.score, 4),
        "probabilities": {model: named(smoothed) for model, smoothed in face.smoothed.items()},
    }
