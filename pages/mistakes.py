"""Mistakes: the faces behind a number, and what each run makes of one of them."""

from __future__ import annotations

import streamlit as st

from pages.parts import (
    evidence,
    explain_links,
    frame,
    mistakes_face,
    mistakes_filters,
    mistakes_found,
    mistakes_neighbours,
    mistakes_runs,
    mistakes_sheet,
    review,
    scope,
    take_away,
)

frame.begin(
    "Mistakes",
    __file__,
    "The faces behind a number: where models go wrong, how sure they are, and whether it is the model that is wrong or "
    "the label. The address always leads back to the very same view.",
)
view = scope.choose()
choice = mistakes_filters.choose(view)
found = mistakes_found.find(view, choice)
mistakes_found.say(view, choice, found)
if view.dataset is not None and len(found.positions):
    explain_links.averages("Average maps of these faces", explain_links.selection(view))
sheet, beside = st.columns([4, 3], gap="medium")
with beside:
    # Before the sheet, which draws a frame around the face that is open.
    row = mistakes_face.choose(view, found)
    answers = None if row is None else mistakes_face.answers_of(view, row)
    if row is not None:
        mistakes_face.show(view, found, row, answers)
        review.panel(view, row)
with sheet:
    mistakes_sheet.show(view, found, choice.wanted.models, (view.query, choice), row)
if row is not None:
    why, alike = st.columns(2, gap="medium") if view.dataset is not None else (st.container(), st.container())
    with why:
        if answers is not None:
            evidence.panel(view, row)
    with alike:
        mistakes_neighbours.show(view, row)
    if answers is not None:
        mistakes_runs.show(view, answers)
st.header("Take away, and review", anchor=False)
take_away.show(view, found.positions)
review.manage(view)
