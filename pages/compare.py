"""Compare: all evaluated runs side by side, each number with its interval and the faces it was measured on."""

from __future__ import annotations

import streamlit as st

from pages.parts import comparison, frame

frame.begin(
    "Compare",
    __file__,
    "Which model is better at what? Every number says how many faces it was measured on and how far chance alone "
    "could move it.",
)
known = comparison.evaluated()
if not known:
    st.info(
        "There is no evaluated run yet. Train a model: it is evaluated by itself when it ends, and appears here.",
        icon=":material/info:",
    )
    frame.link("train", "Train a model", icon=":material/model_training:")
    st.stop()
chosen, split, share = comparison.choose(known)
if not chosen:
    st.info("Choose at least one run above.", icon=":material/info:")
    st.stop()
comparison.accuracies(chosen, split)
comparison.confusions(chosen, split, share=share)
comparison.classes(chosen, split)
comparison.histories(chosen)
