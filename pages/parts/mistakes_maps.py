"""Mistakes: where each run looked, for the label and for its own answer, side by side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.errors import RunError
from fer_core.plots.faces import describe_overlay, overlay
from fer_core.runs.listing import ModelInfo
from pages.parts.mistakes_face import Answers
from pages.parts.photo import open_model
from pages.parts.scope import View
from pages.parts.vote import seals

SIDE = 150
"""Pixels of one picture."""

Maps = npt.NDArray[np.float32]


def show(view: View, answers: Answers) -> None:
    """One pair of pictures for each run. Needs the dataset: a map is made of the pixels."""
    if view.dataset is None:
        return
    st.subheader("Where each run looked", anchor=False)
    st.caption(
        f"Bright where that part of the face speaks for the class. Left for the label, {NAMES[answers.label]}, right "
        "for the run's own answer. Both maps of a run share one scale, so you can compare how strong they are; maps of "
        "different runs you cannot. A map has only as many cells as the run's last layer, and is smoothed between them."
    )
    face = np.asarray(view.dataset.images[answers.row])
    with st.container(horizontal=True, gap="medium", key="face-maps"):
        for info, said in zip(view.runs, answers.said, strict=True):
            with st.container(width=2 * SIDE + 16):
                try:
                    maps = _maps(str(info.path), seals(info.folder), face.tobytes())
                except RunError as error:
                    st.warning(f"No maps of {info.name}: {error}", icon=":material/broken_image:")
                    continue
                _pair(info, face, maps, answers.label, said)


def _pair(info: ModelInfo, face: npt.NDArray[np.uint8], maps: Maps, label: int, said: int) -> None:
    height, width = maps.shape[1:]
    st.markdown(f"**{info.name}**, {height}×{width} cells")
    classes = [label] if said == label else [label, said]
    top = float(maps[classes].max())
    with st.container(horizontal=True, gap="small"):
        for emotion in classes:
            roles = [role for role, of in (("label", label), ("its answer", said)) if of == emotion]
            st.image(
                overlay(face, maps[emotion], size=2 * SIDE, top=top),
                width=SIDE,
                caption=f"{NAMES[emotion]} ({' and '.join(roles)})",
                alt=f"{info.name}, {' and '.join(roles)}: {describe_overlay(maps[emotion], NAMES[emotion])}",
            )


@st.cache_data(show_spinner=False, max_entries=400)
def _maps(path: str, sealed: tuple[int, ...], face: bytes) -> Maps:
    """The seven maps of one face by one run, float32 (7, h, w). Keyed by the pixels themselves."""
    image = np.frombuffer(face, dtype=np.uint8).reshape(1, 48, 48)
    return open_model(path, sealed).explain(image)[1][0]
