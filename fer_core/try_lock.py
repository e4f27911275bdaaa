"""Locks between processes, on this host and on others that share the disk: tried, or held for a moment.

The system takes a lock from a process that dies, so nothing is left to be cleared away. Where the disk has no locks,
that is an error: a file that only stands for one would be kept by whoever dies on another host.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

PATIENCE_S = 30.0
"""What is done under a short lock takes milliseconds; one that is held for longer is held by something that hangs."""


@contextmanager
def try_lock(path: Path, patience_s: float = 0.0) -> Iterator[bool]:
    """Hold the lock file ``path``: whoever has it does the work, everybody else knows of it.

    Gives False, at once or after ``patience_s``, where another holds it. Its folder is made where it is missing. Raises
    ``OSError`` where the file cannot be made, or the disk has no locks.
    """
    lock = filelock.FileLock(path, fallback_to_soft=False)
    try:
        lock.acquire(timeout=patience_s)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def short_lock(path: Path) -> filelock.BaseFileLock:
    """Hold the lock file ``path`` in a ``with`` block, for short work: others wait. May be nested in a thread.

    Raises ``OSError`` where it cannot be had.
    """
    return filelock.FileLock(path, timeout=PATIENCE_S, is_singleton=True, fallback_to_soft=False)
