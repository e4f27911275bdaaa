"""What Compare and Mistakes are about: which runs, which faces, whose labels. Chosen once, kept in the address."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import streamlit as st

from fer_core.data.audit import read_audit
from fer_core.data.catalogue import list_datasets
from fer_core.data.dataset import Dataset, load_dataset
from fer_core.data.ferplus import FERPLUS_FILE, Crowd, read_ferplus
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import DataError, RunError
from fer_core.evaluation.scope import CORRECTED, CROWD, DATASET, LABELS, UNMARKED, Scope
from fer_core.evaluation.scope import scope as core_scope
from fer_core.review.marks import Marks
from fer_core.runs.listing import ModelInfo, list_models
from pages.parts import frame
from pages.parts.runs import data_title

LIMIT = 6
"""Runs side by side: more make the pictures too small to read."""

ON, RUNS, SPLIT, TWINS, LABELS_KEY = "on", "runs", "split", "twins", "labels"
"""Names in the address."""
ALL_FACES, NO_TWINS = "all", "without"
TWIN_WORDS = {ALL_FACES: "all faces", NO_TWINS: "without twins of training faces"}


@dataclass(frozen=True, eq=False)
class View:
    """The choice, and what it leads to.

    Attributes:
        runs: the chosen runs, one at least.
        scope: their answers, the faces in view, the labels that count.
        key: equal for equal scopes. The key for caches of whatever follows from ``scope``.
        dataset: the faces themselves, where this computer has the data that the runs were measured on.
        crowd: FER+'s votes, where they were added to that dataset.
        marks: your review of these data.
        query: the choice as it stands in the address, for links to the other page.
    """

    runs: tuple[ModelInfo, ...]
    scope: Scope
    key: tuple[Hashable, ...]
    dataset: Dataset | None
    crowd: Crowd | None
    marks: Marks
    query: dict[str, str | list[str]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(run.name for run in self.runs)

    @property
    def data_title(self) -> str:
        return _title(self.runs[0])


def choose() -> View:
    """Draw the controls and return the choice. Ends the page, with a sentence, where there is nothing to look at."""
    groups = _groups()
    if not groups:
        st.info(
            "There is no evaluated run yet. Train a model: it is evaluated by itself when it ends, and appears here.",
            icon=":material/info:",
        )
        frame.link("train", "Train a model", icon=":material/model_training:")
        st.stop()
    fingerprint = _measured_on(groups)
    runs = _runs(groups[fingerprint])
    if not runs:
        st.info("Choose at least one run above.", icon=":material/info:")
        st.stop()
    dataset = dataset_of(fingerprint)
    try:
        crowd = None if dataset is None else _crowd(dataset)
        marks = _marks(fingerprint)
        marks.refresh()
    except DataError as error:
        st.error(str(error), icon=":material/broken_image:")
        st.stop()
    for problem in marks.problems:
        st.warning(problem, icon=":material/broken_image:")
    with st.container(horizontal=True, vertical_alignment="bottom", key="scope"):
        split = _split()
        twins = _twins()
        labels = _labels(crowd, marks)
    # A review that is not looked at does not change what is: its version must not throw away what was computed.
    reviewed = marks.version if labels in (CORRECTED, UNMARKED) else 0
    audited = dataset is not None and read_audit_time(dataset)
    key = (*((str(run.path), _sealed(run)) for run in runs), split, twins, labels, reviewed, audited)
    try:
        scope = _scope(key, runs, split, twins, labels, dataset, crowd, marks)
    except RunError as error:
        st.error(str(error), icon=":material/broken_image:")
        st.stop()
    _say(scope, split)
    query: dict[str, str | list[str]] = {
        RUNS: [run.name for run in runs],
        SPLIT: split,
        TWINS: TWIN_WORDS[twins],
        LABELS_KEY: LABELS[labels],
    }
    if len(groups) > 1:
        query[ON] = next(title for title, key in _group_titles(groups).items() if key == fingerprint)
    return View(runs, scope, key, dataset, crowd, marks, query)


def dataset_of(fingerprint: str) -> Dataset | None:
    """The dataset with this fingerprint, if this computer has it, shared by all visitors."""
    info = next((info for info in list_datasets() if info.fingerprint == fingerprint), None)
    return None if info is None else _open(str(info.path), fingerprint)


def offer_import(what: str = "The faces themselves") -> None:
    """In place of faces that are not here: what is missing, and the way to it."""
    with st.container(border=True, key="no-faces"):
        st.markdown(
            f":material/image_not_supported: **{what} are not on this computer.** The numbers come from the runs' "
            "stored predictions, which do not hold pictures. Import the data that the runs were measured on, and the "
            "faces appear here."
        )
        frame.link("dataset", "Import the data", icon=":material/upload:", query={"view": "Bring real data"})


def read_audit_time(dataset: Dataset) -> int:
    """When the audit of this dataset was kept, POSIX nanoseconds; 0 where there is none."""
    from fer_core.data.audit import AUDIT_FILE

    try:
        return (dataset.path / AUDIT_FILE).stat().st_mtime_ns
    except OSError:
        return 0


def _groups() -> dict[str, list[ModelInfo]]:
    """Evaluated runs by the fingerprint of the data that they were measured on, in the order of the runs."""
    groups: dict[str, list[ModelInfo]] = {}
    for run in list_models():
        about = _about(str(run.path), _sealed(run))
        if about:
            groups.setdefault(about["fingerprint"], []).append(run)
    return groups


def _measured_on(groups: dict[str, list[ModelInfo]]) -> str:
    """Which data: runs measured on different faces are never shown together."""
    if len(groups) == 1:
        return next(iter(groups))
    titles = _group_titles(groups)
    title_of_run = {run.name: title for title, key in reversed(titles.items()) for run in groups[key]}
    asked = [title_of_run[name] for name in st.query_params.get_all(RUNS) if name in title_of_run]
    if ON not in st.session_state and st.query_params.get(ON) not in titles:
        st.session_state[ON] = asked[0] if asked else next(iter(titles))
    chosen = st.segmented_control(
        "Measured on",
        list(titles),
        required=True,
        key=ON,
        bind="query-params",
        help="Numbers measured on different faces cannot be compared with each other.",
    )
    return titles[str(chosen)]


def _group_titles(groups: dict[str, list[ModelInfo]]) -> dict[str, str]:
    """The fingerprint of each group by the title of its data; of equal titles, with the fingerprint's beginning."""
    titles = {fingerprint: _title(runs[0]) for fingerprint, runs in groups.items()}
    often = [title for title in titles.values() if list(titles.values()).count(title) > 1]
    return {f"{title} {key[:8]}" if title in often else title: key for key, title in titles.items()}


def _runs(known: list[ModelInfo]) -> tuple[ModelInfo, ...]:
    by_name = {run.name: run for run in known}
    unknown = [name for name in st.query_params.get_all(RUNS) if name not in by_name]
    if unknown:
        st.warning(f"There is no evaluated run called {', '.join(f'“{name}”' for name in unknown)} here.")
    # Set, not given as the default: what equals the default is left out of the address, and another computer, with
    # other runs, would fill in its own.
    if RUNS not in st.session_state and not set(st.query_params.get_all(RUNS)) & set(by_name):
        st.session_state[RUNS] = list(by_name)[:LIMIT]
    names = st.multiselect(
        f"Runs (up to {LIMIT})",
        list(by_name),
        max_selections=LIMIT,
        key=RUNS,
        bind="query-params",
    )
    return tuple(by_name[name] for name in names)


def _split() -> str:
    split = st.segmented_control(
        "Split",
        (PRIVATE_TEST, PUBLIC_TEST),
        default=PRIVATE_TEST,
        required=True,
        key=SPLIT,
        bind="query-params",
        help="PublicTest chose the best epoch of each run and the weights of a vote, so it flatters a little. "
        "PrivateTest chose nothing.",
    )
    return str(split or PRIVATE_TEST)


def _twins() -> str:
    words = st.segmented_control(
        "Faces",
        list(TWIN_WORDS.values()),
        default=TWIN_WORDS[ALL_FACES],
        required=True,
        key=TWINS,
        bind="query-params",
        help="A twin is a face that also occurs in Training, pixel for pixel or nearly so, mirrored too. A model may "
        "simply remember it.",
    )
    return next((key for key, text in TWIN_WORDS.items() if text == words), ALL_FACES)


def _labels(crowd: Crowd | None, marks: Marks) -> str:
    """Whose labels count. Only what there is can be chosen; with the dataset's alone there is nothing to choose."""
    offered = [DATASET]
    if crowd is not None:
        offered.append(CROWD)
    if len(marks):
        offered += [CORRECTED, UNMARKED]
    asked = st.query_params.get(LABELS_KEY)
    if asked in LABELS.values() and asked not in [LABELS[key] for key in offered]:
        why = "FER+ was not added to these data" if asked == LABELS[CROWD] else "no face of these data is marked"
        st.warning(f"The link asks for labels {asked}, but {why}. Showing the dataset's labels.")
    if len(offered) == 1:
        return DATASET
    words = st.selectbox(
        "Labels",
        [LABELS[key] for key in offered],
        key=LABELS_KEY,
        bind="query-params",
        help="Whose labels count as true, in every number on this page.",
    )
    return next((key for key, text in LABELS.items() if text == words), DATASET)


def _say(scope: Scope, split: str) -> None:
    """How many faces are in view, and which are not."""
    shown, total = len(scope.joined), len(scope.whole)
    if scope.left_out:
        st.caption(f"{shown:,} of the {total:,} faces of {split}. Left out: {'; '.join(scope.left_out)}.")
    else:
        st.caption(f"All {total:,} faces of {split}.")


def _title(run: ModelInfo) -> str:
    about = _about(str(run.path), _sealed(run))
    return data_title(about or {})


def _sealed(run: ModelInfo) -> int:
    """When ``run.json`` was written, POSIX nanoseconds: another evaluation is another state of the run."""
    return run.folder.manifest_path.stat().st_mtime_ns


@st.cache_data(show_spinner=False, max_entries=100)
def _about(path: str, sealed: int) -> dict[str, str] | None:
    """On which data a run was measured; None for one without metrics."""
    from pathlib import Path

    from fer_core.runs.folder import RunFolder

    metrics = RunFolder(Path(path)).metrics()
    return None if metrics is None else metrics["data"]


@st.cache_resource(show_spinner=False, max_entries=24)
def _scope(
    key: tuple[Hashable, ...],
    _runs: Sequence[ModelInfo],
    _split: str,
    _twins: str,
    _labels: str,
    _dataset: Dataset | None,
    _crowd: Crowd | None,
    _marks: Marks,
) -> Scope:
    audit = None if _dataset is None else read_audit(_dataset)
    return core_scope(
        [run.folder for run in _runs],
        _split,
        twins=_twins == ALL_FACES,
        labels=_labels,
        twin=None if audit is None else audit.twins().near,
        crowd=_crowd,
        marks=_marks,
    )


def _crowd(dataset: Dataset) -> Crowd | None:
    try:
        written = (dataset.path / FERPLUS_FILE).stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _read_crowd(str(dataset.path), written, dataset)


@st.cache_resource(show_spinner=False, max_entries=4)
def _read_crowd(path: str, written: int, _dataset: Dataset) -> Crowd | None:
    return read_ferplus(_dataset)


@st.cache_resource(show_spinner=False, max_entries=8)
def _marks(fingerprint: str) -> Marks:
    return Marks.load(fingerprint)


@st.cache_resource(show_spinner=False, max_entries=4)
def _open(path: str, fingerprint: str) -> Dataset:
    return load_dataset(path)
