"""Poke: change a face with your own hands, by muscles or by pixels, and watch the models change their mind."""

from __future__ import annotations

import streamlit as st

from pages.parts import frame, models, runs
from pages.parts.links_to_poke import MODELS
from pages.parts.poke import view

frame.begin(
    "Poke",
    __file__,
    "Pick an expression (below each: how many models see it), move a muscle, or paint, and see them change their mind.",
)
infos = runs.to_ask(MODELS)
if not infos:
    models.none_yet("You can look at the faces all the same.")
    st.stop()
view.show(infos)
