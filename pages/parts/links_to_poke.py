"""The ways to Poke, the names in its address, and where links from before it was a page of its own lead."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fer_core.data.dataset import Dataset
from pages.parts import chosen_face, frame, links
from pages.parts.chosen_face import ChosenFace
from pages.parts.data import KEY

PREFIX = "poke."
"""Stands before all names in the address of Poke: ``pages/parts/scope.py`` says why pages have names of their own."""
FROM, ROW, MODELS = PREFIX + "from", PREFIX + "row", PREFIX + "models"
STEPS, DRAWN, TOOLS = PREFIX + "steps", PREFIX + "drawn", PREFIX + "tools"
DRAWN_FACE = "A drawn face"
ICON = ":material/touch_app:"
OLD_VIEW = "Poke"
"""The view of Explain that Poke was, in links."""
_OLD = {"poke": STEPS, "drawn": DRAWN, "tools": TOOLS, "row": ROW, "from": FROM, "models": MODELS}
"""What those links called it, after Explain's prefix."""

Query = dict[str, str | list[str]]


def face_query(face: ChosenFace, models: Sequence[str] = ()) -> Query:
    """The address of that face on Poke. One that was brought is the last of this visit there."""
    query: Query = {MODELS: list(models)} if models else {}
    if face.row is None:
        return {**query, FROM: chosen_face.YOURS}
    return {**query, FROM: chosen_face.DATASET, ROW: str(face.row)}


def row(dataset: Dataset, number: int, label: str, *, key: str) -> None:
    """The way to a face of a dataset, whichever is chosen."""
    query: Query = {FROM: chosen_face.DATASET, ROW: str(number)}
    if st.session_state.get(KEY) == dataset.info.path.name:
        frame.link("poke", label, icon=ICON, query=query)
    else:
        frame.link_button("poke", label, key=key, icon=ICON, query={**query, KEY: dataset.info.path.name})


def obey_old_links(view: str) -> None:
    """Go to Poke where the address is one of Explain's view Poke, with all that it says. ``view``: its name.

    To be called before a widget is bound to that name.
    """
    if links.given(view)[-1:] != [OLD_VIEW]:
        return
    old = {name: texts for name in _OLD if (texts := links.given(chosen_face.PREFIX + name))}
    query: Query = {_OLD[name]: texts for name, texts in old.items()}
    if "drawn" in old:
        query[FROM] = DRAWN_FACE
    else:
        query.setdefault(FROM, chosen_face.DATASET)
    frame.go("poke", query)
