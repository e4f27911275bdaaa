"""Faces that models have answered already: sorted by what they say, labelled by you, taken away as a CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from fer_core.data.dataset import Dataset
from fer_core.data.model_answers import Probabilities, read_answers
from fer_core.emotions import NAMES
from fer_core.errors import DataError
from fer_core.formatting import percent, plain, plural
from fer_core.review import answers_without_labels as core
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, MODEL_WRONG, NOT_A_FACE, Annotations
from pages.parts import faces, linked, marking, messages
from pages.parts.dataset_extras import annotations_of
from pages.parts.rows import Rows

ORDER = "order"
_HELP = (
    "Least sure: the likeliest class has the lowest probability, by the mean of the models. Apart: the models' "
    "probabilities differ most. Nearest: their probabilities are most like those for the face on the right."
)


def of(dataset: Dataset) -> dict[str, Probabilities]:
    """What models said of these faces, by name; empty where nobody asked them. What cannot be read is told."""
    try:
        return _answers(str(dataset.path), dataset.info.fingerprint, len(dataset))
    except DataError as error:
        st.warning(messages.told(error, stored=True), icon=":material/broken_image:")
        return {}


def choose_order(answers: dict[str, Probabilities]) -> str:
    """Draw the choice of an order: one of :data:`core.ORDERS`."""
    offered = [core.ORDERS[by] for by in core.ORDERS if by != core.APART or len(answers) > 1]
    words = linked.selectbox("Order", offered, key=ORDER, help=_HELP, width=200)
    return next(by for by, text in core.ORDERS.items() if text == words)


def sort(dataset: Dataset, answers: dict[str, Probabilities], rows: Rows, by: str, like: int) -> Rows:
    """The rows in that order. ``like``: the open face, which counts for one of them alone."""
    return _ordered(str(dataset.path), dataset.info.fingerprint, by, like if by == core.NEAR else 0, rows, answers)


def sentence(answers: dict[str, Probabilities], rows: Rows) -> None:
    """What the faces in view show."""
    if len(rows):
        st.caption(core.what_they_say(answers, rows))


def one(dataset: Dataset, answers: dict[str, Probabilities], row: int) -> None:
    """What each model says of a face; and where nobody labelled it, your own label."""
    said = [
        f"{plain(model)}: {faces.label_words(int(v[row].argmax()))} {percent(v[row].max())}"
        for model, v in answers.items()
    ]
    st.markdown(" · ".join(said))
    if not dataset.info.labelled:
        _mark(dataset, row)


def take_away(dataset: Dataset, answers: dict[str, Probabilities]) -> None:
    """The labels that people gave, as a CSV."""
    marks = annotations_of(dataset.info.fingerprint)
    if not len(marks):
        return

    def table() -> bytes:
        return core.labels_csv(answers, dataset.labels, dataset.column("source_name").to_pylist(), marks.all())

    st.download_button(
        f"{plural(len(marks), 'labelled face')} (.csv)",
        data=table,
        file_name=f"labels_{dataset.path.name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="answers.download",
        help=f"Columns: {', '.join(core.COLUMNS)}.",
    )


def _mark(dataset: Dataset, row: int) -> None:
    annotations = annotations_of(dataset.info.fingerprint)
    annotations.refresh()
    mark = annotations.get(row)
    answer = int(dataset.labels[row])
    chosen = None if mark is None else answer if mark.kind == MODEL_WRONG else mark.new_label
    marking.show_message(row)
    st.caption("Nobody has labelled this face. What do you see?")
    with st.container(horizontal=True, gap="small", key="label-classes"):
        for label, name in enumerate(NAMES):
            kind = MODEL_WRONG if label == answer else LABEL_WRONG
            _button(annotations, row, faces.label_words(label), name, kind, label, chosen == label)
        for kind, words in ((AMBIGUOUS, "Ambiguous"), (NOT_A_FACE, "Not a face")):
            _button(annotations, row, words, kind, kind, None, mark is not None and mark.kind == kind)
        st.button(
            "Take it back",
            icon=":material/undo:",
            key="label.back",
            disabled=mark is None,
            on_click=_unset,
            args=(annotations, row),
        )


def _button(
    annotations: Annotations, row: int, text: str, key: str, kind: str, label: int | None, chosen: bool
) -> None:
    st.button(
        text,
        key=f"label.{key}",
        type="primary" if chosen else "secondary",
        on_click=_set,
        args=(annotations, row, kind, label if kind == LABEL_WRONG else None),
    )


def _set(annotations: Annotations, row: int, kind: str, new: int | None) -> None:
    marking.attempt(row, lambda: marking.changeable(annotations).set(row, kind, new, ""))


def _unset(annotations: Annotations, row: int) -> None:
    marking.attempt(row, lambda: marking.changeable(annotations).unset(row))


@st.cache_resource(show_spinner=False, max_entries=2)
def _answers(path: str, fingerprint: str, number: int) -> dict[str, Probabilities]:
    return read_answers(Path(path), number)


@st.cache_data(show_spinner=False, max_entries=8)
def _ordered(path: str, fingerprint: str, by: str, like: int, rows: Rows, _answers: dict[str, Probabilities]) -> Rows:
    return np.asarray(core.order(_answers, rows, by, like))
