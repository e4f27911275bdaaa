"""In which order do a stranger's answers name the classes? Orders by name, and how well each does on labelled faces.

Arrays in, plain values out. Everything here is about probabilities (N, K), one column for each of the stranger's
classes, K from 5 to 8, and labels 0..6 of the same faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fer_core.data.class_names import meaning_of
from fer_core.emotions import COUNT, NAMES
from fer_core.errors import ModelError
from fer_core.formatting import plural
from fer_core.stats.intervals import wilson_interval
from fer_core.stats.paired_tests import exact_p

FEWEST, MOST = 5, 8
"""Numbers of classes that are understood."""
OTHER = -1
"""Stands where a column is about none of the seven classes."""
CHANCE = 0.01
"""The exact p of McNemar's test below which one order is better than another by more than chance. Lower than usual,
since the best of many orders is looked at."""
DECLARED, FER, ALPHABETICAL, FERPLUS_ORDER, BEST = "declared", "fer", "alphabetical", "ferplus", "best"


@dataclass(frozen=True)
class Order:
    """What each of K columns is about.

    Attributes:
        name: what to type for it, as ``alphabetical``.
        classes: the name of each column's class, in this program's words where it is one of the seven.
    """

    name: str
    classes: tuple[str, ...]

    @property
    def labels(self) -> tuple[int, ...]:
        """The label 0..6 of each column, :data:`OTHER` where it is none of the seven."""
        return tuple(NAMES.index(name) if name in NAMES else OTHER for name in self.classes)

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of the seven classes that are never answered."""
        return tuple(name for name in NAMES if name not in self.classes)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Classes that are none of the seven: they are left out, and the rest adds up to 1 again."""
        return tuple(name for name in self.classes if name not in NAMES)


# As their makers number them: Goodfellow, 2013; Li, 2017; Mollahosseini, 2017; Barsoum, 2016.
_PUBLISHED = {
    FER: ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"),
    ALPHABETICAL: ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
    "rafdb": ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral", "contempt"),
    "affectnet": ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"),
    FERPLUS_ORDER: ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt"),
}
# Lucey, 2010: contempt and no neutral face. A name of its own, since "alphabetical" said of seven means our seven.
_CK_PLUS = Order("ckplus", ("angry", "contempt", "disgust", "fear", "happy", "sad", "surprise"))
NAMED = (*_PUBLISHED, _CK_PLUS.name, BEST)
"""What may be typed in place of a list of classes."""


@dataclass(frozen=True, eq=False)
class Fit:
    """How well an order does.

    Attributes:
        order: the order.
        accuracy: 0..1, with Wilson's 95 % interval from ``low`` to ``high``.
        n: faces it was tried on.
        right: bool (n,), which of them it gets right.
    """

    order: Order
    accuracy: float
    low: float
    high: float
    n: int
    right: npt.NDArray[np.bool_]

    def beats(self, other: Fit) -> bool:
        """Whether it is better on the same faces by more than chance (see :data:`CHANCE`)."""
        won, lost = int(np.sum(self.right & ~other.right)), int(np.sum(other.right & ~self.right))
        return won > lost and exact_p(won, lost) < CHANCE


def parse_order(text: str, count: int) -> Order | str:
    """What somebody typed for the classes of ``count`` columns: an order, or one of :data:`NAMED` to look up.

    Names stand in the order of the columns, with commas between. Raises ``ModelError`` for a name that nobody knows,
    one that stands twice, or another number of names.
    """
    words = [word.strip().strip("\"'[]").strip() for word in text.replace(";", ",").split(",")]
    if len(words) == 1 and words[0].lower() in NAMED:
        return words[0].lower()
    found = [meaning_of(word) for word in words]
    if doubtful := next((one for one in found if one.doubtful), None):
        near = f" Did you mean {doubtful.suggestion}?" if doubtful.suggestion else ""
        raise ModelError(
            f"no class is called {doubtful.word[:40]!r}.{near} Name the columns in their order, as in "
            f"{','.join(NAMES)} (contempt and other are known, too), or type one of: {', '.join(NAMED)}."
        )
    names = tuple(word.lower() if one.left_out else one.name for word, one in zip(words, found, strict=True))
    if twice := [name for name in NAMES if names.count(name) > 1]:
        raise ModelError(f"{twice[0]} stands twice among the classes. Each column is about another class.")
    if len(names) != count:
        raise ModelError(f"{len(names)} classes are named, and there are {count} answers a face. Name them all.")
    return Order(DECLARED, names)


def check_count(count: int) -> None:
    """Raises ``ModelError`` unless ``count`` classes are a number that is understood."""
    if not FEWEST <= count <= MOST:
        raise ModelError(
            f"it gives {plural(count, 'answer')} a face; models of {FEWEST} to {MOST} classes, the seven of FER-2013 "
            "among them, can be brought."
        )


@lru_cache(maxsize=16)
def published(count: int) -> tuple[Order, ...]:
    """The orders that ``count`` columns may be in: as published, with each choice of classes that are not there.

    Those of one name follow each other. Eight columns have contempt; seven have it only as CK+ orders them.
    """
    check_count(count)
    orders = []
    for name, classes in _PUBLISHED.items():
        full = classes if count == MOST else tuple(one for one in classes if one in NAMES)
        orders += [Order(name, chosen) for chosen in combinations(full, count)]
    if count == len(_CK_PLUS.classes):
        orders.append(_CK_PLUS)
    return tuple(orders)


def rearranged(probabilities: npt.ArrayLike, order: Order) -> npt.NDArray[np.float32]:
    """Probabilities float32 (N, 7) in this program's order of rows (N, K).

    Columns of other classes are left out and the rest adds up to 1 again; classes that are missing get 0. A row of
    which nothing is left is spread evenly over the classes there are.
    """
    rows = np.asarray(probabilities, dtype=np.float64)
    result = np.zeros((len(rows), COUNT))
    for column, label in enumerate(order.labels):
        if label != OTHER:
            result[:, label] += rows[:, column]
    total = result.sum(axis=1, keepdims=True)
    there = np.isin(np.arange(COUNT), order.labels)
    even = there / there.sum()
    return np.where(total > 1e-12, result / np.maximum(total, 1e-12), even).astype(np.float32)


def fit(probabilities: npt.ArrayLike, labels: npt.ArrayLike, order: Order) -> Fit:
    """How well ``order``, of K classes, does. Faces of classes that it lacks count as wrong: it cannot answer them.

    ``probabilities``: float (n, K), of columns in an order that is not known. ``labels``: int (n,), 0..6. Raises
    ``ModelError`` where n is 0.
    """
    true = np.asarray(labels)
    if not len(true):
        raise ModelError("there is no labelled face to try the order of the classes on. Name the classes yourself.")
    right = rearranged(probabilities, order).argmax(axis=1) == true
    low, high = wilson_interval(int(right.sum()), len(right))
    return Fit(order, float(right.mean()), float(low), float(high), len(right), right)


def best_matching(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> Order:
    """The order in which the most answers are right: each column matched with one class (linear assignment).

    ``probabilities``: float (n, K), n ≥ 1, K from 5 to 8. ``labels``: int (n,), 0..6. With so few columns all matchings
    are gone through by the set of classes that are taken.
    """
    rows, true = np.asarray(probabilities), np.asarray(labels)
    count = rows.shape[1]
    hits = np.zeros((count, COUNT), dtype=np.int64)
    np.add.at(hits, (rows.argmax(axis=1), true), 1)
    # Ties are broken by what the columns say beyond their answer.
    value = hits + 1e-3 * np.stack([rows[true == label].sum(axis=0) for label in range(COUNT)], axis=1)
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, ())}
    for column in range(count):
        step: dict[int, tuple[float, tuple[int, ...]]] = {}
        for taken, (total, chosen) in best.items():
            for label in (*range(COUNT), OTHER):
                # A column may be about no class only where there are more columns than classes.
                if label == OTHER and (count <= COUNT or OTHER in chosen):
                    continue
                if label != OTHER and taken >> label & 1:
                    continue
                now = taken if label == OTHER else taken | 1 << label
                gain = total + (0.0 if label == OTHER else float(value[column, label]))
                key = now | (1 << COUNT if OTHER in (*chosen, label) else 0)
                if key not in step or gain > step[key][0]:
                    step[key] = (gain, (*chosen, label))
        best = step
    chosen = max(best.values())[1]
    return Order(BEST, tuple("other" if label == OTHER else NAMES[label] for label in chosen))


def fits(probabilities: npt.ArrayLike, labels: npt.ArrayLike, declared: Order | None = None) -> list[Fit]:
    """One fit for each name: as declared, the published orders (of each its best choice of classes), best matching.

    The most accurate first; of equal ones in that order. ``probabilities``: float (n, K). ``labels``: int (n,), 0..6.
    Raises ``ModelError`` where n is 0, or K is no number of columns that is understood.
    """
    rows = np.asarray(probabilities)
    found: dict[str, Fit] = {}
    for order in published(rows.shape[1]):
        one = fit(rows, labels, order)
        known = found.get(order.name)
        if known is None or one.accuracy > known.accuracy:
            found[order.name] = one
    every = [*found.values(), fit(rows, labels, best_matching(rows, labels))]
    if declared is not None:
        every.insert(0, fit(rows, labels, replace(declared, name=DECLARED)))
    return sorted(every, key=lambda one: -one.accuracy)


def beats_guessing(right: int, n: int, most_frequent: float) -> bool:
    """Whether ``right`` of ``n`` faces are more than always answering the most frequent class gets, beyond chance.

    The best of many orders is looked at, which lifts an untrained network above a blind guess. So the faces that the
    two get right are taken for throws of a coin, which asks for more than a paired test would.
    """
    guessed = round(most_frequent * n)
    return right > guessed and exact_p(right, guessed) < CHANCE


def always_the_same(labels: npt.ArrayLike) -> float:
    """The accuracy 0..1 of answering the most frequent class each time."""
    return float(np.bincount(np.asarray(labels), minlength=COUNT).max() / len(np.asarray(labels)))


def table(found: Sequence[Fit]) -> str:
    """The fits as lines for people, the best first: name, accuracy, classes."""
    width = max(len(one.order.name) for one in found)
    return "\n".join(
        f"  {one.order.name:<{width}}  {100 * one.accuracy:5.1f} %  {', '.join(one.order.classes)}" for one in found
    )
