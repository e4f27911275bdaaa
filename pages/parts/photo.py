"""The parts of Photo: where pictures come from, the faces in them, the models' answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fer_core import emotions
from fer_core.errors import DataError, DownloadError, RunError
from fer_core.evaluation.calibration import apply_temperature
from fer_core.inference import downloads
from fer_core.inference.detectors import Face, FaceDetector, HaarDetector, best_detector
from fer_core.inference.faces import FRAMING, crop_face, find_face_crops, load_picture
from fer_core.inference.predictor import Predictor, load_model, stored_temperature
from fer_core.runs.listing import ModelInfo
from fer_core.words import plural
from pages.parts.faces import enlarged, label_words
from pages.parts.vote import seals

WAYS = ("Upload", "Paste", "Camera")
TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"]
MOST_FACES = 12
SHOWN_SIDE = 1000
"""Pixels of the longer side of a picture on the page: a phone's picture is four times that."""
INDIGO = (75, 71, 168)
_PASTED = "_pasted"

Picture = npt.NDArray[np.uint8]
Answering = tuple[Predictor, float]
"""A model, and the temperature that its probabilities are to be read at; 1 leaves them as they are."""


def bring_pictures() -> list[tuple[str, bytes]]:
    """Names and contents of the pictures at hand, by the way that the visitor chose."""
    way = st.segmented_control(
        "Where the picture comes from", WAYS, default=WAYS[0], required=True, key="way", bind="query-params"
    )
    if way == "Camera":
        taken = st.camera_input("Take a picture")
        return [("Camera picture", taken.getvalue())] if taken is not None else []
    if way == "Paste":
        return _pasted()
    files = st.file_uploader(
        "Pictures", type=TYPES, accept_multiple_files=True, max_upload_size=50, help="At most 50 MB each."
    )
    return [(file.name, file.getvalue()) for file in files]


def _pasted() -> list[tuple[str, bytes]]:
    with st.container():
        sent = st.chat_input(
            "Click here, paste a picture (Ctrl+V or ⌘V), then press Enter",
            key="paste",
            accept_file="multiple",
            file_type=TYPES,
            max_upload_size=50,
        )
    if sent is not None:
        files = [] if isinstance(sent, str) else sent.files
        # What was pasted comes once; the page is run again at every click.
        st.session_state[_PASTED] = [(file.name, file.getvalue()) for file in files]
        if not files:
            st.warning("There was text, but no picture. Copy a picture first, then paste it into the field.")
    return list(st.session_state.get(_PASTED, []))


def choose_detector() -> FaceDetector:
    """The best detector at hand, named on the page; with a button for the better one where it is not there."""
    detector = _detector(downloads.yunet_ready())
    st.caption(f"Faces are found by: {detector.title}.")
    if isinstance(detector, HaarDetector):
        with st.container(horizontal=True, vertical_alignment="center", key="better-detector"):
            if st.button("Download the better detector YuNet (0.2 MB)", icon=":material/download:"):
                try:
                    with st.spinner("Downloading"):
                        downloads.download_yunet()
                except DownloadError as error:
                    st.error(str(error))
                else:
                    st.rerun()
            st.caption("Haar misses faces that are turned, tilted or dark.")
    return detector


def choose_models(infos: Sequence[ModelInfo]) -> list[Answering]:
    """The models that answer, all by default. One that cannot be opened is named, and left out.

    With the switch for calibrated probabilities each comes with its temperature; one that has none is named.
    """
    by_name = {info.name: info for info in infos}
    names = st.multiselect("Models", list(by_name), default=list(by_name), key="models", bind="query-params")
    calibrated = st.toggle(
        "Calibrated probabilities",
        key="calibrated",
        bind="query-params",
        help="Divides each model's logits by its temperature, which was fitted on PublicTest, so that the probability "
        "of its answer fits how often it is right there. The answer stays the same.",
    )
    opened, without = [], []
    for name in names:
        info = by_name[name]
        try:
            model = open_model(str(info.path), seals(info.folder))
            temperature = stored_temperature(info.folder) if calibrated else 1.0
        except RunError as error:
            st.warning(str(error))
            continue
        if temperature is None:
            without.append(name)
        opened.append((model, 1.0 if temperature is None else temperature))
    if without:
        st.warning(
            f"No temperature was fitted for {', '.join(without)}: those probabilities are shown as they are. "
            "To fit one, run: python -m fer_core evaluate RUN --data DATASET"
        )
    return opened


def show(number: int, name: str, content: bytes, detector: FaceDetector, models: Sequence[Answering]) -> None:
    """One picture: its faces numbered, then each face with every model's answer."""
    st.header(name, anchor=False)
    try:
        picture = load_picture(content, name)
    except DataError as error:
        st.error(str(error))
        return
    found = find_face_crops(picture, detector)
    if found:
        st.image(
            numbered(picture, [face for face, _ in found]),
            channels="BGR",
            alt=f"{name} with {plural(len(found), 'face')}, numbered from the largest.",
        )
    else:
        face = centre(picture)
        st.image(numbered(picture, []), channels="BGR", alt=f"{name}, no face found.")
        st.info(f"{detector.title} found no face in this picture.", icon=":material/face_retouching_off:")
        if not st.toggle("Use the middle of the picture as if it were a face", key=f"whole-{number}"):
            return
        found = [(face, crop_face(picture, face))]
    if len(found) > MOST_FACES:
        st.caption(f"The {MOST_FACES} largest of {len(found)} faces are shown.")
    shown = found[:MOST_FACES]
    crops = np.stack([crop for _, crop in shown])
    # Applied here and not in the predictor, so that the switch does not open every model a second time.
    answers = {model.name: apply_temperature(model.predict(crops), temperature) for model, temperature in models}
    for index, crop in enumerate(crops):
        with st.container(border=True):
            _answers(
                f"{number}-{index}",
                index + 1,
                crop,
                {model: probabilities[index] for model, probabilities in answers.items()},
            )


def _answers(
    key: str, face_number: int, crop: npt.NDArray[np.uint8], answers: dict[str, npt.NDArray[np.float32]]
) -> None:
    from fer_core.plots import bars

    with st.container(horizontal=True, gap="medium"):
        with st.container(width=144):
            st.markdown(f"**Face {face_number}**")
            st.image(
                enlarged(crop, 144),
                caption="What a model sees: 48×48 grey pixels",
                alt=f"Face {face_number}, cropped, grey, 48×48 pixels, enlarged.",
            )
        for name, probabilities in answers.items():
            with st.container(width=290):
                best = int(probabilities.argmax())
                st.markdown(f"**{name}:** {label_words(best)}, {probabilities[best] * 100:.0f} %")
                st.plotly_chart(
                    # No title in the figure: the line above has the name.
                    bars.probabilities({"": probabilities}, height=220),
                    key=f"bars-{key}-{name}",
                    config={"displayModeBar": False},
                    alt=bars.describe_probabilities({name: probabilities}),
                )
    if answers:
        with st.expander("The numbers"):
            table = pd.DataFrame(
                {name: probabilities * 100 for name, probabilities in answers.items()},
                index=pd.Index(emotions.NAMES, name="Probability (%)"),
            )
            st.dataframe(
                table.reset_index(),
                hide_index=True,
                column_config={name: st.column_config.NumberColumn(format="%.1f") for name in answers},
                alt=f"Probabilities of the seven expressions for face {face_number}, in per cent.",
            )


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
    side = max(1, int(min(height, width) / FRAMING.scale))
    return Face((width - side) // 2, (height - side) // 2, side, side, 0.0)


@st.cache_resource(show_spinner=False, max_entries=2)
def _detector(yunet: bool) -> FaceDetector:
    """Keyed by whether YuNet's file is there, so that a download counts at once."""
    return best_detector()


@st.cache_resource(show_spinner="Opening the model", max_entries=16)
def open_model(path: str, sealed: tuple[int, ...]) -> Predictor:
    """Keyed by folder and by when its ``run.json``, and those of a vote's members, were written: an export makes a
    new one.
    """
    return load_model(Path(path))
