"""How far a long command is, on standard error."""

from __future__ import annotations

import time
from typing import TextIO

from fer_core.cli.terminal import one_line, silence
from fer_core.formatting import duration
from fer_core.progress import Progress

LONG = 600
"""Seconds from which on the time left is told in minutes. Below it is told in seconds, which the audit's page reads."""


class ProgressLine:
    """One line that is rewritten on a terminal; a line every five seconds in a log."""

    def __init__(self, stream: TextIO | None, every: float = 5) -> None:
        """``stream``: None where it is closed. ``every``: seconds between two lines where it is no terminal."""
        self._stream = stream
        self._every = every
        self._live = stream is not None and stream.isatty()
        self._written = float("-inf")
        self._width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live and self._width:
            self._tell("\n")

    def clear(self) -> None:
        """Take the line off a terminal, where something else is to be printed."""
        if self._live and self._width:
            self._tell("\r" + " " * self._width + "\r")
            self._width = 0

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        finished = progress.total is not None and progress.done >= progress.total
        if not self._live and not finished and now - self._written < self._every:
            return
        self._written = now
        text = one_line(progress_text(progress))
        if self._live:
            self._tell("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self._tell(text + "\n")

    def _tell(self, text: str) -> None:
        """Write, if anybody reads: how far the work is must not end the work."""
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            silence(self._stream)
            self._stream = None


def progress_text(progress: Progress) -> str:
    """For example ``Reading fer2013.csv  ██████░░░░  21,504 of about 35,900 faces, 4 s left``."""
    done, total, unit = progress.done, progress.total, progress.unit
    if unit == "bytes":
        amount = f"{done / 1e6:,.1f}" + (f" of {total / 1e6:,.1f}" if total is not None else "") + " MB"
    else:
        # The number of faces in a source is an estimate until it is read; whatever else is counted is known.
        about = "about " if unit == "faces" and total is not None and done < total else ""
        amount = f"{done:,}" + (f" of {about}{total:,}" if total is not None else "") + f" {unit}"
    parts = [progress.message]
    if total:
        filled = round(20 * min(1.0, done / total))
        parts.append("█" * filled + "░" * (20 - filled))
    parts.append(amount if done or total else "…")
    seconds = progress.seconds_left
    if seconds is None or done == total:
        return "  ".join(parts)
    return f"{'  '.join(parts)}, {f'{seconds:,.0f} s' if seconds < LONG else duration(seconds)} left"
