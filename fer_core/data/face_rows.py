"""Some rows of a dataset's mapped faces, gathered batch by batch: memory follows the batch, not the split."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Images: TypeAlias = "npt.NDArray[np.uint8] | FaceRows"
"""Faces uint8 (n, 48, 48), in memory or gathered where they are asked for."""

BATCH = 1024
"""Faces gathered at once where nothing else says how many: 2.4 MB."""
_GIVEN_BACK_AFTER = 1024
"""Faces. Each may have mapped 64 kB around it, since the system maps pages in groups: 64 MB at most."""


class FaceRows:
    """``images[rows]`` that is never there as a whole: what is indexed is read from the file, and copied.

    Pages of the file that were read are given back from time to time, so that the process does not come to hold the
    whole of it; the system keeps them cached as long as there is room. Safe to index from several threads.
    """

    def __init__(self, images: npt.NDArray[np.uint8], rows: npt.NDArray[np.integer]) -> None:
        """``images`` uint8 (N, 48, 48), mapped from disk or in memory; ``rows`` int (n,), 0..N-1."""
        self._images, self._rows, self._gathered = images, rows, 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return (len(self._rows), *self._images.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, which: slice | npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
        """Faces uint8 (m, 48, 48), an array of their own."""
        faces = np.asarray(self._images[self._rows[which]])
        self._gathered += len(faces)
        if self._gathered >= _GIVEN_BACK_AFTER:
            self._gathered = 0
            give_back(self._images)
        return faces


def give_back(images: npt.NDArray[np.uint8]) -> None:
    """Let go of the pages of a mapped file that this process holds. They are read again where they are needed.

    Does nothing for arrays in memory, and where the system knows no such thing.
    """
    mapped = getattr(images, "_mmap", None)
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


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
