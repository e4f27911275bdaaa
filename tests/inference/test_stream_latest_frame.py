"""The worker that only looks at the newest item."""

from __future__ import annotations

import statistics
import threading
import time
import weakref

import pytest

from fer_core.inference.stream.latest_frame import LatestWorker


def test_a_slow_callback_drops_frames_and_keeps_the_lag_bounded() -> None:
    def slow(item: int) -> int:
        time.sleep(0.15)
        return item

    worker = LatestWorker(slow)
    worker.start()
    lags, calls = [], []
    end = time.monotonic() + 2.0
    number = 0
    while time.monotonic() < end:
        before = time.monotonic()
        worker.submit(number)
        calls.append(time.monotonic() - before)
        number += 1
        lag = worker.load.lag_s
        if lag is not None:
            lags.append(lag)
        time.sleep(1 / 30)
    assert worker.wait(worker.load.done + 1, 5)
    load = worker.load
    assert worker.stop()
    assert load.dropped > load.done > 3, "at 30 a second, 150 ms of work drop more than they finish"
    assert load.submitted == number
    assert load.done + load.dropped >= number - 2, "one may wait and one be at work"
    # Two turns of work, and something for a busy machine; a queue would have got to a second and more.
    assert max(lags) < 0.3 + 0.3
    assert statistics.median(calls) < 0.01, "handing in never waits for work"
    assert load.work_s == pytest.approx(0.15, abs=0.15)
    assert 1 < load.per_s < 7


def test_the_newest_wins() -> None:
    gate, seen = threading.Event(), []

    def work(item: int) -> int:
        seen.append(item)
        gate.wait(5)
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
    assert worker.wait(2, 5)
    assert seen == [0, 3]
    assert worker.latest() == 30
    assert (worker.load.submitted, worker.load.done, worker.load.dropped) == (4, 2, 2)
    worker.stop()


def test_an_error_reaches_the_reader_until_it_starts_again() -> None:
    def work(item: int) -> int:
        return 1 // item

    worker = LatestWorker(work)
    worker.start()
    worker.submit(0)
    with pytest.raises(ZeroDivisionError):
        worker.wait(1, 5)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError) as caught:
            worker.latest()
    assert len(caught.traceback) < 8, "asking again adds nothing"
    assert not worker.running
    assert not worker.submit(1)
    worker.stop()
    worker.start()
    worker.submit(1)
    assert worker.wait(1, 5)
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
    assert worker.wait(1, 5)
    del frame
    assert gone() is not None, "the outcome is kept while it runs"
    assert worker.stop()
    assert worker.stop(), "twice does no harm"
    assert gone() is None
    assert threading.active_count() == before
    assert worker.latest() is None
    assert not worker.submit(Frame())


def test_start_after_stop_never_works_twice_at_once() -> None:
    working, most = [0], [0]
    lock = threading.Lock()

    def work(item: int) -> int:
        with lock:
            working[0] += 1
            most[0] = max(most[0], working[0])
        time.sleep(0.1)
        with lock:
            working[0] -= 1
        return item

    worker = LatestWorker(work)
    for item in range(3):
        worker.start()
        worker.submit(item)
        time.sleep(0.02)
        assert not worker.stop(timeout_s=0.0), "still at work"
    worker.start()
    worker.submit(99)
    assert worker.wait(1, 5)
    assert worker.latest() == 99, "outcomes of stopped turns are thrown away"
    assert most == [1]
    assert worker.load.done == 1
    assert worker.stop()


def test_an_idle_thread_ends_and_comes_back() -> None:
    worker = LatestWorker(lambda item: item, name="idle-test", idle_s=0.05)

    def threads() -> int:
        return sum(thread.name == "idle-test" for thread in threading.enumerate())

    worker.start()
    assert threads() == 0, "nothing to do yet"
    worker.submit(1)
    assert worker.wait(1, 5)
    end = time.monotonic() + 5
    while threads() and time.monotonic() < end:
        time.sleep(0.01)
    assert threads() == 0
    assert worker.running
    worker.submit(2)
    assert worker.wait(2, 5)
    assert worker.latest() == 2
    assert worker.stop()


def test_waiting_gives_up_and_ends_with_a_stop() -> None:
    worker = LatestWorker(lambda item: item)
    worker.start()
    assert not worker.wait(1, 0.01)
    threading.Timer(0.05, worker.stop).start()
    began = time.monotonic()
    assert not worker.wait(1, 10)
    assert time.monotonic() - began < 5
