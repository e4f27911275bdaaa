"""Can a folder be written to? Asked before work begins, and told in a sentence where the answer is no."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_core.errors import FerError

NO_SPACE = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""The disk, or a person's share of it, is full."""

_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM})
_PROBE_BYTES = 64 * 1024
"""On a full disk an empty file can often still be made, and so may the first bytes of one."""
_ELSEWHERE = "FER_EXPLORER_HOME names another folder for all that the app writes."


def check_writable(folder: Path, what: str) -> None:
    """Make sure that files can be written into ``folder``, by writing one and deleting it.

    Where ``folder`` is not there yet, the folder that it would be made in is tried, and nothing is made. ``what``
    begins the message, as in "The run". Raises ``FerError``: what cannot be written, where, and what to do.
    """
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(path))
    try:
        with tempfile.NamedTemporaryFile(prefix=".writable-", dir=existing) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise FerError(f"{what} cannot be written to {folder}: {reason(error)}") from error


def require_writable(folder: Path, what: str, kind: type[FerError]) -> None:
    """:func:`check_writable`, whose refusal is a ``kind``."""
    try:
        check_writable(folder, what)
    except FerError as error:
        raise kind(str(error)) from error


@contextmanager
def explained(beginning: str, kind: type[FerError]) -> Iterator[None]:
    """Turn an ``OSError`` inside into a ``kind`` that says ``beginning``, why, and what to do.

    For what is done at once and needs no check before it: a request to stop, a deletion. Deleting is how a full disk
    becomes free, so it must not be refused because a file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise kind(f"{beginning}: {reason(error)}") from error


def reason(error: OSError) -> str:
    """Why writing failed, and what to do, as the end of a sentence and another one."""
    if error.errno in NO_SPACE:
        return "the disk is full. Free some space and try again."
    if error.errno == errno.EROFS:
        return f"the disk is read-only. Make it writable and try again; {_ELSEWHERE}"
    if error.errno in _NO_RIGHT:
        return f"you may not write there. Change who may, and try again; {_ELSEWHERE}"
    return f"{error.strerror or error}. Check the folder and try again; {_ELSEWHERE}"
