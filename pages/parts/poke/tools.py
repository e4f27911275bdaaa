"""Poke's tools: brush and boxes, light and camera, place, muscles. Each change goes into the address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from fer_core.data.sample.action_units import MUSCLES, WORDS
from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.poke.edit import (
    box_between,
    boxes,
    found,
    placed_box,
    removed,
    replaced,
    set_muscles,
    set_step,
    stroke,
    toggle_mirror,
)
from fer_core.explain.poke.steps import Blur, Box, Brightness, Contrast, Mirror, Noise, Rotate, Shift, Step, moved
from pages.parts.poke.canvas import Stroke, Tool
from pages.parts.poke.state import Poked, current_steps, make_steps

PAINT, LIGHT, PLACE, MUSCLES_TOOL, PATCH = "Paint", "Light", "Place", "Muscles", "Smallest patch"
TOOL_WORDS: dict[Tool, str] = {
    "brush": "Brush",
    "box": "Box",
    "move": "Move",
}
TOOL, GREY, WIDTH = "_poke_tool", "_poke_grey", "_poke_width"
DEFAULTS: dict[str, Any] = {TOOL: "brush", GREY: 127, WIDTH: 5}
TELLING = ("AU1", "AU4", "AU5", "AU9", "AU12", "AU15", "AU26")
"""The muscles that one meets first: each moves an answer by itself."""
SLIDER_WIDTH = 155
"""Pixels; the longest words, “Brows down and together”, just fit."""
BOX_SIDE = 16
GREYS = (0, 32, 64, 96, 127, 159, 191, 223, 255)


def remember_brush() -> None:
    """Remember the brush where its widgets are not drawn: Streamlit forgets a widget that is not there."""
    for key, value in DEFAULTS.items():
        st.session_state[key] = st.session_state.get(key, value)


def tool() -> Tool:
    """What the mouse does on the picture."""
    chosen: Tool = st.session_state[TOOL]
    return chosen


def paint(face: Poked) -> None:
    """Brush, boxes, and what covers a part of the face."""
    for key, value in DEFAULTS.items():
        st.session_state.setdefault(key, value)
    st.segmented_control(
        "Mouse or finger", list(TOOL_WORDS), format_func=TOOL_WORDS.__getitem__, key=TOOL, required=True
    )
    st.select_slider("Grey (0 black, 255 white)", GREYS, key=GREY)
    st.slider("Width of the brush", 1, 24, key=WIDTH, format="%d pixels")
    st.markdown("**Cover a part**", help=None if face.known else "Where it is in most faces of FER-2013. Then move it.")
    with st.container(horizontal=True, gap="small", key="poke-parts"):
        for name, box in face.parts.items():
            st.button(name.capitalize(), on_click=_cover, args=(box,), key=f"poke-cover-{name}")
        st.button("A square", on_click=_cover, args=(_square(),), key="poke-cover-square")
    painted = boxes(face.steps)
    if painted:
        _move_by_sliders(painted)


def light(steps: Sequence[Step]) -> None:
    """Brightness, contrast, blur and noise."""
    bright, contrast, blur = found(steps, Brightness), found(steps, Contrast), found(steps, Blur)
    noise = found(steps, Noise)
    seed = 0 if noise is None else noise.seed
    _slider("Brightness", -120, 120, round(bright.amount) if bright else 0, Brightness, "%+d grey levels", step=2)
    _slider("Contrast", 0.0, 3.0, contrast.factor if contrast else 1.0, Contrast, "× %.2f", step=0.05)
    _slider("Blur", 0.0, 6.0, blur.sigma if blur else 0.0, Blur, "%.2f pixels", step=0.25)
    strength = round(noise.strength) if noise else 0
    _slider("Noise", 0, 80, strength, lambda value: Noise(value, seed), "%d grey levels", step=2)
    st.button(
        "Other noise as strong",
        icon=":material/casino:",
        on_click=_other_noise,
        disabled=noise is None,
        key="poke-other-noise",
    )


def place(steps: Sequence[Step]) -> None:
    """Turning, moving, mirroring."""
    turned, shifted = found(steps, Rotate), found(steps, Shift)
    x, y = (shifted.x, shifted.y) if shifted else (0.0, 0.0)
    _slider("Turn", -90, 90, round(turned.degrees) if turned else 0, Rotate, "%+d° clockwise")
    _slider("Move to the right", -24, 24, round(x), lambda value: Shift(value, y), "%+d pixels")
    _slider("Move down", -24, 24, round(y), lambda value: Shift(x, value), "%+d pixels")
    hold("_poke_mirror", found(steps, Mirror) is not None)
    st.toggle("Mirror", key="_poke_mirror", on_change=lambda: make_steps(toggle_mirror(current_steps())))


def muscles(face: Poked) -> None:
    """A slider for each action unit of one part of the face. Only for drawn faces."""
    if face.drawn is None:
        return
    own: dict[str, float] = dict(face.drawn.units)
    shown = own | moved(face.steps)
    # Side by side as many as fit: two on a phone, so that the answers stay near the slider that moves them.
    sliders = st.container(horizontal=True, gap="small")
    groups = {"The most telling": {name: WORDS[name] for name in TELLING}, **MUSCLES}
    part = st.selectbox(
        "Which muscles",
        list(groups),
        key="poke-part",
        width=240,
        help="Expressions are described by the muscles that move, the action units of the Facial Action Coding System "
        "(Ekman and Friesen, 1978).",
    )
    for name, words in groups[part].items():
        key = f"_poke_{name}"
        hold(key, round(100 * shown[name]))
        sliders.slider(
            words, 0, 100, key=key, format="%d %%", on_change=_move_muscle, args=(name, own), width=SLIDER_WIDTH
        )


def take_strokes(strokes: Sequence[Stroke]) -> None:
    """What was drawn on the picture, into the changes."""
    steps = current_steps()
    for one in strokes:
        first, last = one.points[0], one.points[-1]
        if one.tool == "brush":
            steps = (*steps, stroke(one.points, one.grey, one.width))
        elif one.tool == "box":
            steps = (*steps, box_between(first, last, one.grey))
        elif isinstance(box := steps[one.at] if 0 <= one.at < len(steps) else None, Box):
            steps = replaced(steps, one.at, _shifted(box, last[0] - first[0], last[1] - first[1]))
    make_steps(steps)


def _move_by_sliders(painted: dict[int, Box]) -> None:
    """What the mouse does with a box, for the keyboard."""
    places = list(painted)
    key = "_poke_box"
    if st.session_state.get(key) not in painted:
        st.session_state[key] = places[-1]
    at = st.selectbox(
        "Move or change a box",
        places,
        key=key,
        format_func=lambda one: f"Box {places.index(one) + 1} of {len(places)}, {_size(painted[one])}",
    )
    box = painted[at]
    sides = {
        "Left edge": (box.x0, lambda value: placed_box(value, box.y0, box.x1 - box.x0, box.y1 - box.y0, box.grey)),
        "Upper edge": (box.y0, lambda value: placed_box(box.x0, value, box.x1 - box.x0, box.y1 - box.y0, box.grey)),
        "Width": (box.x1 - box.x0, lambda value: placed_box(box.x0, box.y0, value, box.y1 - box.y0, box.grey)),
        "Height": (box.y1 - box.y0, lambda value: placed_box(box.x0, box.y0, box.x1 - box.x0, value, box.grey)),
    }
    for words, (value, made) in sides.items():
        name = f"_poke_box_{words}"
        hold(name, value)
        least, most = (0, IMAGE_SIZE - 1) if "edge" in words else (1, IMAGE_SIZE)
        label = f"{words} of the box"
        st.slider(label, least, most, key=name, format="%d pixels", on_change=_change_box, args=(at, name, made))
    st.button(
        "Take this box away",
        icon=":material/delete:",
        on_click=lambda: make_steps(removed(current_steps(), at)),
        key="poke-remove-box",
    )


def _slider(
    label: str,
    least: float,
    most: float,
    value: float,
    made: Callable[[Any], Step],
    form: str,
    *,
    step: float = 1,
) -> None:
    """A slider whose value is that of its step, and whose moves make that step anew."""
    key = f"_poke_{label}"
    # A link may hold more than the slider reaches.
    hold(key, min(most, max(least, value)))
    st.slider(label, least, most, step=step, key=key, format=form, on_change=_set_by_slider, args=(key, made))


def hold(key: str, value: object) -> None:
    """The widget's value, unless it has it: setting it again would pull a slider back that is being moved."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def _set_by_slider(key: str, made: Callable[[Any], Step]) -> None:
    make_steps(set_step(current_steps(), made(st.session_state[key])), key)


def _change_box(at: int, key: str, made: Callable[[int], Box]) -> None:
    make_steps(replaced(current_steps(), at, made(st.session_state[key])), f"{key} {at}")


def _move_muscle(name: str, own: dict[str, float]) -> None:
    percents = int(st.session_state[f"_poke_{name}"])
    wanted = own[name] if percents == round(100 * own[name]) else percents / 100
    make_steps(set_muscles(current_steps(), {name: wanted}, own), name)


def _other_noise() -> None:
    noise = found(current_steps(), Noise)
    if noise is not None:
        make_steps(set_step(current_steps(), Noise(noise.strength, noise.seed + 1)), "other noise")


def _cover(box: tuple[int, int, int, int]) -> None:
    steps = (*current_steps(), Box(*box, st.session_state[GREY]))
    make_steps(steps)
    st.session_state["_poke_box"] = len(steps) - 1


def _square() -> tuple[int, int, int, int]:
    start = (IMAGE_SIZE - BOX_SIDE) // 2
    return start, start, start + BOX_SIDE, start + BOX_SIDE


def _shifted(box: Box, dx: int, dy: int) -> Box:
    return placed_box(box.x0 + dx, box.y0 + dy, box.x1 - box.x0, box.y1 - box.y0, box.grey)


def _size(box: Box) -> str:
    return f"{box.x1 - box.x0}×{box.y1 - box.y0} pixels"
