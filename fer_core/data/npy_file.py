"""NumPy files, plain or in an ``.npz``, read row by row and never unpickled: their header is checked, then trusted."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from fer_core.data.archives import open_zip, reading
from fer_core.errors import DataError
from fer_core.regular_files import open_file

MOST_ITEMS = 10**10
MOST_AT_ONCE = 256 * 1024**2
"""Bytes of an array that is read as a whole: labels, and what lies in columns."""
MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class Array:
    """One array, unread: ``name`` without an ending; ``where`` for messages. ``member``: in an ``.npz``."""

    name: str
    where: str
    path: Path
    member: str | None
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    by_columns: bool

    @property
    def rows(self) -> int:
        return self.shape[0] if self.shape else 0

    @property
    def per_row(self) -> int:
        """Numbers in a row."""
        return math.prod(self.shape[1:])

    def whole(self) -> npt.NDArray[Any]:
        """All of it. Raises ``DataError`` for more than 256 MB."""
        if math.prod(self.shape) * self.dtype.itemsize > MOST_AT_ONCE:
            raise DataError(
                f"{self.where} is too large to be read at once. Write it anew with numpy.ascontiguousarray(array)."
            )
        with _opened(self) as file:
            _header(file, self.where)
            flat = np.frombuffer(_exactly(file, math.prod(self.shape), self), self.dtype)
            return flat.reshape(self.shape, order="F" if self.by_columns else "C")

    def pieces(self, rows: int) -> Iterator[npt.NDArray[Any]]:
        """Its rows, so many at a time."""
        if self.by_columns:
            whole = self.whole()
            yield from (whole[start : start + rows] for start in range(0, self.rows, rows))
            return
        with _opened(self) as file:
            _header(file, self.where)
            for start in range(0, self.rows, rows):
                number = min(rows, self.rows - start)
                flat = np.frombuffer(_exactly(file, number * self.per_row, self), self.dtype)
                yield flat.reshape(number, *self.shape[1:])


def arrays_in(path: Path) -> list[Array]:
    """The arrays of a ``.npy`` or ``.npz`` file, of which only the headers are read.

    Raises ``DataError`` for a damaged or harmful file, and for arrays of objects, which only pickle could read.
    """
    with reading(str(path)), open_file(path) as file:
        if file.read(len(MAGIC)) == MAGIC:
            file.seek(0)
            return [_array(path.stem, str(path), path, None, file)]
    with open_zip(path) as archive, reading(str(path)):
        found = []
        for entry in archive.infolist():
            if not entry.filename.endswith(".npy"):
                continue
            with archive.open(entry) as member:
                name = PurePosixPath(entry.filename).stem
                found.append(_array(name, f"{path} ({entry.filename})", path, entry.filename, member))
        return found


def is_npz(names: list[str]) -> bool:
    """Whether the names of a zip's files are those of an ``.npz``."""
    return bool(names) and all(name.endswith(".npy") for name in names)


def _array(name: str, where: str, path: Path, member: str | None, file: IO[bytes]) -> Array:
    shape, by_columns, dtype = _header(file, where)
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which only pickle could read, and a pickle is a program. Write it anew as "
            "an array of numbers: numpy.save(file, numpy.stack(list_of_faces))."
        )
    if dtype.kind not in "uifbUS" or any(side < 0 for side in shape) or math.prod(shape) > MOST_ITEMS:
        raise DataError(f"{where} is no array of faces or labels: its type is {str(dtype)[:30]}, its shape {shape}.")
    if member is None and path.stat().st_size < math.prod(shape) * dtype.itemsize:
        raise DataError(f"{where} is cut off: it is shorter than its header says. Write or download it again.")
    return Array(name, where, path, member, dtype, shape, by_columns and len(shape) > 1)


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return read(file)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise DataError(f"{where} is no NumPy array that can be read. Write or download it again.") from error


@contextmanager
def _opened(array: Array) -> Iterator[IO[bytes]]:
    with reading(array.where):
        if array.member is None:
            with open_file(array.path) as file:
                yield file
        else:
            with open_zip(array.path) as archive:
                try:
                    with archive.open(array.member) as member:
                        yield member
                except (NotImplementedError, zipfile.BadZipFile) as error:
                    raise DataError(f"{array.where} cannot be unpacked: {error}. Write it anew.") from error


def _exactly(file: IO[bytes], items: int, array: Array) -> bytes:
    wanted = items * array.dtype.itemsize
    data = file.read(wanted)
    while len(data) < wanted and (more := file.read(wanted - len(data))):
        data += more
    if len(data) < wanted:
        raise DataError(f"{array.where} is cut off: it is shorter than its header says. Write or download it again.")
    return data
