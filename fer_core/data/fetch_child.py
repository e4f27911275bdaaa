"""One try to fetch FER-2013, in a child process: see :mod:`fer_core.data.fetch`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from enum import IntEnum
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from fer_core.data import fetch
from fer_core.data.fetch import FetchState, Wanted
from fer_core.data.importer import KAGGLE, import_dataset
from fer_core.errors import FerError
from fer_core.files import download
from fer_core.progress import Progress
from fer_core.settings import settings
from fer_core.writable import sentence

EVERY_S = 0.5
"""Seconds between two words about the progress."""
MOST_BYTES = 1024**3
"""FER-2013 has 0.3 GB unpacked."""


class Outcome(IntEnum):
    """Exit codes. ``REFUSED``: what the environment says makes no sense, so that trying again is of no use."""

    HERE = 0
    FAILED = 1
    REFUSED = 2
    ELSEWHERE = 3


def fetch_once() -> Outcome:
    """Fetch and import, unless that is done already or another process does it; say how far that is."""
    try:
        asked = fetch.wanted(os.environ)
    except FerError:
        return Outcome.REFUSED  # whoever shows the state asks again, and says it
    if asked is None:
        return Outcome.REFUSED
    with fetch.held() as free:
        if not free:
            return Outcome.ELSEWHERE
        if fetch.is_here():
            return Outcome.HERE
        before = fetch.state()
        record = fetch.new_record(asked.words, before["tries"] if before is not None else 0)
        fetch.tell(record)
        _clear()
        try:
            _fetch(asked, record)
        except FerError as error:
            problem = str(error)
        except OSError as error:
            problem = sentence(error)
        else:
            problem = ""
        _clear()
        if problem:
            tries = record["tries"] + 1
            fetch.tell({**record, "state": FetchState.WAITING, "tries": tries, "message": problem})
            return Outcome.FAILED
        fetch.tell({**record, "state": FetchState.DONE, "tries": 0})
        return Outcome.HERE


def _fetch(asked: Wanted, record: fetch.FetchRecord) -> None:
    """Raises ``FerError`` or ``OSError``; nothing is imported unless the content has the hash."""
    teller = _Teller(record)
    source = KAGGLE
    if asked.url:
        name = PurePosixPath(unquote(urlsplit(asked.url).path)).name
        plain = "".join(letter for letter in name if letter.isalnum() or letter in "._-").lstrip(".")[:80]
        path = fetch.folder() / "download" / (plain or "file")
        download(asked.url, path, asked.sha256, progress=teller.bytes, max_bytes=MOST_BYTES)
        source = str(path)
    import_dataset(source, settings().datasets_dir / fetch.NAME, progress=teller)


def _clear() -> None:
    """Take away what a try has downloaded, a try of a process that was killed, too."""
    shutil.rmtree(fetch.folder() / "download", ignore_errors=True)


class _Teller:
    """Writes down how far it is, now and then."""

    def __init__(self, record: fetch.FetchRecord) -> None:
        self._record, self._told = record, float("-inf")

    def bytes(self, done: int, total: int | None) -> None:
        self._tell(FetchState.FETCHING, done, total, "bytes")

    def __call__(self, progress: Progress) -> None:
        loading = progress.unit == "bytes"
        self._tell(
            FetchState.FETCHING if loading else FetchState.IMPORTING, progress.done, progress.total, progress.unit
        )

    def _tell(self, state: FetchState, done: int, total: int | None, unit: str) -> None:
        if time.monotonic() - self._told >= EVERY_S:
            self._told = time.monotonic()
            fetch.tell({**self._record, "state": state, "done": done, "total": total or 0, "unit": unit})


if __name__ == "__main__":
    if sys.platform != "win32":
        os.nice(10)  # pages come first
    sys.exit(fetch_once())
