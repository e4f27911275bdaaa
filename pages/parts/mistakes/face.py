"""Mistakes: one face. Which one, large, the verdict on its label, and where it stands among the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.formatting import plain
from fer_core.review.answers_without_labels import line
from fer_core.review.scope import LABELS
from pages.parts import faces, frame, links_to_explain, row_field
from pages.parts.face_filters import sort_like
from pages.parts.face_selection import FaceSelection
from pages.parts.mistakes import answers, evidence, marking, sheet
from pages.parts.mistakes.answers import Answers
from pages.parts.mistakes.evidence import Judged
from pages.parts.mistakes.sheet import FACE
from pages.parts.scope import View

SIDE = 192
"""Pixels of the picture on the page."""
WORDS_WIDTH = 220
"""Pixels of what stands beside it on a common screen."""


def choose(view: View, found: FaceSelection, models: Sequence[str], *, keys: bool) -> int | None:
    """The steps to the face before and after, and the row number field. None where no face is open.

    ``models``: whose answers stand below the faces; empty: all. ``keys``: whether the arrow keys step, too.
    """
    last = int(view.scope.whole.rows[-1]) if view.dataset is None else len(view.dataset) - 1
    row_field.asked(FACE, last, f": rows run from 0 to {last:,}. It is ignored.")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="steps"):
        # The buttons stand before the field, and need what it says.
        steps = st.container(horizontal=True, width="content", gap="xsmall")
        row = row_field.show(
            "Row number of the face", FACE, last, width=170, hint="row number", label_visibility="collapsed"
        )
        before, after = previous_and_next_row(found, row)
        with steps:
            _step("Previous", ":material/chevron_left:", before, found, "Left" if keys else None)
            _step("Next", ":material/chevron_right:", after, found, "Right" if keys else None)
        if row is None and len(found.rows):
            whose = f"wrong answer of {plain(models[0])}" if models else "surest wrong answer"
            below = f"Label → {whose}" if view.labelled else "What the models say together, or you"
            hint = f"{below}. Click a face." if view.dataset is not None else "Choose a row."
            st.markdown(hint, width="content")
    return None if row is None else int(row)


def previous_and_next_row(found: FaceSelection, row: int | None) -> tuple[int | None, int | None]:
    """The rows before and after one in the order of the selection; from outside it, the next is the first."""
    rows = found.rows
    at = np.flatnonzero(rows == row) if row is not None else np.empty(0, dtype=np.intp)
    if not len(at):
        return None, int(rows[0]) if len(rows) else None
    here = int(at[0])
    return int(rows[here - 1]) if here else None, int(rows[here + 1]) if here + 1 < len(rows) else None


def show(view: View, found: FaceSelection, row: int, asked: Answers | None, judged: Judged | None) -> None:
    """The picture, where the face stands in the selection, the verdict in a line, each run's answer and maps."""
    with st.container(horizontal=True, gap="small", key="face-and-verdict"):
        if view.dataset is not None:
            faces.large(view.dataset, row, SIDE)
        # What is left beside the picture; below it where that is too little.
        with st.container(width="stretch" if view.dataset is None else WORDS_WIDTH, gap="xsmall"):
            if judged is not None:
                evidence.verdict_line(judged)
            elif not view.labelled:
                _says(view, row)
            _place(view, found, row, asked)
            _links(view, row, asked)
    if asked is not None:
        answers.show(view, asked)


def _says(view: View, row: int) -> None:
    """In place of a verdict: who says what of a face that nobody labelled."""
    at = marking.position(view, row)
    if at is not None:
        kind, colon, why = line(view.scope.whole, at, view.annotations.get(row)).partition(": ")
        st.markdown(f":material/balance: **{kind}**{colon}{why}")


def _links(view: View, row: int, asked: Answers | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="face-links"):
        if view.dataset is not None:
            links_to_explain.face(view.dataset, row, key="explain-face", runs=view.runs)
            query = dataset_query(view, row)
            frame.link_button("dataset", "In Dataset", key="in-dataset", icon=":material/grid_view:", query=query)
        # The order is chosen at the top of the page, which is drawn anew.
        if asked is not None and asked.in_view and _sort_button(row):
            st.rerun()


def _sort_button(row: int) -> bool:
    return st.button(
        "Sort by similarity to it",
        icon=":material/sort:",
        on_click=sort_like,
        args=(row,),
        type="tertiary",
        key="sort-like",
    )


def dataset_query(view: View, row: int) -> dict[str, str]:
    """The address of a face on the Dataset page."""
    return {} if view.dataset is None else {"data": view.dataset.info.path.name, "face": str(row)}


def _place(view: View, found: FaceSelection, row: int, asked: Answers | None) -> None:
    split = view.scope.whole.split
    if asked is None:
        where = ""
        if view.dataset is not None:
            where = (
                f" It is in {view.dataset.splits[row]}, labelled {faces.label_words(int(view.dataset.labels[row]))}."
            )
        st.info(f"Row {row:,} is not in {split}, so there are no answers to show here.{where}", icon=":material/info:")
        return
    if asked.label is not None and asked.label != asked.stored:
        labels = str(view.query.get("labels", ""))
        st.markdown(
            f"Labelled **{faces.label_words(asked.label)}** with labels "
            f"{labels if labels in LABELS.values() else 'as chosen'}; in the dataset {NAMES[asked.stored]}."
        )
    elif view.dataset is None and asked.label is not None:
        st.markdown(f"**Row {row:,}**, labelled **{faces.label_words(asked.label)}**")
    place = sheet.page_of(found, row)
    if place is not None:
        page = "" if view.dataset is None else f", page {place[1]:,}"
        st.caption(f"Face {place[0]:,} of {len(found.rows):,}{page}.")
    elif asked.in_view:
        st.caption("The filters leave this face out. It is shown because you, or the link, asked for it.")
    else:
        st.caption("The choices at the top leave this face out. It is shown because you, or the link, asked for it.")


def _step(label: str, icon: str, target: int | None, found: FaceSelection, shortcut: str | None) -> None:
    st.button(
        label,
        icon=icon,
        disabled=target is None,
        on_click=sheet.turn_to_face,
        args=(found, target),
        key=f"step-{label}",
        shortcut=shortcut,
        help=f"{label} face of the selection",
    )
