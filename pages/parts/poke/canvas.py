"""A face to paint on: a small component of our own, since Streamlit has none. ``canvas.js`` runs in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import streamlit as st

from fer_core.explain.poke.steps import Box

Tool = Literal["brush", "box", "move"]
TOOLS: tuple[Tool, ...] = ("brush", "box", "move")
HTML = (
    '<div class="face"><div class="stack"><img draggable="false"><canvas width="48" height="48" tabindex="0" '
    'role="img"></canvas><svg viewBox="0 0 48 48" aria-hidden="true"></svg></div><p class="told"></p></div>'
)
MOST_POINTS_SENT = 4000
_SEEN = "_canvas_seen"

_here = Path(__file__).parent
_component = st.components.v2.component(
    "fer_face_canvas",
    html=HTML,
    css=(_here / "canvas.css").read_text(encoding="utf-8"),
    js=(_here / "canvas.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Stroke:
    """What was drawn. ``points``: (x, y) in whole pixels of the face; of a box and a move the first and the last.

    ``grey``: 0..255. ``width``: of the brush, in pixels. ``at``: the moved box's place among the steps, or -1.
    """

    tool: Tool
    grey: int
    width: int
    points: tuple[tuple[int, int], ...]
    at: int


def canvas(
    picture: str,
    description: str,
    *,
    tool: Tool,
    grey: int,
    width: int,
    boxes: Mapping[int, Box],
    key: str,
    on_strokes: Callable[[Sequence[Stroke]], None],
) -> None:
    """Draw the face and hand every finished stroke once to ``on_strokes``, as a callback.

    ``picture``: a ``data:`` address of any square picture of the face. ``description``: the same in words. ``boxes``:
    those that can be moved, by their place among the steps.
    """

    def arrived() -> None:
        message = st.session_state[key].get("strokes")
        if message:
            on_strokes(new_strokes(message))

    board, seen = st.session_state.get(_SEEN, ("", 0))
    _component(
        key=key,
        data={
            "picture": picture,
            "told": description,
            "tool": tool,
            "grey": grey,
            "width": width,
            "boxes": [[at, box.x0, box.y0, box.x1, box.y1] for at, box in boxes.items()],
            "board": board,
            "seen": seen,
        },
        on_strokes_change=arrived,
    )


class StrokeRecord(TypedDict):
    """A stroke as the browser sends it; nothing of it is checked yet."""

    number: int
    tool: Tool
    grey: int
    width: int
    points: list[tuple[int, int]]
    at: int


class StrokeMessage(TypedDict):
    """What the browser sends: the board that the strokes are on, and those that were not confirmed yet."""

    board: str
    strokes: list[StrokeRecord]


def new_strokes(message: StrokeMessage) -> list[Stroke]:
    """The strokes of a message that have not come before: the browser sends them until they are confirmed."""
    board, seen = st.session_state.get(_SEEN, ("", 0))
    if message["board"] != board:
        board, seen = str(message["board"]), 0
    fresh = [one for one in message["strokes"] if int(one["number"]) > seen]
    if fresh:
        st.session_state[_SEEN] = (board, max(int(one["number"]) for one in fresh))
    return [read_stroke(one) for one in fresh]


def read_stroke(value: StrokeRecord) -> Stroke:
    """What the browser sent, checked. Raises ``ValueError`` for what our own code never sends."""
    if value["tool"] not in TOOLS or not 0 < len(value["points"]) <= MOST_POINTS_SENT:
        raise ValueError(f"this is no stroke: {str(dict(value))[:200]}")
    points = tuple((int(x), int(y)) for x, y in value["points"])
    return Stroke(value["tool"], int(value["grey"]), int(value["width"]), points, int(value["at"]))
