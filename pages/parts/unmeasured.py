"""Data on which no run, or not every run, was measured: what to do about it, and how far that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

import streamlit as st

from fer_core.access.policy import Action
from fer_core.data.catalogue import SAMPLE_NAME
from fer_core.data.info import DatasetInfo
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import FerError, RunError
from fer_core.evaluation import measuring
from fer_core.formatting import plural
from fer_core.runs.listing import ModelInfo
from pages.parts import access, frame, known_data, links, messages, runs
from pages.parts.fragments import fragment
from pages.parts.known_data import KnownData
from pages.parts.runs import data_title

MOST_TRIES, PAUSE_S = 3, 60.0
"""How often a server measures the shipped runs by itself where that was cut short, and how long it waits before."""
EVERY = "1s"
QUESTION = "How do our models do on these faces?"


@dataclass
class Tries:
    """How often this server began to measure on some faces by itself, and when last."""

    count: int = 0
    last: float = field(default=float("-inf"))


def show(chosen: KnownData) -> None:
    """In place of figures: no run was measured on these faces."""
    if _progress(chosen):
        return
    title = links.plain(chosen.title)
    if chosen.info is not None and not chosen.info.labelled:
        no_labels(chosen.info)
        return
    if chosen.info is not None and not _can_be_measured(chosen.info):
        st.info(
            f"{title} has no {PUBLIC_TEST} or {PRIVATE_TEST} faces, and models are measured on these alone.",
            icon=":material/info:",
        )
        return
    if chosen.info is None or not runs.complete():
        st.info(
            f"There is no evaluated run on {title} yet. Train a model: it is evaluated by itself when it ends, and "
            "appears here.",
            icon=":material/info:",
        )
        frame.link("train", "Train a model", icon=":material/model_training:")
        return
    st.info(
        f"There is no evaluated run on {title} yet, so there are no figures and no mistakes to look at."
        + ("" if access.may(Action.TRAIN_ANYTHING) else " The owner of this app can have the models measured."),
        icon=":material/info:",
    )
    offer(chosen)


def no_labels(info: DatasetInfo) -> None:
    """In place of what needs labels, on faces that nobody labelled: why there is nothing, and the way to the faces."""
    st.info(
        f"Nobody has labelled the faces of {links.plain(info.title)}, so nobody can be right or wrong on them, and no "
        "model can learn from them. Look at those that the models are least sure of, and label them.",
        icon=":material/info:",
    )
    frame.link("mistakes", "Look at the least sure faces", icon=":material/search:")


def offer(chosen: KnownData) -> None:
    """How far measuring on these faces is; to the owner, the button that has the other runs measured on them."""
    if chosen.info is None or not _can_be_measured(chosen.info) or (chosen.runs and _progress(chosen)):
        return
    missing = missing_runs(chosen)
    if not missing or not access.may(Action.TRAIN_ANYTHING):
        return
    label = f"Measure {plural(len(missing), 'model')} on these faces" if chosen.runs else QUESTION
    names = ", ".join(run.display_name for run in missing)
    if st.button(label, icon=":material/speed:", key="measure-here", help=f"Not measured on them yet: {names}."):
        try:
            measure(chosen)
        except FerError as error:
            st.error(messages.told(error), icon=":material/block:")
        else:
            st.rerun()


def measure(chosen: KnownData) -> None:
    """Have all runs measured on these faces that were not yet. Raises ``FerError`` where that may not or cannot be."""
    access.check(Action.TRAIN_ANYTHING)
    if chosen.info is None or not _can_be_measured(chosen.info):
        raise RunError(f"{chosen.title} has no {PUBLIC_TEST} or {PRIVATE_TEST} faces here to measure models on.")
    missing = missing_runs(chosen)
    if not missing:
        raise RunError(f"All models were measured on {chosen.title} already: see Compare.")
    start(chosen, missing)


def missing_runs(chosen: KnownData) -> list[ModelInfo]:
    """The complete runs that have a model and were not measured on these faces."""
    done = {run.path for run in chosen.runs}
    return [run for run in runs.complete() if run.path not in done and run.has_model]


def _can_be_measured(info: DatasetInfo) -> bool:
    return info.labelled and bool(info.split_size(PUBLIC_TEST) or info.split_size(PRIVATE_TEST))


def show_here(chosen: KnownData) -> None:
    """On a page about the faces themselves: how far measuring is, the button for it, or the way to the figures."""
    if chosen.info is None or chosen.info.is_sample or _progress(chosen):
        return
    offer(chosen)
    if chosen.runs:
        label = f"See how {plural(len(chosen.runs), 'model')} did on these faces"
        frame.link("compare", label, icon=":material/compare:")


def start(chosen: KnownData, runs: Sequence[ModelInfo]) -> None:
    """Measure runs on data that are here. Raises ``RunError`` as :func:`fer_core.evaluation.measuring.start` does."""
    assert chosen.info is not None
    measuring.start(chosen.info, [run.path for run in runs])


def measure_shipped() -> None:
    """Where the sample was drawn with other pixels than the shipped figures are about, measure the shipped runs on it.

    Called by the entry: in the background, once, and again where it was cut short.
    """
    drawn = known_data.known().get(SAMPLE_NAME)
    if drawn is None or drawn.info is None or not drawn.info.is_sample:
        return
    done = {run.path for run in drawn.runs}
    others = [run for one in known_data.known().values() if _is_other_sample(one) for run in one.runs]
    missing = [run for run in others if run.shipped and run.path not in done]
    if not missing:
        return
    tries = _tries(drawn.fingerprint)
    found = measuring.status()
    if (found is not None and found.running) or tries.count >= MOST_TRIES or monotonic() - tries.last < PAUSE_S:
        return
    tries.count, tries.last = tries.count + 1, monotonic()
    try:
        start(drawn, missing)
    except RunError as error:
        # A home that cannot be written to: said where the figures are missed.
        st.session_state[_REFUSED] = str(error)


_REFUSED = "_measuring_refused"


def _is_other_sample(one: KnownData) -> bool:
    """Whether these are the drawn sample as another platform draws it."""
    return one.info is None and one.record["kind"] == "sample" and one.record["name"] == SAMPLE_NAME


@st.cache_resource(show_spinner=False, max_entries=8)
def _tries(fingerprint: str) -> Tries:
    return Tries()


def _progress(chosen: KnownData) -> bool:
    """How far measuring on these faces is, as long as it runs; what went wrong with the last one. Whether it runs."""
    found = measuring.status()
    if found is None or found.data["fingerprint"] != chosen.fingerprint:
        if refused := st.session_state.get(_REFUSED):
            st.warning(messages.told(refused), icon=":material/block:")
        return False
    if found.running:
        fragment(_bar, every=EVERY)(found.done)
        return True
    for problem in found.problems:
        st.warning(messages.told(problem, stored=True), icon=":material/broken_image:")
    if found.state == measuring.MeasuringState.INTERRUPTED and not chosen.runs:
        st.warning("Measuring was cut short: its process was ended.", icon=":material/power_off:")
    return False


def show_anything_running() -> None:
    """On a page that is about no data: how far measuring is, where models are being measured."""
    found = measuring.status()
    if found is not None and found.running:
        fragment(_bar, every=EVERY)(found.done)


def _bar(done: int) -> None:
    """Drawn every second; begins the page anew when another run is measured, or all are."""
    found = measuring.status()
    if found is None or not found.running or found.done != done:
        st.rerun()
    # What it says names runs, of which some may be other visitors'.
    theirs = set(found.runs) <= {info.name for info in runs.known()}
    st.progress(
        found.share,
        f"{plural(len(found.runs), 'model')} being measured on {links.plain(data_title(found.data))}: "
        f"{found.done} done, {links.plain(found.now, 90) if theirs else 'at work'}.",
    )
