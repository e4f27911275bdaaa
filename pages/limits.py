"""Limits: what these models cannot tell you, how wrong they are, the faults of the data, the law."""

from __future__ import annotations

import streamlit as st

from pages.parts import frame, runs
from pages.parts.limits import sections

frame.begin(
    "Limits",
    __file__,
    "What these models cannot tell you, how wrong they are even when they look sure, what is wrong with the data, and "
    "what the law forbids. Read this before you show anybody a result.",
)
sections.meaning()
sections.mistakes(runs.complete())
sections.data()
sections.people()
sections.law()
st.caption("Sources are linked where they are used. This page is information, not legal advice.")
