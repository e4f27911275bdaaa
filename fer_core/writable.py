"""Can a folder be written to? Asked before work begins, and told in a sentence where the answer is no."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_core.errors import FerError
from fer_core.files import temporary_name
from fer_core.regular_files import kind_of

NO_SPACE = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""The disk, or a person's share of it, is full."""

_NO_LOCKS = "If it is about a lock: a disk that computers share must have locks, see docs/cluster.md."
ADVICE = {
    errno.EACCES: "Change its permissions, or choose another place.",
    errno.EPERM: "Change its permissions, or choose another place.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "Check the path.",
    errno.EISDIR: "Give the path of a file.",
    errno.EMFILE: "Close other programs, and try again.",
    errno.ENFILE: "Close other programs, and try again.",
    errno.ENOSYS: _NO_LOCKS,
    errno.ENOLCK: _NO_LOCKS,
    errno.EIO: "The disk may be failing: keep a copy of what is on it.",
}
"""What a person can do about an error of the system, by its number."""

_PROBE_BYTES = 64 * 1024
"""On a full disk an empty file can often still be made, and so may the first bytes of one."""
_ELSEWHERE = "FER_EXPLORER_HOME names another folder for all that the app writes."


def check_writable(folder: Path, what: str, kind: type[FerError] = FerError) -> None:
    """Make sure that files can be written into ``folder``, by writing one and deleting it.

    Where ``folder`` is not there yet, the folder that it would be made in is tried, and nothing is made. ``what``
    begins the message, as in "The run". Raises a ``kind``: what cannot be written, where, and what to do.
    """
    try:
        wanted = folder.absolute()
        existing = next(path for path in (wanted, *wanted.parents) if os.path.lexists(path))
        if not existing.is_dir():
            raise kind(
                f"{what} cannot be written to {folder}: {existing} is {kind_of(existing)}. Choose another place."
            )
        with tempfile.NamedTemporaryFile(prefix=temporary_name(".writable-"), dir=existing) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise kind(f"{what} cannot be written to {folder}: {reason(error)}") from error


def check_output(path: Path, what: str) -> None:
    """Raise ``FerError`` unless a file can be written at ``path``: in a folder that exists, over nothing or a file.

    ``what`` as in :func:`check_writable`. Files are written beside their place and then moved there, so a device or a
    pipe at that place would be replaced: it is refused.
    """
    try:
        there = path.exists() or path.is_symlink()
        kind = kind_of(path) if path.exists() else "a link to nothing" if there else "a file"
    except OSError as error:
        raise FerError(f"{what} cannot be written to {path}: {reason(error)}") from error
    if kind != "a file":
        raise FerError(f"{what} cannot be written to {path}: it is {kind}. Give the path of a new file.")
    if not path.parent.is_dir():
        raise FerError(f"{what} cannot be written to {path}: there is no folder {path.parent}. Make it first.")
    check_writable(path.parent, what)


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


def sentence(error: OSError) -> str:
    """An error of the system as a person can read it: where, why, and what to do."""
    where = f"{error.filename}: " if error.filename not in (None, "") else ""
    return where + reason(error)


def reason(error: OSError) -> str:
    """Why it failed, and what to do, as the end of a sentence and another one."""
    if error.errno in NO_SPACE:
        return "the disk is full. Free some space and try again."
    if error.errno == errno.EROFS:
        return f"the disk is read-only. Make it writable and try again; {_ELSEWHERE}"
    cause = error.strerror or str(error) or type(error).__name__
    return f"{cause}. {ADVICE.get(error.errno or 0, 'Check the path and the disk it is on.')}"
