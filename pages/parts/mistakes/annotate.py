"""Your review: marks on faces, one by one with buttons or keys, and all of them as a table and a CSV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.access.policy import Action
from fer_core.access.uploads import Place
from fer_core.emotions import NAMES
from fer_core.errors import DataError, FerError
from fer_core.formatting import moment, plain, plural
from fer_core.review.annotations import (
    AMBIGUOUS,
    LABEL_WRONG,
    LONGEST_NOTE,
    MODEL_WRONG,
    NOT_A_FACE,
    Annotation,
    Annotations,
)
from fer_core.review.annotations_csv import COLUMNS, read_annotations_csv, write_annotations_csv
from fer_core.review.scope import CORRECTED, DATASET, LABELS, WITHOUT_ANNOTATED
from fer_core.review.selection import ANY_ANNOTATION
from pages.parts import access, faces, frame, messages, uploads
from pages.parts import face_filters as filters
from pages.parts.scope import COMPARE, LABELS_KEY, View

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
_MESSAGE = "_review_message"
_UPLOAD = "review.upload"


@dataclass(frozen=True)
class _Message:
    """What to say in the next run of the script: where, and whether it went wrong. ``row`` -1: about all marks."""

    row: int
    text: str
    failed: bool


def annotation_panel(view: View, row: int) -> None:
    """Mark one face: what it bears now, buttons that keys press too, a note. Saved at once."""
    annotation = view.annotations.get(row)
    label = _label(view, row)
    with st.container(border=True, key="review"):
        st.markdown(
            "**Your mark:** " + (f"{annotation.words}, {moment(annotation.time)}" if annotation else "none yet")
        )
        _show_message(row)
        st.caption(
            "The label is wrong. Right is:" if label is None else f"The label {NAMES[label]} is wrong. Right is:"
        )
        with st.container(horizontal=True, gap="small", key="review-classes"):
            for answer in _answers(view, row, label):
                _button(
                    view.annotations,
                    row,
                    LABEL_WRONG,
                    answer,
                    text=faces.label_words(answer),
                    key=f"review.{NAMES[answer]}",
                    shortcut=str(answer + 1),
                    chosen=annotation is not None and annotation.new_label == answer,
                )
        st.caption("Or:")
        with st.container(horizontal=True, gap="small", key="review-kinds"):
            for kind, shortcut in KEYS.items():
                _button(
                    view.annotations,
                    row,
                    kind,
                    None,
                    text=_MESSAGES[kind],
                    key=f"review.{kind}",
                    shortcut=shortcut,
                    chosen=annotation is not None and annotation.kind == kind,
                )
            st.button(
                "Take the mark back",
                icon=":material/undo:",
                key="review.take_back",
                shortcut=TAKE_BACK,
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
            "Keys work while no field has the focus. "
            + (
                "A mark is saved at once, on the computer where this app runs. Everyone who uses this app there sees "
                "and changes the same marks."
                if view.annotations.path
                else "Your marks are yours alone, and last as long as this visit. Download them as a CSV to keep them."
            )
        )


def manage(view: View) -> None:
    """All marks of these data: how many, which, as a CSV to hand on and to take in, and what follows from them."""
    annotations = view.annotations.all()
    counts = view.annotations.counts()
    with st.container(key="marks"):
        st.subheader("Your review", anchor=False)
        _show_message(-1)
        if annotations:
            totals = ", ".join(f"{number:,} {kind}" for kind, number in counts.items() if number)
            st.markdown(f"**{plural(len(annotations), 'face')} of {plain(view.data_title)} marked:** {totals}.")
            _links(view, annotations)
            st.dataframe(
                _table(view, annotations),
                hide_index=True,
                key="marks-table",
                height=min(38 + 35 * len(annotations), 320),
                column_config={
                    "Row": st.column_config.NumberColumn(format="%d"),
                    "Marked": st.column_config.TextColumn(help="UTC"),
                },
            )
        else:
            st.markdown(
                f"**No face of {plain(view.data_title)} is marked yet.** Open a face, and say what you think of it."
            )
        _exchange(view, annotations)
        st.caption(
            f"Marks are kept in `reviews/{view.annotations.path.name[:12]}….jsonl` in FER Explorer's folder, on the "
            "computer where this app runs. They survive restarts, and hold again when the same data are imported "
            "again. On a server that several people use, all share them: download a CSV to keep your own."
            if view.annotations.path
            else "These marks are yours alone, and end with this visit: download them to keep them, and import them at "
            "your next one."
        )


def _answers(view: View, row: int, label: int | None) -> list[int]:
    """The classes that could be right instead: first the one that the runs suggest, then in label order."""
    order = list(range(len(NAMES)))
    at = _position(view, row)
    if at is not None:
        order.sort(key=lambda answer: answer != view.scope.whole_label_issues.suggested[at])
    return [answer for answer in order if answer != label]


def _button(
    annotations: Annotations, row: int, kind: str, new: int | None, *, text: str, key: str, shortcut: str, chosen: bool
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
    _try(row, lambda: changeable(annotations).set(row, kind, new, note))


def _take_back(annotations: Annotations, row: int) -> None:
    _try(row, lambda: changeable(annotations).unset(row))


def _save_note(annotations: Annotations, row: int) -> None:
    """A changed note goes with the mark that is there; without one it waits for a mark."""
    annotation = annotations.get(row)
    if annotation is not None:
        note = _note(annotations, row)
        _try(row, lambda: changeable(annotations).set(row, annotation.kind, annotation.new_label, note))


def _note(annotations: Annotations, row: int) -> str:
    annotation = annotations.get(row)
    return str(st.session_state.get(_note_key(row, annotation), annotation.note if annotation else ""))


def _note_key(row: int, annotation: Annotation | None) -> str:
    """With each new mark a new field, that begins with what is kept: also where another visitor set the mark."""
    return f"review.note.{row}.{annotation.time if annotation else ''}"


def changeable(annotations: Annotations) -> Annotations:
    """The marks, for a change. Raises ``AccessError`` for everybody's, unless this session may change those."""
    if annotations.path is not None:
        access.check(Action.ANNOTATE_FOR_ALL)
    return annotations


def _try(row: int, work: Callable[[], object]) -> None:
    """Callbacks run before the page is drawn: what they have to say waits until it is."""
    try:
        work()
    except FerError as error:
        st.session_state[_MESSAGE] = _Message(row, messages.told(error), failed=True)


def _show_message(row: int) -> None:
    message = st.session_state.get(_MESSAGE)
    if message is None or message.row != row:
        return
    del st.session_state[_MESSAGE]
    if message.failed:
        st.error(message.text, icon=":material/error:")
    else:
        st.success(message.text, icon=":material/check_circle:")


def _position(view: View, row: int) -> int | None:
    """Where a face is among all of the split; None for one of another split."""
    rows = view.scope.whole.rows
    at = int(np.searchsorted(rows, row))
    return at if at < len(rows) and rows[at] == row else None


def _label(view: View, row: int) -> int | None:
    """The dataset's own label, whatever labels count on the page."""
    at = _position(view, row)
    if at is not None:
        return int(view.scope.whole.labels[at])
    return int(view.dataset.labels[row]) if view.dataset is not None and row < len(view.dataset) else None


def _links(view: View, annotations: dict[int, Annotation]) -> None:
    """Where marks lead: the marked faces, and every number again without or with them."""
    st.markdown(
        f"To see every number again, choose “{LABELS[CORRECTED]}” or “{LABELS[WITHOUT_ANNOTATED]}” under **Labels** at "
        "the top. The first takes the classes that you gave and leaves out faces marked ambiguous or not a face; "
        "the second leaves out every face whose label you doubted. “Model wrong” changes no number."
    )
    with st.container(horizontal=True, vertical_alignment="center", key="marks-links"):
        split = view.scope.whole.split
        here = int(np.isin(view.scope.whole.rows, list(annotations)).sum())
        st.button(
            f"Show only marked faces ({here:,} in {split})",
            icon=":material/bookmark:",
            key="review.only_marked",
            disabled=not here,
            on_click=_show_only_annotated,
            help="Under the dataset's labels, whether the answer is right or wrong.",
        )
        frame.link(
            "compare",
            "Compare under corrected labels",
            icon=":material/compare:",
            query={**view.compare_query, COMPARE + LABELS_KEY: LABELS[CORRECTED]},
        )


def _show_only_annotated() -> None:
    """Every marked face and no other: a link would not do, for Streamlit takes what this page binds out of it."""
    filters.clear()
    st.session_state[filters.ANNOTATION] = next(
        words for words, annotation in filters.ANNOTATIONS.items() if annotation == ANY_ANNOTATION
    )
    st.session_state[filters.ANSWER] = next(words for words, right in filters.ANSWERS.items() if right is None)
    if LABELS_KEY in st.session_state:
        st.session_state[LABELS_KEY] = LABELS[DATASET]


def _table(view: View, annotations: dict[int, Annotation]) -> pd.DataFrame:
    """One line a marked face. Split and label are known for the split in view, and for all with the dataset."""
    lines = []
    for row, annotation in annotations.items():
        label, split = _label(view, row), ""
        if view.dataset is not None and row < len(view.dataset):
            split = str(view.dataset.splits[row])
        elif _position(view, row) is not None:
            split = view.scope.whole.split
        new = "" if annotation.new_label is None else NAMES[annotation.new_label]
        lines.append(
            (
                row,
                split,
                "" if label is None else NAMES[label],
                annotation.kind,
                new,
                annotation.note,
                moment(annotation.time),
            )
        )
    return pd.DataFrame(lines, columns=["Row", "Split", "Label", "Mark", "Right class", "Note", "Marked"])


def _exchange(view: View, annotations: dict[int, Annotation]) -> None:
    """CSV out and in. Both need the dataset: its splits and labels tell whether a CSV belongs to these faces."""
    dataset = view.dataset
    if dataset is None:
        st.info(
            "Marks cannot be exported or imported as a CSV here: the CSV holds each face's split and label, to tell "
            "that it belongs to these very faces, and the data are not on this computer. Import them first.",
            icon=":material/info:",
        )
        return
    if annotations:
        try:
            content = _csv(view.annotations.state_key, view)
        except DataError as error:
            st.error(messages.told(error), icon=":material/broken_image:")
        else:
            st.download_button(
                f"Download {plural(len(annotations), 'mark')} (.csv)",
                data=content,
                file_name=f"marks_{dataset.path.name}_{len(annotations)}-faces.csv",
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="review.download",
            )
    file = uploads.uploader(
        Place.ANNOTATIONS,
        "Import marks from a CSV",
        types=["csv", "tsv", "txt"],
        key=_UPLOAD,
        help=f"Columns: {', '.join(COLUMNS)}. All lines are checked first; with one mistake nothing is imported.",
    )
    st.button(
        "Import these marks",
        icon=":material/upload:",
        disabled=file is None,
        key="review.import",
        on_click=_import,
        args=(view,),
    )


def _import(view: View) -> None:
    file = st.session_state.get(_UPLOAD)
    dataset = view.dataset
    if file is None or dataset is None or not uploads.within(Place.ANNOTATIONS, [file]):
        return
    try:
        read = read_annotations_csv(file.getvalue(), dataset.labels, dataset.splits)
        fresh = changeable(view.annotations).add(read)
    except FerError as error:
        st.session_state[_MESSAGE] = _Message(-1, f"{plain(file.name)}: {messages.told(error)}", failed=True)
        return
    same = len(read) - fresh
    known = f" {plural(same, 'mark')} said what was known already." if same else ""
    are = "is" if fresh == 1 else "are"
    text = f"{plural(fresh, 'mark')} of {plain(file.name)} {are} new or changed, and saved.{known}"
    st.session_state[_MESSAGE] = _Message(-1, text, failed=False)


@st.cache_data(show_spinner=False, max_entries=8)
def _csv(state_key: tuple[str, int], _view: View) -> bytes:
    """Keyed by which marks these are, and their state."""
    if _view.dataset is None:
        raise ValueError("the dataset is needed")
    return write_annotations_csv(_view.annotations.all(), _view.dataset.labels, _view.dataset.splits)
