"""Near duplicates: faces whose normalised cross-correlation (NCC) is high, as they are or mirrored.

A face is equalised (its 48×48 histogram flattened), shrunk to 24×24 by averaging 2×2 pixels, and made a vector of mean
0 and length 1; the NCC of two faces is the product of their vectors, -1..1. Brightness and contrast do not matter,
and a little noise hardly does. A face that is constant at this size has no NCC and no near twin.

Every pair is looked at, in blocks. The vectors take 2.3 kB a face; those of many faces lie on disk meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.data.face_rows import Images
from fer_core.data.spooled_rows import SpooledRows
from fer_core.progress import Meter, ProgressCallback
from fer_core.settings import settings

THRESHOLD = 0.93
"""NCC above which two faces count as near twins. Of 48 pairs of FER-2013 between 0.93 and 0.94, looked at one by one,
all seem to be the same photograph, cut or compressed differently."""
SIZE = 24
"""Width and height, in pixels, at which faces are compared."""

BLOCK = 1024
"""Faces a block: two products of 1024×1024 float32, 4 MB each, stay in a processor's cache."""

IN_MEMORY = 60_000
"""Faces whose vectors are held in memory: 138 MB. Those of more lie on disk, which costs a twentieth of the time."""

_BUFFERED = 2_000_000
"""Neighbours held, beyond those that stay, before all but the nearest are dropped: about 40 MB."""

Rows = npt.NDArray[np.int32]
_Vectors: TypeAlias = "npt.NDArray[np.float32] | SpooledRows"


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each of N faces its nearest neighbours, nearest first, one list after the other.

    Those of face ``i`` are ``start[i]:start[i + 1]`` of ``row`` (int32), ``ncc`` (float32, up to 1) and ``mirrored``
    (bool: found only, or better, with one of the two mirrored). ``start`` is int64 (N + 1,).
    """

    start: npt.NDArray[np.int64]
    row: Rows
    ncc: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NearDuplicateSearch:
    """``count`` int32 (N,): near twins of each face. ``nearest``: the nearest few of them. ``training``: the nearest
    one that is in Training, where there is one.
    """

    count: npt.NDArray[np.int32]
    nearest: Neighbours
    training: Neighbours


def halves(images: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The even and the odd part of each face's unit vector under mirroring: two float32 (n, 288).

    A face is the sum of a part that mirroring keeps and one whose sign it turns. With products ``e`` of two faces' even
    and ``o`` of their odd parts, their NCC is ``e + o`` and the NCC with one of them mirrored ``e - o``. So both cost
    no more than one of them. Flat faces are all zero. ``images``: uint8 (n, 48, 48).
    """
    small = np.empty((len(images), SIZE, SIZE), np.float32)
    for index, image in enumerate(images):
        small[index] = cv2.resize(cv2.equalizeHist(image), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    small -= small.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt(np.square(small).sum(axis=(1, 2), keepdims=True))
    # Grey levels are whole numbers: a face that is not flat is longer than 1/2, one that is flat but for rounding far
    # shorter.
    flat = length < 0.5
    small /= np.where(flat, 1, length)
    small[flat[:, 0, 0]] = 0
    left, right = small[:, :, : SIZE // 2], small[:, :, : SIZE // 2 - 1 : -1]
    scale = np.float32(np.sqrt(0.5))
    return ((left + right) * scale).reshape(len(images), -1), ((left - right) * scale).reshape(len(images), -1)


def find_near_duplicates(
    images: Images,
    group: Rows,
    training: npt.NDArray[np.bool_],
    threshold: float,
    *,
    keep: int,
    progress: ProgressCallback | None = None,
) -> NearDuplicateSearch:
    """All pairs above ``threshold`` that are not exact duplicates (have not the same ``group``).

    ``images`` uint8 (N, 48, 48); ``group`` int32 (N,); ``training`` bool (N,); ``keep``: neighbours kept a face.
    """
    n = len(images)
    count = np.zeros(n, np.int32)
    nearest, in_training = _Nearest(n, keep), _Nearest(n, 1)
    for a, b, ncc, mirrored in pairs_above(images, threshold, progress):
        new = group[a] != group[b]
        a, b, ncc, mirrored = a[new], b[new], ncc[new], mirrored[new]
        if not len(a):
            continue
        for one, other in ((a, b), (b, a)):
            count += np.bincount(one, minlength=n).astype(np.int32)
            nearest.add(one, other, ncc, mirrored)
            known = training[other]
            in_training.add(one[known], other[known], ncc[known], mirrored[known])
    return NearDuplicateSearch(count, nearest.result(), in_training.result())


def pairs_above(
    images: Images, threshold: float, progress: ProgressCallback | None = None
) -> Iterator[tuple[Rows, Rows, npt.NDArray[np.float32], npt.NDArray[np.bool_]]]:
    """All pairs of faces above ``threshold``, block by block: rows a < b, their NCC, and whether that is the mirrored
    one. ``images``: uint8 (N, 48, 48).
    """
    n = len(images)
    with ExitStack() as stack:
        vectors = _vectors(images, stack)
        meter = Meter(progress, "rows", "Comparing all faces")
        pairs = n * (n + 1) // 2
        buffers = [np.empty(BLOCK * BLOCK, np.float32) for _ in range(3)]
        for i in range(0, n, BLOCK):
            one = _block(vectors, i)
            for j in range(i, n, BLOCK):
                yield _hits(one, one if i == j else _block(vectors, j), i, j, threshold, buffers)
            rest = max(0, n - i - BLOCK)
            # Rows are what people count in, pairs what takes the time.
            meter.update(round(n * (1 - rest * (rest + 1) / 2 / pairs)), n)
        meter.finish(n)


def _vectors(images: Images, stack: ExitStack) -> tuple[_Vectors, _Vectors]:
    """The even and the odd part of every face, float32 (N, 288): in memory, or in files that ``stack`` closes."""
    n, length = len(images), SIZE * SIZE // 2
    if n <= IN_MEMORY:
        even, odd = np.empty((n, length), np.float32), np.empty((n, length), np.float32)
        for i in range(0, n, BLOCK):
            even[i : i + BLOCK], odd[i : i + BLOCK] = halves(np.asarray(images[i : i + BLOCK]))
        return even, odd
    cache = settings().cache_dir
    cache.mkdir(parents=True, exist_ok=True)
    spooled = stack.enter_context(SpooledRows(cache)), stack.enter_context(SpooledRows(cache))
    for i in range(0, n, BLOCK):
        for part, rows in zip(spooled, halves(np.asarray(images[i : i + BLOCK])), strict=True):
            part.append(rows)
    return spooled


def _block(vectors: tuple[_Vectors, _Vectors], start: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    even, odd = vectors
    return even[start : start + BLOCK], odd[start : start + BLOCK]


def _hits(
    one: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    other: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    i: int,
    j: int,
    threshold: float,
    buffers: list[npt.NDArray[np.float32]],
) -> tuple[Rows, Rows, npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """The pairs above the threshold of the blocks that begin at ``i`` and ``j``: rows a < b, their NCC, and whether
    that is the mirrored one.
    """
    height, width = len(one[0]), len(other[0])
    plain, turned, best = (buffer[: height * width].reshape(height, width) for buffer in buffers)
    np.matmul(one[0], other[0].T, out=plain)
    np.matmul(one[1], other[1].T, out=turned)
    np.abs(turned, out=best)
    best += plain
    found = np.flatnonzero(best > threshold)
    a, b = np.divmod(found, width)
    a, b = (a + i).astype(np.int32), (b + j).astype(np.int32)
    ncc, mirrored = np.minimum(best.ravel()[found], np.float32(1)), turned.ravel()[found] < 0
    if i == j:
        upper = a < b
        a, b, ncc, mirrored = a[upper], b[upper], ncc[upper], mirrored[upper]
    return a, b, ncc, mirrored


class _Nearest:
    """Collects neighbours and keeps the nearest ``keep`` of each face; of equally near ones the lowest row numbers."""

    def __init__(self, n: int, keep: int) -> None:
        self._n, self._keep = n, keep
        self._parts: list[tuple[npt.NDArray[Any], ...]] = []
        self._held = 0
        self._limit = n * keep + _BUFFERED
        # Whoever is farther than a face's last kept neighbour need not be looked at again.
        self._reach = np.full(n, -np.inf, np.float32)

    def add(self, face: Rows, other: Rows, ncc: npt.NDArray[np.float32], mirrored: npt.NDArray[np.bool_]) -> None:
        close = ncc >= self._reach[face]
        if not close.any():
            return
        self._parts.append((face[close], other[close], ncc[close], mirrored[close]))
        self._held += len(self._parts[-1][0])
        if self._held > self._limit:
            self._drop()

    def _drop(self) -> None:
        face, other, ncc, mirrored = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        self._parts = []
        order = np.lexsort((other, -ncc, face))
        face, other, ncc, mirrored = face[order], other[order], ncc[order], mirrored[order]
        first = np.searchsorted(face, np.arange(self._n + 1))
        rank = np.arange(len(face)) - first[face]
        last = rank == self._keep - 1
        self._reach[face[last]] = ncc[last]
        stays = rank < self._keep
        self._parts = [(face[stays], other[stays], ncc[stays], mirrored[stays])]
        self._held = int(stays.sum())

    def result(self) -> Neighbours:
        if not self._parts:
            nothing = np.empty(0, np.int32)
            start = np.zeros(self._n + 1, np.int64)
            return Neighbours(start, nothing, nothing.astype(np.float32), nothing.astype(bool))
        self._drop()
        face, other, ncc, mirrored = self._parts[0]
        start = np.searchsorted(face, np.arange(self._n + 1)).astype(np.int64)
        return Neighbours(start, other, ncc, mirrored)
