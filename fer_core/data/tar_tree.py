"""A tar, packed or not, as a list of files: read through once into an unnamed file, from which any of them is read.

A tar has no table of contents, and a packed one cannot be read in another order than it was written. Nothing of what
it holds gets a name on the disk: links and devices are left out, and what climbs out of its folder is refused.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from fer_core.data.archives import is_clutter, open_tar, reading, tar_entries
from fer_core.data.folder_or_zip import MAX_FILE_BYTES, MOST_FILES, check_size
from fer_core.data.layout import ending
from fer_core.data.unpacked import Unpacked
from fer_core.errors import DataError
from fer_core.progress import Beat, no_beat
from fer_core.writable import explained

ON_DISK = ("npy", "npz", "parquet")
"""Endings of files that are read on the disk, whatever their size."""


class _Place(NamedTuple):
    start: int
    size: int


class TarTree:
    """See :class:`fer_core.data.folder_or_zip.Tree`. Made by :func:`open_tar_tree`."""

    def __init__(
        self, path: Path, spool: IO[bytes], places: dict[str, _Place], left_out: int, unpacked: Unpacked, beat: Beat
    ) -> None:
        self.label, self.left_out = str(path), left_out
        self._spool, self._places, self._unpacked, self._beat = spool, places, unpacked, beat

    def names(self) -> list[str]:
        return sorted(name for name in self._places if not is_clutter(name))

    def stored(self, name: str) -> str:
        return name

    def read(self, name: str) -> bytes:
        self._beat()
        place = self._places[name]
        check_size(f"{self.label} ({name})", place.size)
        self._spool.seek(place.start)
        return self._spool.read(place.size)

    def on_disk(self, name: str) -> Path:
        place = self._places[name]
        self._spool.seek(place.start)
        return self._unpacked.write(name, _Part(self._spool, place.size, self._beat), f"{self.label} ({name})")


class _Part:
    """The next ``size`` bytes of a file."""

    def __init__(self, file: IO[bytes], size: int, beat: Beat) -> None:
        self._file, self._left, self._beat = file, size, beat

    def read(self, size: int) -> bytes:
        self._beat()
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


@contextmanager
def open_tar_tree(path: Path, cache: Path, beat: Beat = no_beat) -> Iterator[TarTree]:
    """The files of a tar while the block lasts; they lie in a file without a name in the folder ``cache``.

    Raises ``DataError`` for a tar that is damaged, climbs out of its folder, holds very many files, is a bomb, or for
    which there is no room.
    """
    with ExitStack() as stack:
        with explained(f"{path} could not be unpacked in {cache}", DataError):
            cache.mkdir(parents=True, exist_ok=True)
            spool = stack.enter_context(tempfile.TemporaryFile(dir=cache))
        places, left_out = {}, 0
        with ExitStack() as source, reading(str(path)):
            archive = open_tar(source, path, beat)
            for entry in tar_entries(archive, path, MOST_FILES):
                file = archive.extractfile(entry) if entry.isreg() else None
                if file is None:
                    left_out += not entry.isdir()
                    continue
                start = spool.tell()
                # Larger than any picture, it is told and not read; arrays and Parquet may be.
                if entry.size <= MAX_FILE_BYTES or ending(entry.name) in ON_DISK:
                    with explained(f"{path} could not be unpacked in {cache}", DataError):
                        shutil.copyfileobj(file, spool)
                # Of two entries of one name the later one counts, as where it is unpacked.
                places[entry.name.replace("\\", "/").removeprefix("./")] = _Place(start, entry.size)
        yield TarTree(path, spool, places, left_out, stack.enter_context(Unpacked(path, cache)), beat)
