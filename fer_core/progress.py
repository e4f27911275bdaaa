"""How far a long job is: one small record, handed to whoever wants to show it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` ``unit`` ("faces", "bytes"); ``total`` may be an estimate, None when unknown.

    ``seconds_left`` is an estimate, None while there is nothing to base one on. ``message`` says what is going
    on, for example "Reading fer2013.csv".
    """

    done: int
    total: int | None
    unit: str
    seconds_left: float | None
    message: str


ProgressCallback = Callable[[Progress], None]
Beat = Callable[[], None]
"""Called often while something long goes on; what it raises ends that."""


def no_beat() -> None:
    """For whom nobody watches."""


class Pulse:
    """Repeats the last report where a job has nothing new to say for a while, so that it can be stopped there, too."""

    def __init__(self, callback: ProgressCallback, first: Progress, *, every: float = 0.1) -> None:
        """``first``: what to report until there is a report. ``every`` is in seconds."""
        self._callback, self._last, self._every = callback, first, every
        self._reported = float("-inf")

    def report(self, progress: Progress) -> None:
        """A :data:`ProgressCallback` that hands on and remembers."""
        self._last, self._reported = progress, time.monotonic()
        self._callback(progress)

    def beat(self) -> None:
        """A :data:`Beat`."""
        if time.monotonic() - self._reported >= self._every:
            self.report(self._last)


class Meter:
    """Turns counts into :class:`Progress` reports, at most ten a second, and estimates the time left."""

    def __init__(
        self, callback: ProgressCallback | None, unit: str, message: str, *, start: int = 0, every: float = 0.1
    ) -> None:
        """``start`` is what was done before (a resumed download); ``every`` is in seconds."""
        self._callback, self._unit, self._message = callback, unit, message
        self._start, self._every = start, every
        self._began = time.monotonic()
        self._reported = float("-inf")

    def update(self, done: int, total: int | None, *, force: bool = False) -> None:
        """Report ``done`` of ``total``; skipped when the last report is younger than ``every``."""
        now = time.monotonic()
        if self._callback is None or (not force and now - self._reported < self._every):
            return
        self._reported = now
        left: float | None = None
        fresh = done - self._start
        if total is not None and fresh > 0:
            left = max(0.0, (now - self._began) * (total - done) / fresh)
        self._callback(Progress(done, total, self._unit, left, self._message))

    def finish(self, done: int) -> None:
        """The last report: all done, whatever was estimated before."""
        self.update(done, done, force=True)
