"""Your mark on one face: with buttons, or keys, and a note. Saved at once."""

from __future__ import annotations

import streamlit as st

from fer_core.emotions import NAMES
from fer_core.formatting import moment
from fer_core.review.annotations import (
    AMBIGUOUS,
    LABEL_WRONG,
    LONGEST_NOTE,
    MODEL_WRONG,
    NOT_A_FACE,
    Annotation,
    Annotations,
)
from fer_core.review.answers_without_labels import given_label
from pages.parts import faces
from pages.parts.mistakes import marking
from pages.parts.scope import View

KEYS = {AMBIGUOUS: "A", NOT_A_FACE: "N", MODEL_WRONG: "M"}
"""The key that sets each mark. A class has its place among the seven, 1 to 7; ``U`` takes the mark back."""
TAKE_BACK = "U"

_MESSAGES = {AMBIGUOUS: "Ambiguous", NOT_A_FACE: "Not a face", MODEL_WRONG: "The label is right: model wrong"}
_HELP = {
    AMBIGUOUS: "People could disagree about this face in good faith.",
    NOT_A_FACE: "No face, or none that shows anything: a drawing, a notice, an empty picture.",
    MODEL_WRONG: "You have looked, and the label is right.",
}
_ICONS = {AMBIGUOUS: ":material/help:", NOT_A_FACE: ":material/no_photography:", MODEL_WRONG: ":material/smart_toy:"}


def annotation_panel(view: View, row: int, *, keys: bool) -> None:
    """Mark one face: what it bears now, buttons, a note. Saved at once. ``keys``: whether keys press the buttons."""
    annotation = view.annotations.get(row)
    label = marking.label(view, row)
    with st.container(key="review"):
        st.markdown(
            "**Your mark:** "
            + (f"{marking.words(view, annotation)}, {moment(annotation.time)}" if annotation else "none yet")
        )
        marking.show_message(row)
        wrong = "The label is wrong" if label is None else f"The label {NAMES[label]} is wrong"
        st.caption(f"{wrong}. Right is:" if view.labelled else "Nobody has labelled this face. What do you see?")
        given = None if annotation is None else annotation.new_label
        if not view.labelled:
            given = given_label(annotation, int(view.scope.whole.labels[marking.position(view, row) or 0]))
        with st.container(horizontal=True, gap="small", key="review-classes"):
            for answer in _answers(view, row, label):
                _button(
                    view.annotations,
                    row,
                    LABEL_WRONG,
                    answer,
                    text=faces.label_words(answer),
                    key=f"review.{NAMES[answer]}",
                    shortcut=str(answer + 1) if keys else None,
                    chosen=answer == given,
                )
        st.caption("Or:")
        with st.container(horizontal=True, gap="small", key="review-kinds"):
            for kind, shortcut in KEYS.items():
                if kind == MODEL_WRONG and not view.labelled:
                    continue
                _button(
                    view.annotations,
                    row,
                    kind,
                    None,
                    text=_MESSAGES[kind],
                    key=f"review.{kind}",
                    shortcut=shortcut if keys else None,
                    chosen=annotation is not None and annotation.kind == kind,
                )
            st.button(
                "Take the mark back",
                icon=":material/undo:",
                key="review.take_back",
                shortcut=TAKE_BACK if keys else None,
                disabled=annotation is None,
                on_click=_take_back,
                args=(view.annotations, row),
            )
        st.text_input(
            "Note",
            value=annotation.note if annotation else "",
            max_chars=LONGEST_NOTE,
            key=_note_key(row, annotation),
            placeholder="why, in a few words" if annotation else "write it first, then choose a mark",
            on_change=_save_note,
            args=(view.annotations, row),
            help="Kept with the mark. Press Enter to save a change.",
        )
        st.caption(
            ("Keys work while no field has the focus. " if keys else "")
            + (
                "A mark is saved at once, on the computer where this app runs. Everyone who uses this app there sees "
                "and changes the same marks."
                if view.annotations.path
                else "Your marks are yours alone, and last as long as this visit. Download them as a CSV to keep them."
            )
        )


def _answers(view: View, row: int, label: int | None) -> list[int]:
    """The classes that could be right instead: first the one that the runs suggest, then in label order."""
    order = list(range(len(NAMES)))
    if not view.labelled:
        # Whoever labels should not be led by what models say.
        return order
    at = marking.position(view, row)
    if at is not None:
        order.sort(key=lambda answer: answer != view.scope.whole_label_issues.suggested[at])
    return [answer for answer in order if answer != label]


def _button(
    annotations: Annotations,
    row: int,
    kind: str,
    new: int | None,
    *,
    text: str,
    key: str,
    shortcut: str | None,
    chosen: bool,
) -> None:
    st.button(
        text,
        key=key,
        type="primary" if chosen else "secondary",
        icon=_ICONS.get(kind),
        help=_HELP.get(kind),
        shortcut=shortcut,
        on_click=_set,
        args=(annotations, row, kind, new),
    )


def _set(annotations: Annotations, row: int, kind: str, new: int | None) -> None:
    note = _note(annotations, row)
    marking.attempt(row, lambda: marking.changeable(annotations).set(row, kind, new, note))


def _take_back(annotations: Annotations, row: int) -> None:
    marking.attempt(row, lambda: marking.changeable(annotations).unset(row))


def _save_note(annotations: Annotations, row: int) -> None:
    """A changed note goes with the mark that is there; without one it waits for a mark."""
    annotation = annotations.get(row)
    if annotation is not None:
        note = _note(annotations, row)
        marking.attempt(
            row, lambda: marking.changeable(annotations).set(row, annotation.kind, annotation.new_label, note)
        )


def _note(annotations: Annotations, row: int) -> str:
    annotation = annotations.get(row)
    return str(st.session_state.get(_note_key(row, annotation), annotation.note if annotation else ""))


def _note_key(row: int, annotation: Annotation | None) -> str:
    """With each new mark a new field, that begins with what is kept: also where another visitor set the mark."""
    return f"review.note.{row}.{annotation.time if annotation else ''}"
