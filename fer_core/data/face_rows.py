"""Some rows of a dataset's mapped faces, gathered batch by batch: memory follows the batch, not the split."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from fer_core.errors import DataError

Images: TypeAlias = "npt.NDArray[np.uint8] | FaceRows"
"""Faces uint8 (n, 48, 48), in memory or gathered where they are asked for."""

BATCH = 1024
"""Faces gathered at once where nothing else says how many: 2.4 MB."""


class FaceRows:
    """``images[rows]`` that is never there as a whole: what is indexed is read from the file, and copied.

    Read, not looked at through the mapping, where the system can do that: pages that were looked at count as this
    process's memory, and where files are cached in large pieces a few faces bring in all of them. Safe to index from
    several threads.
    """

    def __init__(self, images: npt.NDArray[np.uint8], rows: npt.NDArray[np.integer]) -> None:
        """``images`` uint8 (N, 48, 48), mapped from disk or in memory; ``rows`` int (n,), 0..N-1."""
        self._images, self._rows, self._file = images, rows, _file_of(images)

    @property
    def shape(self) -> tuple[int, int, int]:
        return (len(self._rows), *self._images.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, which: slice | npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
        """Faces uint8 (m, 48, 48), an array of their own. Raises ``DataError`` where the file has become shorter."""
        rows = self._rows[which]
        if self._file is None:
            return np.array(self._images[rows], dtype=np.uint8)
        faces = np.empty((len(rows), *self._images.shape[1:]), np.uint8)
        if not len(rows):
            return faces
        start, size = int(self._images.offset), faces[0].nbytes  # type: ignore[attr-defined]
        # Neighbours in the file are read at once.
        ends = np.flatnonzero(np.diff(rows) != 1) + 1
        for first, last in pairwise([0, *ends.tolist(), len(rows)]):
            wanted = memoryview(faces[first:last].data).cast("B")
            if os.preadv(self._file.fileno(), [wanted], start + int(rows[first]) * size) != len(wanted):
                raise DataError(f"{self._file.name} is shorter than it was. Import the data again.")
        return faces


def _file_of(images: npt.NDArray[np.uint8]) -> BinaryIO | None:
    """The file that ``images`` maps as a whole, opened; None for arrays in memory, and where it cannot be read so."""
    whole = isinstance(images, np.memmap) and isinstance(images.base, mmap.mmap) and images.flags.c_contiguous
    if not whole or images.filename is None or not hasattr(os, "preadv"):  # type: ignore[attr-defined]
        return None
    return Path(images.filename).open("rb", buffering=0)  # type: ignore[attr-defined]


def batches(images: Images, size: int = BATCH) -> Iterator[npt.NDArray[np.uint8]]:
    """The faces in order, uint8 (b, 48, 48) with b at most ``size``."""
    for start in range(0, len(images), size):
        yield np.asarray(images[start : start + size])


def in_batches(
    answer: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
    images: Images,
    width: Sequence[int],
    size: int = BATCH,
) -> npt.NDArray[np.float32]:
    """What ``answer`` says of each face, float32 (n, *width): it is asked batch by batch."""
    result = np.empty((len(images), *width), dtype=np.float32)
    start = 0
    for batch in batches(images, size):
        result[start : start + len(batch)] = answer(batch)
        start += len(batch)
    return result
