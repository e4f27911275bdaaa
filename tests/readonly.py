"""A folder on a disk that really is read-only, for tests of what is said then. Rights do not bind root; this does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


def _mount(*arguments: object) -> bool:
    try:
        return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
