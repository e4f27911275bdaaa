"""Which faces of a dataset to show: filters, free row numbers, neighbours."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.dataset import Dataset

ALL = "all"
_RANGE = re.compile(r"([0-9]{1,12})(?:-([0-9]{1,12}))?")

Rows = npt.NDArray[np.intp]


def parse_rows(text: str, total: int) -> Rows:
    """Row numbers from words such as ``12, 40-60``: int (n,), in the order given, each once.

    Raises ``ValueError`` with a sentence for a person: not a number, an upside-down range, or a row that a
    dataset of ``total`` faces does not have.
    """
    found: dict[int, None] = {}
    tight = re.sub(r"\s*[-–]\s*", "-", text)
    for part in re.split(r"[,;\s]+", tight.strip(" ,;")):
        if not part:
            continue
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"“{part[:40]}” is not a row number. Write numbers and ranges, such as 12, 40-60.")
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise ValueError(f"The range “{part}” runs backwards. Write the smaller number first.")
        if last >= total:
            raise ValueError(f"There is no row {last:,}. The rows run from 0 to {total - 1:,}.")
        found.update(dict.fromkeys(range(first, last + 1)))
    return np.fromiter(found, dtype=np.intp, count=len(found))


def select_rows(dataset: Dataset, split: str = ALL, emotion: str = ALL, rows: Rows | None = None) -> Rows:
    """The rows of a split and a class (``all``: any), ascending; or those of ``rows``, in their own order."""
    wanted = np.ones(len(dataset), dtype=bool)
    if split != ALL:
        wanted &= dataset.splits == split
    if emotion != ALL:
        wanted &= dataset.labels == emotions.index_of(emotion)
    return np.flatnonzero(wanted) if rows is None or not len(rows) else rows[wanted[rows]]


def previous_and_next(rows: Rows, face: int) -> tuple[int | None, int | None]:
    """The faces before and after ``face`` among ``rows``; where it is not among them, the nearest by number."""
    here = np.flatnonzero(rows == face)
    if len(here):
        at = int(here[0])
        return (
            int(rows[at - 1]) if at > 0 else None,
            int(rows[at + 1]) if at + 1 < len(rows) else None,
        )
    before, after = rows[rows < face], rows[rows > face]
    return (int(before.max()) if len(before) else None, int(after.min()) if len(after) else None)
