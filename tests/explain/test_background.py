"""Work on a thread: order, progress, cancelling, failures, and what is remembered."""

from __future__ import annotations

import itertools
import threading

import pytest

from fer_core.errors import BusyError, ExplainError
from fer_core.explain.background import Background
from fer_core.explain.task import CANCELLED, DONE, QUEUED
from fer_core.fair_queue import FairQueue, Lane
from fer_core.progress import Progress, ProgressCallback

PATIENCE = 120.0


class Gate:
    """Work that waits until it is let on, telling its progress every time."""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()

    def __call__(self, hear) -> str:
        hear(Progress(1, 2, "parts", None, "Working"))
        self.began.set()
        assert self.go.wait(PATIENCE)
        hear(Progress(2, 2, "parts", None, "Working"))
        return "done"


def test_one_after_the_other_with_progress_and_places() -> None:
    work, gate = Background(10), Gate()
    first, second = work.submit("a", gate), work.submit("b", lambda _: "second")
    assert gate.began.wait(PATIENCE)
    assert first.progress is not None
    assert first.progress.done == 1
    assert (work.position(first), work.position(second), second.stage) == (0, 1, QUEUED)
    gate.go.set()
    assert (first.result(PATIENCE), second.result(PATIENCE)) == ("done", "second")
    # The thread has gone; another one comes by itself.
    assert work.submit("c", lambda _: "third").result(PATIENCE) == "third"


def test_the_same_key_is_worked_on_once_until_it_was_cancelled() -> None:
    work, gate = Background(10), Gate()
    first = work.submit("a", gate)
    assert work.submit("a", lambda _: "other") is first
    assert gate.began.wait(PATIENCE)
    work.cancel(first)
    again = work.submit("a", lambda _: "other")
    assert again is not first
    gate.go.set()
    with pytest.raises(ExplainError, match="Cancelled"):
        first.result(PATIENCE)
    assert again.result(PATIENCE) == "other"
    assert work.find("a") is again


def test_what_waits_is_cancelled_at_once() -> None:
    work, gate = Background(10), Gate()
    work.submit("a", gate)
    waiting = work.submit("b", lambda _: "never")
    work.cancel(waiting)
    assert waiting.stage == CANCELLED
    gate.go.set()


def test_failures_are_told_and_the_next_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    def refused(_):
        raise ExplainError("Not this one.")

    def broken(_):
        raise ZeroDivisionError("by hand")

    work = Background(10)
    with pytest.raises(ExplainError, match=r"^Not this one\.$"):
        work.submit("a", refused).result(PATIENCE)
    with pytest.raises(ExplainError, match="ZeroDivisionError: by hand"):
        work.submit("b", broken).result(PATIENCE)
    assert "Traceback" in caplog.text
    assert work.submit("a", lambda _: "better").result(PATIENCE) == "better"


def test_the_oldest_are_forgotten() -> None:
    work = Background(2)
    for key in "abc":
        work.submit(key, lambda _: 1).result(PATIENCE)
    assert work.find("a") is None
    assert work.find("c") is not None


def test_what_nobody_looks_at_any_more_is_given_up_and_leaves_the_line() -> None:
    now = [0.0]
    line = FairQueue({Lane.LONG: 1}, most_each=2, free=lambda: 1e9)
    work, gate = Background(10, line, forgotten_s=20, clock=lambda: now[0]), Gate()
    first = work.submit("a", gate, "visitor")
    assert gate.began.wait(PATIENCE)
    gone, stays = work.submit("b", lambda _: "never", "visitor"), work.submit("c", lambda _: "third", "visitor")
    now[0] = 15.0
    work.find("c")
    now[0] = 30.0
    # Without room for it, unless what was forgotten leaves.
    fourth = work.submit("d", lambda _: "fourth", "visitor")
    assert gone.stage == CANCELLED
    gate.go.set()
    assert [task.result(PATIENCE) for task in (first, stays, fourth)] == ["done", "third", "fourth"]
    again = work.submit("b", lambda _: "second", "visitor")
    assert again.wait(PATIENCE)
    assert again.stage == DONE


def test_a_thread_that_cannot_start_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    line = FairQueue({Lane.LONG: 1}, free=lambda: 1e9)
    work = Background(10, line)
    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, "start", refuse)
        with pytest.raises(BusyError, match="no more threads"):
            work.submit("a", lambda _: "never")
    assert work.find("a") is None
    assert work.submit("a", lambda _: "later").result(PATIENCE) == "later"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_ended_the_thread_left_all_others_waiting_for_ever() -> None:
    threads = []

    def leave(_: ProgressCallback) -> None:
        threads.append(threading.current_thread())
        raise SystemExit

    work, gate = Background(10, FairQueue({Lane.LONG: 1}, free=lambda: 1e9)), Gate()
    work.submit("a", gate)
    assert gate.began.wait(PATIENCE)
    tasks = [work.submit("b", leave), work.submit("c", lambda _: 1)]
    gate.go.set()
    for task in tasks:
        with pytest.raises(ExplainError, match="SystemExit"):
            task.result(PATIENCE)
    threads[0].join(PATIENCE)
    assert work.submit("d", lambda _: "better").result(PATIENCE) == "better"


def test_what_waits_behind_others_work_was_given_up_only_when_its_turn_came() -> None:
    line, looks = FairQueue({Lane.LONG: 1}, free=lambda: 1e9), itertools.count()
    with line.ask("another", Lane.LONG):
        # Twice while it is asked for, once when its thread begins to wait.
        work = Background(10, line, forgotten_s=0.1, clock=lambda: 0.0 if next(looks) < 3 else 1.0)
        task = work.submit("a", lambda _: "never")
        assert task.wait(PATIENCE)
        assert (task.stage, line.waiting()) == (CANCELLED, 0)
