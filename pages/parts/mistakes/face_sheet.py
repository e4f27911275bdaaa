"""A sheet of faces that are buttons: a small component of our own, since Plotly's marks cannot be reached by the
keyboard, and cost ten times as much. ``face_sheet.js`` runs in the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.emotions import COLOURS, IMAGE_SIZE
from pages.parts.charts import jpeg_uri

ACROSS = 8
"""Faces beside each other in the picture that is sent; the browser lays them out as it has room."""

_here = Path(__file__).parent
_component = st.components.v2.component(
    "fer_face_sheet",
    html="<ul></ul>",
    css=(_here / "face_sheet.css").read_text(encoding="utf-8"),
    js=(_here / "face_sheet.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class SheetFace:
    """One face: its ``row``, its ``label`` 0..6, which colours its frame, a short ``caption``, and lines that ``tell``
    everything, for who rests on it and for screen readers.
    """

    row: int
    label: int
    caption: str
    tell: str


def face_sheet(
    picture: str,
    faces: Sequence[SheetFace],
    *,
    told: str,
    is_open: int | None,
    key: str,
    on_pick: Callable[[int], None],
) -> None:
    """Draw the faces; ``on_pick`` is called with the row of the one that is pressed, as a callback.

    ``picture``: from :func:`sheet_picture`, of the same faces in the same order. ``told``: what the sheet is, in words.
    ``is_open``: the row that is marked as open.
    """

    def pressed() -> None:
        row = st.session_state[key].get("face")
        # What a browser sends is checked: only a face of this sheet can be opened.
        if row in {face.row for face in faces}:
            on_pick(int(row))

    _component(
        key=key,
        data={
            "picture": picture,
            "across": ACROSS,
            "told": told,
            "open": is_open,
            "faces": [[face.row, COLOURS[face.label], face.caption, face.tell] for face in faces],
        },
        on_face_change=pressed,
    )


def sheet_picture(images: npt.NDArray[np.uint8]) -> str:
    """Faces uint8 (n, 48, 48), n at least 1, as one picture, :data:`ACROSS` in a line: a ``data:`` address."""
    down = -(-len(images) // ACROSS)
    board = np.zeros((down * ACROSS, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    board[: len(images)] = images
    lines = board.reshape(down, ACROSS, IMAGE_SIZE, IMAGE_SIZE).swapaxes(1, 2)
    return jpeg_uri(lines.reshape(down * IMAGE_SIZE, ACROSS * IMAGE_SIZE))
