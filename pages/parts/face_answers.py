"""What the parts of Explain share: which models by default, what they say about a face, and pictures as addresses."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.inference.predictor import Maps, Predictor, Probabilities
from fer_core.runs.folder import RunFolder
from pages.parts.chosen_face import ChosenFace
from pages.parts.vote import seals

JPEG_QUALITY = 92

Seal = tuple[str, tuple[int, ...]]
"""A run's folder, and when it and those it asks were written: equal as long as the model is the same."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What one model says about one face: ``probabilities`` float32 (7,), ``maps`` float32 (7, h, w) ≥ 0.

    ``seal``: what caches of the model's answers are keyed by.
    """

    model: Predictor
    probabilities: npt.NDArray[np.float32]
    maps: npt.NDArray[np.float32]
    seal: Seal = ("", ())

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def predicted(self) -> int:
        """The class it answers, 0..6."""
        return int(self.probabilities.argmax())

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of its maps, in cells."""
        return self.model.map_grid


def answers(about: ChosenFace, models: Sequence[Predictor]) -> list[Answer]:
    """Each model's probabilities and seven maps of the face, one call a model, kept for all visitors."""
    found = []
    for model in models:
        seal = cache_key(model)
        probabilities, maps = _explained(seal, about.key, model, about.image)
        found.append(Answer(model, probabilities[0], maps[0], seal))
    return found


def cache_key(model: Predictor) -> Seal:
    """What caches of a model's answers are keyed by."""
    folder = RunFolder(model.path.parent)
    return str(folder.path), seals(folder)


def picture_uri(picture: npt.NDArray[np.uint8]) -> str:
    """A picture, uint8 (H, W, 3), red-green-blue, as a ``data:`` address: JPEG, a tenth of what PNG takes here."""
    good, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not good:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


@st.cache_resource(show_spinner=False, max_entries=400)
def _explained(seal: Seal, key: str, _model: Predictor, _image: npt.NDArray[np.uint8]) -> tuple[Probabilities, Maps]:
    """Keyed by the model's seal and the face's pixels. Nobody writes to the arrays."""
    return _model.explain(_image[np.newaxis])
