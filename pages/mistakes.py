"""Mistakes: the faces behind a number, and what each run makes of one of them."""

from __future__ import annotations

import streamlit as st

from pages.parts import face_filters, face_selection, frame, links_to_explain, scope
from pages.parts.mistakes import annotate, answers, evidence, face, sheet, similar, take_away

frame.begin(
    "Mistakes",
    __file__,
    "The faces behind a number: where models go wrong, how sure they are, and whether it is the model that is wrong or "
    "the label. The address always leads back to the very same view.",
)
view = scope.choose()
choice = face_filters.choose(view)
found = face_selection.find_faces(view, choice)
face_selection.show_summary(view, choice, found)
if view.dataset is not None and len(found.positions):
    links_to_explain.averages("Average maps of these faces", links_to_explain.selection(view))
faces_column, face_column = st.columns([4, 3], gap="medium")
with face_column:
    # Before the sheet, which draws a frame around the face that is open.
    row = face.choose(view, found)
    asked = None if row is None else face.answers_of(view, row)
    if row is not None:
        face.show(view, found, row, asked)
        annotate.annotation_panel(view, row)
with faces_column:
    sheet.show(view, found, choice.wanted.models, (view.query, choice), row)
if row is not None:
    why, alike = st.columns(2, gap="medium") if view.dataset is not None else (st.container(), st.container())
    with why:
        if asked is not None:
            evidence.evidence_panel(view, row)
    with alike:
        similar.show(view, row)
    if asked is not None:
        answers.show(view, asked)
st.header("Take away, and review", anchor=False)
take_away.show(view, found.positions)
annotate.manage(view)
