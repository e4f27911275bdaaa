"""Leaderboard: our shipped runs beside published systems, each number with how it came about."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import FerError
from fer_core.leaderboard.entries import leaderboard, missing
from pages.parts import frame, messages, runs
from pages.parts.leaderboard import sections as parts

frame.begin(
    "Leaderboard",
    __file__,
    "How good are systems that name expressions? A percentage is worth what its origin is worth: many were chosen on "
    "the very faces that they are measured on.",
)
try:
    entries = leaderboard(runs.complete())
except FerError as error:
    st.error(messages.told(error))
    st.stop()
for problem in missing():
    st.warning(messages.told(problem, stored=True), icon=":material/broken_image:")
shown = parts.picture(entries)
parts.table(shown)
parts.crowd()
parts.notes(shown)
