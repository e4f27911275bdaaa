"""Rows of numbers that are too many for memory, in an unnamed file that goes with the process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class SpooledRows:
    """float32 rows of one width: written block by block, then read by slices. A context manager.

    Read and written with plain calls instead of a mapping, whose pages would count as the process's memory.
    """

    def __init__(self, directory: Path) -> None:
        """``directory``: on whose disk the file lies. The first rows say how wide all are."""
        self._width, self._count = 0, 0
        self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - closed by __exit__

    @property
    def shape(self) -> tuple[int, int]:
        return self._count, self._width

    def __len__(self) -> int:
        return self._count

    def append(self, block: Floats) -> None:
        """Add rows, float32 (b, width). Raises ``ValueError`` for another width, or numbers that are not finite."""
        self._width = self._width or block.shape[-1]
        if block.ndim != 2 or block.shape[1] != self._width:
            raise ValueError(f"rows of {self._width} numbers were expected, not {block.shape}")
        if not np.isfinite(block).all():
            raise ValueError("a number is not finite")
        data = np.ascontiguousarray(block, dtype=np.float32)
        left = memoryview(data.data).cast("B")
        self._file.seek(0, 2)
        while left:
            left = left[self._file.write(left) :]
        self._count += len(data)

    def __getitem__(self, which: slice) -> Floats:
        """The rows of a slice without steps, float32 (m, width), an array of their own."""
        start, stop, _ = which.indices(self._count)
        self._file.seek(start * self._width * 4)
        found = np.fromfile(self._file, np.float32, max(0, stop - start) * self._width)
        return found.reshape(-1, self._width)

    def __enter__(self) -> SpooledRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
