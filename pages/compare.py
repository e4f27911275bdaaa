"""Compare: all evaluated runs side by side, each number with its interval, and the way to the faces behind it."""

from __future__ import annotations

import streamlit as st

from pages.parts import (
    compare_accuracy,
    compare_agreement,
    compare_certainty,
    compare_classes,
    compare_difference,
    compare_learning,
    compare_links,
    compare_matrices,
    frame,
    scope,
)

entered = frame.begin(
    "Compare",
    __file__,
    "Which model is better at what, and is the difference real? Every number says how far chance alone could move it, "
    "and leads to the faces behind it.",
)
if entered:
    compare_links.come_back()
view = scope.choose(scope.COMPARE)
compare_links.remember()
if not len(view.scope.joined):
    st.info(
        "No face is left to measure on: see above what is left out, and why. Choose other faces or labels.",
        icon=":material/filter_alt_off:",
    )
    st.stop()
compare_accuracy.show(view)
VIEWS = {
    "Matrices": compare_matrices.show,
    "Difference": compare_difference.show,
    "Agreement": compare_agreement.show,
    "Classes": compare_classes.show,
    "Certainty": compare_certainty.show,
    "Learning": compare_learning.show,
}
for tab, show in zip(st.tabs(list(VIEWS), key="view", bind="query-params"), VIEWS.values(), strict=True):
    with tab:
        show(view, bool(tab.open))
