"""The orders of classes tried on the faces that a file of answers may be about, without opening what is sealed.

How many answers are right in an order is an accuracy. So where PrivateTest is sealed, its labels are not asked as long
as others can tell, and never to find out which faces the lines are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.bring.orders import DECLARED, FER, NAMED, Fit, Order, always_the_same, beats_guessing, fit, fits
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST, SPLITS, TEST_SPLITS, TRAINING
from fer_core.errors import ModelError
from fer_core.formatting import percent
from fer_core.runs.ledger import sealed
from fer_core.runs.reading import shown

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

FEWEST_TRIED = 60
"""Faces outside PrivateTest on which the order is tried; where fewer are answered, on all that are."""


@dataclass(frozen=True, eq=False)
class ToTry:
    """Answers float64 (n, K) of n lines; the order that their file declares, and what the owner says of it."""

    values: npt.NDArray[np.float64]
    declared: Order | None
    said: Order | str | None


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to read which faces the lines are about.

    Attributes:
        rows: int64 (n,), the face of each of ``lines``, int (n,).
        words: how it is read; empty where the file leaves no doubt.
        on: bool (n,), the faces to try the orders on.
        splits: the splits of these, in FER-2013's order.
        answers_for: the test splits that any line is about.
    """

    rows: npt.NDArray[np.int64]
    lines: npt.NDArray[np.intp]
    words: str
    on: npt.NDArray[np.bool_]
    splits: tuple[str, ...]
    answers_for: tuple[str, ...]

    @classmethod
    def of(
        cls, rows: npt.NDArray[np.int64], lines: npt.NDArray[np.intp], words: str, dataset: Dataset
    ) -> Reading | None:
        """None where only Training faces have answers."""
        splits = dataset.splits[rows]
        test = np.isin(splits, TEST_SPLITS)
        if not test.any():
            return None
        # PrivateTest is only scored, where there is anything else to choose by.
        public = splits == PUBLIC_TEST
        known = public | (splits == TRAINING)
        on = test
        if public.sum() >= FEWEST_TRIED:
            on = public
        elif sealed(dataset) and known.sum() >= FEWEST_TRIED:
            on = known
        return cls(
            rows,
            lines,
            words,
            on,
            tuple(one for one in SPLITS if (splits[on] == one).any()),
            tuple(one for one in TEST_SPLITS if (splits == one).any()),
        )

    @property
    def needs_private_test(self) -> bool:
        return PRIVATE_TEST in self.splits


@dataclass(frozen=True, eq=False)
class Tried:
    """How the orders do on one reading.

    Attributes:
        rows: int64 (n,), the test faces that have answers, ``probabilities`` float64 (n, K) in the file's order.
        every: those of Training, too.
        split: of the faces that it was tried on, in words.
        most_frequent: accuracy of always answering their most frequent class.
        fits: the best first; ``assumed`` is the one that is taken where nobody says otherwise.
        words: how it is read; empty where the file leaves no doubt.
        notes: a sentence on that.
    """

    rows: npt.NDArray[np.int64]
    every: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    split: str
    most_frequent: float
    fits: tuple[Fit, ...]
    assumed: Fit
    words: str
    notes: tuple[str, ...] = ()


def only(readings: Sequence[Reading], what: ToTry, dataset: Dataset, path: Path, *, closed: bool) -> Tried:
    """The reading that the labels speak for. ``closed``: whether those of PrivateTest may not be asked.

    Raises ``ModelError`` where they do not say.
    """
    opened = [one for one in readings if not (closed and one.needs_private_test)]
    ranked = sorted((_tried(one, what, dataset) for one in opened), key=lambda one: -one.fits[0].accuracy)
    if len(opened) < len(readings):
        # What the others would make of PrivateTest's labels is not looked at: these have to convince by themselves.
        ranked = [one for one in ranked if _convinces(one)]
        if not ranked:
            one_way, other_way = readings[0].words, readings[1].words
            raise ModelError(
                f"{shown(path)} does not say about which faces its lines are: {one_way}, or {other_way}? The labels of "
                "PublicTest do not speak for it, and those of PrivateTest are not looked at to find out. Say it with "
                "--split PublicTest or PrivateTest, or give row numbers in a column row."
            )
    first = ranked[0]
    if not first.words:
        return first
    if len(ranked) > 1 and ranked[1].fits[0].high >= first.fits[0].low:
        raise ModelError(
            f"{shown(path)} does not say about which faces its lines are: {first.words}, or {ranked[1].words}? The "
            "labels do not tell. Say it with --split PublicTest or PrivateTest, or give row numbers in a column row."
        )
    others = f"; as {ranked[1].words}, {percent(ranked[1].fits[0].accuracy)}" if len(ranked) > 1 else ""
    note = f"Its lines are taken for {first.words}: so {percent(first.fits[0].accuracy)} are right at best{others}."
    return replace(first, notes=(note,))


def _convinces(tried: Tried) -> bool:
    best = tried.fits[0]
    return beats_guessing(int(best.right.sum()), best.n, tried.most_frequent)


def _tried(reading: Reading, what: ToTry, dataset: Dataset) -> Tried:
    rows, values, declared, said = reading.rows, what.values[reading.lines], what.declared, what.said
    test = np.isin(dataset.splits[rows], TEST_SPLITS)
    tried, labels = values[reading.on], dataset.labels[rows[reading.on]]
    listed = said if isinstance(said, Order) else declared
    found = fits(tried, labels, listed)
    if isinstance(said, Order):
        assumed = next(one for one in found if one.order.name == DECLARED)
    else:
        name = said if isinstance(said, str) else DECLARED if declared is not None else FER
        assumed = next((one for one in found if one.order.name == name), None) or _none(name, values.shape[1])
    if declared is not None and isinstance(said, Order) and declared.classes != said.classes:
        found.append(replace(fit(tried, labels, declared), order=replace(declared, name="columns")))
        found.sort(key=lambda one: -one.accuracy)
    return Tried(
        rows[test],
        rows,
        values[test],
        " and ".join(reading.splits),
        always_the_same(labels),
        tuple(found),
        assumed,
        reading.words,
    )


def _none(name: str, count: int) -> Fit:
    raise ModelError(f"the order {name} has no {count} classes. Known: {', '.join(NAMED)}.")
