"""A lock between processes that is tried, not waited for: whoever has it does the work, everybody else knows of it.

The system takes it from a process that dies, so nothing is left to be cleared away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock


@contextmanager
def try_lock(path: Path, patience_s: float = 0.0) -> Iterator[bool]:
    """Hold the lock file ``path``; gives False, at once or after ``patience_s``, where another holds it.

    Its folder is made where it is missing. Raises ``OSError`` where the file cannot be made.
    """
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=patience_s)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
