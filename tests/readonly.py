"""Folders on disks that really are read-only or full, for tests of what is said then. Rights do not bind root."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

import pytest


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Mount ``folder`` over itself, read-only. Skips the test where mounting is not permitted."""
    if not sys.platform.startswith("linux") or not _mount("--bind", folder, folder):
        pytest.skip("mounting is not permitted here")
    try:
        if not _mount("-o", "remount,ro,bind", folder):
            pytest.skip("mounting read-only is not permitted here")
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def full(folder: Path, room: int = 0) -> Iterator[Callable[[], None]]:
    """Mount a disk of 256 kB, in memory, on the empty ``folder`` and fill it up. Skips as :func:`read_only` does.

    ``room``: bytes that are left free at first; call what is given to fill up what is left of them.
    """
    if not sys.platform.startswith("linux") or not _mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", folder):
        pytest.skip("mounting is not permitted here")
    try:
        with (folder / "filling").open("wb", buffering=0) as file:
            with pytest.raises(OSError, match="No space"):
                _fill(file)
            file.truncate(file.tell() - room)
            file.seek(0, os.SEEK_END)

            def fill() -> None:
                with pytest.raises(OSError, match="No space"):
                    _fill(file)

            yield fill
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(file: RawIOBase) -> None:
    while file.write(bytes(4096)):
        continue


def _mount(*arguments: object) -> bool:
    try:
        return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
