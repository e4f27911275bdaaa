"""Ctrl+C and SIGTERM: one of them ends the command, and a second does not disturb its cleaning up."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

PATIENCE_S = 5.0
"""Seconds that cleaning up may take: a further Ctrl+C within them is impatience, a later one is an order."""
INTERRUPTED = 130
"""Exit code of an interrupted command: 128 and the number of SIGINT, as shells have it."""

_asked = False


def asked_to_end() -> bool:
    """Whether a signal has asked the command that runs in this process to end.

    The exception that says so may be lost: raised in the midst of a library's code, it comes out as an error of the
    library, or not at all.
    """
    return _asked


class Interruption:
    """Turns the first SIGINT or SIGTERM into ``KeyboardInterrupt``, wherever the program is, and remembers it."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._before: dict[int, object] = {}

    @property
    def happened(self) -> bool:
        """Whether somebody asked to end. Libraries turn the exception into others, most of all while they load."""
        return self._first is not None

    def __enter__(self) -> Interruption:
        # Python allows handlers in the main thread only; elsewhere the caller deals with signals.
        if threading.current_thread() is threading.main_thread():
            # A signal that is ignored (nohup) or handled by somebody else (this class, further out) stays so.
            for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
                if signal.getsignal(number) is usual or signal.getsignal(number) == usual:
                    self._before[number] = signal.signal(number, self._interrupt)
        if self._before:
            _note(False)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self._before:
            _note(False)
        self._before.clear()

    def stay(self) -> None:
        """Leave the handlers in place for the end of the program, in which a traceback could still be printed."""
        self._before.clear()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
            _note(True)
            raise KeyboardInterrupt
        if now - self._first > PATIENCE_S:
            os._exit(INTERRUPTED)


def _note(asked: bool) -> None:
    global _asked
    _asked = asked
