"""The worker that only looks at the newest item."""

from __future__ import annotations

import queue
import threading
import time
import weakref

import pytest

from fer_core.inference.stream.latest_frame import LatestWorker

PATIENCE = 60
"""Seconds until a test gives up; none takes a noticeable part of that."""


class Gated:
    """Work that says what it took, and goes on when the test opens the gate."""

    def __init__(self) -> None:
        self.taken: queue.Queue[int] = queue.Queue()
        self.gate = threading.Semaphore(0)
        self.working, self.most = 0, 0

    def __call__(self, item: int) -> int:
        self.working += 1
        self.most = max(self.most, self.working)
        self.taken.put(item)
        assert self.gate.acquire(timeout=PATIENCE)
        self.working -= 1
        return item


def test_a_slow_callback_drops_frames_and_keeps_the_lag_bounded() -> None:
    """With work that takes as long as five frames."""
    work = Gated()
    worker = LatestWorker(work)
    worker.start()
    lags, seen = [], []
    worker.submit(0)
    seen.append(work.taken.get(timeout=PATIENCE))
    for number in range(1, 61):
        # The work is held at the gate: handing in that waited for it would never come back.
        worker.submit(number)
        if number % 5 == 0:
            lags.append(number - seen[-1])
            work.gate.release()
            seen.append(work.taken.get(timeout=PATIENCE))
    load = worker.load
    work.gate.release()
    assert worker.stop()
    assert load.done == len(lags) == 12
    assert load.dropped == 61 - load.done - 1, "one is at work"
    assert seen == list(range(0, 61, 5)), "always the newest"
    # In frames, from handing in to being finished: a queue would get to forty-eight.
    assert max(lags) == 5


def test_the_newest_wins() -> None:
    gate, seen = threading.Event(), []

    def work(item: int) -> int:
        seen.append(item)
        gate.wait(PATIENCE)
        return item * 10

    worker = LatestWorker(work)
    worker.start()
    worker.submit(0)
    while not seen:
        time.sleep(0.001)
    for item in (1, 2, 3):
        assert worker.submit(item)
    assert worker.latest() is None
    gate.set()
    assert worker.wait(2, PATIENCE)
    assert seen == [0, 3]
    assert worker.latest() == 30
    assert (worker.load.done, worker.load.dropped) == (2, 2)
    worker.stop()


def test_an_error_reaches_the_reader_until_it_starts_again() -> None:
    def work(item: int) -> int:
        return 1 // item

    worker = LatestWorker(work)
    worker.start()
    worker.submit(0)
    with pytest.raises(ZeroDivisionError):
        worker.wait(1, PATIENCE)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError) as caught:
            worker.latest()
    assert len(caught.traceback) < 8, "asking again adds nothing"
    assert not worker.running
    assert not worker.submit(1)
    worker.stop()
    worker.start()
    worker.submit(1)
    assert worker.wait(1, PATIENCE)
    assert worker.latest() == 1
    worker.stop()


def test_stop_ends_the_thread_and_lets_go_of_frames() -> None:
    class Frame:
        pass

    before = threading.active_count()
    worker: LatestWorker[Frame, Frame] = LatestWorker(lambda frame: frame)
    assert not worker.submit(Frame()), "not started"
    worker.start()
    frame = Frame()
    gone = weakref.ref(frame)
    worker.submit(frame)
    assert worker.wait(1, PATIENCE)
    del frame
    assert gone() is not None, "the outcome is kept while it runs"
    assert worker.stop()
    assert worker.stop(), "twice does no harm"
    assert gone() is None
    assert threading.active_count() == before
    assert worker.latest() is None
    assert not worker.submit(Frame())


def test_start_after_stop_never_works_twice_at_once() -> None:
    work = Gated()
    worker = LatestWorker(work)
    for item in range(3):
        worker.start()
        worker.submit(item)
        while worker._waiting is not None:
            time.sleep(0.001)  # until its thread has taken the item, to work on it or to wait for its turn
        assert not worker.stop(timeout_s=0.0), "still at work"
    worker.start()
    worker.submit(99)
    work.gate.release(4)
    assert worker.wait(1, PATIENCE)
    assert worker.latest() == 99, "outcomes of stopped turns are thrown away"
    assert work.most == 1
    assert worker.load.done == 1
    assert worker.stop()


def test_an_idle_thread_ends_and_comes_back() -> None:
    worker = LatestWorker(lambda item: item, name="idle-test", idle_s=0.05)

    def threads() -> int:
        return sum(thread.name == "idle-test" for thread in threading.enumerate())

    worker.start()
    assert threads() == 0, "nothing to do yet"
    worker.submit(1)
    assert worker.wait(1, PATIENCE)
    for thread in threading.enumerate():
        if thread.name == "idle-test":
            thread.join(PATIENCE)
    assert threads() == 0
    assert worker.running
    worker.submit(2)
    assert worker.wait(2, PATIENCE)
    assert worker.latest() == 2
    assert worker.stop()


def test_waiting_gives_up_and_ends_with_a_stop() -> None:
    worker = LatestWorker(lambda item: item)
    worker.start()
    assert not worker.wait(1, 0.01)
    waited: list[bool] = []
    waiting = threading.Thread(target=lambda: waited.append(worker.wait(1, 3600)), daemon=True)
    waiting.start()
    worker.stop()
    waiting.join(PATIENCE)
    assert waited == [False]
