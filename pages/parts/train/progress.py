"""The live part of the Train page: one job, read from its run folder, whoever started it and whenever."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
import streamlit as st

from fer_core.access import trainings
from fer_core.access.policy import Action, Person
from fer_core.errors import FerError, RunError
from fer_core.formatting import duration, percent, plain
from fer_core.plots import live_history
from fer_core.runs.contracts import RunState
from fer_core.runs.events import BatchEvent, best_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.visitor import started_by
from fer_core.training import jobs
from fer_core.training.status import ENDED_BADLY, JobState, JobStatus
from pages.parts import access, frame, links_to_compare, messages, run_results, runs
from pages.parts.fragments import fragment
from pages.parts.train import outcome, twins, watched

STATES: dict[JobState, tuple[str, str, str]] = {
    JobState.STARTING: ("starting", "blue", ":material/hourglass_top:"),
    JobState.RUNNING: ("training", "blue", ":material/play_arrow:"),
    JobState.PAUSING: ("pausing", "orange", ":material/pause:"),
    JobState.PAUSED: ("paused", "orange", ":material/pause:"),
    JobState.STOPPING: ("stopping", "orange", ":material/stop:"),
    JobState.EVALUATING: ("evaluating", "blue", ":material/fact_check:"),
    JobState.EXPORTING: ("exporting", "blue", ":material/file_export:"),
    JobState.DONE: ("finished", "green", ":material/check:"),
    JobState.STOPPED: ("stopped", "green", ":material/stop:"),
    JobState.FAILED: ("failed", "red", ":material/error:"),
    JobState.DIED: ("died", "red", ":material/heart_broken:"),
    JobState.DAMAGED: ("damaged", "red", ":material/broken_image:"),
}
"""Word, colour and icon of each state."""
JUDGED = frozenset((JobState.DONE, JobState.STOPPED))
UNDER_WAY = frozenset((JobState.RUNNING, JobState.PAUSING, JobState.PAUSED, JobState.STOPPING))

_PROBLEM = "_training_problem"
FIRST, SECOND = "job.first", "job.second"
"""Keys of the two buttons, whatever they say. One that went away when it is clicked would be kept by the browser as
long as it has the focus, and what is under it would jump at the next click.
"""
TOGGLE_WIDTH = 110
"""Pixels: fits "Pause" and "Go on" with their icons."""
_STYLE = f"""<style>
@media {frame.PHONE} {{
  /* Two figures a row: one a row, and the curves would begin a screen below. */
  .st-key-job-numbers {{ display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }}
  .st-key-job-numbers > * {{ width: auto; min-width: 0; align-self: end; }}
  .st-key-job-numbers [data-testid="stMetricLabel"] * {{ white-space: normal; overflow: visible; }}
}}
</style>"""


def choose() -> Path | None:
    """The run folder to show: the one in ``?run=``, else the job that trains now, else the newest unfinished run."""
    trained = [info for info in runs.known() if not info.shipped and not info.is_vote and not info.is_brought]
    asked = runs.asked_run(trained)
    if asked is not None:
        twin = twins.partner(asked.path)
        # Of twins the address names the first one until the second has begun.
        return twin.path if twin is not None and jobs.status(twin.path).alive else asked.path
    try:
        current = jobs.current()
    except RunError as error:
        st.error(messages.told(error), icon=":material/error:")
        current = None
    if current is not None and (access.person().owner or current in [info.path for info in trained]):
        return current
    return next((info.path for info in trained if info.state == RunState.UNFINISHED), None)


def link_to_last() -> None:
    """The way back to one's newest training that is over: who comes anew sees otherwise nothing of it."""
    own = trainings.own(access.person(), runs.complete())
    last = next((info for info in own if not info.is_vote and not info.is_brought), None)
    if last is not None:
        label = f"Your last training: {last.display_name}"
        frame.link("train", label, icon=":material/history:", query={runs.RUN: last.name})


def show(run_dir: Path) -> None:
    """Draw the job: name, state and buttons once per state, and below them what changes while its process lives.

    Only the lower part repeats each second. Buttons that are drawn anew under the pointer lose clicks.
    """
    status = jobs.status(run_dir)
    st.html(_STYLE)
    with st.container(border=True, key="job"):
        _head(run_dir, alive=status.alive)
        fragment(_live, every="1s" if status.alive else None)(run_dir, status.state)


@fragment
def _head(run_dir: Path, *, alive: bool) -> None:
    """A part of its own: a click answers at once, without the rest of the page."""
    status = jobs.status(run_dir)
    if status.alive and not alive:
        # Nothing else looks whether a process lives that did not when the page was drawn.
        st.rerun(scope="app")
    _headline(status)
    _buttons(status)


def _live(run_dir: Path, drawn_state: JobState) -> None:
    status = jobs.status(run_dir)
    if status.state != drawn_state:
        # Another state has other buttons: draw the whole page again. At the end this also ends the polling.
        st.rerun(scope="app")
    st.markdown(messages.told(status.message, stored=status.state in ENDED_BADLY))
    if status.alive and (following := twins.to_come(status)):
        st.caption(f"Next comes {following}.")
    if status.state in JUDGED and (best := best_of(status.epochs)):
        st.markdown(outcome.sentence(best)[0])
    if status.alive and status.state != JobState.STARTING:
        # Before the first batch nobody knows how long it takes, and nothing of it is a share of the training.
        st.progress(min(1.0, max(0.0, status.progress)), text=progress_words(status))
    if status.state in ENDED_BADLY and RunFolder(status.run_dir).log_path.exists() and access.may(Action.SERVER_PATHS):
        with st.expander("The last lines of its log", icon=":material/terminal:"):
            st.code(jobs.tail_of_log(status.run_dir) or "The log is empty.", language=None, wrap_lines=True)
    if status.epochs or status.batches:
        # Its place is kept from the beginning: what comes above the curves later would make them anew.
        with st.container(key="job-watched"):
            watched.show(status)
        _numbers(status)
        with st.container(key="job-curves"):
            twin = twins.partner(status.run_dir)
            if twin is None or not twins.show(status, twin):
                _curves(status)
        _epochs_and_confusion(status)
    elif status.alive:
        st.caption("The curves appear with the first batch.")


def _headline(status: JobStatus) -> None:
    word, colour, icon = STATES[status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(plain(display_name(status)), anchor=False, width="content")
        with st.container(key="job-state", width="content"):
            st.badge(word, color=colour, icon=icon)  # type: ignore[arg-type]


def display_name(status: JobStatus) -> str:
    """As everywhere; before its recipe is written, the folder's name."""
    called = {info.name: info.display_name for info in reversed(runs.known()) if not info.shipped}
    return called.get(status.name, status.name)


def progress_words(status: JobStatus) -> str:
    """``Epoch 2 of 8 · step 12 of 33 · 41 % · about 3 min left · 530 faces per second``, as far as known."""
    parts = []
    if status.start and status.batches and status.state in UNDER_WAY:
        last = status.batches[-1]
        parts.append(f"Epoch {last['epoch']} of {status.start['epochs']}")
        parts.append(f"step {last['step']:,} of {last['steps']:,}")
    parts.append(percent(status.progress, 0))
    if status.seconds_left is not None:
        parts.append(f"about {duration(status.seconds_left)} left")
    if status.images_per_second:
        parts.append(f"{status.images_per_second:,.0f} faces per second")
    return " · ".join(parts)


def _buttons(status: JobStatus) -> None:
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        st.error(messages.told(problem))
    theirs = access.may(Action.STOP, started_by=started_by(status.run_dir))
    with st.container(horizontal=True, key="job-buttons"):
        # One width for both: if Stop moved when the first button changes, a click on it could miss.
        if theirs and status.alive and status.state in {JobState.RUNNING, JobState.STARTING}:
            pause = "Waits after the current batch."
            _button(FIRST, "Pause", ":material/pause:", trainings.pause, status, help_text=pause, width=TOGGLE_WIDTH)
        elif theirs and status.alive and status.state in {JobState.PAUSED, JobState.PAUSING}:
            _button(FIRST, "Go on", ":material/play_arrow:", trainings.unpause, status, width=TOGGLE_WIDTH)
        elif theirs and status.resumable:
            _button(
                FIRST,
                f"Resume after epoch {len(status.epochs)}" if status.epochs else "Start again",
                ":material/resume:",
                trainings.restart,
                status,
                help_text="Goes on from the last whole epoch, with the optimiser's state.",
            )
        if theirs and status.can_stop:
            _button(
                SECOND,
                "Stop",
                ":material/stop:",
                trainings.stop,
                status,
                help_text="Ends the training after the current batch. The best epoch so far is evaluated and kept.",
            )
        elif theirs and status.state == JobState.STOPPING:
            st.button("Stopping", icon=":material/hourglass_top:", disabled=True, key=SECOND)
        elif theirs and not status.alive and (offered := twins.offered(status)) is not None:
            called, data = offered
            _button(
                SECOND,
                f"Train {called}",
                ":material/compare_arrows:",
                functools.partial(twins.start, data),
                status,
                help_text="Trains the same recipe and seed with augmentation off, or on where it was off, and shows "
                "both over each other.",
            )
        if not status.alive:
            outcome.show_way(status)
            frame.link("run", "Open the run card", icon=":material/id_card:", query={"run": status.name})
            if RunFolder(status.run_dir).complete:
                twin = twins.partner(status.run_dir)
                both = [status.name, twin.name] if twin is not None and twin.complete else [status.name]
                links_to_compare.link("Compare both" if len(both) > 1 else "Compare it", both)


def _button(
    key: str,
    label: str,
    icon: str,
    act: Callable[[Person, Path], object],
    status: JobStatus,
    *,
    help_text: str | None = None,
    width: int | Literal["content"] = "content",
) -> None:
    arguments = (act, status.run_dir)
    st.button(label, icon=icon, on_click=_act, args=arguments, help=help_text, key=key, width=width)


def _act(act: Callable[[Person, Path], object], run_dir: Path) -> None:
    try:
        act(access.person(), run_dir)
    except FerError as error:
        # The job may have ended, or another started, since the page was drawn.
        st.session_state[_PROBLEM] = error


def _numbers(status: JobStatus) -> None:
    batch = status.batches[-1] if status.batches else None
    epoch = status.epochs[-1] if status.epochs else None
    best = best_of(status.epochs)
    faces = status.start.get("validation_faces") if status.start else None
    with st.container(horizontal=True, gap="large", key="job-numbers"):
        if batch is not None and (epoch is None or batch["epoch"] > epoch["epoch"]):
            st.metric(f"Loss so far, epoch {batch['epoch']}", f"{batch['loss']:.3f}", width="content")
            st.metric(f"Training accuracy so far, epoch {batch['epoch']}", percent(batch["accuracy"]), width="content")
        elif epoch is not None:
            st.metric(f"Training loss, epoch {epoch['epoch']}", f"{epoch['loss']:.3f}", width="content")
            st.metric(f"Training accuracy, epoch {epoch['epoch']}", percent(epoch["accuracy"]), width="content")
        if best is not None:
            about = f"Measured on {faces:,} faces. This epoch's model is the one that is kept." if faces else None
            value = percent(best["val_accuracy"])
            st.metric(f"Best PublicTest, epoch {best['epoch']}", value, help=about, width="content")
        if epoch is not None:
            why = None
            if status.start and "precision" in status.start and "precision_reason" in status.start:
                why = f"Precision {status.start['precision']}: {status.start['precision_reason']}."
            st.metric("Last epoch took", duration(epoch["seconds"]), help=why, width="content")


def _curves(status: JobStatus) -> None:
    batches = fewer_batches(status.batches)
    points = live_history.with_labels(live_history.running(batches, status.epochs))
    total = status.start["epochs"] if status.start else None
    dark = st.context.theme.type == "dark"
    for place, metric in zip(st.columns(2), live_history.METRICS, strict=True):
        place.vega_lite_chart(
            points,
            live_history.running_spec(metric, total_epochs=total, dark=dark),
            # The same each second: other words would make the chart anew.
            alt=f"{metric.capitalize()} over epochs while training: dashed on training faces, solid on PublicTest. "
            "In words below.",
        )
    st.caption(live_history.describe(batches, status.epochs))


def fewer_batches(batches: Sequence[BatchEvent], limit: int = 600) -> list[BatchEvent]:
    """Batch events, few enough to redraw every second: all of the last epoch, every n-th of the earlier ones."""
    last = batches[-1]["epoch"] if batches else 0
    earlier = [event for event in batches if event["epoch"] < last]
    stride = -(-len(earlier) // limit) or 1
    return earlier[stride - 1 :: stride] + [event for event in batches if event["epoch"] == last]


def _epochs_and_confusion(status: JobStatus) -> None:
    if not status.epochs:
        st.caption("What is taken for what on PublicTest appears when the first epoch ends.")
        return
    last = status.epochs[-1]
    faces = sum(map(sum, last["confusion"]))
    with st.expander("What it takes for what, and every epoch as a table", icon=":material/table:"):
        left, right = st.columns(2)
        with left:
            st.markdown(f"**Epochs** ({len(status.epochs)} finished)")
            table = epoch_table(status)
            st.dataframe(
                table,
                hide_index=True,
                height="auto" if len(table) < 9 else 340,
                alt="One row per finished epoch, newest first.",
            )
        with right:
            st.markdown(f"**PublicTest after epoch {last['epoch']}** (n = {faces:,} faces)")
            run_results.show_matrix(last["confusion"], title="PublicTest", share=True, key="job", height=360)


def epoch_table(status: JobStatus) -> pd.DataFrame:
    """One row per finished epoch, newest first, with units in the column names."""
    return pd.DataFrame(
        {
            "Epoch": event["epoch"],
            "PublicTest (%)": f"{event['val_accuracy'] * 100:.1f}",
            "Training (%)": f"{event['accuracy'] * 100:.1f}",
            "PublicTest loss": f"{event['val_loss']:.3f}",
            "Training loss": f"{event['loss']:.3f}",
            "Learning rate": f"{event['learning_rate']:.2e}",
            "Seconds": round(event["seconds"], 1),
            "Faces per second": round(event["images_per_second"]),
        }
        for event in reversed(status.epochs)
    )
