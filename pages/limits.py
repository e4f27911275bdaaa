"""Limits: what these models cannot tell you, how wrong they are, the faults of the data, the law."""

from __future__ import annotations

import streamlit as st

from pages.parts import frame, runs
from pages.parts.limits import sections

frame.begin(
    "Limits",
    __file__,
    "A model names an expression, not a feeling. How often is it wrong, on whom?",
)
shown = runs.complete()
sections.mistakes(shown)
sections.people(shown)
st.header("Before you show a result", anchor=False)
st.markdown(
    "Decide nothing about anybody with it. In the European Union, inferring emotions at work or school is forbidden."
)
sections.law()
sections.meaning()
sections.data()
st.caption("No legal advice.")
