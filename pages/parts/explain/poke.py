"""The Poke tab: change a face with your own hands, and watch what every model makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.data.sample.redraw import MOST_SEED
from fer_core.emotions import NAMES
from fer_core.explain.poke.description import answer_words, changes_mind, step_words
from fer_core.explain.poke.edit import boxes
from fer_core.formatting import percent, plural
from fer_core.inference.predictor import Predictor
from fer_core.plots import before_after
from fer_core.plots.maps import map_on_face
from pages.parts import linked
from pages.parts.chosen_face import PREFIX, ChosenFace
from pages.parts.explain import poke_patch, poke_tools
from pages.parts.explain.canvas import canvas
from pages.parts.explain.face import Answer, answers, picture_uri
from pages.parts.explain.poke_state import (
    Poked,
    choose_drawn,
    current_steps,
    drawn_seed,
    history,
    poked,
    show_refusal,
    show_state,
)
from pages.parts.explain.poke_tools import LIGHT, MUSCLES_TOOL, PAINT, PATCH, PLACE, hold
from pages.parts.faces import data_uri, label_words

TOOLS = PREFIX + "tools"
MAP_OF = "_poke_map"
NOTHING = "nothing"
ZOOM = 10


def show(about: ChosenFace | None, models: list[Predictor], is_open: bool) -> None:
    """The tab. Closed, nothing is computed; the changes stay in the address."""
    if is_open:
        _tab(about, models)


@st.fragment
def _tab(about: ChosenFace | None, models: list[Predictor]) -> None:
    """Alone runs again at a change, so that the bars follow at once."""
    st.markdown(
        "Paint over a part of the face, dim the light, turn the head: which answers hang on what? "
        "The address holds every change, so you can send it to somebody."
    )
    show_refusal()
    _choose_face(about)
    face = poked(about)
    if face is None:
        st.info("Choose a face above, or take a drawn one.", icon=":material/face:")
        return
    if not models:
        st.info("Choose at least one model above.", icon=":material/info:")
        return
    before = answers(face.original, models)
    after = before if face.key == face.original.key else _answers(face.image, models)
    with st.container(horizontal=True, vertical_alignment="bottom", key="poke-top"):
        group = _choose_tools(face)
        _steps_back()
    picture, tools, bars = st.columns([6, 5, 7], gap="medium")
    with tools:
        _tools(group, face, models)
    with picture:
        _picture(face, after)
        _changed_answers(before, after)
        _list_changes(face)
    with bars:
        _bars(face, before, after)


def _choose_face(about: ChosenFace | None) -> None:
    """Whether a new drawn face takes the place of the chosen one."""
    seed = drawn_seed()
    with st.container(horizontal=True, vertical_alignment="bottom", key="poke-drawn"):
        hold("_poke_drawn", seed is not None)
        st.toggle(
            "A drawn face instead, whose muscles you can move",
            key="_poke_drawn",
            on_change=lambda: choose_drawn(0 if st.session_state["_poke_drawn"] else None),
        )
        if seed is not None:
            hold("_poke_seed", seed)
            st.number_input(
                "Number of the drawn face",
                0,
                MOST_SEED,
                key="_poke_seed",
                on_change=lambda: choose_drawn(int(st.session_state["_poke_seed"])),
                width=200,
            )
    if seed is not None:
        st.caption(
            "This face is drawn, not photographed, and every muscle is at rest. What models say about drawings says "
            "little about photos."
        )


def _choose_tools(face: Poked) -> str:
    groups = [PAINT, LIGHT, PLACE, *([MUSCLES_TOOL] if face.drawn is not None else []), PATCH]
    return linked.segmented_control("Tools", groups, key=TOOLS)


def _tools(group: str, face: Poked, models: Sequence[Predictor]) -> None:
    if group != PAINT:
        poke_tools.remember_brush()
    if group == LIGHT:
        poke_tools.light(face.steps)
    elif group == PLACE:
        poke_tools.place(face.steps)
    elif group == MUSCLES_TOOL:
        poke_tools.muscles(face)
    elif group == PATCH:
        poke_patch.show(face, models)
    else:
        poke_tools.paint(face)


def _picture(face: Poked, after: Sequence[Answer]) -> None:
    by_name = {answer.name: answer for answer in after}
    if st.session_state.get(MAP_OF) not in by_name:
        st.session_state[MAP_OF] = NOTHING
    seen = by_name.get(st.session_state[MAP_OF])
    canvas(
        data_uri(face.image) if seen is None else picture_uri(_with_map(face.image, seen)),
        _alt(face, seen),
        tool=poke_tools.tool(),
        grey=st.session_state[poke_tools.GREY],
        width=st.session_state[poke_tools.WIDTH],
        boxes=boxes(face.steps),
        key="_poke_canvas",
        on_strokes=poke_tools.take_strokes,
    )
    st.selectbox(
        "Lay a model's map over it",
        [NOTHING, *by_name],
        key=MAP_OF,
        help="The class map of the model's own answer about the face as it is now, see the tab Maps.",
    )


def _steps_back() -> None:
    states = history()
    with st.container(horizontal=True, gap="small", key="poke-history", width="content"):
        st.button(
            "Undo",
            icon=":material/undo:",
            disabled=not states.can_undo,
            on_click=lambda: show_state(history().undo()),
            key="poke-undo",
            shortcut="Ctrl+Z",
        )
        st.button(
            "Redo",
            icon=":material/redo:",
            disabled=not states.can_redo,
            on_click=lambda: show_state(history().redo()),
            key="poke-redo",
            shortcut="Ctrl+Y",
        )
        st.button(
            "Reset",
            icon=":material/restart_alt:",
            disabled=not states.text,
            on_click=lambda: show_state(history().push(())),
            key="poke-reset",
        )


def _list_changes(face: Poked) -> None:
    steps = current_steps()
    if not steps:
        st.caption("Nothing is changed yet.")
        return
    with st.expander(f"{plural(len(steps), 'change')}, in this order"):
        st.markdown("\n".join(f"1. {step_words(step)}" for step in steps))
    if not face.original.linkable and drawn_seed() is None:
        st.caption("The face itself is in this visit's memory only: a link carries the changes, not the face.")


def _changed_answers(before: Sequence[Answer], after: Sequence[Answer]) -> None:
    if before is after:
        st.markdown("Change something, and watch the bars.")
        return
    pairs = zip(before, after, strict=True)
    changed = [new.name for old, new in pairs if changes_mind(old.probabilities, new.probabilities)]
    if changed:
        st.markdown(f"**{len(changed)} of {plural(len(after), 'model')} changed the answer: {', '.join(changed)}.**")
    else:
        st.markdown(f"None of {plural(len(after), 'model')} changed the answer.")


def _bars(face: Poked, before: Sequence[Answer], after: Sequence[Answer]) -> None:
    parts = []
    for old, new in zip(before, after, strict=True):
        words = _verdict(new) if before is after else answer_words(new.name, old.probabilities, new.probabilities)
        inside = before_after.change_bars(old.probabilities, new.probabilities, label=face.original.label)
        parts.append(before_after.card(words, inside, changed=changes_mind(old.probabilities, new.probabilities)))
    with st.container(key="poke-bars"):
        st.html(before_after.cards(parts))
    label = face.original.label
    pointed = "" if label is None else f" The label, {label_words(label)}, has a ▸."
    st.caption(f"Probabilities in per cent. Filled: now. Outlined: before the changes.{pointed}")


def _verdict(answer: Answer) -> str:
    return f"{answer.name}: {NAMES[answer.predicted]}, {percent(answer.probabilities[answer.predicted], 0)}"


def _alt(face: Poked, seen: Answer | None) -> str:
    done = f", after {plural(len(face.steps), 'change')}" if face.steps else ""
    over = "" if seen is None else f", with what {seen.name} looks at for {NAMES[seen.predicted]}"
    return f"{face.original.title}, 48×48 grey pixels, enlarged{done}{over}."


def _with_map(image: npt.NDArray[np.uint8], answer: Answer) -> npt.NDArray[np.uint8]:
    return map_on_face(image, answer.maps[answer.predicted], size=image.shape[0] * ZOOM, opacity=0.5)


def _answers(image: npt.NDArray[np.uint8], models: Sequence[Predictor]) -> list[Answer]:
    """Not kept: a slider makes a new face at every move."""
    found = []
    for model in models:
        probabilities, maps = model.explain(image[np.newaxis])
        found.append(Answer(model, probabilities[0], maps[0]))
    return found
