"""What Photo and Live share: the detector and the models that answer; and pictures with numbered faces."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.access.policy import Action
from fer_core.errors import DownloadError, RunError
from fer_core.inference import yunet_fetch
from fer_core.inference.detectors import Face, FaceDetector, best_detector
from fer_core.inference.detectors import caution as caution_of
from fer_core.inference.faces import CROP_RULE
from fer_core.inference.models import stored_temperature
from fer_core.inference.predictor import Predictor
from fer_core.inference.yunet import YUNET_FILE
from fer_core.inference.yunet_fetch import Absence
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo
from pages.parts import access, linked, messages, models
from pages.parts.fragments import fragment
from pages.parts.models import by_default

SHOWN_SIDE = 1000
"""Pixels of the longer side of a picture on the page: a phone's picture is four times that."""
INDIGO = (75, 71, 168)
MODELS = "models"
"""In the address of Photo."""

Picture = npt.NDArray[np.uint8]
Answering = tuple[Predictor, float]
"""A model, and the temperature that its probabilities are to be read at; 1 leaves them as they are."""


def choose_detector() -> FaceDetector:
    """The best detector at hand, named on the page. The better one is fetched meanwhile where it is not there, and the
    page is drawn anew when it has come.
    """
    yunet_fetch.begin()
    absent = yunet_fetch.absence()
    detector = _detector(absent is None)
    st.caption(f"Faces are found by: {detector.title}.")
    if absent is not None and access.may(Action.FETCH):
        _say_absence(*absent)
    elif absent is not None and absent[0] is Absence.COMING:
        _wait()
    return detector


def caution(title: str) -> None:
    """Beside a result: what to bear in mind about faces that this detector has found, where there is something."""
    if words := caution_of(title):
        st.caption(f":material/warning: {words}")


def _say_absence(absence: Absence, problem: str) -> None:
    """To the owner: why YuNet is not there, and what they may do."""
    if absence is Absence.COMING:
        st.caption("The better detector YuNet (0.2 MB) is being fetched.")
        _wait()
        return
    why = messages.told(problem) if problem else f"Fetching is switched off here. By hand: {YUNET_FILE} into `cache`."
    st.caption(f"The better detector YuNet (0.2 MB) is not here. {why}")
    if st.button("Fetch YuNet now", icon=":material/download:", key="fetch-yunet"):
        try:
            with st.spinner("Fetching"):
                _fetch()
        except DownloadError as error:
            st.error(messages.told(error))
        else:
            st.rerun()


@functools.partial(fragment, every=2.0)
def _wait() -> None:
    """Looks now and then whether it has come or failed; then the page is drawn anew."""
    yunet_fetch.begin()
    absent = yunet_fetch.absence()
    if absent is None or absent[0] is not Absence.COMING:
        st.rerun()


@access.only(Action.FETCH)
def _fetch() -> None:
    yunet_fetch.fetch_now()


def choose_models(infos: Sequence[ModelInfo]) -> list[Predictor]:
    """The models that answer: by default the first ones and the votes, which usually ask these. One that cannot be
    opened is named, and left out.
    """
    default = [*by_default(infos), *(info.name for info in infos if info.is_vote)]
    return models.choose(infos, MODELS, default=default)


def choose_calibrated() -> bool:
    """The switch for calibrated probabilities."""
    return linked.toggle(
        "Calibrated probabilities",
        key="calibrated",
        help="Divides each model's logits by its temperature, which was fitted on PublicTest, so that the probability "
        "of its answer fits how often it is right there. The answer stays the same.",
    )


def with_temperatures(chosen: Sequence[Predictor], *, calibrated: bool) -> list[Answering]:
    """Each model with its temperature; one that has none is named and stays as it is."""
    answering, without = [], []
    for model in chosen:
        temperature: float | None = 1.0
        if calibrated:
            try:
                temperature = stored_temperature(RunFolder(model.path.parent))
            except RunError as error:
                st.warning(messages.told(error))
                continue
        if temperature is None:
            without.append(model.name)
        answering.append((model, 1.0 if temperature is None else temperature))
    if without:
        st.warning(
            f"No temperature was fitted for {', '.join(without)}: those probabilities are shown as they are. "
            "To fit one, run: python -m fer_core evaluate RUN --data DATASET"
        )
    return answering


def numbered(picture: Picture, faces: Sequence[Face]) -> Picture:
    """The picture, uint8 (H, W, 3), blue-green-red, at most 1,000 pixels long, each face boxed and numbered."""
    scale = min(1.0, SHOWN_SIDE / max(picture.shape[:2]))
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture.copy()
    colour = INDIGO[::-1]
    unit = max(1.0, max(size) / 400)
    line = max(1, round(unit))
    for number, face in enumerate(faces, start=1):
        x0, y0 = round(face.x * scale), round(face.y * scale)
        x1, y1 = round((face.x + face.width) * scale), round((face.y + face.height) * scale)
        cv2.rectangle(shown, (x0, y0), (x1, y1), (255, 255, 255), line + 2)
        cv2.rectangle(shown, (x0, y0), (x1, y1), colour, line)
        (width, height), base = cv2.getTextSize(str(number), cv2.FONT_HERSHEY_SIMPLEX, 0.5 * unit, line)
        # Inside the box and the picture, also where the box begins above the picture.
        left, top = max(x0, 0), max(y0, 0)
        cv2.rectangle(shown, (left, top), (left + width + 6, top + height + base + 4), colour, -1)
        cv2.putText(
            shown,
            str(number),
            (left + 3, top + height + 3),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.5 * unit,
            (255, 255, 255),
            line,
            cv2.LINE_AA,
        )
    return np.asarray(shown, dtype=np.uint8)


def centre(picture: Picture) -> Face:
    """The largest square in the middle of a picture, as a face box; its crop stays inside the picture."""
    height, width = picture.shape[:2]
    side = max(1, int(min(height, width) / CROP_RULE.scale))
    return Face((width - side) // 2, (height - side) // 2, side, side, 0.0)


@st.cache_resource(show_spinner=False, max_entries=2)
def _detector(yunet: bool) -> FaceDetector:
    """Keyed by whether YuNet's file is there, so that a download counts at once."""
    return best_detector()
