"""Train: a training beside its twin, with augmentation and without, in step, and what augmentation gained."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

import streamlit as st

from fer_core.access import trainings
from fer_core.access.policy import Person
from fer_core.errors import FerError, RunError
from fer_core.plots import live_history
from fer_core.review.twins import TwinResult, compare_twins, so_far
from fer_core.runs.events import EpochEvent
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import epochs_of
from fer_core.runs.recipe import Recipe
from fer_core.runs.twin import twin_of
from fer_core.training import twins
from fer_core.training.status import JobState, JobStatus
from pages.parts import linked, messages, runs
from pages.parts.train.outcome import trained_on

KEY = "twin"
WITH, WITHOUT = "with", "without"
HARDER = (
    "With augmentation a training face is changed anew each time, which makes it harder: its dashed line may lie below "
    "the solid one."
)


def wanted(recipe: Recipe) -> bool:
    """The box beside the button: whether the twin shall be trained, too."""
    return linked.checkbox(
        f"And then {the_same_otherwise(recipe)}",
        key=KEY,
        help="Trains the same recipe and seed twice, with and without augmentation (random changes to each training "
        "face), and shows both over each other. Takes twice as long.",
    )


def the_same_otherwise(recipe: Recipe) -> str:
    """What the twin of a run with this recipe is called; faces, too, have twins, so that word is not for people."""
    return f"the same {WITHOUT if recipe.augmentation.active else WITH} augmentation"


def partner(run_dir: Path) -> RunFolder | None:
    """The run's twin, where it is there."""
    try:
        other = twin_of(run_dir)
    except RunError as error:
        st.warning(messages.told(error), icon=":material/broken_image:")
        return None
    return None if other is None else RunFolder(other)


def to_come(status: JobStatus) -> str:
    """What the twin is called that is planned after this run and has not been begun; empty where there is none."""
    run = RunFolder(status.run_dir)
    try:
        return the_same_otherwise(run.recipe()) if twins.follows(run) else ""
    except FerError:
        # Said by partner(), or of the recipe when the training goes on.
        return ""


def show(status: JobStatus, other: RunFolder) -> bool:
    """Both in step: curves over each other, and what they say. Returns False before both have ended an epoch."""
    mine = RunFolder(status.run_dir)
    theirs = _epochs(str(other.path), _version(other.journal_path))
    if not status.epochs or not theirs:
        return False
    augmented = mine.recipe().augmentation.active
    both = {WITH: status.epochs, WITHOUT: theirs} if augmented else {WITH: theirs, WITHOUT: status.epochs}
    points = live_history.with_labels(live_history.twins(both))
    total = max(folder.recipe().epochs for folder in (mine, other))
    dark = st.context.theme.type == "dark"
    for place, metric in zip(st.columns(2), live_history.METRICS, strict=True):
        place.vega_lite_chart(
            points,
            live_history.twins_spec(metric, (WITH, WITHOUT), total_epochs=total, dark=dark),
            alt=f"{metric.capitalize()} over epochs, with augmentation and without: dashed on training faces, solid on "
            "PublicTest. In words below.",
        )
    if mine.complete and other.complete and not status.alive:
        try:
            found = _result((str(mine.path), mine.state_key(), str(other.path), other.state_key()), mine, other)
            st.markdown(f"**{found.sentence()}**", help=HARDER)
        except FerError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
    else:
        st.caption(so_far(both[WITH], both[WITHOUT]), help=HARDER)
    return True


def offered(status: JobStatus) -> tuple[str, Path] | None:
    """What the twin is called that can be trained now, and the dataset folder to train it on.

    None where the run has one, is not done, or the faces are not here.
    """
    run = RunFolder(status.run_dir)
    try:
        if status.state != JobState.DONE or not twins.may_follow(run):
            return None
        called = the_same_otherwise(run.recipe())
    except FerError:
        # Said by partner(), or by the run's card.
        return None
    data = trained_on(status)
    return (called, data.info.path) if data is not None and data.info is not None else None


def start(data: Path, person: Person, run_dir: Path) -> None:
    """Train the twin of a run that is done, and have the page show it. Raises ``FerError``."""
    st.query_params[runs.RUN] = trainings.start_twin(person, run_dir, data).name


def _version(journal: Path) -> tuple[int, int]:
    found = journal.stat() if journal.exists() else None
    return (0, 0) if found is None else (found.st_mtime_ns, found.st_size)


@st.cache_data(show_spinner=False, max_entries=16)
def _epochs(path: str, version: tuple[int, int]) -> list[EpochEvent]:
    """The ended epochs of a run, read again when its journal has grown."""
    return epochs_of(RunFolder(Path(path)).events())


@st.cache_data(show_spinner=False, max_entries=16)
def _result(key: Hashable, _one: RunFolder, _other: RunFolder) -> TwinResult:
    return compare_twins(_one, _other)
