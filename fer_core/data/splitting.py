"""Splits for faces that come without: drawn with a seed, class by class, near duplicates on one side.

Faces that are the same, or nearly (see :mod:`fer_core.data.audit.near_duplicates`; the one of the other, and so on),
make a family, and a family goes to one split as a whole. Of each class the families are shuffled, and each goes to a
split that still lacks so many faces; what nobody lacks is Training's. So the shares are about what was asked for, and
exact where no two faces are alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.audit.near_duplicates import THRESHOLD, pairs_above
from fer_core.data.face_rows import Images, batches
from fer_core.formatting import percent
from fer_core.progress import ProgressCallback

HELD_OUT: Mapping[str, float] = {emotions.PUBLIC_TEST: 0.1, emotions.PRIVATE_TEST: 0.1}
"""Shares of each class that are not for training; those of FER-2013."""
CARVED: Mapping[str, float] = {emotions.PUBLIC_TEST: 1 / 9}
"""What is drawn out of the training faces where there is a test and no validation: FER-2013's own ratio."""
MOST_COMPARED = 50_000
"""Faces of which every pair is compared, which takes about a minute; of more only the exact duplicates are found."""


class DrawnSplits(NamedTuple):
    """``splits``: one for each face. ``note``: a sentence on how they came about, for whoever reads the dataset."""

    splits: list[str]
    note: str


def draw_splits(
    images: Images,
    labels: npt.NDArray[np.integer],
    *,
    seed: int,
    held_out: Mapping[str, float] = HELD_OUT,
    progress: ProgressCallback | None = None,
) -> DrawnSplits:
    """Draw a split for every face: ``images`` uint8 (N, 48, 48), ``labels`` 0..6 (N,).

    ``held_out``: the share of each class for each split but Training. The same faces in the same order with the same
    seed are drawn the same. A class with two faces or more gives at least one away, with three one to each of two.
    """
    near = len(images) <= MOST_COMPARED
    family = families(images, near=near, progress=progress)
    splits = np.full(len(labels), emotions.TRAINING, dtype="<U11")
    rng = np.random.default_rng(seed)
    have = dict.fromkeys(held_out, 0)
    for label, members in _by_class(family, labels).items():
        size = sum(map(len, members))
        need = _needs(size, held_out, have)
        order = [members[i] for i in rng.permutation(len(members))]
        left = size
        for split, number in sorted(need.items(), key=lambda one: have[one[0]]):
            order, taken = _take(order, number)
            for rows in taken:
                splits[rows] = split
                have[split] += len(rows)
                left -= len(rows)
        assert left or not size, f"Training keeps faces of class {label}"
    alike = f"Alike faces (NCC above {THRESHOLD:g}, mirrored too)" if near else "The very same faces"
    shares = ", ".join(f"{percent(share, digits=0)} {split}" for split, share in held_out.items())
    why = f"no {' or '.join(held_out)}"
    note = (
        f"The splits of {len(labels):,} faces were drawn with seed {seed}, because the source names {why}: of each "
        f"class about {shares}, the rest Training. {alike} are in one split."
    )
    return DrawnSplits(splits.tolist(), note)


def expected_counts(counts: Sequence[int], held_out: Mapping[str, float] = HELD_OUT) -> dict[str, tuple[int, ...]]:
    """About what :func:`draw_splits` makes of seven class counts: exact where no two faces are alike."""
    found = {split: [0] * len(counts) for split in (emotions.TRAINING, *held_out)}
    for label, size in enumerate(counts):
        for split, number in _needs(size, held_out, {split: sum(found[split]) for split in held_out}).items():
            found[split][label] = number
        found[emotions.TRAINING][label] = size - sum(found[split][label] for split in held_out)
    return {split: tuple(numbers) for split, numbers in found.items()}


def families(images: Images, *, near: bool = True, progress: ProgressCallback | None = None) -> npt.NDArray[np.int64]:
    """The lowest row number of each face's family (N,): the very same faces and, with ``near``, near duplicates."""
    family = _same(images)
    if near:
        for a, b, _, _ in pairs_above(images, THRESHOLD, progress):
            family = _joined(family, family[a], family[b])
    return family


def _same(images: Images) -> npt.NDArray[np.int64]:
    first: dict[bytes, int] = {}
    return np.array(
        [
            first.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), row)
            for row, image in enumerate(image for batch in batches(images) for image in batch)
        ],
        np.int64,
    )


def _joined(
    family: npt.NDArray[np.int64], one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """All families with those joined that ``one`` and ``other`` name, pair by pair."""
    apart = one != other
    if not apart.any():
        return family
    pairs = np.unique(np.stack([one[apart], other[apart]], axis=1), axis=0)
    head = {int(number): int(number) for number in np.unique(pairs)}

    def root(number: int) -> int:
        while head[number] != number:
            head[number] = head[head[number]]
            number = head[number]
        return number

    for a, b in pairs.tolist():
        low, high = sorted((root(a), root(b)))
        head[high] = low
    lookup = np.arange(len(family))
    for number in head:
        lookup[number] = root(number)
    return lookup[family]


def _by_class(family: npt.NDArray[np.int64], labels: npt.NDArray[np.integer]) -> dict[int, list[npt.NDArray[np.int64]]]:
    """The rows of each family, by class, in order; a family with several labels counts as the one most have."""
    order = np.argsort(family, kind="stable")
    bounds = np.flatnonzero(np.diff(family[order])) + 1
    classes: dict[int, list[npt.NDArray[np.int64]]] = {label: [] for label in range(emotions.COUNT)}
    if not len(family):
        return classes
    for rows in np.split(order, bounds):
        label = int(np.bincount(labels[rows].astype(np.int64), minlength=emotions.COUNT).argmax())
        classes[label].append(rows)
    return classes


def _needs(size: int, held_out: Mapping[str, float], have: Mapping[str, int]) -> dict[str, int]:
    """Faces of a class of ``size`` that each split wants; where there are too few for all, those that have least."""
    need = {split: max(round(size * share), 1) for split, share in held_out.items()}
    while need and sum(need.values()) >= size:
        del need[max(need, key=lambda split: have[split])]
    return need


def _take(
    order: list[npt.NDArray[np.int64]], number: int
) -> tuple[list[npt.NDArray[np.int64]], list[npt.NDArray[np.int64]]]:
    """Of the families in ``order`` those that remain, and those taken: ``number`` faces, or fewer; one if any.

    The last is never taken, so that Training keeps one.
    """
    if len(order) < 2:
        return order, []
    remaining: list[npt.NDArray[np.int64]] = []
    taken: list[npt.NDArray[np.int64]] = []
    missing = number
    for place, rows in enumerate(order):
        if len(rows) <= missing and (len(remaining) or place < len(order) - 1):
            taken.append(rows)
            missing -= len(rows)
        else:
            remaining.append(rows)
    if not taken:
        smallest = min(range(len(order)), key=lambda place: len(order[place]))
        taken.append(remaining.pop(smallest))
    return remaining, taken
