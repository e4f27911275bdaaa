"""Only regular files are opened where a file is read: a pipe would be waited for, and a device never ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def kind_of(path: Path) -> str:
    """What a path leads to: ``a file``, ``a folder``, ``a pipe``, ``a socket`` or ``a device``. Links are followed.

    Raises ``OSError`` where there is nothing, or nothing that may be looked at.
    """
    mode = path.stat().st_mode
    return next((kind for test, kind in _KINDS if test(mode)), "a file")


def require_file(path: Path) -> None:
    """Raise ``OSError`` unless ``path`` leads to a regular file; its ``strerror`` says what it is instead."""
    kind = kind_of(path)
    if kind != "a file":
        raise OddFileError(kind, path)


def open_file(path: Path) -> BinaryIO:
    """A regular file, open to be read. Raises ``OSError``, for anything else :class:`OddFileError`.

    Whatever takes the file's place meanwhile, opening it does not wait: what was opened is looked at once more.
    """
    require_file(path)
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OddFileError("not one any more", path)
        return os.fdopen(file, "rb")
    except BaseException:
        os.close(file)
        raise


class OddFileError(OSError):
    """Something that can be opened but is no file. It has no number: no system call failed."""

    def __init__(self, kind: str, path: Path) -> None:
        super().__init__(None, f"it is {kind}, not a file", os.fspath(path))

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"
