"""Mistakes: the faces that the filters leave, in order, computed once for each choice; and the sentence about them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.errors import RunError
from fer_core.formatting import plural
from fer_core.review import selection
from fer_core.review.selection import SORTS, Filter
from pages.parts import embeddings as mistakes_embeddings
from pages.parts.face_filters import Choice, clear
from pages.parts.scope import View

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Found:
    """The selection.

    Attributes:
        positions: int (m,), where its faces are in ``view.scope.joined``, in the order of the page.
        rows: int64 (m,), their row numbers in the dataset, in the same order.
        words: the conditions in words; empty for none.
        empty: why nothing is left, where nothing is.
    """

    positions: Positions
    rows: npt.NDArray[np.int64]
    words: str
    empty: str


def find(view: View, choice: Choice) -> Found:
    """The faces that the choice is about. Says where they cannot be sorted as asked."""
    by, like, vectors, source = choice.sort, None, None, ""
    if by == "similarity":
        like, vectors, source = _similarity(view, choice)
        if vectors is None:
            by = next(iter(SORTS))
    marks = view.marks.version if choice.wanted.marked is not None else 0
    return _find(view.key, choice.wanted, by, like, source, marks, view, vectors)


def say(view: View, choice: Choice, found: Found, prefix: str = "") -> None:
    """One sentence: how many faces of how many, and which; and the way back to the start.

    ``prefix``: what stands before the filters' names in the address.
    """
    shown, total = len(found.positions), len(view.scope.joined)
    with st.container(horizontal=True, vertical_alignment="center", key="said-what"):
        words = f": {found.words}" if found.words else ""
        st.markdown(f"**{shown:,} of {plural(total, 'face')}**{words}.", width="content")
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


def _similarity(view: View, choice: Choice) -> tuple[int | None, npt.NDArray[np.float32] | None, str]:
    """Position of the face to be similar to, the vectors of all faces in view, and whose these are."""
    joined = view.scope.joined
    if choice.like is None:
        _instead("Choose the face that the others should be similar to: click one, then “Sort by similarity to it”.")
        return None, None, ""
    at = np.flatnonzero(joined.rows == choice.like)
    if not len(at):
        _instead(f"Row {choice.like:,} is not among the faces in view, so nothing can be sorted by similarity to it.")
        return None, None, ""
    # The run that the answers are by comes first, then the others in their order.
    names = [*choice.wanted.models, *(name for name in view.names if name not in choice.wanted.models)]
    for name in names:
        info = next(run for run in view.runs if run.name == name)
        try:
            embeddings = mistakes_embeddings.embeddings_of(info, view.scope.whole.fingerprint)
        except RunError as error:
            st.warning(str(error), icon=":material/broken_image:")
            continue
        if embeddings is None:
            continue
        places = embeddings.positions(joined.rows)
        if (places < 0).any():
            continue
        st.caption(f"Similar in the eyes of {name}: by the cosine of what its last layer reads.")
        return int(at[0]), embeddings.vectors[places], name
    _instead(f"None of the chosen runs has embeddings of these faces. {mistakes_embeddings.how_to(view, view.runs)}")
    return None, None, ""


def _instead(why: str) -> None:
    st.info(f"{why} Until then: {next(iter(SORTS.values())).lower()}.", icon=":material/sort:")


@st.cache_data(show_spinner=False, max_entries=64)
def _find(
    key: tuple[Hashable, ...],
    wanted: Filter,
    by: str,
    like: int | None,
    source: str,
    marks: int,
    _view: View,
    _vectors: npt.NDArray[np.float32] | None,
) -> Found:
    joined = _view.scope.joined
    doubt = _view.scope.doubt if wanted.doubt > 0 or by == "doubt" else None
    twin, given = joined.twin, _view.marks.all() if wanted.marked is not None else None
    left = selection.select(joined, wanted, twin=twin, doubt=doubt, marks=given)
    positions = selection.order(joined, left, by, models=wanted.models, doubt=doubt, embeddings=_vectors, like=like)
    words = selection.describe(joined, wanted, twin=twin, doubt=doubt, marks=given)
    empty = "" if len(left) else selection.why_empty(joined, wanted, twin=twin, doubt=doubt, marks=given)
    return Found(positions, joined.rows[positions], words, empty)
