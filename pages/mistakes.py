"""Mistakes: the faces behind a number, and what each run makes of one of them."""

from __future__ import annotations

import streamlit as st

from pages.parts import data, face_filters, face_selection, frame, linked, scope
from pages.parts.mistakes import desk, imported_answers

LEAD = "The faces behind a number: where models go wrong, and whether it is the model that is wrong or the label."
LEAD_WITHOUT_LABELS = "Faces that nobody has labelled: where the models waver or part, and what you see in them."

chosen = data.current()
labelled = chosen is None or chosen.info is None or chosen.info.labelled
frame.begin("Mistakes", __file__, LEAD if labelled else LEAD_WITHOUT_LABELS)
desk.style()
with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters"):
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", width="content", key="filter-row")
    # No popover: what stands in a closed one does not reach the address.
    fold = st.container(width="content", key="more").expander("More", icon=":material/tune:")
view = imported_answers.choose(fold) or scope.choose(fold=fold)
choice = face_filters.choose(view, row=row, fold=fold)
with fold:
    keys = linked.toggle(
        "Keyboard shortcuts",
        True,
        key="keys",
        help="Arrows step from face to face; 1 to 7, A, N, M and U mark the open one under “Your mark”.",
    )
found = face_selection.find_faces(view, choice)
face_selection.show_summary(view, choice, found)
desk.show(view, choice, found, keys=keys)
