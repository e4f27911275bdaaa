"""The Poke tab's state: the address holds the changes, the visit remembers how they came about, for undo and redo."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.data.sample.redraw import MOST_SEED, DrawnFace, drawn_face, new_face
from fer_core.errors import DataError, ExplainError
from fer_core.explain.poke.history import History
from fer_core.explain.poke.links import from_text
from fer_core.explain.poke.steps import Step, apply, apply_drawn, moved, without_muscles
from fer_core.explain.regions import TYPICAL_REGIONS, Corners
from pages.parts import links, messages
from pages.parts.chosen_face import PREFIX, ChosenFace
from pages.parts.data import open_dataset

POKE, DRAWN = PREFIX + "poke", PREFIX + "drawn"
"""Names in the address: the changes, and the number of a new drawn face. Written by hand, not bound to widgets: a bound
name is lost where its widget is not drawn, as in a closed tab.
"""
_NO_FACE = f"There is no drawn face {{asked}}: they are numbered from 0 to {MOST_SEED:,}."
_HISTORY, _REFUSED = "_poke_history", "_poke_refused"


@dataclass(frozen=True, eq=False)
class Poked:
    """A face and what was done to it.

    Attributes:
        original: the untouched face; for a new drawn face one of its own.
        drawn: what it is drawn from, or None for a photo.
        steps: all changes.
        image: uint8 (48, 48), the changed face.
        parts: where brows, eyes and mouth are, in pixels.
        known: whether ``parts`` are the face's own, and not those of most faces.
    """

    original: ChosenFace
    drawn: DrawnFace | None
    steps: tuple[Step, ...]
    image: npt.NDArray[np.uint8]
    parts: Mapping[str, Corners]
    known: bool

    @property
    def key(self) -> str:
        """sha1 of the changed pixels, hex."""
        return pixels_key(self.image)


def poked(chosen: ChosenFace | None) -> Poked | None:
    """The face that the address names, with its changes made; None where there is no face.

    Muscles that a photo does not have are named in a warning, and left out.
    """
    seed, drawn = drawn_seed(), None
    if seed is not None:
        drawn = new_face(seed)
        image, _ = drawn.draw()
        chosen = ChosenFace(image, pixels_key(image), f"Drawn face {seed:,}")
    elif chosen is None:
        return None
    else:
        drawn = _drawn(chosen)
    steps = current_steps()
    if drawn is not None:
        image, parts = apply_drawn(drawn, steps)
        return Poked(chosen, drawn, steps, image, parts, True)
    if moved(steps):
        st.warning(
            "This address moves muscles, and a photo has none to move. They are left out; the other changes are shown.",
            icon=":material/sentiment_neutral:",
        )
    boxes = chosen.boxes()
    return Poked(
        chosen, None, steps, apply(chosen.image, without_muscles(steps)), boxes or TYPICAL_REGIONS, bool(boxes)
    )


def history() -> History:
    """The states made in this visit, at the one that the address shows. A broken address counts as no changes."""
    known: History = st.session_state.get(_HISTORY, History())
    asked = links.given(POKE)
    try:
        known = known.arrived(asked[-1] if asked else "")
    except ExplainError as error:
        links.warn_ignored(POKE, asked, f"{messages.told(error)} The face is shown without changes.")
        links.ignore(POKE)
        known = known.arrived("")
    st.session_state[_HISTORY] = known
    return known


def current_steps() -> tuple[Step, ...]:
    """The changes in the address, muscles and all."""
    return from_text(history().text)


def make_steps(steps: Sequence[Step], kind: str = "") -> None:
    """Make these the changes. ``kind``: see :meth:`History.push`. A refusal is told by :func:`show_refusal`."""
    try:
        show_state(history().push(steps, kind))
    except ExplainError as error:
        st.session_state[_REFUSED] = messages.told(error)


def show_state(states: History) -> None:
    """Show the state that this history is at, and say so in the address."""
    st.session_state[_HISTORY] = states
    if states.text:
        st.query_params[POKE] = states.text
    elif POKE in st.query_params:
        del st.query_params[POKE]


def drawn_seed() -> int | None:
    """The number of the new drawn face that the address asks for, or None."""
    return links.whole(DRAWN, 0, MOST_SEED, _NO_FACE)


def choose_drawn(seed: int | None) -> None:
    """Be about a new drawn face, or, with None, about the chosen face again."""
    if seed is not None:
        st.query_params[DRAWN] = str(seed)
    elif DRAWN in st.query_params:
        del st.query_params[DRAWN]


def show_refusal() -> None:
    """Warnings about an address that cannot be read, and about a change that was refused."""
    history()
    drawn_seed()
    if refused := st.session_state.pop(_REFUSED, None):
        st.warning(refused, icon=":material/block:")


def pixels_key(image: npt.NDArray[np.uint8]) -> str:
    """sha1 of the pixels, hex, as :attr:`ChosenFace.key` is."""
    return hashlib.sha1(image.tobytes(), usedforsecurity=False).hexdigest()


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
