"""Data on which no run, or not every run, was measured: what to do about it."""

from __future__ import annotations

import streamlit as st

from pages.parts import frame
from pages.parts.known_data import KnownData


def show(chosen: KnownData) -> None:
    """In place of figures: no run was measured on these faces."""
    st.info(
        f"There is no evaluated run on {chosen.title} yet. Train a model: it is evaluated by itself when it ends, and "
        "appears here.",
        icon=":material/info:",
    )
    frame.link("train", "Train a model", icon=":material/model_training:")
