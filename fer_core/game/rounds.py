"""Which ten faces a round has: clear ones, disputed ones, wrong labels, and some that hardly a model gets right.

A round follows from its number and from what the models say, and from nothing else (the votes of a crowd are not
everywhere): whoever opens the same link on the same data plays the same faces. No random generator is asked,
so no version of a library changes a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT

SIZE = 10
"""Faces in a round."""
FIRST, LAST = 1, 9999
"""Numbers that a round may have."""
SURE = 0.7
"""Mean probability of the models' answers from which a face that all of them get right counts as clear."""
DOUBTFUL, FIRM = 2 / 3, 1 / 3
"""Label doubt from which a label counts as wrong, and up to which as right, as in ``fer_core/review/verdict.py``."""


class Kind(StrEnum):
    """Why a face is in the round."""

    CLEAR = "clear"
    DISPUTED = "disputed"
    WRONG_LABEL = "wrong label"
    ALL_WRONG = "all models wrong"
    ONE_RIGHT = "only one model right"
    ANY = "any"


PLAN: tuple[Kind, ...] = (
    *(Kind.CLEAR, Kind.CLEAR, Kind.CLEAR),
    *(Kind.DISPUTED, Kind.DISPUTED),
    *(Kind.WRONG_LABEL, Kind.WRONG_LABEL),
    *(Kind.ALL_WRONG, Kind.ALL_WRONG),
    Kind.ONE_RIGHT,
)
"""What a round is made of. Of what there is too little, any face stands in."""


@dataclass(frozen=True, eq=False)
class Pool:
    """The faces to choose from.

    Attributes:
        rows: int (n,), row numbers in the dataset, all different.
        labels: int (n,), 0..6.
        answers: int (K, n), 0..6, what each model says; K may be 0.
        sure: float (n,), 0..1, mean probability of those answers; not looked at where K is 0.
        doubt: float (n,), 0..1, how doubtful each label is; None where labels cannot be wrong, as with drawn faces.
    """

    rows: npt.NDArray[np.integer]
    labels: npt.NDArray[np.integer]
    answers: npt.NDArray[np.integer]
    sure: npt.NDArray[np.floating]
    doubt: npt.NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        n = len(self.rows)
        shapes = [self.labels.shape, self.sure.shape, self.answers.shape[1:]]
        shapes += [] if self.doubt is None else [self.doubt.shape]
        if self.answers.ndim != 2 or any(shape != (n,) for shape in shapes):
            raise ValueError(f"{n} rows need as many labels, answers and doubts, not {shapes}")


@dataclass(frozen=True)
class Round:
    """The faces of a round in their order: row numbers, and why each is there. Fewer than ten where there are fewer."""

    number: int
    rows: tuple[int, ...]
    kinds: tuple[Kind, ...]


def choose(number: int, pool: Pool) -> Round:
    """The round with this number, 1..9999. The first face is a clear one where there is any.

    Each class occurs about as often as the others. Raises ``ValueError`` for another number.
    """
    if not FIRST <= number <= LAST:
        raise ValueError(f"rounds have numbers from {FIRST} to {LAST}, not {number}")
    order = np.argsort([_lot(number, int(row)) for row in pool.rows], kind="stable")
    masks = kinds(pool)
    free = np.ones(len(pool.rows), dtype=bool)
    used = np.zeros(COUNT, dtype=np.int64)
    chosen: list[tuple[int, Kind]] = []
    # What there is least of comes first: its classes cannot be chosen freely.
    for kind in sorted(PLAN, key=lambda kind: int(masks[kind].sum())):
        fitting = order[(masks[kind] & free)[order]]
        if not len(fitting):
            kind, fitting = Kind.ANY, order[free[order]]
        if not len(fitting):
            break
        at = int(fitting[np.argmin(used[pool.labels[fitting]])])
        free[at] = False
        used[pool.labels[at]] += 1
        chosen.append((at, kind))
    chosen.sort(key=lambda one: _lot(number, -1 - int(pool.rows[one[0]])))
    # The easy start; the others keep their order.
    clear = next((one for one in chosen if one[1] == Kind.CLEAR), None)
    if clear is not None:
        chosen.remove(clear)
        chosen.insert(0, clear)
    return Round(number, tuple(int(pool.rows[at]) for at, _ in chosen), tuple(kind for _, kind in chosen))


def kinds(pool: Pool) -> dict[Kind, npt.NDArray[np.bool_]]:
    """For each kind which faces are of it, bool (n,). A face is of one kind at most, besides :attr:`Kind.ANY`."""
    n, models = len(pool.rows), len(pool.answers)
    nobody = np.zeros(n, dtype=bool)
    if not models:
        return {kind: ~nobody if kind == Kind.ANY else nobody for kind in Kind}
    right = (pool.answers == pool.labels).sum(axis=0)
    said = np.stack([(pool.answers == label).any(axis=0) for label in range(COUNT)]).sum(axis=0)
    doubt = np.zeros(n) if pool.doubt is None else pool.doubt
    wrong_label, firm = doubt >= DOUBTFUL, doubt <= FIRM
    return {
        Kind.CLEAR: firm & (right == models) & (pool.sure >= SURE),
        Kind.DISPUTED: ~wrong_label & (right > 1) & (right < models) & (said > 2),
        Kind.WRONG_LABEL: wrong_label & (right <= models // 2),
        Kind.ALL_WRONG: firm & (right == 0),
        Kind.ONE_RIGHT: firm & (right == 1) & (models > 1),
        Kind.ANY: ~nobody,
    }


def _lot(number: int, row: int) -> int:
    return int.from_bytes(blake2b(f"{number} {row}".encode(), digest_size=8).digest(), "big")
