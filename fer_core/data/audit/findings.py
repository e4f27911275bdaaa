"""An audit as a list of findings, each with the groups, pairs or faces that it counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fer_core.data.audit.result import Audit, NearDuplicate
from fer_core.emotions import TEST_SPLITS, TRAINING
from fer_core.formatting import percent, plural

Rows = npt.NDArray[np.intp]

GROUPS, PAIRS, FACES = "groups", "pairs", "faces"

EXACT, ACROSS, CONFLICTS = "exact duplicates", "duplicates across splits", "conflicting labels"
REDUNDANT, NEAR_DUPLICATES = "redundant faces", "near duplicates"
EXACT_IN_TRAINING, NEAR_IN_TRAINING, MIRRORED_IN_TRAINING = (
    "exact twins in Training",
    "near twins in Training",
    "mirrored twins",
)
CONSTANT, NEARLY_CONSTANT = "constant images", "nearly constant images"


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that is wrong with the data.

    Attributes:
        name: one of the constants of this module, constant over time, so that addresses can hold it.
        kind: what is counted: ``groups`` of equal faces, ``pairs`` of similar ones, or single ``faces``.
        total: how many of them there are.
        faces: how many different faces they hold; of twins, the test faces alone.
        of: the faces that ``faces`` is a share of: all, or those of the test splits.
        units: the row numbers of each, intp (k,): k is 2 or more for a group, 2 for a pair, 1 for a face. The pair of a
            test face and its twin starts with the test face. Fewer than ``total`` only for near duplicates, of which
            an audit keeps the nearest ten a face.
    """

    name: str
    kind: str
    total: int
    faces: int
    of: int
    units: tuple[Rows, ...]

    @property
    def share(self) -> float:
        """``faces`` as a share of ``of``, 0..1; 0 where there are none."""
        return self.faces / self.of if self.of else 0.0


def findings(audit: Audit) -> dict[str, Finding]:
    """Every finding by its name, in the order in which people read them; one that found nothing is there, with 0."""
    n = len(audit)
    # Faces first: what many blank images look like is soon seen.
    groups = sorted(audit.groups(), key=lambda rows: bool(audit.constant[rows[0]]))
    duplicates = audit.training_duplicates()
    only_nearly = duplicates.exact_or_near & ~duplicates.exact
    pairs = near_duplicate_pairs(audit)
    found = [
        _groups(EXACT, groups, n),
        _single(REDUNDANT, [row for group in groups for row in group[1:]], n),
        _groups(ACROSS, [rows for rows in groups if len(np.unique(audit.splits[rows])) > 1], n),
        _groups(CONFLICTS, [rows for rows in groups if len(np.unique(audit.labels[rows])) > 1], n),
        Finding(
            NEAR_DUPLICATES,
            PAIRS,
            int(audit.near_count.sum(dtype=np.int64)) // 2,
            int((audit.near_count > 0).sum()),
            n,
            tuple(pairs),
        ),
        _in_training(EXACT_IN_TRAINING, audit, duplicates.exact),
        _in_training(NEAR_IN_TRAINING, audit, only_nearly),
        _in_training(MIRRORED_IN_TRAINING, audit, only_nearly & audit.training_mirrored),
        _single(CONSTANT, np.flatnonzero(audit.constant), n),
        _single(NEARLY_CONSTANT, np.flatnonzero(audit.nearly_constant), n),
    ]
    return {finding.name: finding for finding in found}


def of_split(finding: Finding, audit: Audit, split: str) -> Finding:
    """Only the groups, pairs or faces whose first face is in ``split``; the share is of that split's faces."""
    units = tuple(rows for rows in finding.units if audit.splits[rows[0]] == split)
    here = int((audit.splits == split).sum())
    return replace(finding, total=len(units), faces=len({int(rows[0]) for rows in units}), of=here, units=units)


def near_duplicate_pairs(audit: Audit) -> list[Rows]:
    """The near duplicates that an audit keeps, as pairs of rising row numbers, the most alike first."""
    face = np.repeat(np.arange(len(audit)), np.diff(audit.nearest.start))
    other = audit.nearest.row.astype(np.intp)
    pairs = np.stack([np.minimum(face, other), np.maximum(face, other)], axis=1)
    pairs, first = np.unique(pairs, axis=0, return_index=True)
    # Stable, so that equally alike pairs stay in order of their rows.
    order = np.argsort(-audit.nearest.ncc[first], kind="stable")
    return list(pairs[order])


def relatives(audit: Audit, row: int) -> list[NearDuplicate]:
    """Every other face that an audit knows to be alike: exact duplicates, then near ones, the most alike first."""
    known = {int(other): NearDuplicate(int(other), 1.0, False) for other in audit.exact(row)}
    for duplicate in audit.near_duplicates(row):
        known.setdefault(duplicate.row, duplicate)
    nearest = int(audit.training_row[row])
    if nearest >= 0 and nearest not in known:
        mirrored = bool(audit.training_mirrored[row])
        known[nearest] = NearDuplicate(nearest, float(audit.training_ncc[row]), mirrored)
    return list(known.values())


def face_to_compare(audit: Audit, finding: Finding, unit: Rows, row: int) -> int | None:
    """Which other face to show beside ``row`` of a ``unit``: the one that shows what the finding is about.

    Of conflicting labels one with another label, across splits one of another split, else the first other one of the
    unit; of a single face the face that is most like it, if there is one.
    """
    others = unit[unit != row]
    if not len(others):
        alike = relatives(audit, row)
        return alike[0].row if alike else None
    differs = {CONFLICTS: audit.labels, ACROSS: audit.splits}.get(finding.name)
    if differs is not None:
        others = np.concatenate([others[differs[others] != differs[row]], others])
    return int(others[0])


def headline(audit: Audit) -> str:
    """What matters most, in two or three sentences (Markdown)."""
    found = findings(audit)
    sentences = []
    split = next((split for split in reversed(TEST_SPLITS) if (audit.splits == split).any()), None)
    if split is not None:
        exact, nearly = (of_split(found[name], audit, split) for name in (EXACT_IN_TRAINING, NEAR_IN_TRAINING))
        both = exact.faces + nearly.faces
        if both:
            sentences.append(
                f"**{both:,} of the {exact.of:,} faces of {split} ({percent(both / exact.of)}) also occur in "
                f"{TRAINING}**: {exact.faces:,} pixel for pixel, {nearly.faces:,} nearly so. A model may remember them."
            )
        else:
            sentences.append(f"**No face of {split} also occurs in {TRAINING}**, neither exactly nor nearly.")
    conflicts, plain = found[CONFLICTS], found[CONSTANT].total + found[NEARLY_CONSTANT].total
    contradiction = (
        f"{plural(conflicts.total, 'group')} of equal faces {'carries' if conflicts.total == 1 else 'carry'} "
        "labels that contradict each other"
        if conflicts.total
        else "No equal faces carry different labels"
    )
    blank = f"{plural(plain, 'image')} {'shows' if plain == 1 else 'show'} little or nothing" if plain else ""
    sentences.append(f"{contradiction}{', and ' + blank if blank else ', and no image is blank'}.")
    return " ".join(sentences)


def _groups(name: str, groups: list[Rows], n: int) -> Finding:
    return Finding(name, GROUPS, len(groups), sum(map(len, groups)), n, tuple(groups))


def _single(name: str, rows: npt.ArrayLike, n: int) -> Finding:
    ordered = np.sort(np.asarray(rows, dtype=np.intp))
    return Finding(name, FACES, len(ordered), len(ordered), n, tuple(ordered.reshape(-1, 1)))


def _in_training(name: str, audit: Audit, which: npt.NDArray[np.bool_]) -> Finding:
    rows = np.flatnonzero(which)
    units = np.stack([rows, audit.training_row[rows].astype(np.intp)], axis=1)
    tests = int(np.isin(audit.splits, TEST_SPLITS).sum())
    return Finding(name, PAIRS, len(rows), len(rows), tests, tuple(units))
