"""The lines of marks on disk: one file a writer, which that process alone appends to, read together.

Network disks do not append whole lines when two hosts append to one file, so no two processes write to the same one:

    reviews/<fingerprint>/<process>.<chance>.jsonl      a process's, by its :class:`fer_core.processes.ProcessMark`
    reviews/<fingerprint>.jsonl                         of before that: read, and never written any more

A process goes on with the file of one that is gone, under its own name, so that there are as many files as there were
ever processes at once. Who reads goes by what stays in the name, the chance.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from fer_core.errors import DataError
from fer_core.files import temporary_name
from fer_core.leftovers import DAY_S, abandoned
from fer_core.processes import ProcessMark
from fer_core.writable import reason

ENDING = ".jsonl"
ELSEWHERE_S = 30 * DAY_S
"""Seconds after which the file of another host's process, which cannot be seen, is taken over."""
# Within a process there is one file, whoever writes.
_lock = threading.Lock()
_mine: dict[tuple[Path, ProcessMark], Path] = {}


@dataclass(frozen=True)
class Line:
    """A line of a ``writer``, without its end. ``where`` names file and line, for people."""

    writer: str
    where: str
    content: bytes


@dataclass
class _Read:
    """How far a file was read: bytes, whole lines, and whether an unfinished one follows."""

    path: Path
    bytes: int = 0
    lines: int = 0
    torn: bool = False


@dataclass
class MarkFiles:
    """The files of one dataset. ``folder`` holds those of processes; ``before`` is the one of earlier versions."""

    folder: Path
    before: Path
    _read: dict[str, _Read] = field(default_factory=dict, init=False)

    @property
    def size(self) -> int:
        """Bytes of all lines that were read so far."""
        return sum(one.bytes for one in self._read.values())

    @property
    def torn(self) -> list[str]:
        """A sentence for each file whose last line is cut off."""
        return [
            f"{one.path}, line {one.lines + 1:,} is cut off and was left out."
            for one in self._read.values()
            if one.torn
        ]

    def news(self) -> tuple[bool, list[Line]]:
        """What was written since the last look, and whether it is all from the beginning: somebody has put a shorter
        file in the place of one, or taken one away. Raises ``DataError`` where something cannot be read.
        """
        try:
            found = self._files()
            if self._read.keys() - found.keys():
                # One that is just taken over may be missed under both names: is it really gone?
                found = self._files()
            anew = bool(self._read.keys() - found.keys())
            if not anew:
                fresh = [self._more(writer, path) for writer, path in found.items()]
                anew = any(lines is None for lines in fresh)
            if anew:
                self._read = {}
                fresh = [self._more(writer, path) for writer, path in found.items()]
            return anew, [line for lines in fresh for line in lines or ()]
        except OSError as error:
            raise DataError(f"{error.filename or self.folder} cannot be read: {error.strerror or error}.") from error

    def append(self, line: bytes) -> None:
        """Add a line, which ends in a line break; on disk when this returns. Raises ``DataError``."""
        key = (self.folder, ProcessMark.me())
        try:
            with _lock:
                path = _mine.get(key)
                if path is None or not _add(path, line):
                    path = _mine[key] = self._file_of_mine()
                    if not _add(path, line):
                        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        except OSError as error:
            raise DataError(f"The mark was not saved: {self.folder} cannot be written: {reason(error)}") from error

    def _files(self) -> dict[str, Path]:
        """Where each writer's lines are; those of before come first."""
        found = {"": self.before} if os.path.lexists(self.before) else {}
        return found | {_chance(path): path for path in self._of_processes()}

    def _of_processes(self) -> Iterator[Path]:
        try:
            entries = sorted(self.folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return
        for path in entries:
            if path.suffix == ENDING and ProcessMark.find(path.name) is not None:
                yield path

    def _more(self, writer: str, path: Path) -> list[Line] | None:
        """The whole lines of a file that are new; None where it is shorter than it was."""
        one = self._read.get(writer, _Read(path))
        try:
            # Opened, because network disks keep what they last knew of files that are only asked about.
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < one.bytes:
                    return None
                file.seek(one.bytes)
                content = file.read()
        except FileNotFoundError:
            # Just taken over, under another name: at the next look it is there.
            return []
        whole, end, rest = content.rpartition(b"\n")
        lines = whole.split(b"\n") if end else []
        numbers = range(one.lines + 1, one.lines + 1 + len(lines))
        self._read[writer] = _Read(path, one.bytes + len(whole) + len(end), one.lines + len(lines), bool(rest))
        return [Line(writer, f"{path}, line {number:,}", line) for number, line in zip(numbers, lines, strict=True)]

    def _file_of_mine(self) -> Path:
        """The file that this process writes: that of one that is gone, else a new one. Raises ``OSError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self._of_processes():
            mine = path.with_name(temporary_name("", ENDING, chance=_chance(path)))
            if abandoned(path, ELSEWHERE_S):
                try:
                    path.rename(mine)
                except FileNotFoundError:
                    continue  # another one was faster
                return mine
        path = self.folder / temporary_name("", ENDING)
        path.touch(exist_ok=False)
        return path


@dataclass
class MarksInMemory:
    """As :class:`MarkFiles`, for marks that go with the object."""

    most: int
    """Bytes that it may hold."""
    _content: bytes = field(default=b"", init=False)
    _unread: list[Line] = field(default_factory=list, init=False)

    torn: ClassVar[list[str]] = []

    @property
    def size(self) -> int:
        return len(self._content)

    def news(self) -> tuple[bool, list[Line]]:
        found, self._unread = self._unread, []
        return False, found

    def append(self, line: bytes) -> None:
        if self.size + len(line) > self.most:
            raise DataError("The mark was not saved: a visit holds no more. Download your marks as a CSV.")
        self._content += line
        self._unread.append(Line("", "", line.rstrip(b"\n")))


def _chance(path: Path) -> str:
    return path.name.split(".")[-2]


def _appending(path: str, flags: int) -> int:
    """Opened as append mode does, except that what is not there is not made."""
    return os.open(path, flags | os.O_APPEND)


def _add(path: Path, line: bytes) -> bool:
    """Add a line to a file of this process; False where it is gone. Raises ``OSError``."""
    try:
        with open(path, "rb+", buffering=0, opener=_appending) as file:
            # A line that a crash or a full disk left open is closed first; it stays as it is.
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
                line = b"\n" + line
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
    except FileNotFoundError:
        return False  # somebody deleted it, or took it over after a month without a mark
    return True
