"""Which faces the lines of a file of answers are about: by row number, by name, or by their order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.bring.answer_files import AnswerTable
from fer_core.emotions import TEST_SPLITS
from fer_core.errors import ModelError
from fer_core.formatting import plural
from fer_core.runs.reading import shown

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset


def places(
    table: AnswerTable, dataset: Dataset, split: str, path: Path
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.intp], str]]:
    """The faces that the lines may be about: rows of the dataset, each line's position, and in words how.

    Raises ``ModelError`` where they are about other faces, or do not say about which.
    """
    n = len(table)
    lines = np.arange(n)
    if table.names is not None:
        return [(_by_name(table.names, dataset, path), lines, "")]
    found = []
    if table.rows is not None and not split:
        try:
            found.append((_checked_rows(table.rows, dataset, path), lines, "by the numbers that it gives as rows"))
        except ModelError:
            if table.sure:
                raise
        if table.sure:
            return [(found[0][0], lines, "")]
    test = np.flatnonzero(np.isin(dataset.splits, TEST_SPLITS))
    orders = {
        "all faces": np.arange(len(dataset)),
        "the faces of PublicTest and PrivateTest": test,
        **{one: dataset.rows(one) for one in TEST_SPLITS},
    }
    if split:
        orders = {split: dataset.rows(split)}
    counted = table.rows is None or bool(np.isin(table.rows[0], (0, 1)) and (np.diff(table.rows) == 1).all())
    for words, rows in orders.items():
        if len(rows) == n and counted and not any(np.array_equal(rows, one[0]) for one in found):
            found.append((rows.astype(np.int64), lines, f"{words}, in their order"))
    if not found:
        if table.rows is not None:
            _checked_rows(table.rows, dataset, path)
        sizes = "; ".join(f"{words} are {len(rows):,}" for words, rows in orders.items())
        raise ModelError(
            f"{shown(path)} has {plural(n, 'line')} and does not say about which faces: {sizes}. Write as many, in "
            "that order, or give row numbers in a column called row."
        )
    return found


def _checked_rows(rows: npt.NDArray[np.int64], dataset: Dataset, path: Path) -> npt.NDArray[np.int64]:
    outside = rows[(rows < 0) | (rows >= len(dataset))]
    if len(outside):
        raise ModelError(
            f"{shown(path)} names row {outside[0]:,}, and {dataset.info.title} has rows 0 to {len(dataset) - 1:,}. "
            "Are these answers about other data?"
        )
    unique, counts = np.unique(rows, return_counts=True)
    if (counts > 1).any():
        raise ModelError(f"{shown(path)} names row {unique[counts > 1][0]:,} more than once. Give one line a face.")
    return rows


def _by_name(names: Sequence[str], dataset: Dataset, path: Path) -> npt.NDArray[np.int64]:
    stored = [str(name).replace("\\", "/") for name in dataset.faces()["source_name"]]
    if not any(stored):
        raise ModelError(
            f"{shown(path)} names files, and {dataset.info.title} does not know what its own were called. Give row "
            "numbers in a column called row."
        )
    known: dict[str, list[int]] = {}
    ends: dict[str, list[int]] = {}
    for row, name in enumerate(stored):
        known.setdefault(name, []).append(row)
        ends.setdefault(name.rsplit("/", 1)[-1], []).append(row)
    rows: list[int] = []
    unknown: list[str] = []
    unclear: list[str] = []
    for name in (one.replace("\\", "/") for one in names):
        same = known.get(name, [])
        if not same:
            # Of faces that are called alike, the one whose folders are, too.
            alike = ends.get(name.rsplit("/", 1)[-1], [])
            same = [one for one in alike if name.endswith(stored[one]) or stored[one].endswith(name)] or alike
        if not same:
            unknown.append(name)
        elif len(same) > 1:
            unclear.append(name)
        rows.append(same[0] if same else -1)
    if unknown:
        raise ModelError(
            f"{shown(path)} names {plural(len(unknown), 'file')} that {dataset.info.title} does not have, such as "
            f"{shown(unknown[0])[-60:]!r}; its own are called like {shown(stored[0])[-60:]!r}. Use those names, or row "
            "numbers."
        )
    if unclear:
        raise ModelError(
            f"{shown(path)} names {shown(unclear[0])[-60:]!r}, and several faces are called so. Give their folders, "
            "too, or row numbers."
        )
    return _checked_rows(np.array(rows, dtype=np.int64), dataset, path)
