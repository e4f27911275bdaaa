"""Mistakes: the faces of the selection, a page at a time; without pictures, as a table."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.formatting import percent
from fer_core.plots.faces import describe_sheet
from fer_core.review.ordering import surest_wrong, together
from pages.parts import dataset_extras, faces, linked, links
from pages.parts.face_selection import FaceSelection
from pages.parts.mistakes import marking
from pages.parts.mistakes.face_sheet import SheetFace, face_sheet, sheet_picture
from pages.parts.scope import View

PER_PAGE = 40
PAGE, FACE, TABLE = "page", "face", "table"
_SHOWN = "_mistakes_shown"

Positions = npt.NDArray[np.intp]


def show(view: View, found: FaceSelection, models: tuple[str, ...], about: object, face: int | None) -> None:
    """The sheet, its pages and the table.

    ``models``: whose answers stand below the faces; empty: all. ``about``: equal for equal selections; another one
    starts on its first page. ``face``: the row that is open.
    """
    _first_page_of(about)
    if found.empty:
        return
    if view.dataset is None:
        dataset_extras.offer_import()
        st.caption("Click the box before a row to see every answer for it.")
        _table(view, found.positions, "all")
        return
    area = st.container()
    here = found.positions[_part(found)]
    with area:
        marked = () if view.labelled else _marked(view, here)
        shown = _shown(view.key, tuple(here.tolist()), models, marked, view, view.dataset)
        face_sheet(shown.picture, shown.faces, told=shown.told, is_open=face, key="mistakes-sheet", on_pick=open_face)
    faces.class_legend("the label" if view.labelled else "the models' answer")
    table = linked.expander("These faces as a table", key=TABLE, icon=":material/table_rows:")
    if table.open:
        with table:
            _table(view, here, "page")


@dataclass(frozen=True)
class _Shown:
    """A page of faces: one picture of all, what is known of each, and all of it in words."""

    picture: str
    faces: tuple[SheetFace, ...]
    told: str


@st.cache_resource(show_spinner=False, max_entries=64)
def _shown(
    key: tuple[Hashable, ...],
    here: tuple[int, ...],
    models: tuple[str, ...],
    marked: tuple[str, ...],
    _view: View,
    _dataset: Dataset,
) -> _Shown:
    """Keyed by the view; nobody changes it. ``marked``: what people say of each face, where that stands below it."""
    aligned, at = _view.scope.aligned, np.array(here, dtype=np.intp)
    rows, labels = aligned.rows[at], aligned.labels[at]
    texts = captions(aligned, at, models) if _view.labelled else answers_or_marks(aligned, at, models, marked)
    one = [
        SheetFace(int(row), int(label), text, told(aligned, position, labelled=_view.labelled))
        for row, label, text, position in zip(rows, labels, texts, here, strict=True)
    ]
    return _Shown(sheet_picture(np.asarray(_dataset.images[rows])), tuple(one), describe_sheet(len(at), labels))


def open_face(row: int) -> None:
    """Look closer at this face from the next run of the script on."""
    st.session_state[FACE] = row


def turn_to_face(found: FaceSelection, row: int) -> None:
    """Open this face, and turn to its page."""
    open_face(row)
    at = np.flatnonzero(found.rows == row)
    if len(at):
        st.session_state[PAGE] = int(at[0]) // PER_PAGE + 1


def page_of(found: FaceSelection, row: int) -> tuple[int, int] | None:
    """Which face of the selection a row is, and on which page: both from 1; None where it is not among them."""
    at = np.flatnonzero(found.rows == row)
    return (int(at[0]) + 1, int(at[0]) // PER_PAGE + 1) if len(at) else None


def captions(aligned: AlignedPredictions, positions: Positions, models: tuple[str, ...] = ()) -> list[str]:
    """``fear → sad``; the label alone where no wrong answer was given."""
    wrong = surest_wrong(aligned, models)[positions]
    labels = aligned.labels[positions]
    return [
        f"{NAMES[label]} → {NAMES[predicted]}" if predicted >= 0 else NAMES[label]
        for label, predicted in zip(labels, wrong, strict=True)
    ]


def answers_or_marks(
    aligned: AlignedPredictions, positions: Positions, models: tuple[str, ...], marked: tuple[str, ...]
) -> list[str]:
    """``fear 41 %``, what models say together; ``you: sad`` where somebody said what a face shows."""
    said = together(aligned, models)[positions]
    return [
        f"you: {words}" if words else f"{NAMES[int(values.argmax())]} {percent(values.max(), 0)}"
        for values, words in zip(said, marked, strict=True)
    ]


def _marked(view: View, positions: Positions) -> tuple[str, ...]:
    """What people say of each face; empty where nobody marked it."""
    marks = (view.annotations.get(row) for row in view.scope.aligned.rows[positions])
    return tuple("" if mark is None else marking.words(view, mark) for mark in marks)


def told(aligned: AlignedPredictions, position: int, *, labelled: bool = True) -> str:
    """Row, label, and each run's answer with its confidence, in lines."""
    lines = [f"row {aligned.rows[position]:,}", *([f"labelled {NAMES[aligned.labels[position]]}"] if labelled else [])]
    for name, answers in zip(aligned.names, aligned.probabilities[:, position], strict=True):
        predicted = int(answers.argmax())
        tick = " ✓" if labelled and predicted == aligned.labels[position] else ""
        lines.append(f"{name}: {NAMES[predicted]} {percent(answers[predicted], 0)}{tick}")
    return "\n".join(lines)


def answers_table(aligned: AlignedPredictions, positions: Positions, *, labelled: bool = True) -> pd.DataFrame:
    """Row, label, and each run's answer with its confidence in per cent."""
    names = np.array(NAMES)
    columns: dict[str, npt.ArrayLike] = {"Row": aligned.rows[positions]}
    if labelled:
        columns["Label"] = names[aligned.labels[positions]]
    for name, answers, values in zip(aligned.names, aligned.predicted, aligned.probabilities, strict=True):
        columns[name] = names[answers[positions]]
        columns[f"{name} (%)"] = values[positions].max(axis=1) * 100
    return pd.DataFrame(columns)


def _table(view: View, positions: Positions, which: str) -> None:
    table = answers_table(view.scope.aligned, positions, labelled=view.labelled)
    rows = view.scope.aligned.rows[positions]
    key = f"mistakes-table-{which}"

    def picked() -> None:
        chosen = st.session_state[key].selection.rows
        if chosen:
            open_face(int(rows[chosen[0]]))

    st.dataframe(
        table,
        hide_index=True,
        key=key,
        on_select=picked,
        selection_mode="single-row",
        height=400 if len(table) > 10 else "auto",
        column_config={
            f"{name} (%)": st.column_config.NumberColumn(format="%.0f", help="Confidence of that answer")
            for name in view.names
        },
        alt=f"One line a face: row number, {'label, ' if view.labelled else ''}each run's answer and its confidence in "
        "per cent.",
    )


def _first_page_of(about: object) -> None:
    """Another selection starts on page 1; a page that came with a link stays."""
    before = st.session_state.get(_SHOWN)
    if PAGE in st.session_state and before is not None and before != about:
        st.session_state[PAGE] = 1
    st.session_state[_SHOWN] = about


def _part(found: FaceSelection) -> slice:
    """Draw the pages, and return the part of the selection that is on the chosen one."""
    pages = math.ceil(len(found.positions) / PER_PAGE)
    if pages == 1:
        # Said here, too, where no page is to be chosen.
        links.whole(PAGE, 1, 1, linked.NO_PAGE.replace("{pages}", "1"))
        return slice(None)
    if int(st.session_state.get(PAGE) or 1) > pages:
        # A mark may take the last face of the last page out of the selection.
        st.session_state[PAGE] = pages
    with st.container(key="pages"):
        page = linked.pagination(pages, key=PAGE, width="stretch")
    return slice((page - 1) * PER_PAGE, page * PER_PAGE)
