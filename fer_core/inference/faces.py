"""From a picture to faces of 48×48 pixels, framed and grey as in FER-2013."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.inference.detectors import (
    Face,
    FaceDetector,
    HaarDetector,
    YuNetDetector,
    best_detector,
)
from fer_core.inference.face_crop import CROP_RULE, CropRule, cut
from fer_core.photo import Picture, as_face

__all__ = [
    "CROP_RULE",
    "AlreadyCut",
    "Face",
    "FaceDetector",
    "HaarDetector",
    "YuNetDetector",
    "best_detector",
    "crop_face",
    "find_face_crops",
    "find_faces",
]


def find_faces(image_bgr: Picture, detector: FaceDetector | None = None) -> list[Face]:
    """All faces in a picture, the largest first. ``image_bgr``: uint8 (H, W, 3), blue-green-red.

    ``detector`` defaults to :func:`best_detector`, which opens a file each time: keep one for many pictures.
    Raises ``ValueError`` for an array of another kind.
    """
    _check(image_bgr)
    faces = (detector or best_detector()).detect(image_bgr)
    return sorted(faces, key=lambda face: (-face.area, face.x, face.y))


def crop_face(image_bgr: Picture, face: Face, rule: CropRule = CROP_RULE) -> npt.NDArray[np.uint8]:
    """The face as FER-2013 would show it: grey, uint8 (48, 48), a square about the box.

    Where the square leaves the picture, the picture's edge is repeated. ``image_bgr`` as in :func:`find_faces`.
    Raises ``ValueError`` if the box does not touch the picture, or ``rule`` needs landmarks that the face lacks.
    """
    _check(image_bgr)
    return cut(image_bgr, face, rule)


class AlreadyCut:
    """In place of a detector, for pictures that are one face each, framed as FER-2013's are."""

    title = "nobody: each picture is a face already"

    def detect(self, image_bgr: Picture) -> list[Face]:
        """The whole picture, with score 1."""
        height, width = image_bgr.shape[:2]
        return [Face(0, 0, width, height, 1.0)]


def find_face_crops(
    image_bgr: Picture, detector: FaceDetector | None = None
) -> list[tuple[Face, npt.NDArray[np.uint8]]]:
    """Each face with its crop, the largest first: :func:`find_faces`, then :func:`crop_face`.

    A picture of exactly 48×48 pixels is FER-2013's own format: it is one face already, with score 1, and is
    not searched. With :class:`AlreadyCut` that holds for all pictures, and each is resized as a whole.
    """
    _check(image_bgr)
    if image_bgr.shape[:2] == (IMAGE_SIZE, IMAGE_SIZE) or isinstance(detector, AlreadyCut):
        [whole] = AlreadyCut().detect(image_bgr)
        return [(whole, as_face(image_bgr))]
    return [(face, crop_face(image_bgr, face)) for face in find_faces(image_bgr, detector)]


def _check(image_bgr: Picture) -> None:
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.size == 0:
        raise ValueError(
            f"a picture must be uint8 of shape (H, W, 3), not {image_bgr.dtype} of shape {image_bgr.shape}"
        )
