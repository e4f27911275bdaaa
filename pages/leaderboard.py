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
    complete = runs.complete()
    shows = {info.name: info.display_name for info in complete}
    entries = parts.called(leaderboard(complete), shows)
except FerError as error:
    st.error(messages.told(error))
    st.stop()
for problem in missing():
    st.warning(messages.told(problem, stored=True), icon=":material/broken_image:")
shown = parts.picture(entries)
parts.table(shown, shows)
parts.crowd(shows)
parts.notes(shown)
