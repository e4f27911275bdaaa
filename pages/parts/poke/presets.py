"""Seven pictures to begin with: the drawn face with each usual expression, one click each, by ``presets.js``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.data.sample.redraw import DrawnFace, expression_units
from fer_core.emotions import COUNT, NAMES
from fer_core.formatting import plural
from fer_core.inference.predictor import Predictor
from pages.parts.face_answers import Seal, cache_key
from pages.parts.faces import data_uri

_here = Path(__file__).parent
_component = st.components.v2.component(
    "fer_presets",
    html='<div class="presets" role="group" aria-label="Set all muscles at once"></div>',
    css=(_here / "presets.css").read_text(encoding="utf-8"),
    js=(_here / "presets.js").read_text(encoding="utf-8"),
)


class Preset(TypedDict):
    """One picture as the browser gets it. ``below``: what stands under the name; ``told``: the whole in words."""

    name: str
    picture: str
    below: str
    told: str
    pressed: bool


def show(
    face: str,
    drawn: DrawnFace,
    now: npt.NDArray[np.uint8],
    models: Sequence[Predictor],
    *,
    on_pick: Callable[[str], None],
) -> None:
    """The row of pictures. ``face``: the key of the untouched face. ``now``: the face as it is, to mark the one that
    shows it. ``on_pick`` gets the expression's name, as a callback.
    """
    faces, pictures = _drawn(face, drawn)
    named = sum((_named(cache_key(model), face, model, faces) for model in models), np.zeros(COUNT, dtype=np.int64))
    so = f"{plural(len(models), 'model')} {'names' if len(models) == 1 else 'name'} it so"
    presets: list[Preset] = [
        {
            "name": name,
            "picture": picture,
            "below": f"{count} of {len(models)}",
            "told": f"The usual {name} face: {count} of {so}",
            "pressed": bool(np.array_equal(one, now)),
        }
        for name, picture, count, one in zip(NAMES, pictures, named, faces, strict=True)
    ]

    def arrived() -> None:
        name = st.session_state["_poke_presets"].get("picked")
        if name in NAMES:
            on_pick(str(name))

    _component(key="_poke_presets", data={"presets": presets}, on_picked_change=arrived)


@st.cache_resource(show_spinner=False, max_entries=64)
def _drawn(face: str, _face: DrawnFace) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """The face with each usual expression, uint8 (7, 48, 48), and the same as addresses of pictures."""
    faces = np.stack([_face.draw(expression_units(name))[0] for name in NAMES])
    return faces, [data_uri(one) for one in faces]


@st.cache_resource(show_spinner=False, max_entries=400)
def _named(seal: Seal, face: str, _model: Predictor, _faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Whether the model names each expression as it is meant, bool (7,)."""
    return _model.predict(_faces).argmax(axis=1) == np.arange(COUNT)
