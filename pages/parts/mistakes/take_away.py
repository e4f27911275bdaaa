"""The selection to take away: as a CSV, and as a zip of PNGs. Both are made when somebody asks, not before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.formatting import plural
from fer_core.review.export import MOST_FACES, about_bytes, faces_zip, file_stem, write_selection_csv
from fer_core.review.scope import DATASET, LABELS
from fer_core.review.selection import NO_ANNOTATION
from pages.parts import downloads
from pages.parts import face_filters as filters
from pages.parts.downloads import megabytes
from pages.parts.scope import LABELS_KEY, View


def show(view: View, positions: npt.ArrayLike) -> None:
    """Two buttons. ``positions``: int (m,), positions in ``view.scope.aligned``, in the order they are to have."""
    chosen = np.asarray(positions, dtype=np.intp)
    scope = view.scope
    count = plural(len(chosen), "face")
    st.markdown("**Take these faces away**")
    if not len(chosen):
        st.caption("No face is selected, so there is nothing to take away.")
        return
    csv_bytes, zip_bytes = about_bytes(len(chosen), len(view.names))
    start = scope.aligned.split if view.labelled else view.data.name
    stem = file_stem([start, *_words(view), f"{len(chosen)}-{'face' if len(chosen) == 1 else 'faces'}"])

    def table() -> bytes:
        aligned = scope.aligned
        return write_selection_csv(
            aligned,
            chosen,
            near_duplicate=aligned.near_duplicate,
            label_issue_score=scope.label_issue_score if view.labelled and not view.labels_are_right else None,
            annotations=view.annotations.all(),
            labelled=view.labelled,
        )

    with st.container(horizontal=True, key="take-away-files"):
        has = "label, every run's answer and probabilities, twin, doubt" if view.labelled else "every run's answer"
        downloads.csv_button(
            f"{count} as a table (.csv, about {megabytes(csv_bytes)})",
            table,
            name=f"{stem}.csv",
            key="take-away.csv",
            help=f"One line a face: its row, {has} and your mark.",
        )
        _pictures(view, chosen, f"{count} as pictures (.zip, about {megabytes(zip_bytes)})", f"{stem}.zip")
    st.caption(
        f"The pictures are PNGs of 48×48 pixels. Their names tell the row, {'the label, ' if view.labelled else ''}and "
        "each run's answer and confidence."
        if view.dataset is not None
        else "Pictures need the data, which are not on this computer. The table does not."
    )


def _pictures(view: View, chosen: npt.NDArray[np.intp], label: str, name: str) -> None:
    dataset, aligned = view.dataset, view.scope.aligned
    if dataset is None:
        return
    images = dataset.images

    def pictures() -> bytes:
        return faces_zip(images, aligned, chosen, labelled=view.labelled)

    too_many = len(chosen) > MOST_FACES
    st.download_button(
        label,
        data=pictures,
        file_name=name,
        mime="application/zip",
        icon=":material/folder_zip:",
        on_click="ignore",
        key="take-away.zip",
        disabled=too_many,
        help=f"One zip holds at most {MOST_FACES:,} faces. Narrow the filter." if too_many else None,
    )


def _words(view: View) -> list[str]:
    """The filters that are set, for a file's name: what the widgets of the page say now."""
    state = st.session_state
    true, predicted = state.get(filters.TRUE, filters.ANY), state.get(filters.PREDICTED, filters.ANY)
    who, answer = state.get(filters.SET, filters.ANY), state.get(filters.ANSWER)
    by, near_duplicate = state.get(filters.BY, filters.ANY_MODEL), state.get(filters.NEAR_DUPLICATE)
    confidence, label_issue_score = state.get(filters.CONFIDENCE, filters.FULL), state.get(filters.LABEL_ISSUE, 0)
    annotation = filters.ANNOTATIONS.get(str(state.get(filters.ANNOTATION)))
    decided = not view.labelled or who != filters.ANY or filters.ANY not in (true, predicted)
    words = [
        "" if true == filters.ANY else f"true-{true}",
        "" if predicted == filters.ANY else f"said-{predicted}",
        "" if by == filters.ANY_MODEL else f"by {by}",
        answer or ("" if decided else "wrong"),
        "" if who == filters.ANY else str(who),
        "" if tuple(confidence) == filters.FULL else f"{confidence[0]}-to-{confidence[1]}-percent",
        "" if filters.NEAR_DUPLICATES.get(str(near_duplicate)) is None else str(near_duplicate),
        f"doubt-{label_issue_score:.2f}" if label_issue_score else "",
        ""
        if annotation is None
        else "not marked"
        if annotation == NO_ANNOTATION
        else f"marked {state[filters.ANNOTATION]}",
    ]
    labels = view.query.get(LABELS_KEY, LABELS[DATASET])
    return [*(word for word in words if word), *([f"labels {labels}"] if labels != LABELS[DATASET] else [])]
