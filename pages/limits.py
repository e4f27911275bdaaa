"""Limits: what these models cannot tell you, how wrong they are, the faults of the data, the law."""

from __future__ import annotations

import streamlit as st

from fer_core.runs.listing import list_models
from pages.parts import frame, limits

frame.begin(
    "Limits",
    __file__,
    "What these models cannot tell you, how wrong they are even when they look sure, what is wrong with the data, and "
    "what the law forbids. Read this before you show anybody a result.",
)
limits.meaning()
limits.mistakes(list_models())
limits.data()
limits.people()
limits.law()
st.caption("Sources are linked where they are used. This page is information, not legal advice.")
