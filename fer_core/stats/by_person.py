"""How sure figures are where several faces are of one person: whole persons are drawn anew, not faces.

Faces of one person resemble each other, so that a hundred of five people say less than a hundred of a hundred. The
cluster bootstrap: Davison and Hinkley, 1997, section 3.8, https://doi.org/10.1017/CBO9780511802843.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
from typing_extensions import TypedDict

from fer_core.emotions import COUNT, NAMES
from fer_core.stats.intervals import RESAMPLES, SEED, ClassBounds, wilson_interval
from fer_core.value_types import Count, Name, Share

SCHEMA = 1
FEWEST = 5
"""Persons below which there is no interval: so few cannot tell how much persons differ."""
FEW = 20
"""Persons below which the interval is rather too narrow."""

Ends = tuple[float, float]


class ClassEnds(ClassBounds):
    """One class with its intervals over persons."""

    emotion: Name


class ByPerson(TypedDict):
    """``by_person`` of SCORES. ``enough``: whether there are persons enough for intervals; else they are None."""

    schema: int
    persons: Count
    enough: bool
    macro_f1_low: Share | None
    macro_f1_high: Share | None
    per_class: list[ClassEnds]


def by_person(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    persons: npt.ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[Ends, ByPerson]:
    """The accuracy's 95 % interval over persons, and those of macro F1 and of each class.

    ``labels``, ``predicted``: int (n,), 0..6; ``persons``: int (n,), equal for faces of one person. With fewer than
    :data:`FEWEST` persons the accuracy's interval is 0..1: nothing is known. Where all answers are right, or none, it
    is Wilson's over persons. A class that fewer than :data:`FEWEST` persons show has none. Raises ``ValueError`` for
    arrays of other shapes.
    """
    true, said, whose = (np.asarray(values, dtype=np.int64) for values in (labels, predicted, persons))
    if not len(true) or not true.shape == said.shape == whose.shape == (len(true),):
        raise ValueError(f"labels {true.shape}, answers {said.shape} and persons {whose.shape} must be of equal length")
    _, group = np.unique(whose, return_inverse=True)
    count = int(group.max()) + 1
    none: list[Ends | None] = [None] * COUNT
    if count < FEWEST:
        return (0.0, 1.0), _told(count, None, none, none, none)
    each = np.zeros((count, COUNT, COUNT), dtype=np.int64)
    np.add.at(each, (group, true, said), 1)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    tables = np.tensordot(drawn, each, axes=1).astype(np.float64)
    right, faces, answered = np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=2), tables.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, precision = right / faces, right / answered
        f1 = np.where(faces > 0, 2 * right / (faces + answered), np.nan)
    accuracy = right.sum(axis=1) / faces.sum(axis=1)
    good = int(np.sum(true == said))
    ends = _ends(accuracy)
    if good in (0, len(true)):
        low, high = wilson_interval(count if good else 0, count)
        ends = float(low), float(high)
    assert ends is not None
    with_faces, with_answers = (each.sum(axis=2) > 0).sum(axis=0), (each.sum(axis=1) > 0).sum(axis=0)
    columns = [
        [_class_ends(values[:, label], int(there[label])) for label in range(COUNT)]
        for values, there in ((precision, with_answers), (recall, with_faces), (f1, with_faces))
    ]
    # The mean over the same classes each time: a draw that lacks one says nothing of it.
    return ends, _told(count, _ends(f1[:, with_faces > 0].mean(axis=1)), *columns)


def mean_interval(
    values: npt.ArrayLike, persons: npt.ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Ends | None:
    """The 95 % interval of a mean over persons. ``values``: float (n,); None with fewer than :data:`FEWEST` persons."""
    _, group = np.unique(np.asarray(persons), return_inverse=True)
    count = int(group.max()) + 1
    if count < FEWEST:
        return None
    sums, faces = np.bincount(group, np.asarray(values, dtype=np.float64)), np.bincount(group)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    return _ends((drawn @ sums) / (drawn @ faces))


def _class_ends(values: npt.NDArray[np.float64], persons: int) -> Ends | None:
    """A class's interval; ``persons``: how many have anything to do with it. None with fewer than :data:`FEWEST`.

    Where every draw gives 0, or 1, that is no certainty: then it is Wilson's over those persons.
    """
    found = _ends(values) if persons >= FEWEST else None
    if found is not None and found in ((0.0, 0.0), (1.0, 1.0)):
        low, high = wilson_interval(persons * found[0], persons)
        return float(low), float(high)
    return found


def _ends(values: npt.NDArray[np.float64]) -> Ends | None:
    """The middle 95 % of what the draws gave; None where fewer than half of them gave anything."""
    there = values[~np.isnan(values)]
    if len(there) * 2 < len(values):
        return None
    low, high = np.quantile(there, [0.025, 0.975])
    return float(low), float(high)


def _told(
    persons: int,
    macro: Ends | None,
    precision: list[Ends | None],
    recall: list[Ends | None],
    f1: list[Ends | None],
) -> ByPerson:
    def of(label: int) -> ClassEnds:
        ends = {"emotion": NAMES[label]}
        for name, found in (("precision", precision[label]), ("recall", recall[label]), ("f1", f1[label])):
            ends |= {f"{name}_low": found and found[0], f"{name}_high": found and found[1]}  # type: ignore[dict-item]
        return cast(ClassEnds, ends)

    return {
        "schema": SCHEMA,
        "persons": persons,
        "enough": persons >= FEWEST,
        "macro_f1_low": macro[0] if macro else None,
        "macro_f1_high": macro[1] if macro else None,
        "per_class": [of(label) for label in range(COUNT)],
    }
