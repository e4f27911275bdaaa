"""Mistakes: the faces that the filters leave, in order, computed once for each choice; and the sentence about them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.formatting import plural
from fer_core.review import selection
from fer_core.review.answers_without_labels import vectors, what_they_say
from fer_core.review.ordering import SORTS, order
from fer_core.review.selection import Filter
from fer_core.review.shown import what_they_show
from fer_core.runs import protocol
from fer_core.runs.embeddings import Embeddings, read_embeddings
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo
from fer_core.stats.label_doubt import shipped_table
from pages.parts import messages
from pages.parts.face_filters import FilterChoice, clear, sorts_of
from pages.parts.scope import View

Positions = npt.NDArray[np.intp]
_SPLITS = {PRIVATE_TEST: protocol.KEPT_ASIDE, PUBLIC_TEST: protocol.CHOOSING}


@dataclass(frozen=True, eq=False)
class FaceSelection:
    """The selection.

    Attributes:
        positions: int (m,), where its faces are in ``view.scope.aligned``, in the order of the page.
        rows: int64 (m,), their row numbers in the dataset, in the same order.
        words: the conditions in words; empty for none.
        empty: why nothing is left, where nothing is.
        shows: what these faces show, in a sentence.
    """

    positions: Positions
    rows: npt.NDArray[np.int64]
    words: str
    empty: str
    shows: str


def find_faces(view: View, choice: FilterChoice) -> FaceSelection:
    """The faces that the choice is about. Says where they cannot be sorted as asked."""
    by, like, read, source = choice.sort, None, None, ""
    if by == "similarity":
        like, read, source = _similarity(view, choice)
        if read is None:
            by = sorts_of(view)[0]
    annotated = view.annotations.state_key if choice.wanted.annotation is not None else None
    return _find(view.key, choice.wanted, by, like, source, annotated, view, read)


def show_summary(view: View, choice: FilterChoice, found: FaceSelection, prefix: str = "") -> None:
    """One sentence: how many faces of how many, and which; and the way back to the start.

    ``prefix``: what stands before the filters' names in the address.
    """
    shown, total, split = len(found.positions), len(view.scope.aligned), view.scope.aligned.split
    with st.container(horizontal=True, vertical_alignment="center", key="said-what"):
        words = f": {found.words}" if found.words else ""
        drawn = " Drawn, so no label is wrong." if view.labels_are_right else ""
        of = f" of {split}" if view.labelled else ""
        st.markdown(
            f"**{shown:,} of {plural(total, 'face')}**{of}{words}.{drawn}",
            width="content",
            help=_SPLITS.get(split) if view.labelled else None,
        )
        if choice.filtered:
            st.button(
                "Clear the filters",
                icon=":material/filter_alt_off:",
                on_click=clear,
                args=(prefix,),
                key="clear-filters",
            )
    if found.empty:
        st.info(found.empty, icon=":material/filter_alt_off:")


def _similarity(view: View, choice: FilterChoice) -> tuple[int | None, npt.NDArray[np.float32] | None, str]:
    """Position of the face to be similar to, the vectors of all faces in view, and whose these are."""
    aligned = view.scope.aligned
    if choice.like is None:
        why = "Choose the face that the others should be similar to: click one, then “Sort by similarity to it”."
        _instead(view, why)
        return None, None, ""
    at = np.flatnonzero(aligned.rows == choice.like)
    if not len(at):
        _instead(
            view, f"Row {choice.like:,} is not among the faces in view, so nothing can be sorted by similarity to it."
        )
        return None, None, ""
    if not view.measured:
        st.caption("Similar: the models say nearly the same of them.")
        return int(at[0]), vectors(aligned), "answers"
    # The run that the answers are by comes first, then the others in their order.
    names = [*choice.wanted.models, *(name for name in view.names if name not in choice.wanted.models)]
    for name in names:
        info = next(run for run in view.runs if run.display_name == name)
        try:
            embeddings = embeddings_of(info, view.scope.whole.fingerprint)
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
            continue
        if embeddings is None:
            continue
        places = embeddings.positions(aligned.rows)
        if (places < 0).any():
            continue
        st.caption(f"Similar in the eyes of {name}: by the cosine of what its last layer reads.")
        return int(at[0]), embeddings.vectors[places], name
    _instead(view, f"None of the chosen runs has embeddings of these faces. {how_to(view, view.runs)}")
    return None, None, ""


def _instead(view: View, why: str) -> None:
    st.info(f"{why} Until then: {SORTS[sorts_of(view)[0]].lower()}.", icon=":material/sort:")


@st.cache_data(show_spinner=False, max_entries=64)
def _find(
    key: tuple[Hashable, ...],
    wanted: Filter,
    by: str,
    like: int | None,
    source: str,
    annotated: tuple[str, int] | None,
    _view: View,
    _vectors: npt.NDArray[np.float32] | None,
) -> FaceSelection:
    aligned = _view.scope.aligned
    label_issue_score = _view.scope.label_issue_score if wanted.label_issue_score > 0 or by == "doubt" else None
    near_duplicate, annotations = (
        aligned.near_duplicate,
        _view.annotations.all() if wanted.annotation is not None else None,
    )
    left = selection.select(
        aligned, wanted, near_duplicate=near_duplicate, label_issue_score=label_issue_score, annotations=annotations
    )
    positions = order(
        aligned, left, by, models=wanted.models, label_issue_score=label_issue_score, embeddings=_vectors, like=like
    )
    words = selection.describe(
        aligned, wanted, near_duplicate=near_duplicate, label_issue_score=label_issue_score, annotations=annotations
    )
    empty = (
        ""
        if len(left)
        else selection.why_empty(
            aligned,
            wanted,
            near_duplicate=near_duplicate,
            label_issue_score=label_issue_score,
            annotations=annotations,
            labelled=_view.labelled,
        )
    )
    if not _view.labelled:
        shows = what_they_say(aligned, positions, models=wanted.models)
        return FaceSelection(positions, aligned.rows[positions], words, empty, shows)
    measured_here = aligned.fingerprint == shipped_table().fingerprint
    doubt = _view.scope.label_issue_score if measured_here else None
    shows = what_they_show(aligned, positions, doubt, models=wanted.models)
    return FaceSelection(positions, aligned.rows[positions], words, empty, shows)


def embeddings_of(info: ModelInfo, fingerprint: str) -> Embeddings | None:
    """A run's embeddings of the faces with this fingerprint; None where it has none. Raises ``RunError`` for damaged
    ones.
    """
    return _read(str(info.path), fingerprint, info.folder.state_key())


def how_to(view: View, without: Sequence[ModelInfo]) -> str:
    """What to do about runs without embeddings. A vote has none of its own, nor have answers, whatever one does."""
    names = [info.name for info in without if not info.is_vote and info.has_model]
    if not names and not any(info.is_vote for info in without):
        return "Answers alone have none: they come from inside of a model."
    if not names:
        return "A vote has none of its own: choose one of its members as a run."
    data = "DATASET" if view.dataset is None else str(messages.place(view.dataset.info.path))
    return f"Evaluate a run again to get them: `python -m fer_core evaluate {names[0]} --data {data}`"


@st.cache_resource(show_spinner=False, max_entries=12)
def _read(path: str, fingerprint: str, sealed: tuple[int, ...]) -> Embeddings | None:
    """Keyed by when the run was sealed: an evaluation makes new embeddings."""
    return read_embeddings(RunFolder(Path(path)), fingerprint)
