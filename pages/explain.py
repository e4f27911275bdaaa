"""Explain: why each model said so, whether the explanation can be trusted, and what is inside the model."""

from __future__ import annotations

import streamlit as st

from pages.parts import chosen_face, frame, linked, links_to_poke, models, runs
from pages.parts.explain import averages, inside, maps, methods, robustness, tab_memory
from pages.parts.links_to_explain import AVERAGES, MODELS, VIEW
from pages.parts.models import by_default

entered = frame.begin(
    "Explain",
    __file__,
    "Where does each model look, and can the picture be believed? Each map is tested.",
)
links_to_poke.obey_old_links(VIEW)
if entered:
    tab_memory.forget()
infos = runs.to_ask(MODELS)
if not infos:
    st.info("There is no model yet. Train one, and it appears here by itself when it is done.", icon=":material/info:")
    frame.link("train", "Train a model", icon=":material/model_training:")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center", key="explain-about"):
    origin = chosen_face.whose()
    with st.popover("Models", icon=":material/network_node:"):
        asked = models.choose(infos, MODELS, default=by_default(infos))
    way = st.container(width="content")
about = chosen_face.own() if origin == chosen_face.YOURS else chosen_face.of_dataset()
if about is not None:
    with way:
        frame.link("poke", "Poke this face", icon=links_to_poke.ICON, query=links_to_poke.face_query(about))
VIEWS = {
    maps.MAPS: maps.show,
    methods.METHODS_TAB: methods.show,
    AVERAGES: averages.show,
    inside.INSIDE: inside.show,
    robustness.ROBUSTNESS: robustness.show,
}
for tab, show in zip(linked.tabs(list(VIEWS), key=VIEW), VIEWS.values(), strict=True):
    with tab:
        show(about, asked, bool(tab.open))
