"""Run card: everything about one run: recipe, history, architecture, results, limits, downloads."""

from __future__ import annotations

import streamlit as st

from pages.parts import frame, linked, runs
from pages.parts.run import card

frame.begin("Run card", __file__, "One training run: what it is, how it was made, how good it is, what it cannot do.")
known = runs.known()
if not known:
    st.info("There is no run yet. Train a model, and its card appears here.", icon=":material/info:")
    frame.link("train", "Train a model", icon=":material/model_training:")
    st.stop()
name = linked.run(
    "Run",
    [info.name for info in known],
    {info.name: info.display_name for info in known},
    None,
    placeholder="Choose a run",
    key=runs.RUN,
    says=runs.NO_RUN,
    help="Runs that ship come first, then yours, newest first.",
)
if name is None:
    card.gallery(known)
    st.stop()
card.show(next(info for info in known if info.name == name))
