"""What an audit finds: arrays by row number, and the counts that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.audit.near_duplicates import THRESHOLD, Neighbours

DOMINANT = 0.5
"""Share of pixels with one and the same grey level from which an image counts as nearly constant. In FER-2013 these are
warning signs, "this image was removed" notices and a few line drawings; dark or pale photographs stay well below."""

MOST_NEAR_DUPLICATES = 10
"""Near twins kept with their row numbers, per face. How many there are is counted in full."""


class ExactSummary(TypedDict):
    """Faces that are equal pixel for pixel, in groups. ``redundant``: how many could go."""

    groups: int
    rows: int
    redundant: int
    groups_across_splits: int


class NearSummary(TypedDict):
    """Pairs that are nearly equal, and how many faces are in one."""

    pairs: int
    rows: int


class SplitDuplicates(TypedDict):
    """Faces of one split that have a duplicate in Training; ``near`` does not count exact ones."""

    faces: int
    exact: int
    near: int
    exact_or_near: int
    mirrored: int


class ConflictSummary(TypedDict):
    """Groups of equal faces with different labels; ``members``: their row numbers."""

    groups: int
    rows: int
    members: list[list[int]]


class AuditSummary(TypedDict):
    """An audit in numbers; ``constant`` and ``nearly_constant`` are row numbers."""

    faces: int
    threshold: float
    exact: ExactSummary
    near: NearSummary
    twins_in_training: dict[str, SplitDuplicates]
    conflicts: ConflictSummary
    constant: list[int]
    nearly_constant: list[int]


@dataclass(frozen=True, eq=False)
class NearDuplicates:
    """Which faces outside Training have a twin in Training: bool (N,) each, by row number.

    ``exact``: all pixels equal those of a Training face. ``exact_or_near``: exact, or an NCC above ``threshold`` with a
    Training face, as it is or mirrored.
    """

    exact: npt.NDArray[np.bool_]
    exact_or_near: npt.NDArray[np.bool_]
    threshold: float = THRESHOLD


@dataclass(frozen=True)
class NearDuplicate:
    """Another face: its row number, the NCC with it (0..1), and whether that is the NCC with one of them mirrored."""

    row: int
    ncc: float
    mirrored: bool


@dataclass(frozen=True, eq=False)
class Audit:
    """All findings of one dataset, by row number (N faces).

    Attributes:
        fingerprint: the dataset's.
        threshold: NCC above which two faces are near twins.
        labels, splits: the dataset's own, int8 (N,) and str (N,).
        group: int32 (N,), the lowest row number with exactly the same pixels; a face without duplicates names itself.
        constant: bool (N,), all pixels have one grey level.
        nearly_constant: bool (N,), at least half of the pixels have one grey level, and not all.
        near_count: int32 (N,), near twins of each face. Exact duplicates are not counted here.
        nearest: the nearest ten of them at most, see :meth:`near`.
        training_row: int32 (N,), the nearest *other* face in Training: an exact duplicate, else the near twin with
            the highest NCC; -1 where there is neither.
        training_ncc: float32 (N,), the NCC with it, 1 for an exact duplicate, NaN where there is none.
        training_mirrored: bool (N,), whether that is the NCC with one of the two mirrored.
        cached: the result was read from the dataset folder, not computed.
        note: why the result could not be kept in the dataset folder; empty when it was.
    """

    fingerprint: str
    threshold: float
    labels: npt.NDArray[np.int8]
    splits: npt.NDArray[np.str_]
    group: npt.NDArray[np.int32]
    constant: npt.NDArray[np.bool_]
    nearly_constant: npt.NDArray[np.bool_]
    near_count: npt.NDArray[np.int32]
    nearest: Neighbours
    training_row: npt.NDArray[np.int32]
    training_ncc: npt.NDArray[np.float32]
    training_mirrored: npt.NDArray[np.bool_]
    cached: bool = False
    note: str = ""

    def __len__(self) -> int:
        return len(self.group)

    def near_duplicates(self, row: int) -> list[NearDuplicate]:
        """The nearest near twins of a face, nearest first, ten at most; ``near_count[row]`` says how many there are."""
        part = slice(int(self.nearest.start[row]), int(self.nearest.start[row + 1]))
        columns = (self.nearest.row[part], self.nearest.ncc[part], self.nearest.mirrored[part])
        return [
            NearDuplicate(int(other), float(ncc), bool(mirrored)) for other, ncc, mirrored in zip(*columns, strict=True)
        ]

    def exact(self, row: int) -> npt.NDArray[np.intp]:
        """Row numbers of the other faces with exactly the same pixels, ascending."""
        same = np.flatnonzero(self.group == self.group[row])
        return same[same != row]

    def groups(self) -> list[npt.NDArray[np.intp]]:
        """Every group of exact duplicates as its row numbers, ascending, in order of the first of them."""
        order = np.argsort(self.group, kind="stable")
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(self.group[order])) + 1, [len(order)]])
        # Nearly all faces are alone: no array is made of each.
        several = np.flatnonzero(np.diff(bounds) > 1)
        return [order[bounds[at] : bounds[at + 1]] for at in several]

    def training_duplicates(self) -> NearDuplicates:
        """The faces outside Training that have a twin in Training."""
        in_training = self.splits == emotions.TRAINING
        exact = np.isin(self.group, self.group[in_training]) & ~in_training
        return NearDuplicates(exact, exact | ((self.training_row >= 0) & ~in_training), self.threshold)

    def summary(self) -> AuditSummary:
        """The counts, as JSON-able values. In ``twins_in_training``, by split, ``near`` does not count exact ones."""
        groups = self.groups()
        conflicts = [rows for rows in groups if len(np.unique(self.labels[rows])) > 1]
        duplicates = self.training_duplicates()
        by_split: dict[str, SplitDuplicates] = {}
        for split in emotions.SPLITS[1:]:
            here = self.splits == split
            exact, either = int(duplicates.exact[here].sum()), int(duplicates.exact_or_near[here].sum())
            by_split[split] = {
                "faces": int(here.sum()),
                "exact": exact,
                "near": either - exact,
                "exact_or_near": either,
                "mirrored": int((here & duplicates.exact_or_near & self.training_mirrored).sum()),
            }
        rows = sum(map(len, groups))
        return {
            "faces": len(self),
            "threshold": self.threshold,
            "exact": {
                "groups": len(groups),
                "rows": rows,
                "redundant": rows - len(groups),
                "groups_across_splits": sum(len(np.unique(self.splits[part])) > 1 for part in groups),
            },
            "near": {"pairs": int(self.near_count.sum(dtype=np.int64)) // 2, "rows": int((self.near_count > 0).sum())},
            "twins_in_training": by_split,
            "conflicts": {
                "groups": len(conflicts),
                "rows": sum(map(len, conflicts)),
                "members": [part.tolist() for part in conflicts],
            },
            "constant": np.flatnonzero(self.constant).tolist(),
            "nearly_constant": np.flatnonzero(self.nearly_constant).tolist(),
        }
