"""CSV files, plain or packed, as one guarded text stream; and what may be inside an archive.

Members are read as streams; what must lie on the disk meanwhile, ``tar_tree.py`` and ``unpacked.py`` put there. What a
file is, is told by its first bytes and not by its name. Every archive is checked for entries that climb out of their
folder, and every byte that comes out of one is counted against ``Settings.max_archive_bytes`` and
``Settings.max_archive_ratio``.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, TextIO

from fer_core.errors import DataError
from fer_core.progress import Beat, no_beat
from fer_core.regular_files import open_file
from fer_core.settings import settings

_BUFFER_BYTES = 1024**2
# Below this size no archive is a bomb, however well it packs: a few equal faces pack 500 to 1.
_RATIO_FLOOR_BYTES = 64 * 1024**2
_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError)
# gzip shrinks FER-2013's CSV 3.2 to 1, xz a little more.
_USUAL_RATIO = 3.5

MOST_DIRECTORY_BYTES = 32 * 1024**2
"""Of a zip's list of its files, which is read as a whole. FER-2013's image folders have 3.6 million."""
MOST_TAR_ENTRIES = 500_000
"""Files in a tar. FER-2013 has 35,887 pictures."""
# The end of a zip with the longest comment there can be, and what large zips have before it.
_LONGEST_END = 22 + 65_535 + 20 + 56
_OTHER_ARCHIVES = (
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard"),
)
KNOWN_CSV = ("fer2013.csv", "icml_face_data.csv")


@dataclass(frozen=True)
class CsvStream:
    """An open CSV: ``name`` for messages, ``file`` alone, ``text`` to read, ``fraction()`` read so far (0..1).

    ``expected_bytes`` is the size of the CSV once unpacked; an estimate for gzip and xz.
    """

    name: str
    file: str
    text: TextIO
    fraction: Callable[[], float]
    expected_bytes: int


class BoundedLines:
    """The lines of a stream; one that never ends is refused before it fills the memory.

    ``complete``: whether the last one that was read has an end.
    """

    def __init__(self, stream: CsvStream, longest: int, advice: str) -> None:
        """``longest``: characters of a line from which on it is refused; ``advice``: how that sentence goes on."""
        self._stream, self._longest, self._advice, self._number = stream, longest, advice, 0
        self.complete = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._stream.text.readline(self._longest)
        if not line:
            raise StopIteration
        self._number += 1
        if len(line) == self._longest:
            raise DataError(
                f"{self._stream.name}, row {self._number:,}: longer than {self._longest:,} characters, {self._advice}"
            )
        self.complete = line.endswith(("\n", "\r"))
        return line


def sniff(path: Path) -> str:
    """``zip``, ``gzip``, ``xz``, ``bzip2`` or ``plain``, by the first bytes. Raises ``DataError`` for what is packed in
    ways that are not read.
    """
    with reading(str(path)), open_file(path) as file:
        head = file.read(8)
    other = next((kind for magic, kind in _OTHER_ARCHIVES if head.startswith(magic)), None)
    if other is not None:
        raise DataError(
            f"{path} is {other}, which is not read here. Unpack it (7-Zip and The Unarchiver do that) and import "
            "the folder, or pack it as a zip."
        )
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "plain")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what a damaged or unreadable file raises into a ``DataError`` that names it."""
    try:
        yield
    except EOFError as error:
        raise DataError(f"{name} is cut off: it ends before its own end mark. Download it again.") from error
    except _DAMAGE as error:
        raise DataError(f"{name} is damaged: {error}. Download it again.") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error


@contextmanager
def open_csv(path: Path, member: str | None = None, *, beat: Beat = no_beat) -> Iterator[CsvStream]:
    """Open a CSV: plain, ``.gz``, ``.xz``, ``.bz2``, or inside a ``.zip`` or a ``.tar``, packed so or not.

    ``member`` names the CSV inside an archive; left out, :func:`choose_csv` picks it. Raises ``DataError`` for a
    damaged archive, one without a CSV or with several, one whose entries climb out, and one that is a bomb. The
    stream's own reads raise what :func:`reading` translates. ``beat`` is called for every megabyte.
    """
    with ExitStack() as stack:
        if sniff(path) == "zip":
            archive = stack.enter_context(open_zip(path))
            stream = _zip_member(stack, path, archive, member, beat)
        elif is_tar(path):
            stream = _tar_member(stack, path, member, beat)
        else:
            raw, guard = _unpacked(stack, path, beat)
            packed = path.stat().st_size
            expected = packed if sniff(path) == "plain" else int(packed * _USUAL_RATIO)
            stream = CsvStream(str(path), path.name, _text(path, guard), lambda: raw.tell() / max(packed, 1), expected)
        yield stream


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose entries stay inside, are not encrypted, and are no bomb by their own account."""
    with ExitStack() as stack:
        with reading(str(path)):
            file = stack.enter_context(open_file(path))
            _check_directory(path, file)
            archive = stack.enter_context(zipfile.ZipFile(file))
        entries = archive.infolist()
        check_names(path, (entry.filename for entry in entries))
        if any(entry.flag_bits & 1 for entry in entries):
            raise DataError(f"{path} is locked with a password. Unpack it yourself and import the folder.")
        _check_size(path, sum(entry.file_size for entry in entries), path.stat().st_size)
        yield archive


def files_of(archive: zipfile.ZipFile) -> list[str]:
    """The names of a zip's files: no folders, links, devices or whatever else some systems can pack."""
    kinds = ((entry.filename, stat.S_IFMT(entry.external_attr >> 16)) for entry in archive.infolist())
    # No kind at all: packed by a system that has no others.
    return [name for name, kind in kinds if kind in (0, stat.S_IFREG) and not name.endswith("/")]


def check_names(path: Path, names: Iterable[str]) -> None:
    """Raise ``DataError`` when an entry's name is absolute or climbs out of the archive's folder."""
    for name in names:
        plain = name.replace("\\", "/")
        if plain.startswith("/") or re.match(r"[A-Za-z]:", plain) or ".." in plain.split("/"):
            raise DataError(
                f"{path} has an entry that points outside of its folder: {name!r}. "
                "That is how harmful archives work, so nothing of it was imported. Get it from another place."
            )


def choose_csv(where: str, names: Iterable[str]) -> str | None:
    """The CSV to import among file names: FER-2013's own by name, else the only one, else None.

    Raises ``DataError`` when there are several and none can be told to be the one.
    """
    found = [name for name in names if name.lower().endswith(".csv") and not is_clutter(name)]
    for known in KNOWN_CSV:
        named = [name for name in found if PurePosixPath(name).name.lower() == known]
        if named:
            found = named
            break
    if len(found) > 1:
        listed = ", ".join(sorted(found)[:5])
        raise DataError(
            f"{where} holds {len(found)} CSV files ({listed}) and it is not clear which one to import. "
            "Unpack it, or choose one, and import that file."
        )
    return found[0] if found else None


def is_clutter(name: str) -> bool:
    """True for what operating systems leave behind: hidden files, ``__MACOSX``, thumbnails."""
    parts = PurePosixPath(name).parts
    return (
        any(part.startswith(".") or part == "__MACOSX" for part in parts)
        or name.endswith("/")
        or parts[-1].lower() in ("thumbs.db", "desktop.ini")
    )


class Guard(io.RawIOBase):
    """A readable stream that counts, and stops with ``DataError`` when more comes out than an archive may hold."""

    def __init__(self, source: IO[bytes], path: Path, packed: int | None, beat: Beat = no_beat) -> None:
        """``packed`` is the archive's size in bytes; None for a plain file, which cannot be a bomb."""
        super().__init__()
        self._source, self._path, self._packed, self._beat = source, path, packed, beat
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._beat()
        data = self._source.read(len(buffer))
        self.count += len(data)
        if self._packed is not None:
            _check_size(self._path, self.count, self._packed)
        buffer[: len(data)] = data
        return len(data)


def _check_size(path: Path, unpacked: int, packed: int) -> None:
    limit, ratio = settings().max_archive_bytes, settings().max_archive_ratio
    too_big = unpacked > limit
    if too_big or (unpacked > _RATIO_FLOOR_BYTES and unpacked > ratio * packed):
        reason = f"more than {limit / 1e9:.1f} GB" if too_big else f"more than {ratio} times its own size"
        raise DataError(
            f"{path} would unpack to {reason}, which no set of faces does. It looks like an archive made to "
            "fill up disks, so nothing of it was imported. Get it from another place."
        )


def _check_directory(path: Path, file: IO[bytes]) -> None:
    """Raise ``DataError`` for a zip with very many entries, before all of them are read at once."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - _LONGEST_END, 0))
    end = file.read()
    at, wide = end.rfind(b"PK\x05\x06"), end.rfind(b"PK\x06\x06")
    many = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    if wide >= 0 and many == 0xFFFF_FFFF:
        many = int.from_bytes(end[wide + 40 : wide + 48], "little")
    file.seek(0)
    if many > MOST_DIRECTORY_BYTES:
        raise DataError(f"{path} lists too many files to be a set of faces. Get it from another place.")


def _unpacked(stack: ExitStack, path: Path, beat: Beat = no_beat) -> tuple[IO[bytes], Guard]:
    kind = sniff(path)
    with reading(str(path)):
        raw = stack.enter_context(open_file(path))
    source: Any = raw
    if kind == "gzip":
        source = stack.enter_context(gzip.GzipFile(fileobj=raw))
    elif kind == "bzip2":
        source = stack.enter_context(bz2.BZ2File(raw))
    elif kind == "xz":
        source = stack.enter_context(lzma.LZMAFile(raw))  # noqa: SIM115  (the stack closes it)
    return raw, Guard(source, path, None if kind == "plain" else path.stat().st_size, beat)


def _text(path: Path, guard: io.RawIOBase) -> TextIO:
    buffered = io.BufferedReader(guard, _BUFFER_BYTES)
    # Spreadsheet programs put a byte order mark in front; Excel's "Unicode text" is UTF-16.
    with reading(str(path)):
        wide = buffered.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return io.TextIOWrapper(buffered, encoding="utf-16" if wide else "utf-8-sig", newline="")


def _zip_member(stack: ExitStack, path: Path, archive: zipfile.ZipFile, member: str | None, beat: Beat) -> CsvStream:
    name = member or choose_csv(str(path), files_of(archive))
    if name is None:
        raise _no_csv(path)
    entry = archive.getinfo(name)
    with reading(str(path)):
        try:
            file = stack.enter_context(archive.open(entry))
        except NotImplementedError as error:
            raise DataError(f"{path} is packed in a way Python cannot read: {error}. Unpack it yourself.") from error
    guard = Guard(file, path, path.stat().st_size, beat)
    size = max(entry.file_size, 1)
    return CsvStream(f"{path} ({name})", _base(name), _text(path, guard), lambda: guard.count / size, entry.file_size)


def tar_names(path: Path, beat: Beat = no_beat) -> list[str]:
    """The names of a tar's files, in its order: it is read through (about 1 s for FER-2013).

    Raises ``DataError`` as :func:`open_csv`.
    """
    names = []
    with ExitStack() as stack, reading(str(path)):
        archive = open_tar(stack, path, beat)
        for entry in tar_entries(archive, path, MOST_TAR_ENTRIES):
            if entry.isreg():
                names.append(entry.name)
    return names


def tar_entries(archive: tarfile.TarFile, path: Path, most: int) -> Iterator[tarfile.TarInfo]:
    """What an open tar holds, each checked, in its order. Raises ``DataError`` where there are more than ``most``."""
    for number, entry in enumerate(archive):
        # Read as a stream, it remembers in vain what it has seen.
        archive.members.clear()  # type: ignore[attr-defined]
        if number >= most:
            raise DataError(f"{path} holds more than {most:,} files. Import those of one set.")
        check_entry(path, entry)
        yield entry


def check_entry(path: Path, entry: tarfile.TarInfo) -> None:
    """Raise ``DataError`` for an entry of a tar that leads out of the archive's folder, by its name or as a link."""
    check_names(path, [entry.name, entry.linkname] if entry.linkname else [entry.name])


def open_tar(stack: ExitStack, path: Path, beat: Beat = no_beat) -> tarfile.TarFile:
    """A tar, packed or not, as a stream that is no bomb; ``stack`` closes it."""
    return _tar(stack, path, beat)[1]


def is_tar(path: Path) -> bool:
    """Whether it is a tar, packed or not, by its first bytes. Raises ``DataError`` for one that holds nothing."""
    with ExitStack() as stack, reading(str(path)):
        head = io.BufferedReader(_unpacked(stack, path)[1]).read(512)
    if len(head) == 512 and not any(head):
        # The end mark of a tar, at its beginning.
        raise DataError(f"{path} is an archive that holds nothing. Pack it again, with the faces in it.")
    return head[257:262] == b"ustar"


def _tar_member(stack: ExitStack, path: Path, member: str | None, beat: Beat) -> CsvStream:
    # A tar has no table of contents: read through once for the names, then again for the CSV.
    name = member or choose_csv(str(path), tar_names(path, beat))
    if name is None:
        raise _no_csv(path)
    with reading(str(path)):
        raw, archive = _tar(stack, path, beat)
        entry = next(
            entry for entry in archive if entry.name.removeprefix("./") == name.removeprefix("./") and entry.isreg()
        )
        file = archive.extractfile(entry)
    assert file is not None, "a regular file has content"
    packed = path.stat().st_size
    guard = Guard(file, path, packed, beat)
    return CsvStream(f"{path} ({name})", _base(name), _text(path, guard), lambda: raw.tell() / packed, entry.size)


def _tar(stack: ExitStack, path: Path, beat: Beat) -> tuple[IO[bytes], tarfile.TarFile]:
    raw, guard = _unpacked(stack, path, beat)
    buffered = io.BufferedReader(guard, _BUFFER_BYTES)
    return raw, stack.enter_context(tarfile.open(fileobj=buffered, mode="r|"))


def _base(name: str) -> str:
    return PurePosixPath(name).name


def _no_csv(path: Path) -> DataError:
    return DataError(
        f"{path} holds no CSV file, no pictures and no arrays. Give fer2013.csv, icml_face_data.csv, an archive of one "
        "of them, or a folder or archive with pictures such as train/<class>/1.png and test/<class>/2.png."
    )
