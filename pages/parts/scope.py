"""What Compare and Mistakes are about: which runs, which of the chosen faces, whose labels; kept in the address."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from fer_core.data.dataset import Dataset
from fer_core.data.ferplus import Crowd
from fer_core.emotions import COUNT
from fer_core.errors import DataError, RunError
from fer_core.review.annotations import Annotations
from fer_core.review.scope import CORRECTED, CROWD, DATASET, LABELS, WITHOUT_ANNOTATED, Scope
from fer_core.review.scope import scope as core_scope
from fer_core.runs import protocol
from fer_core.runs.listing import ModelInfo
from fer_core.runs.metrics import classes_words
from pages.parts import data, fall, known_data, linked, links, messages, unmeasured
from pages.parts.dataset_extras import annotations_of, audit_of, crowd_of, dataset_of, read_audit_time, read_crowd_time
from pages.parts.known_data import KnownData
from pages.parts.runs import MOST, first_choice

LIMIT = MOST
"""Runs side by side."""

RUNS, SPLIT, NEAR_DUPLICATES, LABELS_KEY = "runs", "split", "twins", "labels"
"""Names in the address."""
COMPARE = "compare."
"""Stands before them in the address of Compare. Streamlit takes out of a link whatever is called like a bound widget of
the page that it leaves, so two pages that lead to each other need names of their own."""
ALL_FACES, WITHOUT_NEAR_DUPLICATES = "all", "without"
_EMPTIED, _FIRST = "_emptied.", "_first."
"""Before the name of a field of runs: whether Streamlit has emptied it, and of which data what was its first choice."""
NEAR_DUPLICATES_TEXT = {ALL_FACES: "all faces", WITHOUT_NEAR_DUPLICATES: "without twins of training faces"}


@dataclass(frozen=True, eq=False)
class View:
    """The choice, and what it leads to.

    Attributes:
        data: what the sidebar has chosen.
        runs: the chosen runs, one at least.
        scope: their answers, the faces in view, the labels that count.
        key: equal for equal scopes. The key for caches of whatever follows from ``scope``.
        dataset: the faces themselves, where this computer has the data that the runs were measured on.
        crowd: FER+'s votes, where they were added to that dataset.
        annotations: your review of these data.
        query: the choice as it stands in the address of Mistakes, for links from Compare.
        lesson: what the figures of these data teach, in a sentence, where they do; for pages that fold the controls.
        measured: whether the answers are of evaluations; else they came with the faces, and no run knows of them.
    """

    data: KnownData
    runs: tuple[ModelInfo, ...]
    scope: Scope
    key: tuple[Hashable, ...]
    dataset: Dataset | None
    crowd: Crowd | None
    annotations: Annotations
    query: dict[str, str | list[str]]
    lesson: str = ""
    measured: bool = True

    @property
    def compare_query(self) -> dict[str, str | list[str]]:
        """The choice as it stands in the address of Compare, for links from Mistakes."""
        return {COMPARE + name: value for name, value in self.query.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """What people read, in the order of the runs. Addresses have the names of folders: :meth:`folder_of`."""
        return tuple(run.display_name for run in self.runs)

    @property
    def shows(self) -> dict[str, str]:
        """What people read, by the name of the folder."""
        return {run.name: run.display_name for run in self.runs}

    def folder_of(self, name: str) -> str:
        """The name of the folder of the run that people know by ``name``."""
        return next(run.name for run in self.runs if run.display_name == name)

    def choose_run(self, label: str, first: Sequence[str] = (), index: int = 0, *, key: str, **more: Any) -> str:
        """A field for one of the runs, or what stands ``first``: what people read; the address has the folder."""
        chosen = str(linked.run(label, [*first, *self.shows], self.shows, index, key=key, **more))
        return self.shows.get(chosen, chosen)

    @property
    def data_title(self) -> str:
        return self.data.title

    @property
    def labelled(self) -> bool:
        """Whether anybody labelled the faces. Else what stands for labels is what the models answer together, and
        nothing is right or wrong.
        """
        return self.data.info is None or self.data.info.labelled

    @property
    def labels_are_right(self) -> bool:
        """Whether the faces were drawn after their labels, so that no label is in doubt, whatever models say."""
        return self.data.record["kind"] == "sample"


def choose(prefix: str = "", fold: DeltaGenerator | None = None) -> View:
    """Draw the controls and return the choice. Ends the page, with a sentence, where there is nothing to look at.

    ``prefix`` stands before the names in the address, and links from other pages may leave it out. ``fold``: where the
    controls stand, and how many faces they leave, by default in the page; then the lesson is left to the caller.
    """
    if prefix:
        _take_over(prefix)
    chosen = data.current()
    if chosen is None or chosen.can_be_drawn:
        data.draw_and_start_again()
    if not chosen.runs:
        unmeasured.show(chosen)
        st.stop()
    fingerprint = chosen.fingerprint
    controls = nullcontext() if fold is None else fold
    runs = choose_runs(chosen, prefix + RUNS, controls)
    unmeasured.offer(chosen)
    if not runs:
        st.info("Choose at least one run.", icon=":material/info:")
        st.stop()
    dataset = dataset_of(fingerprint)
    try:
        crowd = None if dataset is None else crowd_of(dataset)
    except DataError as error:
        st.error(messages.told(error), icon=":material/broken_image:")
        st.stop()
    annotations = marks(fingerprint)
    with controls, st.container(horizontal=True, vertical_alignment="bottom", key="scope"):
        splits = known_data.splits_of(chosen, runs)
        split = choose_split(splits, prefix + SPLIT)
        near_duplicates = _choose_near_duplicates(prefix + NEAR_DUPLICATES)
        labels, ignored = choose_labels(crowd, annotations, prefix + LABELS_KEY)
    if ignored:
        st.warning(ignored)
    asked = [run.name for run in runs]
    runs = _with_split(chosen, runs, split)
    # A review that is not looked at does not change what is: its version must not throw away what was computed.
    reviewed = annotations.state_key if labels in (CORRECTED, WITHOUT_ANNOTATED) else None
    audited = dataset is not None and read_audit_time(dataset)
    voted = 0 if dataset is None or labels != CROWD else read_crowd_time(dataset)
    key = (
        fingerprint,
        *((str(run.path), run.display_name, run.folder.state_key()) for run in runs),
        split,
        near_duplicates,
        labels,
        reviewed,
        audited,
        voted,
    )
    try:
        scope = _scope(key, fingerprint, runs, split, near_duplicates, labels, dataset, crowd, annotations)
    except RunError as error:
        st.error(messages.told(error), icon=":material/broken_image:")
        st.stop()
    # What is left out is never folded away.
    with nullcontext() if scope.left_out else controls:
        show_summary(scope, split, links.plain(chosen.title))
    text = fall.sentence(runs, fingerprint, split)
    if text and fold is None:
        st.caption(f":material/school: {text}")
    query: dict[str, str | list[str]] = {RUNS: asked}
    # Defaults are left out, as Streamlit does: taking them out again would be a step of its own in the history.
    if split != splits[0]:
        query[SPLIT] = split
    if near_duplicates != ALL_FACES:
        query[NEAR_DUPLICATES] = NEAR_DUPLICATES_TEXT[near_duplicates]
    if labels != DATASET:
        query[LABELS_KEY] = LABELS[labels]
    return View(chosen, runs, scope, key, dataset, crowd, annotations, query, text or "")


def _take_over(prefix: str) -> None:
    """Give names in the address that came without their prefix the names of this page's widgets."""
    short = links.copy((RUNS, SPLIT, NEAR_DUPLICATES, LABELS_KEY))
    for name, values in short.items():
        try:
            st.query_params[prefix + name] = values
        except StreamlitAPIException:
            # The widgets are drawn already: the browser goes through this page's own history, and no link led here.
            return
        del st.query_params[name]
    if short:
        # Widgets take what the address held when the run began.
        st.rerun()


def choose_runs(
    chosen: KnownData, key: str, controls: AbstractContextManager[object, bool | None]
) -> tuple[ModelInfo, ...]:
    """The chosen ones of those that were measured on these data. ``controls``: where the field stands."""
    by_name = {run.name: run for run in chosen.runs}
    everywhere = {run.name for one in known_data.known().values() for run in one.runs} | set(by_name)
    asked = links.given(key)
    if unknown := [name for name in asked if name not in everywhere]:
        links.warn_ignored(key, unknown, "There is no evaluated run called {asked} here.")
    elsewhere = [name for name in asked if name in everywhere and name not in by_name]
    # Where all are elsewhere, other data was chosen just now, and the address still names the runs of before.
    if elsewhere and set(asked) & set(by_name):
        st.warning(f"Left out, because measured on other faces: {links.quoted(elsewhere)}.")
    # Set, not given as the default: what equals the default is left out of the address, and another computer, with
    # other runs, would fill in its own.
    held = st.session_state.get(key, asked)
    emptied = st.session_state.pop(_EMPTIED + key, False)
    first = [run.name for run in first_choice(chosen.runs)]
    if (
        emptied
        or _is_first_choice(chosen, key, held, asked)
        or (not set(held) & set(by_name) and (held or key not in st.session_state))
    ):
        st.session_state[key] = first
        st.session_state[_FIRST + key] = chosen.fingerprint, first
    elif not asked:
        _into_address(key)
    before = st.session_state.get(key)
    with controls:
        shows = {run.name: run.display_name for run in chosen.runs}
        names = linked.runs(f"Runs (up to {LIMIT})", list(by_name), shows, max_selections=LIMIT, key=key, says=None)
        if len(names) == LIMIT and (more := [show for name, show in shows.items() if name not in names]):
            # The field itself does not open when it is full.
            st.caption(f"There {'is' if len(more) == 1 else 'are'} also {links.quoted(more)}. Take one away first.")
    if before and not names:
        # Not by hand, which would have come before: see :func:`pages.parts.data.dataset_picker`.
        st.session_state[_EMPTIED + key] = True
        st.rerun()
    return tuple(by_name[name] for name in names)


def _is_first_choice(chosen: KnownData, key: str, held: Sequence[str], asked: Sequence[str]) -> bool:
    """Whether the field holds what it first held on an earlier visit, or about other data: nobody has chosen, so that a
    run that has come since then is to be seen, too.
    """
    fingerprint, first = st.session_state.get(_FIRST + key, ("", []))
    return key in st.session_state and held == first and (not asked or fingerprint != chosen.fingerprint)


def marks(fingerprint: str) -> Annotations:
    """The marks on the faces of these data as they are now; says what is amiss with them, and ends the page where they
    cannot be read.
    """
    try:
        annotations = annotations_of(fingerprint)
        annotations.refresh()
    except DataError as error:
        st.error(messages.told(error), icon=":material/broken_image:")
        st.stop()
    for problem in annotations.problems:
        st.warning(messages.told(problem, stored=True), icon=":material/broken_image:")
    return annotations


def _into_address(key: str) -> None:
    """Set a bound widget to what it holds. What is set before a widget is first drawn does not reach the address, so
    that a link without it would show whatever another computer has.
    """
    if key in st.session_state:
        st.session_state[key] = st.session_state[key]


def _with_split(chosen: KnownData, runs: Sequence[ModelInfo], split: str) -> tuple[ModelInfo, ...]:
    """The runs that have figures of ``split``; the others are named. Brought answers may be about one split alone."""
    having = tuple(run for run in runs if split in known_data.splits_of(chosen, [run]))
    if without := [run.display_name for run in runs if run not in having]:
        st.warning(f"Left out, because there are no answers for {split}: {links.quoted(without)}.")
    return having


def choose_split(splits: Sequence[str], key: str) -> str:
    return linked.segmented_control(
        "Split",
        splits,
        key=key,
        help=f"PublicTest flatters a little. {protocol.WHAT_CHOSE} {protocol.TWINS} {protocol.EXCEPTION}",
    )


def _choose_near_duplicates(key: str) -> str:
    words = linked.segmented_control(
        "Faces",
        list(NEAR_DUPLICATES_TEXT.values()),
        key=key,
        help="A twin is a face that also occurs in Training, pixel for pixel or nearly so, mirrored too. A model may "
        "simply remember it.",
    )
    return next(which for which, text in NEAR_DUPLICATES_TEXT.items() if text == words)


def choose_labels(crowd: Crowd | None, annotations: Annotations, key: str) -> tuple[str, str]:
    """Whose labels count, and what to say where those that a link asks for are not there.

    Only what there is can be chosen; with the dataset's alone there is nothing to choose.
    """
    offered, ignored = [DATASET], ""
    if crowd is not None:
        offered.append(CROWD)
    if len(annotations):
        offered += [CORRECTED, WITHOUT_ANNOTATED]
    asked = links.one_of(key, LABELS.values())
    if asked is not None and asked not in [LABELS[whose] for whose in offered]:
        why = "FER+ was not added to these data" if asked == LABELS[CROWD] else "no face of these data is marked"
        ignored = f"The link asks for labels {asked}, but {why}. Showing the dataset's labels."
    if len(offered) == 1:
        return DATASET, ignored
    words = linked.selectbox(
        "Labels",
        [LABELS[whose] for whose in offered],
        key=key,
        help="Whose labels count as true, in every number on this page.",
    )
    return next(whose for whose, text in LABELS.items() if text == words), ignored


def show_summary(scope: Scope, split: str, title: str) -> None:
    """How many faces of which data are in view, and which are not."""
    shown, total = len(scope.aligned), len(scope.whole)
    if scope.left_out:
        left_out = "; ".join(scope.left_out)
        st.caption(f"{shown:,} of the {total:,} faces of {split} of {title}. Left out: {left_out}.")
    else:
        st.caption(f"All {total:,} faces of {split} of {title}.")
    if words := classes_words(np.bincount(scope.aligned.labels, minlength=COUNT).tolist()):
        st.caption(words)


@st.cache_resource(show_spinner=False, max_entries=24)
def _scope(
    key: tuple[Hashable, ...],
    _fingerprint: str,
    _runs: Sequence[ModelInfo],
    _split: str,
    _near_duplicates: str,
    _labels: str,
    _dataset: Dataset | None,
    _crowd: Crowd | None,
    _annotations: Annotations,
) -> Scope:
    audit = None if _dataset is None else audit_of(_dataset)
    return core_scope(
        [run.folder for run in _runs],
        _split,
        fingerprint=_fingerprint,
        with_near_duplicates=_near_duplicates == ALL_FACES,
        labels=_labels,
        near_duplicate=None if audit is None else audit.training_duplicates().exact_or_near,
        crowd=_crowd,
        annotations=_annotations,
        names=[run.display_name for run in _runs],
    )
