"""A folder, or a zip, as a list of files: image folders are read the same way from both."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Protocol

from fer_core.data.archives import is_clutter, reading
from fer_core.errors import DataError
from fer_core.regular_files import read_bytes

# A face is 1.6 KB; a photograph from a good camera 20 MB.
MAX_FILE_BYTES = 64 * 1024**2


class Tree(Protocol):
    """Files by relative name, with ``/`` between the parts, on every system."""

    label: str
    """What to call it in messages."""

    def names(self) -> list[str]:
        """All files, sorted, without what operating systems leave behind."""
        ...

    def read(self, name: str) -> bytes:
        """A file's content. Raises ``DataError`` when it cannot be read or is larger than 64 MiB."""
        ...


class FolderTree:
    """The files below a folder. Links to folders are not followed, so that no loop is walked for ever."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = str(path)

    def names(self) -> list[str]:
        found = []
        for folder, _, files in os.walk(self.path, onerror=self._refuse):
            relative = Path(folder).relative_to(self.path).as_posix()
            found += [name if relative == "." else f"{relative}/{name}" for name in files]
        return sorted(name for name in found if not is_clutter(name))

    def read(self, name: str) -> bytes:
        file = self.path / name
        with reading(str(file)):
            _check_size(str(file), file.stat().st_size)
            return read_bytes(file)

    def _refuse(self, error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}.") from error


class ZipTree:
    """The files in an open zip (see :func:`fer_core.data.archives.open_zip`, which checks it)."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.label = str(path)

    def names(self) -> list[str]:
        # By way of a dict: a zip may hold two entries of one name, and only the last can be read.
        return sorted({name: None for name in self._archive.namelist() if not is_clutter(name)})

    def read(self, name: str) -> bytes:
        where = f"{self.label} ({name})"
        _check_size(where, self._archive.getinfo(name).file_size)
        with reading(where):
            try:
                return self._archive.read(name)
            except NotImplementedError as error:
                raise DataError(
                    f"{where} is packed in a way Python cannot read: {error}. Unpack it yourself."
                ) from error


def _check_size(where: str, size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise DataError(f"{where} has {size / 1e6:,.0f} MB, too much for the picture of a face. Remove it.")
