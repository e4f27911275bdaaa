"""Mistakes: one face. Which one, large, and what each run answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.formatting import percent
from fer_core.review.scope import LABELS
from pages.parts import faces, frame, links_to_explain, row_field
from pages.parts.face_filters import sort_like
from pages.parts.face_selection import FaceSelection
from pages.parts.mistakes import sheet
from pages.parts.mistakes.sheet import FACE
from pages.parts.scope import View


@dataclass(frozen=True, eq=False)
class Answers:
    """What the runs say about one face.

    ``label``: 0..6, the label that counts in this view, or the dataset's where the view leaves the face out.
    ``stored``: 0..6, the dataset's. ``probabilities``: float32 (K, 7). ``in_view``: whether the view has the face.
    """

    row: int
    label: int
    stored: int
    probabilities: npt.NDArray[np.float32]
    in_view: bool

    @property
    def predicted(self) -> list[int]:
        """Each run's answer."""
        return [int(label) for label in self.probabilities.argmax(axis=1)]


def choose(view: View, found: FaceSelection) -> int | None:
    """The row number field and the steps to the face before and after. None where no face is open."""
    last = int(view.scope.whole.rows[-1]) if view.dataset is None else len(view.dataset) - 1
    row_field.asked(FACE, last, f": rows run from 0 to {last:,}. It is ignored.")
    row = row_field.show("Row number of the face", FACE, last, hint="click a face")
    before, after = previous_and_next_row(found, row)
    with st.container(horizontal=True, key="steps"):
        _step("Previous", ":material/chevron_left:", before, found, "Left")
        _step("Next", ":material/chevron_right:", after, found, "Right")
    if row is None:
        st.info(
            "Click a face to see it large, with what every run says about it and where each of them looked."
            if view.dataset is not None
            else "Choose a row to see what every run says about it.",
            icon=":material/touch_app:",
        )
        return None
    return int(row)


def previous_and_next_row(found: FaceSelection, row: int | None) -> tuple[int | None, int | None]:
    """The rows before and after one in the order of the selection; from outside it, the next is the first."""
    rows = found.rows
    at = np.flatnonzero(rows == row) if row is not None else np.empty(0, dtype=np.intp)
    if not len(at):
        return None, int(rows[0]) if len(rows) else None
    here = int(at[0])
    return int(rows[here - 1]) if here else None, int(rows[here + 1]) if here + 1 < len(rows) else None


def answers_of(view: View, row: int) -> Answers | None:
    """What the runs say about a row of the split; None for a row of another one."""
    whole, aligned = view.scope.whole, view.scope.aligned
    at = int(np.searchsorted(whole.rows, row))
    if at == len(whole) or whole.rows[at] != row:
        return None
    stored = int(whole.labels[at])
    here = np.flatnonzero(view.scope.position == at)
    label = int(aligned.labels[here[0]]) if len(here) else stored
    return Answers(row, label, stored, whole.probabilities[:, at], bool(len(here)))


def show(view: View, found: FaceSelection, row: int, answers: Answers | None) -> None:
    """The picture, where the face stands in the selection, and each run's answer in a line."""
    if view.dataset is not None:
        faces.large(view.dataset, row)
    _place(view, found, row, answers)
    if answers is not None:
        _lines(view, answers)
    with st.container(horizontal=True, vertical_alignment="center", key="face-links"):
        if view.dataset is not None:
            links_to_explain.face(view.dataset, row, key="explain-face", runs=view.runs)
            query = dataset_query(view, row)
            frame.link_button("dataset", "In Dataset", key="in-dataset", icon=":material/grid_view:", query=query)
        if answers is not None and answers.in_view:
            st.button(
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


def _place(view: View, found: FaceSelection, row: int, answers: Answers | None) -> None:
    split = view.scope.whole.split
    if answers is None:
        where = ""
        if view.dataset is not None:
            where = (
                f" It is in {view.dataset.splits[row]}, labelled {faces.label_words(int(view.dataset.labels[row]))}."
            )
        st.info(f"Row {row:,} is not in {split}, so there are no answers to show here.{where}", icon=":material/info:")
        return
    if answers.label != answers.stored:
        labels = str(view.query.get("labels", ""))
        st.markdown(
            f"Labelled **{faces.label_words(answers.label)}** with labels "
            f"{labels if labels in LABELS.values() else 'as chosen'}; in the dataset {NAMES[answers.stored]}."
        )
    elif view.dataset is None:
        st.markdown(f"**Row {row:,}**, labelled **{faces.label_words(answers.label)}**")
    place = sheet.page_of(found, row)
    if place is not None:
        page = "" if view.dataset is None else f", on page {place[1]:,}"
        st.caption(f"Face {place[0]:,} of the {len(found.rows):,} selected{page}.")
    elif answers.in_view:
        st.caption("The filters leave this face out. It is shown because you, or the link, asked for it.")
    else:
        st.caption("The choices at the top leave this face out. It is shown because you, or the link, asked for it.")


def _lines(view: View, answers: Answers) -> None:
    lines = [
        _line(name, predicted, float(row[predicted]), answers.label)
        for name, predicted, row in zip(view.names, answers.predicted, answers.probabilities, strict=True)
    ]
    st.markdown("\n".join(f"- {line}" for line in lines))


def _line(name: str, predicted: int, confidence: float, label: int) -> str:
    return f"**{name}:** {faces.label_words(predicted)}, {percent(confidence, 0)} {right_or_wrong(predicted, label)}"


def right_or_wrong(predicted: int, label: int) -> str:
    """A tick or a cross, with the word, for an answer under a label."""
    return ":green[:material/check: right]" if predicted == label else ":red[:material/close: wrong]"


def _step(label: str, icon: str, target: int | None, found: FaceSelection, shortcut: str) -> None:
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
