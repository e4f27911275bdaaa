"""A worker that only ever looks at the newest item: under load items are dropped, never queued.

So what a reader sees is never older than two turns of work, however fast items come in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from fer_core.errors import BusyError
from fer_core.threads import start_thread

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

IDLE_S = 30.0
"""A thread that gets nothing for so long ends: a visitor who closed the tab leaves none behind. The next item starts
another."""


@dataclass(frozen=True)
class Load:
    """How the worker keeps up: items ``done`` and ``dropped`` so far. Beside them one may wait and one be at work."""

    done: int
    dropped: int


class LatestWorker(Generic[Item, Outcome]):
    """Runs ``work(item)`` in one thread, always on the newest item. All methods may be called from any thread.

    ``name`` is the thread's, for those who list threads.
    """

    def __init__(self, work: Callable[[Item], Outcome], *, name: str = "latest", idle_s: float = IDLE_S) -> None:
        self._work, self._name, self._idle_s = work, name, idle_s
        self._changed = threading.Condition()
        # After stop() and start() a slow old turn may still be under way: two turns must not overlap.
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._open = False
        self._waiting: tuple[Item] | None = None
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None
        self._trace: TracebackType | None = None
        self._done = self._dropped = 0

    def start(self) -> None:
        """Take items from now on, with counts from 0, and forget an earlier error. Does nothing while running.

        The thread itself starts with the first item.
        """
        with self._changed:
            if self._open:
                return
            self._open = True
            self._waiting = self._outcome = self._error = self._trace = None
            self._done = self._dropped = 0

    def submit(self, item: Item) -> bool:
        """Hand in an item; never waits for work. An older one that still waits is dropped and counted.

        False, and nothing is kept, if the worker is stopped or has failed.
        """
        with self._changed:
            if not self._open or self._error is not None:
                return False
            if self._waiting is not None:
                self._dropped += 1
            self._waiting = (item,)
            if self._thread is None:
                try:
                    self._thread = start_thread(self._run, self._name)
                except BusyError as error:
                    self._error, self._trace, self._waiting = error, error.__traceback__, None
                    return False
            self._changed.notify_all()
            return True

    def latest(self) -> Outcome | None:
        """The newest outcome; None before the first and after :meth:`stop`. Raises what ``work`` raised, every time."""
        with self._changed:
            self._fail()
            return self._outcome

    def wait(self, done: int, timeout_s: float) -> bool:
        """Wait until ``done`` items are finished in all; False if that takes longer or the worker is stopped.

        Raises what ``work`` raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._done >= done or self._error is not None or not self._open, timeout_s)
            self._fail()
            return self._done >= done

    @property
    def load(self) -> Load:
        """How it keeps up."""
        with self._changed:
            return Load(self._done, self._dropped)

    @property
    def running(self) -> bool:
        """Whether it takes items: started, not stopped, not failed."""
        with self._changed:
            return self._open and self._error is None

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Take no more items, drop the waiting one, let the one at work finish, and let go of the outcome.

        Returns once the thread has ended: True, or False if that takes longer than ``timeout_s`` seconds (it then ends
        by itself when its work is done, and its outcome is thrown away). May be called twice, and from ``work``.
        """
        with self._changed:
            self._open = False
            if self._waiting is not None:
                self._dropped += 1
            self._waiting = self._outcome = None
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def _fail(self) -> None:
        if self._error is not None:
            # Raised anew, the same error would grow by a traceback each time it is asked for.
            raise self._error.with_traceback(self._trace)

    def _mine(self) -> bool:
        """Whether the calling thread is still the one that works; after stop() and start() it is not."""
        return self._thread is threading.current_thread()

    def _run(self) -> None:
        while True:
            with self._changed:
                came = self._changed.wait_for(lambda: self._waiting is not None or not self._mine(), self._idle_s)
                if not self._mine():
                    return
                if not came or self._waiting is None:
                    self._thread = None
                    return
                (item,) = self._waiting
                self._waiting = None
            try:
                with self._turn:
                    outcome = self._work(item)
            except BaseException as error:  # handed to the reader, who raises it
                with self._changed:
                    if self._mine():
                        self._error, self._trace, self._thread, self._waiting = error, error.__traceback__, None, None
                    self._changed.notify_all()
                return
            with self._changed:
                if not self._mine():
                    return
                self._outcome = outcome
                self._done += 1
                self._changed.notify_all()
            # A waiting thread must not keep a frame alive.
            del item, outcome
