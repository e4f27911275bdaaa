"""Threads of a server that may have none to give."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from fer_core.errors import BusyError

NICE = 10
"""Of threads that give way: where all cores are wanted, they get about a tenth of what the others get."""


def start_thread(target: Callable[[], object], name: str, *, gives_way: bool = False) -> threading.Thread:
    """A new thread that does ``target`` and keeps no program from ending.

    ``gives_way``: for long computations. On Linux, where threads have priorities of their own, those that answer
    visitors come before it.

    Raises ``BusyError`` where the system has no more threads, or no memory for one. Whoever has said already that the
    work is on its way takes that back then.
    """

    def in_the_background() -> None:
        # Never up: a server that was started with a lower one may not.
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(NICE, os.getpriority(os.PRIO_PROCESS, thread)))
        target()

    modest = gives_way and sys.platform.startswith("linux")
    started = threading.Thread(target=in_the_background if modest else target, name=name, daemon=True)
    try:
        started.start()
    except (RuntimeError, MemoryError) as error:
        raise BusyError("This server is busy: the system gives it no more threads. Try again in a moment.") from error
    return started
