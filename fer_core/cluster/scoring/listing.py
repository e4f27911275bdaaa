"""The list of all files, on disk: written once, read shard by shard, and compared with the source at every new start.

A million files are never held: a line is written for each as it is listed, and its hash added to a sum, which is the
same in whatever order they come.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fer_core.cluster.scoring.places import Entry
from fer_core.errors import DataError
from fer_core.files import replacing
from fer_core.inference.sources import ends_as_video

SHARD = 1_000
"""Pictures in a shard: some seconds to minutes of work, which is what a killed process loses."""
VIDEO = 250
"""Pictures that a video counts as."""
_MODULUS = 2**256

Watch = Callable[[int], None]
"""Called with the number of files so far, often."""


@dataclass(frozen=True)
class Listing:
    """What a list of files comes to. ``digest``: 64 hex digits of all names, sizes and problems."""

    files: int
    shards: int
    digest: str


@dataclass(frozen=True)
class Shard:
    """Some files that are scored together, and their place among all shards, from 0."""

    number: int
    entries: tuple[Entry, ...]


def write_list(entries: Iterable[Entry], path: Path, watch: Watch | None = None) -> Listing:
    """Write a line for each, and say what they come to. Raises ``OSError``, with nothing left behind."""
    tally = _Tally(watch)
    with replacing(path) as part, part.open("w", encoding="ascii") as file:
        for entry in entries:
            file.write(tally.add(entry))
    return tally.result()


def summary(entries: Iterable[Entry], watch: Watch | None = None) -> Listing:
    """What these files come to, none of which is kept. Shards are cut by order, the digest knows none."""
    tally = _Tally(watch)
    for entry in entries:
        tally.add(entry)
    return tally.result()


class _Tally:
    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._files = self._shards = self._weight = self._sum = 0

    def add(self, entry: Entry) -> str:
        """Count a file; its line."""
        line = _line(entry)
        self._files += 1
        self._shards += self._weight == 0
        self._weight += _weight(entry)
        if self._weight >= SHARD:
            self._weight = 0
        self._sum += int.from_bytes(hashlib.sha256(line.encode()).digest())
        if self._watch is not None:
            self._watch(self._files)
        return line

    def result(self) -> Listing:
        return Listing(self._files, self._shards, f"{self._sum % _MODULUS:064x}")


def read_list(path: Path) -> Iterator[Entry]:
    """The files in the order of the list, one at a time. Raises ``DataError`` where it is missing or damaged."""
    try:
        with path.open(encoding="ascii") as file:
            for number, line in enumerate(file, 1):
                yield _entry(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Score into another folder.") from error


def cut(entries: Iterable[Entry]) -> Iterator[Shard]:
    """The files in shards, in their order; one shard is held at a time."""
    some: list[Entry] = []
    number = weight = 0
    for entry in entries:
        some.append(entry)
        weight += _weight(entry)
        if weight >= SHARD:
            yield Shard(number, tuple(some))
            some, number, weight = [], number + 1, 0
    if some:
        yield Shard(number, tuple(some))


def _weight(entry: Entry) -> int:
    return VIDEO if ends_as_video(entry.name) else 1


def _line(entry: Entry) -> str:
    # ASCII, whatever names hold: line ends, and bytes that are no UTF-8.
    parts = [entry.name, entry.size, *([entry.problem] if entry.problem else [])]
    return json.dumps(parts) + "\n"


def _entry(path: Path, number: int, line: str) -> Entry:
    match _value(line):
        case [str(name), int(size)]:
            return Entry(name, size)
        case [str(name), int(size), str(problem)]:
            return Entry(name, size, problem)
    raise DataError(f"{path}, line {number:,}, is damaged. Score into another folder.")


def _value(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
