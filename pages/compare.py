"""Compare: all evaluated runs side by side, each number with its interval, and the way to the faces behind it."""

from __future__ import annotations

import streamlit as st

from pages.parts import frame, lesson_strip, linked, scope
from pages.parts.compare import (
    accuracy,
    across,
    agreement,
    certainty,
    classes,
    difference,
    face_map,
    learning,
    matrices,
    report,
)

VIEW = "view"

frame.begin(
    "Compare",
    __file__,
    "Which model is better at what? Is it chance?",
)
# The picture leads: what it is about is chosen below it, and said above it where something is amiss.
said = st.container()
# A lesson's question may be about one of the views: then that comes first.
views = st.container() if lesson_strip.asks_about(VIEW, "compare") else None
picture = st.container()
fold = st.expander("Which runs, which faces", icon=":material/tune:")
with said:
    view = scope.choose(scope.COMPARE, fold)
if not len(view.scope.aligned):
    said.info(
        "No face is left to measure on: see above what is left out, and why. Choose other faces or labels below.",
        icon=":material/filter_alt_off:",
    )
    st.stop()
with picture:
    accuracy.show(view)
VIEWS = {
    "Matrices": matrices.show,
    "Difference": difference.show,
    "Agreement": agreement.show,
    "Map": face_map.show,
    "Classes": classes.show,
    "Certainty": certainty.show,
    "Learning": learning.show,
    "Across data": across.show,
}
with st.container() if views is None else views:
    tabs = linked.tabs(list(VIEWS), key=VIEW)
for tab, show in zip(tabs, VIEWS.values(), strict=True):
    with tab:
        show(view, bool(tab.open))
report.button(view)
