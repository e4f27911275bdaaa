"""Exact duplicates: faces with the very same pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset


def exact_groups(dataset: Dataset) -> npt.NDArray[np.int32]:
    """The lowest row number with the same pixels, int32 (n,), by the SHA-1 that ``faces.parquet`` holds for each face.

    Of a face that is like no other that is its own. Raises ``DataError`` where the file cannot be read.
    """
    # Arrow numbers them without making a Python object of each.
    coded = dataset.column("sha1").dictionary_encode()
    code = coded.indices.to_numpy()
    first = np.full(len(coded.dictionary), len(code), np.int32)
    np.minimum.at(first, code, np.arange(len(code), dtype=np.int32))
    return first[code]


def same_in_training(group: npt.NDArray[np.int32], in_training: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """The lowest row number of another Training face with the same pixels, int32 (n,); -1 where there is none.

    ``group``: int32 (n,), as from :func:`exact_groups`. ``in_training``: bool (n,).
    """
    n = len(group)
    first, second = np.full(n, n, np.int32), np.full(n, n, np.int32)
    rows = np.flatnonzero(in_training).astype(np.int32)
    np.minimum.at(first, group[rows], rows)
    later = rows[first[group[rows]] != rows]
    np.minimum.at(second, group[later], later)
    found = np.where(first[group] == np.arange(n), second[group], first[group])
    return np.where(found == n, -1, found).astype(np.int32)
