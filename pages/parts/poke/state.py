"""What was done to a face on Poke: the address holds the changes, the visit how they came about, for undo and redo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.data.sample.redraw import DrawnFace
from fer_core.errors import ExplainError
from fer_core.explain.poke.history import History
from fer_core.explain.poke.links import from_text
from fer_core.explain.poke.steps import Step, apply, apply_drawn, moved, without_muscles
from fer_core.explain.regions import TYPICAL_REGIONS, Corners
from pages.parts import chosen_face, links, messages
from pages.parts.chosen_face import ChosenFace
from pages.parts.links_to_poke import STEPS

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
        return chosen_face.sha1_of(self.image)


def poked(original: ChosenFace, drawn: DrawnFace | None) -> Poked:
    """The face with the changes of the address made. ``drawn``: what it is drawn from, None for a photo.

    Muscles that a photo does not have are named in a warning, and left out.
    """
    steps = current_steps()
    if drawn is not None:
        image, parts = apply_drawn(drawn, steps)
        return Poked(original, drawn, steps, image, parts, True)
    if moved(steps):
        st.warning(
            "This address moves muscles, and a photo has none to move. They are left out; the other changes are shown.",
            icon=":material/sentiment_neutral:",
        )
    boxes = original.boxes()
    return Poked(
        original, None, steps, apply(original.image, without_muscles(steps)), boxes or TYPICAL_REGIONS, bool(boxes)
    )


def history() -> History:
    """The states made in this visit, at the one that the address shows. A broken address counts as no changes."""
    known: History = st.session_state.get(_HISTORY, History())
    asked = links.given(STEPS)
    try:
        known = known.arrived(asked[-1] if asked else "")
    except ExplainError as error:
        links.warn_ignored(STEPS, asked, f"{messages.told(error)} The face is shown without changes.")
        links.ignore(STEPS)
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
        st.query_params[STEPS] = states.text
    elif STEPS in st.query_params:
        del st.query_params[STEPS]


def drop_muscles() -> None:
    """Another face was chosen: what was done to its muscles stays with the one before."""
    if moved(current_steps()):
        make_steps(without_muscles(current_steps()))


def show_refusal() -> None:
    """Warnings about an address that cannot be read, and about a change that was refused."""
    history()
    if refused := st.session_state.pop(_REFUSED, None):
        st.warning(refused, icon=":material/block:")
