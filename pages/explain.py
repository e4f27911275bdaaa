"""Explain: why each model said so, whether the explanation can be trusted, and what would change its mind."""

from __future__ import annotations

import streamlit as st

from pages.parts import chosen_face, frame, linked, links_to_poke, models, runs
from pages.parts.explain import averages, maps, methods, robustness
from pages.parts.links_to_explain import AVERAGES, MODELS, VIEW
from pages.parts.models import by_default

entered = frame.begin(
    "Explain",
    __file__,
    "Why did each model say so, and can the explanation be trusted? A picture of where a model looks convinces easily, "
    "so every map here comes with a test of it.",
)
links_to_poke.obey_old_links(VIEW)
if entered:
    averages.forget_choice()
infos = runs.to_ask()
if not infos:
    st.info("There is no model yet. Train one, and it appears here by itself when it is done.", icon=":material/info:")
    frame.link("train", "Train a model", icon=":material/model_training:")
    st.stop()
face, choices = st.columns([1, 4], gap="medium")
with choices:
    about = chosen_face.choose()
    asked = models.choose(infos, MODELS, default=by_default(infos))
if about is not None:
    with face:
        chosen_face.show_face(about)
VIEWS = {
    "Maps": maps.show,
    "Methods": methods.show,
    AVERAGES: averages.show,
    "Robustness": robustness.show,
}
tabs = zip(linked.tabs(list(VIEWS), key=VIEW), VIEWS.values(), strict=True)
# Averages come last: where there is nothing to average over they end the run, and the others must be drawn by then.
for tab, show in sorted(tabs, key=lambda one: one[1] is averages.show):
    with tab:
        show(about, asked, bool(tab.open))
