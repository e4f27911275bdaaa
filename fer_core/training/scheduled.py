"""A training whose process an engine has started: the engine keeps trainings apart, and the process ends with it."""

from __future__ import annotations

import os
import signal
import threading

SCHEDULED = "FER_EXPLORER_SCHEDULED"
"""Set to 1 in the environment of a training that an engine has started, whose standard input the engine holds open."""
ORPHANED = 75
"""Exit code of a process whose engine has gone: EX_TEMPFAIL, the same may go well later."""


def is_scheduled() -> bool:
    """Whether this process's trainings are kept apart by an engine, so that several may run on this computer."""
    return os.environ.get(SCHEDULED) == "1"


def end_with_the_engine() -> None:
    """Have this process end, wherever it is, when whoever started it is gone; nothing where no engine did.

    The kernel closes the pipe however the engine ends. Whoever trains the run next finds nobody at work on it: no batch
    is trained for nothing, and what was written stays as any kill leaves it. A request of the system to end is taken as
    such a kill, too: Ray sends one to what its workers have started, and whoever empties a computer of a cluster to
    everything. As an exception in the midst of a library's code it would look like a failure of the recipe.
    """
    if is_scheduled():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(ORPHANED))
        threading.Thread(target=_wait_for_the_end, name="engine", daemon=True).start()


def _wait_for_the_end() -> None:
    # Not sys.stdin: its lock would be held while the interpreter ends.
    while os.read(0, 1024):
        pass
    os._exit(ORPHANED)
