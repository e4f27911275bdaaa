"""Mistakes: each run's view of one face: its seven probabilities, and where it looked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.emotions import IMAGE_SIZE, NAMES
from fer_core.errors import RunError
from fer_core.formatting import plain
from fer_core.inference.vote import VotePredictor
from fer_core.plots.faces import describe_overlay, overlay
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo
from pages.parts import messages, probability_bars
from pages.parts.charts import jpeg
from pages.parts.mistakes.face import Answers, right_or_wrong
from pages.parts.models import open_model
from pages.parts.scope import View
from pages.parts.vote import seals

SIDE = 118
"""Pixels of one map on the page."""
WIDTH = 2 * SIDE + 16
"""Pixels that a run gets: three beside each other on a common screen, one on a phone."""

Maps = npt.NDArray[np.float32]


def show(view: View, answers: Answers) -> None:
    """One column a run. Without the dataset there are no maps: they are made of the pixels."""
    looked = "" if view.dataset is None else ", and where it looked"
    st.subheader(f"How sure each run is{looked}", anchor=False)
    with st.container(horizontal=True, gap="medium", key="each-run"):
        for info, predicted, row in zip(view.runs, answers.predicted, answers.probabilities, strict=True):
            with st.container(width=WIDTH, key=f"run-{info.name}"):
                st.markdown(f"**{info.name}** {right_or_wrong(predicted, answers.label)}")
                alt = f"Probabilities by {info.name}, in per cent"
                st.html(probability_bars.table({info.name: row}, label=answers.label, alt=alt))
                if view.dataset is not None:
                    _maps(info, np.asarray(view.dataset.images[answers.row]), answers.label, predicted)
    if view.dataset is not None:
        st.caption(
            "In the pictures, bright is what speaks for the class named below. Both pictures of a run share one scale, "
            "so you can compare how strong they are; those of different runs you cannot. A map has no more cells than "
            "are told above it, and is smoothed between them."
        )


def _maps(info: ModelInfo, face: npt.NDArray[np.uint8], label: int, predicted: int) -> None:
    if not info.has_model:
        st.caption("No maps: only its answers are here.")
        return
    try:
        maps = _explained(str(info.path), seals(info.folder), face.tobytes())
    except RunError as error:
        st.warning(f"No maps of {plain(info.name)}: {messages.told(error)}", icon=":material/broken_image:")
        return
    height, width = maps.shape[1:]
    if height * width == 1:
        st.caption("No maps: there are none for this model's head.")
        return
    st.caption(f"Class maps of {height}×{width} cells")
    classes = [label] if predicted == label else [label, predicted]
    top = float(maps[classes].max())
    with st.container(horizontal=True, gap="small"):
        for emotion in classes:
            roles = " and ".join(role for role, of in (("label", label), ("its answer", predicted)) if of == emotion)
            st.image(
                _overlay(face, maps[emotion], top),
                width=SIDE,
                caption=f"{NAMES[emotion]}, {roles}",
                alt=f"{info.name}, {roles}: {describe_overlay(maps[emotion], NAMES[emotion])}",
            )


@st.cache_data(show_spinner=False, max_entries=800)
def _overlay(face: npt.NDArray[np.uint8], class_map: Maps, top: float) -> bytes:
    return jpeg(overlay(face, class_map, size=SIDE, top=top))


@st.cache_data(show_spinner=False, max_entries=400)
def _explained(path: str, sealed: tuple[int, ...], face: bytes) -> Maps:
    """The seven maps of one face by one run, float32 (7, h, w). Keyed by the pixels themselves."""
    model = open_model(path, sealed)
    if isinstance(model, VotePredictor):
        # Its members are shown beside it, or were for another visitor: nobody asks them twice.
        members = [RunFolder(member.path.parent) for member, _ in model.members]
        maps = [_explained(str(member.path), seals(member), face) for member in members]
        return model.combine_maps([one[np.newaxis] for one in maps])[0]
    image = np.frombuffer(face, dtype=np.uint8).reshape(1, IMAGE_SIZE, IMAGE_SIZE)
    return model.explain(image)[1][0]
