"""A folder, or a zip, as a list of files, from which image folders are read the same way. (Tars: ``tar_tree.py``.)"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from fer_core.data.archives import Guard, files_of, is_clutter, reading
from fer_core.data.unpacked import Unpacked
from fer_core.errors import DataError, UnusableFileError
from fer_core.progress import Beat, no_beat
from fer_core.reading import UnreadableError, read_bytes

# A face is 1.6 KB; a photograph from a good camera 20 MB.
MAX_FILE_BYTES = 64 * 1024**2
MOST_FILES = 500_000
"""In a folder. FER-2013 has 35,887."""


class Tree(Protocol):
    """Files by relative name, with ``/`` between the parts, on every system."""

    label: str
    """What to call it in messages."""
    left_out: int
    """How many links were left out, because they lead somewhere else."""

    def names(self) -> list[str]:
        """All files, sorted, without what operating systems leave behind."""
        ...

    def stored(self, name: str) -> str:
        """What an archive itself calls a file."""
        ...

    def read(self, name: str) -> bytes:
        """A file's content. Raises ``UnusableFileError`` when it cannot be read or is larger than 64 MiB."""
        ...

    def on_disk(self, name: str) -> Path:
        """The file on the disk; out of an archive a copy that is there as long as the tree is open.

        Raises ``DataError``.
        """
        ...


class FolderTree:
    """The files below a folder. Links to folders are not followed; links to files where they stay inside the folder."""

    def __init__(self, path: Path, beat: Beat = no_beat) -> None:
        """``beat`` is called for every file and folder found, and for every file read."""
        self.path, self._beat = path, beat
        self.label = str(path)
        self.left_out = 0
        """Links that lead out of the folder, or nowhere: known after :meth:`names`."""
        self._root = os.path.realpath(path)

    def names(self) -> list[str]:
        found: list[str] = []
        folders, self.left_out = [""], 0
        while folders:
            folder = folders.pop()
            for entry in self._entries(folder):
                self._beat()
                name = f"{folder}{entry.name}"
                if is_clutter(name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                elif not entry.is_symlink():
                    found.append(name)
                elif self._stays_inside(entry.path):
                    if Path(entry.path).is_file():
                        found.append(name)
                else:
                    self.left_out += 1
                if len(found) + len(folders) > MOST_FILES:
                    raise DataError(
                        f"{self.path} holds more than {MOST_FILES:,} files. Give the folder that holds train and test."
                    )
        return sorted(found)

    def stored(self, name: str) -> str:
        return name

    def read(self, name: str) -> bytes:
        self._beat()
        file = self.path / name
        if file.is_symlink() and not self._stays_inside(file):
            raise DataError(f"{file} is a link that leads out of {self.path}. Put the file itself there.")
        try:
            check_size(str(file), file.stat().st_size)
            return read_bytes(file, MAX_FILE_BYTES)
        except (OSError, UnreadableError) as error:
            why = (error.strerror or error) if isinstance(error, OSError) else error
            raise UnusableFileError(f"{file} cannot be read: {why}.", "files that cannot be opened") from None

    def on_disk(self, name: str) -> Path:
        return self.path / name

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self.path / folder) as entries:
                yield from entries
        except OSError as error:
            raise DataError(f"{error.filename} cannot be read: {error.strerror}.") from error

    def _stays_inside(self, link: str | Path) -> bool:
        target = Path(os.path.realpath(link))
        return target.is_relative_to(self._root) and target.exists()


class ZipTree:
    """The files in an open zip (see :func:`fer_core.data.archives.open_zip`, which checks it)."""

    left_out = 0

    def __init__(self, path: Path, archive: zipfile.ZipFile, unpacked: Unpacked, beat: Beat = no_beat) -> None:
        self._archive, self._unpacked, self._beat = archive, unpacked, beat
        self.path, self.label = path, str(path)
        self._stored: dict[str, str] = {}

    def names(self) -> list[str]:
        # A zip may hold two entries of one name, and only the last can be read. Some Windows programs write \\.
        self._stored = {name.replace("\\", "/"): name for name in files_of(self._archive)}
        return sorted(name for name in self._stored if not is_clutter(name))

    def stored(self, name: str) -> str:
        return self._stored.get(name, name)

    def read(self, name: str) -> bytes:
        self._beat()
        where = f"{self.label} ({name})"
        stored = self.stored(name)
        check_size(where, self._archive.getinfo(stored).file_size)
        try:
            with reading(where):
                return self._archive.read(stored)
        except NotImplementedError as error:
            raise UnusableFileError(
                f"{where} is packed in a way Python cannot read: {error}. Unpack it yourself.",
                "files packed in a way that Python cannot read (unpack the archive yourself)",
            ) from error
        except DataError as error:
            raise UnusableFileError(str(error), "files that the archive holds damaged") from error

    def on_disk(self, name: str) -> Path:
        where, size = f"{self.label} ({name})", self.path.stat().st_size
        try:
            with reading(where), self._archive.open(self.stored(name)) as source:
                # What a zip says of its sizes may be a lie.
                return self._unpacked.write(name, Guard(source, self.path, size, self._beat), where)
        except NotImplementedError as error:
            raise DataError(f"{where} is packed in a way Python cannot read: {error}. Unpack it yourself.") from None


def check_size(where: str, size: int) -> None:
    """Raise ``UnusableFileError`` for more than 64 MiB."""
    if size > MAX_FILE_BYTES:
        raise UnusableFileError(
            f"{where} has {size / 1e6:,.0f} MB, too much for the picture of a face. Remove it.",
            f"files of more than {MAX_FILE_BYTES // 1024**2} MB",
        )
