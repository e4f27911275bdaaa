"""What marking faces needs wherever it is done: who may, what was said about it, and what the face's own label is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from fer_core.access.policy import Action
from fer_core.errors import FerError
from fer_core.review.annotations import Annotation, Annotations
from fer_core.review.answers_without_labels import mark_words
from pages.parts import access, messages
from pages.parts.scope import View

_MESSAGE = "_review_message"


@dataclass(frozen=True)
class _Message:
    """What to say in the next run of the script: where, and whether it went wrong. ``row`` -1: about all marks."""

    row: int
    text: str
    failed: bool


def say(row: int, text: str, *, failed: bool) -> None:
    """Keep a message until :func:`show_message` is called for ``row``; -1: about all marks."""
    st.session_state[_MESSAGE] = _Message(row, text, failed)


def changeable(annotations: Annotations) -> Annotations:
    """The marks, for a change. Raises ``AccessError`` for everybody's, unless this session may change those."""
    if annotations.path is not None:
        access.check(Action.ANNOTATE_FOR_ALL)
    return annotations


def attempt(row: int, work: Callable[[], object]) -> None:
    """Callbacks run before the page is drawn: what they have to say waits until it is."""
    try:
        work()
    except FerError as error:
        say(row, messages.told(error), failed=True)


def words(view: View, mark: Annotation) -> str:
    """What a mark says: ``label wrong → fear``; of a face that nobody labelled ``fear``."""
    at = position(view, mark.row)
    if view.labelled or at is None:
        return mark.words
    return mark_words(mark, int(view.scope.whole.labels[at]))


def show_message(row: int) -> None:
    message = st.session_state.get(_MESSAGE)
    if message is None or message.row != row:
        return
    del st.session_state[_MESSAGE]
    if message.failed:
        st.error(message.text, icon=":material/error:")
    else:
        st.success(message.text, icon=":material/check_circle:")


def position(view: View, row: int) -> int | None:
    """Where a face is among all of the split; None for one of another split."""
    rows = view.scope.whole.rows
    at = int(np.searchsorted(rows, row))
    return at if at < len(rows) and rows[at] == row else None


def label(view: View, row: int) -> int | None:
    """The dataset's own label, whatever labels count on the page; None where nobody labelled the faces."""
    if not view.labelled:
        return None
    at = position(view, row)
    if at is not None:
        return int(view.scope.whole.labels[at])
    return int(view.dataset.labels[row]) if view.dataset is not None and row < len(view.dataset) else None
