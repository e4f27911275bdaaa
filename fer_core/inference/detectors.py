"""Face detectors behind one interface: YuNet, fetched by itself, and OpenCV's Haar cascade, there until it has come.

Both are safe to share between threads: calls wait for each other.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import cv2.data
import numpy as np
import numpy.typing as npt

from fer_core.errors import RunError
from fer_core.inference import yunet_fetch
from fer_core.inference.yunet import yunet_path, yunet_ready
from fer_core.photo import Picture

SHORTEST, LONGEST = 320, 1280
"""Pixels of a picture's longer side while faces are looked for: smaller ones are enlarged, because both
detectors miss faces below about 30 pixels; larger ones are shrunk, because time grows with the area."""


@dataclass(frozen=True)
class Face:
    """A face in a picture. ``x``, ``y``, ``width``, ``height``: the box in pixels, maybe reaching over the
    edge.

    ``score``: the detector's own confidence, higher is surer; YuNet's lies in 0..1, Haar's has no upper end,
    so compare scores of one detector only. ``landmarks``: five (x, y) in pixels: the person's right eye, left
    eye, tip of the nose, right and left corner of the mouth; None where the detector gives none.
    """

    x: int
    y: int
    width: int
    height: int
    score: float
    landmarks: tuple[tuple[float, float], ...] | None = None

    @property
    def area(self) -> int:
        """Square pixels."""
        return self.width * self.height

    def scaled(self, factor: float) -> Face:
        """The same face in the same picture of another size."""
        if factor == 1:
            return self
        marks = self.landmarks and tuple((x * factor, y * factor) for x, y in self.landmarks)
        x, y, width, height = (round(side * factor) for side in (self.x, self.y, self.width, self.height))
        return Face(x, y, width, height, self.score, marks)


class FaceDetector(Protocol):
    """What every detector offers."""

    @property
    def title(self) -> str:
        """What people read."""

    def detect(self, image_bgr: Picture) -> list[Face]:
        """All faces in a picture, uint8 (H, W, 3), blue-green-red, in no particular order."""


class HaarDetector:
    """Viola and Jones' cascade (2001, https://doi.org/10.1109/CVPR.2001.990517) as it comes with OpenCV.

    Upright frontal faces only; it misses about a quarter of FER-2013's own.
    """

    title = "Haar cascade (OpenCV)"

    def __init__(self) -> None:
        path = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
        self._lock = threading.Lock()
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise RunError(f"OpenCV's face cascade {path} is missing. Install opencv-python-headless again.")

    def detect(self, image_bgr: Picture) -> list[Face]:
        """See :class:`FaceDetector`. No landmarks."""
        picture, scale = _working_size(image_bgr)
        # Equalised, as the cascade was trained: dark photographs lose faces otherwise.
        grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
        smallest = max(30, min(grey.shape) // 16)
        with self._lock:
            boxes, _, weights = self._cascade.detectMultiScale3(
                grey,
                scaleFactor=1.1,
                minNeighbors=5,
                minSize=(smallest, smallest),
                outputRejectLevels=True,
            )
        return [
            Face(*_whole(box, scale), float(weight))
            for box, weight in zip(np.reshape(boxes, (-1, 4)), np.ravel(weights), strict=True)
        ]


class YuNetDetector:
    """YuNet (Wu et al., 2023, https://doi.org/10.1007/s11633-023-1423-y), a network of 75,000 parameters.

    ``model_path``: the ONNX file. Raises ``RunError`` if it is missing or OpenCV cannot read it.
    """

    title = "YuNet (OpenCV Zoo)"
    least_score = 0.6

    def __init__(self, model_path: str | Path) -> None:
        if not Path(model_path).is_file():
            raise RunError(f"there is no face detector file {model_path}.")
        self._lock = threading.Lock()
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(model_path), "", (SHORTEST, SHORTEST), score_threshold=self.least_score
            )
        except cv2.error as error:
            raise RunError(f"{model_path} is not a YuNet file that OpenCV can read ({error.err}).") from error

    def detect(self, image_bgr: Picture) -> list[Face]:
        """See :class:`FaceDetector`. With landmarks."""
        picture, scale = _working_size(image_bgr)
        with self._lock:
            self._network.setInputSize((picture.shape[1], picture.shape[0]))
            _, found = self._network.detect(picture)
        faces = []
        for row in np.empty((0, 15)) if found is None else found:
            points = (row[4:14].reshape(5, 2) / scale).tolist()
            landmarks = tuple((float(x), float(y)) for x, y in points)
            faces.append(Face(*_whole(row[:4], scale), float(row[14]), landmarks))
        return faces


def best_detector() -> FaceDetector:
    """YuNet if its file is there and whole, otherwise Haar, while YuNet is fetched in the background for the next time;
    ``title`` says which."""
    return best_kind()()


def best_kind() -> Callable[[], FaceDetector]:
    """Like :func:`best_detector`, for work that opens several: all are of the kind that is best now, whatever comes
    meanwhile."""
    yunet_fetch.begin()
    return functools.partial(YuNetDetector, yunet_path()) if yunet_ready() else HaarDetector


def detector_called(title: str) -> FaceDetector:
    """The detector with that title, for work that goes on as it began. Raises ``RunError`` where it is not here."""
    if title == YuNetDetector.title:
        return YuNetDetector(yunet_path())
    if title == HaarDetector.title:
        return HaarDetector()
    raise RunError(f"there is no face detector called {title}.")


def caution(title: str) -> str:
    """What to bear in mind about faces that the detector of that title has found; empty where there is nothing."""
    if title != HaarDetector.title:
        return ""
    return (
        "OpenCV's old Haar cascade finds the faces, since the better YuNet is not here yet. The cascade often takes "
        "something else for a face, and misses faces that are turned, tilted or dark."
    )


def _working_size(image_bgr: Picture) -> tuple[Picture, float]:
    """The picture at the size faces are looked for, and that size divided by the original's."""
    height, width = image_bgr.shape[:2]
    longer = max(height, width)
    scale = min(max(longer, SHORTEST), LONGEST) / longer
    if scale == 1:
        return np.ascontiguousarray(image_bgr), 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image_bgr, size, interpolation=method), dtype=np.uint8), scale


def _whole(box: npt.NDArray[np.floating | np.integer], scale: float) -> tuple[int, int, int, int]:
    x, y, width, height = (round(float(value) / scale) for value in box)
    return x, y, max(1, width), max(1, height)
