"""Threads of a server that may have none to give."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fer_core.errors import BusyError


def start_thread(target: Callable[[], object], name: str) -> threading.Thread:
    """A new thread that does ``target`` and keeps no program from ending.

    Raises ``BusyError`` where the system has no more threads, or no memory for one. Whoever has said already that the
    work is on its way takes that back then.
    """
    thread = threading.Thread(target=target, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        raise BusyError("This server is busy: the system gives it no more threads. Try again in a moment.") from error
    return thread
