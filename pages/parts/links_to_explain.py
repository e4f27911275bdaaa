"""The ways to Explain: one face, or the average maps of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from fer_core.data.dataset import Dataset
from fer_core.runs.listing import ModelInfo
from pages.parts import frame, links, scope
from pages.parts.chosen_face import FROM, PREFIX, ROW, YOURS, ChosenFace, row_query
from pages.parts.data import KEY
from pages.parts.face_filters import FILTERS
from pages.parts.scope import View

MODELS, VIEW = PREFIX + "models", PREFIX + "view"
AVERAGES = "Averages"
AVERAGE = PREFIX + "average."
"""Stands before all names of the Averages tab: those of the choices on Mistakes follow it."""
ABOUT = (scope.RUNS, scope.SPLIT, scope.NEAR_DUPLICATES, scope.LABELS_KEY, *FILTERS)
"""What says on Mistakes which faces are shown."""
ICON = ":material/psychology_alt:"

Query = dict[str, str | list[str]]


def face(dataset: Dataset, row: int, *, key: str, runs: Sequence[ModelInfo] = ()) -> None:
    """The way to one face, explained by these runs where there are some; a vote only repeats its members."""
    asked = [run for run in runs if run.has_model]
    models = [run.name for run in asked if not run.is_vote] or [run.name for run in asked]
    query: Query = {MODELS: models} if models else {}
    if st.session_state.get(KEY) == dataset.info.path.name:
        frame.link("explain", "Explain this face", icon=ICON, query={**query, ROW: str(row)})
    else:
        frame.link_button(
            "explain", "Explain this face", key=key, icon=ICON, query={**query, **row_query(dataset, row)}
        )


def face_query(face: ChosenFace) -> Query:
    """The address of a face on Explain; one that was brought is the last of this visit there."""
    return {FROM: YOURS} if face.row is None else {ROW: str(face.row)}


def averages(label: str, chosen: Mapping[str, str | Sequence[str]]) -> None:
    """A link to the average maps of the faces that an address of Mistakes is about."""
    frame.link("explain", label, icon=ICON, query=averages_query(chosen))


def averages_query(chosen: Mapping[str, str | Sequence[str]]) -> Query:
    """The address of the average maps of the faces that an address of Mistakes is about, by the same runs."""
    query: Query = {VIEW: AVERAGES}
    for name, value in chosen.items():
        if name in ABOUT:
            query[AVERAGE + name] = value if isinstance(value, str) else list(value)
    if scope.RUNS in chosen:
        query[MODELS] = query[AVERAGE + scope.RUNS]
    return query


def selection(view: View) -> Query:
    """The address of what Mistakes shows, less the order and the open face. To be called on Mistakes."""
    return {**view.query, **links.copy(FILTERS)}
