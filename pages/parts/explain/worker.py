"""Who draws maps, on the page: what the gradient worker does, how far each map is, and the buttons to start, stop and
cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fer_core.access.policy import Action
from fer_core.explain.background import Background
from fer_core.explain.methods import method
from fer_core.explain.task import RUNNING, Task
from fer_core.explain.worker.client import BUSY, CRASHED, IDLE, OFF, STARTING, Status, Worker
from fer_core.explain.worker.messages import ActivationsRequest, InsideRequest, MapRequest, SanityRequest
from fer_core.fair_queue import QUEUE
from fer_core.formatting import duration, ordinal, plural
from fer_core.settings import settings
from pages.parts import access, messages, runs
from pages.parts.face_answers import Seal
from pages.parts.fragments import fragment

SOON, LATER = 0.5, 10.0
"""Seconds between two looks at the worker: while something is going on, and otherwise."""
_ICONS = {
    OFF: ":material/power_settings_new:",
    STARTING: ":material/hourglass_top:",
    BUSY: ":material/autorenew:",
    IDLE: ":material/check_circle:",
    CRASHED: ":material/error:",
}


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """The one worker of this server."""
    return Worker(line=QUEUE)


@st.cache_resource(show_spinner=False)
def background() -> Background:
    """The one thread of this server that draws maps without gradients. About 130 KB each."""
    return Background(120, QUEUE)


@dataclass(frozen=True)
class Here:
    """A map without gradients, of all seven classes at once: the key under which the thread knows it."""

    title: str
    face: str
    seal: Seal
    method: str
    options: tuple[int, ...]


Asked = MapRequest | InsideRequest | ActivationsRequest | Here


def find_task(asked: Asked) -> Task | None:
    """The latest task for it, or None."""
    return background().find(asked) if isinstance(asked, Here) else worker().find(asked)


def progress_panel(requests: Sequence[Asked]) -> None:
    """State, progress and buttons; draws the page anew whenever one of these requests is over.

    Reads the worker twice a second while something is going on, so that nothing waits for it.
    """
    seen, active = _over(requests), _active(requests)
    fragment(_panel, every=SOON if active else LATER)(tuple(requests), seen, active)


def progress_here(task: Task, key: str) -> None:
    """How far one request is, and the button that cancels it: where it was asked for, which may be far from the panel.

    Draws the page anew when it is over. ``key``: of the button, unlike that of any other here.
    """
    fragment(_here, every=SOON)(task, key)


def _here(task: Task, key: str) -> None:
    if task.over:
        st.rerun()
    _bar(task)
    if _may_cancel(task):
        st.button("Cancel", icon=":material/close:", on_click=_cancel, args=([task],), key=key)


def place_words(task: Task) -> str:
    """Where one request stands, in a few words; empty for one that has been answered."""
    if task.over:
        return messages.words(task.message)
    if task.cancelling:
        return "Being cancelled …"
    progress = task.progress
    if progress is not None and progress.total:
        left = f", {duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
        return f"{progress.done:,} of {progress.total:,} {progress.unit}{left}"
    place = _keeper(task).position(task)
    return f"Waiting: {ordinal(place)} in the queue" if place else "Beginning …"


def _over(requests: Sequence[Asked]) -> int:
    return sum(task.over for request in requests if (task := find_task(request)) is not None)


def _active(requests: Sequence[Asked]) -> bool:
    waiting = any(not task.over for request in requests if (task := find_task(request)) is not None)
    return waiting or worker().status().state in (STARTING, BUSY)


def _panel(requests: tuple[Asked, ...], seen: int, active: bool) -> None:
    if _over(requests) != seen or _active(requests) != active:
        st.rerun()
    status, no_room = worker().status(), worker().no_room()
    tasks = [task for request in requests if (task := find_task(request)) is not None]
    open_ones = [task for task in tasks if not task.over]
    with st.container(border=True, key="gradient-worker"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(
                f"{_ICONS[status.state]} **Gradient worker: {status.state}.** {_doing(status)}",
                width="stretch",
                help="A process of its own that holds TensorFlow, so that this page stays quick. It starts when it is "
                "first needed, serves all visitors of this server one after the other, and ends after "
                f"{duration(settings().worker_idle_seconds)} without work.",
            )
            if status.state in (OFF, CRASHED) and not no_room:
                st.button(
                    "Start",
                    icon=":material/play_arrow:",
                    on_click=worker().start,
                    key="start-worker",
                    help="It also starts by itself with the first map.",
                )
            if mine := [task for task in open_ones if _may_cancel(task)]:
                st.button(
                    f"Cancel {plural(len(mine), 'map')}" if len(mine) > 1 else "Cancel",
                    icon=":material/close:",
                    on_click=_cancel,
                    args=(mine,),
                    key="cancel-maps",
                    help="Stops at the next piece of work. Where that takes more than a few seconds, the process is "
                    "ended and a new one starts with the next map.",
                )
            if status.state in (STARTING, BUSY, IDLE) and access.may(Action.STOP_WORKER):
                st.button(
                    "Stop",
                    icon=":material/stop:",
                    on_click=_stop,
                    key="stop-worker",
                    help="Ends the process and gives its memory back. Other visitors' maps are cancelled, too.",
                )
        if no_room:
            st.warning(f"{no_room} Everything else works.", icon=":material/memory:")
        if status.message:
            st.error(f"{messages.told(status.message)} Ask again: it starts anew by itself.", icon=":material/error:")
        bars = [task for task in open_ones if task.stage == RUNNING]
        if status.running is not None and status.running not in bars:
            bars.append(status.running)
        for task in bars:
            _bar(task)


def _bar(task: Task) -> None:
    progress = task.progress
    share = progress.done / progress.total if progress is not None and progress.total else 0.0
    st.progress(min(1.0, share), text=f"{_name(task)}: {place_words(task)}")


@access.only(Action.STOP_WORKER)
def _stop() -> None:
    worker().stop()


def _keeper(task: Task) -> Background | Worker:
    return background() if isinstance(task.request, Here) else worker()


def _may_cancel(task: Task) -> bool:
    """Whether nobody else wants it: visitors who ask for the same map share it."""
    return task.askers == {access.person().token} or access.may(Action.STOP_WORKER)


def _cancel(tasks: Sequence[Task]) -> None:
    # The last first: else the next one would begin for a moment.
    for task in reversed(tasks):
        if _may_cancel(task):
            _keeper(task).cancel(task)


def _doing(status: Status) -> str:
    waiting = f" {plural(status.queued, 'request')} waiting." if status.queued else ""
    if status.state == STARTING:
        return f"Loading TensorFlow takes up to half a minute, once.{waiting}"
    if status.state == BUSY and status.running is not None:
        return f"{_name(status.running)}.{waiting}"
    if status.state == IDLE:
        return "Ready; a map takes a second or less, ScoreCAM and SmoothGrad some seconds."
    if status.state == OFF:
        return "It starts with the first map that needs gradients."
    return ""


def _name(task: Task) -> str:
    request = task.request
    if isinstance(request, Here):
        return request.title
    name = Path(request.folder).name
    shown = {info.name: info.display_name for info in runs.known()}.get(name, "another visitor's run")
    if isinstance(request, InsideRequest):
        return f"Ideal pictures of {shown}"
    if isinstance(request, ActivationsRequest):
        return f"Layers of {shown}"
    title = f"{method(request.method).title} of {shown}"
    return f"Sanity check of {title}" if isinstance(request, SanityRequest) else title
