"""Photo: two pictures to try, of drawn faces, so that nobody has to look for one first."""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image

from fer_core.data.sample.redraw import expression_units, new_face

EXAMPLES = {"One drawn face": ((3, "happy"),), "Two drawn faces": ((7, "surprise"), (11, "angry"))}
"""By name: each face's seed and expression."""
SIDE, HEIGHT, GREY = 240, 320, 122
"""Pixels of a face, of the picture; brightness of its ground."""
_ASKED = "_photo_example"


def asked() -> str | None:
    """The example that was clicked just now, once."""
    name: str | None = st.session_state.pop(_ASKED, None)
    return name


@st.cache_data(show_spinner=False)
def picture(name: str) -> bytes:
    """An example as PNG; the same each time."""
    faces = EXAMPLES[name]
    canvas = np.full((HEIGHT, (SIDE + 80) * len(faces)), GREY, np.uint8)
    top = (HEIGHT - SIDE) // 2
    for at, (seed, expression) in enumerate(faces):
        face, _ = new_face(seed).draw(expression_units(expression))
        left = at * (SIDE + 80) + 40
        canvas[top : top + SIDE, left : left + SIDE] = _enlarged(face)
    buffer = io.BytesIO()
    Image.fromarray(canvas).save(buffer, "PNG")
    return buffer.getvalue()


def _enlarged(face: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def offer() -> None:
    """The pictures with a button each."""
    with st.container(horizontal=True, gap="medium", key="photo-examples"):
        for name, faces in EXAMPLES.items():
            with st.container(width=130 * len(faces)):
                st.image(picture(name), alt=f"{name}: {' and '.join(expression for _, expression in faces)}.")
                st.button(
                    f"Try {name.split()[0].lower()} face{'s' if len(faces) > 1 else ''}",
                    on_click=_ask,
                    args=(name,),
                    key=f"photo-example-{len(faces)}",
                )


def _ask(name: str) -> None:
    st.session_state[_ASKED] = name
