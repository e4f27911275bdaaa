"""The face that Poke begins with: a drawn one with every muscle at rest, one of the data, or one that was brought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from fer_core.data.sample.redraw import MOST_SEED, DrawnFace, drawn_face, new_face
from fer_core.errors import DataError
from pages.parts import chosen_face, linked, links, messages
from pages.parts.chosen_face import DATASET, YOURS, ChosenFace
from pages.parts.data import open_dataset
from pages.parts.links_to_poke import DRAWN, DRAWN_FACE, FROM, PREFIX
from pages.parts.poke.state import drop_muscles

FIRST_SEED = 51
"""The drawn face of a first visit: each of its usual expressions is named by one shipped model or more."""
_NO_FACE = f"There is no drawn face {{asked}}: they are numbered from 0 to {MOST_SEED:,}."


@dataclass(frozen=True, eq=False)
class Start:
    """A face before anything is done to it. ``drawn``: what it is drawn from; None for a photo."""

    face: ChosenFace
    drawn: DrawnFace | None


def choose() -> Start | None:
    """Draw the choice; None, with a sentence, where there is no face."""
    with st.container(horizontal=True, vertical_alignment="center", key="poke-whose"):
        origin = linked.segmented_control(
            "Whose face",
            (DRAWN_FACE, DATASET, YOURS),
            key=FROM,
            label_visibility="collapsed",
            on_change=drop_muscles,
        )
        if origin == DRAWN_FACE:
            st.button(
                "Somebody else",
                icon=":material/shuffle:",
                on_click=_somebody_else,
                key="poke-somebody",
                help="Another drawn person. The link holds which one.",
            )
            return _new_face(_seed())
    face = chosen_face.own(PREFIX) if origin == YOURS else chosen_face.of_dataset(PREFIX)
    return None if face is None else Start(face, _drawn(face))


def _seed() -> int:
    asked = links.whole(DRAWN, 0, MOST_SEED, _NO_FACE)
    return FIRST_SEED if asked is None else asked


def _somebody_else() -> None:
    st.query_params[DRAWN] = str(np.random.default_rng().integers(MOST_SEED + 1))


@st.cache_resource(show_spinner=False, max_entries=64)
def _new_face(seed: int) -> Start:
    drawn = new_face(seed)
    image, _ = drawn.draw()
    return Start(ChosenFace(image, chosen_face.sha1_of(image), f"Drawn face {seed:,}"), drawn)


def _drawn(chosen: ChosenFace) -> DrawnFace | None:
    """What a face of the drawn sample is drawn from. None for a photo, and, with a warning, where that is not known."""
    dataset, row = chosen.dataset, chosen.row
    if dataset is None or row is None or not dataset.info.is_sample:
        return None
    try:
        return _drawn_row(str(dataset.path), dataset.info.fingerprint, row)
    except DataError as error:
        st.warning(messages.told(error), icon=":material/draw:")
        return None


@st.cache_resource(show_spinner=False, max_entries=64)
def _drawn_row(path: str, fingerprint: str, row: int) -> DrawnFace:
    """Keyed by the dataset's path and fingerprint, and the row."""
    return drawn_face(open_dataset(path, fingerprint), row)
