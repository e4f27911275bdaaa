"""Cuts faces out of whole pictures while they are imported, framed as everywhere else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.inference.detectors import FaceDetector, best_detector, caution
from fer_core.inference.faces import crop_face, find_faces
from fer_core.photo import Picture


class LargestFace:
    """A :class:`~fer_core.data.pictures.FaceCutter`: the largest face that the detector finds.

    The detector is opened with the first picture that needs one: a folder of small faces needs none.
    """

    def __init__(self, detector: FaceDetector | None = None) -> None:
        """``detector``: :func:`~fer_core.inference.detectors.best_detector` where it is left out."""
        self._detector = detector

    @property
    def caution(self) -> str:
        """See :func:`fer_core.inference.detectors.caution`; nothing before a face was looked for."""
        if self._detector is None or not (words := caution(self._detector.title)):
            return ""
        return f"{words} Import them again once YuNet is here."

    def __call__(self, picture: Picture) -> npt.NDArray[np.uint8] | None:
        if self._detector is None:
            self._detector = best_detector()
        faces = find_faces(picture, self._detector)
        return crop_face(picture, faces[0]) if faces else None
