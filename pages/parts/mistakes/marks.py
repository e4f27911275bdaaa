"""All your marks: how many, which, as a CSV to hand on and to take in, and what follows from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.access.uploads import Place
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES
from fer_core.errors import DataError, FerError
from fer_core.formatting import moment, plain, plural
from fer_core.review.annotations import KINDS, Annotation
from fer_core.review.annotations_csv import COLUMNS, read_annotations_csv, write_annotations_csv
from fer_core.review.hand_in import MOST_FACES, MarkedFace, marked_report
from fer_core.review.labels_csv import COLUMNS as LABEL_COLUMNS
from fer_core.review.labels_csv import read_labels_csv, write_labels_csv
from fer_core.review.scope import CORRECTED, DATASET, LABELS, WITHOUT_ANNOTATED
from fer_core.review.selection import ANY_ANNOTATION
from pages.parts import face_filters as filters
from pages.parts import frame, messages, uploads
from pages.parts.downloads import csv_button
from pages.parts.mistakes import marking
from pages.parts.scope import COMPARE, LABELS_KEY, View

_UPLOAD = "review.upload"


def manage(view: View) -> None:
    """All marks of these data: how many, which, as a CSV to hand on and to take in, and what follows from them."""
    annotations = view.annotations.all()
    with st.container(key="marks"):
        st.markdown("**Your review**")
        marking.show_message(-1)
        if annotations:
            counts = Counter(
                annotation.kind if view.labelled else marking.words(view, annotation)
                for annotation in annotations.values()
            )
            totals = ", ".join(f"{counts[kind]:,} {kind}" for kind in (*NAMES, *KINDS) if counts[kind])
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
            f"Marks are kept in `reviews/{view.annotations.path.name[:12]}…` in FER Explorer's folder, on the "
            "computer where this app runs. They survive restarts, and hold again when the same data are imported "
            "again. On a server that several people use, all share them: download a CSV to keep your own."
            if view.annotations.path
            else "These marks are yours alone, and end with this visit: download them to keep them, and import them at "
            "your next one."
        )


def _links(view: View, annotations: dict[int, Annotation]) -> None:
    """Where marks lead: the marked faces, and every number again without or with them."""
    if view.labelled:
        st.markdown(
            f"To see every number again, choose “{LABELS[CORRECTED]}” or “{LABELS[WITHOUT_ANNOTATED]}” under "
            "**Labels** at the top. The first takes the classes that you gave and leaves out faces marked ambiguous or "
            "not a face; the second leaves out every face whose label you doubted. “Model wrong” changes no number."
        )
    with st.container(horizontal=True, vertical_alignment="center", key="marks-links"):
        split = view.scope.whole.split
        here = int(np.isin(view.scope.whole.rows, list(annotations)).sum())
        st.button(
            f"Show only marked faces ({here:,} in {split})" if view.labelled else "Show only marked faces",
            icon=":material/bookmark:",
            key="review.only_marked",
            disabled=not here,
            on_click=_show_only_annotated,
            help="Under the dataset's labels, whether the answer is right or wrong." if view.labelled else None,
        )
        if view.measured:
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
    if filters.ANSWER in st.session_state:
        st.session_state[filters.ANSWER] = next(words for words, right in filters.ANSWERS.items() if right is None)
    if LABELS_KEY in st.session_state:
        st.session_state[LABELS_KEY] = LABELS[DATASET]


def _table(view: View, annotations: dict[int, Annotation]) -> pd.DataFrame:
    """One line a marked face: what was said of it; of a labelled one also what that is about."""
    if view.labelled:
        return _table_of_labels(view, annotations)
    lines = [(row, marking.words(view, one), one.note, moment(one.time)) for row, one in annotations.items()]
    return pd.DataFrame(lines, columns=["Row", "You say", "Note", "Marked"])


def _table_of_labels(view: View, annotations: dict[int, Annotation]) -> pd.DataFrame:
    """One line a marked face. Split and label are known for the split in view, and for all with the dataset."""
    lines = []
    for row, annotation in annotations.items():
        label, split = marking.label(view, row), ""
        if view.dataset is not None and row < len(view.dataset):
            split = str(view.dataset.splits[row])
        elif marking.position(view, row) is not None:
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
            content = _csv(view.key, view.annotations.state_key, view)
        except DataError as error:
            st.error(messages.told(error), icon=":material/broken_image:")
        else:
            if view.labelled:
                _report(view, dataset, annotations)
            what = "mark" if view.labelled else "label"
            csv_button(
                f"Download {plural(len(annotations), what)} (.csv)",
                content,
                name=f"{what}s_{dataset.path.name}_{len(annotations)}-faces.csv",
                key="review.download",
            )
    file = uploads.uploader(
        Place.ANNOTATIONS,
        "Import marks from a CSV",
        types=["csv", "tsv", "txt"],
        key=_UPLOAD,
        help=f"Columns: {', '.join(COLUMNS if view.labelled else LABEL_COLUMNS)}. All lines are checked first; with "
        "one mistake nothing is imported.",
    )
    st.button(
        "Import these marks",
        icon=":material/upload:",
        disabled=file is None,
        key="review.import",
        on_click=_import,
        args=(view,),
    )


def _report(view: View, dataset: Dataset, annotations: dict[int, Annotation]) -> None:
    """The report, made when somebody asks for it."""

    def report() -> bytes:
        # A file that somebody edited may name rows that are not there.
        chosen = [row for row in sorted(annotations) if row < len(dataset)][:MOST_FACES]
        faces = [_marked(view, dataset, annotations[row]) for row in chosen]
        text = marked_report(view.data_title, view.names, faces, marked=len(annotations), now=datetime.now(UTC))
        return text.encode()

    st.download_button(
        "Report to hand in (.html)",
        data=report,
        file_name=f"report_{dataset.path.name}_{len(annotations)}-faces.html",
        mime="text/html",
        icon=":material/summarize:",
        on_click="ignore",
        key="review.report",
        help=f"One file with pictures and figures inside: each marked face (at most {MOST_FACES}), your mark and note, "
        "and what the chosen models say.",
    )


def _marked(view: View, dataset: Dataset, annotation: Annotation) -> MarkedFace:
    row, at = annotation.row, marking.position(view, annotation.row)
    answers = None if at is None else view.scope.whole.probabilities[:, at]
    return MarkedFace(
        annotation, str(dataset.splits[row]), int(dataset.labels[row]), np.asarray(dataset.images[row]), answers
    )


def _import(view: View) -> None:
    file = st.session_state.get(_UPLOAD)
    dataset = view.dataset
    if file is None or dataset is None or not uploads.within(Place.ANNOTATIONS, [file]):
        return
    try:
        if view.labelled:
            read = read_annotations_csv(file.getvalue(), dataset.labels, dataset.splits)
        else:
            read = read_labels_csv(file.getvalue(), _files(dataset))
        fresh = marking.changeable(view.annotations).add(read)
    except FerError as error:
        marking.say(-1, f"{plain(file.name)}: {messages.told(error)}", failed=True)
        return
    same = len(read) - fresh
    known = f" {plural(same, 'mark')} said what was known already." if same else ""
    are = "is" if fresh == 1 else "are"
    text = f"{plural(fresh, 'mark')} of {plain(file.name)} {are} new or changed, and saved.{known}"
    marking.say(-1, text, failed=False)


def _files(dataset: Dataset) -> list[str]:
    """What each face is called at its source."""
    return list(dataset.column("source_name").to_pylist())


@st.cache_data(show_spinner=False, max_entries=8)
def _csv(key: tuple[Hashable, ...], state_key: tuple[str, int], _view: View) -> bytes:
    """Keyed by the view, by which marks these are, and by their state."""
    if _view.dataset is None:
        raise ValueError("the dataset is needed")
    if not _view.labelled:
        return write_labels_csv(_view.scope.whole, _files(_view.dataset), _view.annotations.all())
    return write_annotations_csv(_view.annotations.all(), _view.dataset.labels, _view.dataset.splits)
