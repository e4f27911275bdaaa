"""FER-2013 fetched for a host, as its owner's environment asks for: from Kaggle, or from an address with its SHA-256.

One try is one child process (:mod:`fer_core.data.fetch_child`). How far it is stands in ``cache/fetch/state.json``, and
that somebody tries in a lock that the system takes from a process that dies: two servers of one home never both try.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from typing_extensions import TypedDict

from fer_core.data.catalogue import list_datasets
from fer_core.errors import DataError
from fer_core.files import write_json
from fer_core.reading import UnreadableError, parse, read_bytes
from fer_core.settings import settings
from fer_core.try_lock import try_lock

URL, SHA256 = "FER_EXPLORER_DATA_URL", "FER_EXPLORER_DATA_SHA256"
KAGGLE_VARIABLES = ("KAGGLE_USERNAME", "KAGGLE_KEY")
NAME = "fer2013"
"""The dataset folder that is made."""
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Wanted:
    """What is to be fetched: ``url`` with the hash ``sha256`` of its content; both empty for Kaggle."""

    url: str = ""
    sha256: str = ""

    @property
    def words(self) -> str:
        """From where, without what an address may hold of secrets."""
        return str(urllib.parse.urlsplit(self.url).hostname) if self.url else "Kaggle"


def wanted(environment: Mapping[str, str]) -> Wanted | None:
    """What the environment asks for; None where it asks for nothing. Raises ``DataError`` for what makes no sense."""
    url, digest = environment.get(URL, "").strip(), environment.get(SHA256, "").strip()
    if not url:
        if digest:
            raise DataError(f"{SHA256} is set without {URL}: set both, or none.")
        return Wanted() if all(environment.get(name, "").strip() for name in KAGGLE_VARIABLES) else None
    try:
        parts = urllib.parse.urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        fits = False
    if not fits:
        raise DataError(f"{URL} is no web address: it must begin with https:// or http://, and name a host.")
    if not _DIGEST.fullmatch(digest):
        raise DataError(
            f"{SHA256} must hold the 64 hex digits of the file's SHA-256, so that nothing else is ever imported: "
            "sha256sum FILE prints them."
        )
    return Wanted(url, digest.lower())


def is_here() -> bool:
    """Whether there is a dataset of that name, or any real one: then nothing is to be fetched."""
    return any(info.path.name == NAME or not info.is_sample for info in list_datasets())


class FetchState(StrEnum):
    FETCHING = "fetching"
    IMPORTING = "importing"
    WAITING = "waiting"
    DONE = "done"


class FetchRecord(TypedDict):
    """``cache/fetch/state.json``. ``tries``: those that failed so far; ``message``: why the last one did, or what is
    being done; ``next``: when the next one begins, POSIX seconds.
    """

    schema: int
    state: FetchState
    source: str
    done: int
    total: int
    unit: str
    tries: int
    message: str
    next: float


def folder() -> Path:
    """Where downloads lie until they are imported. Whoever holds the lock may clear it."""
    return settings().cache_dir / "fetch"


def state_path() -> Path:
    return folder() / "state.json"


def state() -> FetchRecord | None:
    """How far it is; None where nothing was tried, or nobody can tell."""
    try:
        return parse(read_bytes(state_path()), FetchRecord)
    except (UnreadableError, OSError):
        return None


def tell(record: FetchRecord) -> None:
    """Write down how far it is. Raises ``OSError``."""
    write_json(state_path(), record)


def new_record(source: str, tries: int) -> FetchRecord:
    """What is written when a try begins."""
    return FetchRecord(
        schema=1,
        state=FetchState.FETCHING,
        source=source,
        done=0,
        total=0,
        unit="bytes",
        tries=tries,
        message="",
        next=0.0,
    )


@contextmanager
def held() -> Iterator[bool]:
    """Hold the lock of the one that fetches; gives False where another process does. Raises ``OSError``."""
    with try_lock(folder() / ".lock") as free:
        yield free
