"""What was found out about a stranger's network by trying, and what follows from it: which scale, which order.

Nothing is assumed in silence: where the evidence does not say, or says that the order that one would assume is wrong,
:func:`choose` asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from typing_extensions import TypedDict

from fer_core.bring.adapter import scale_called
from fer_core.bring.orders import BEST, DECLARED, FER, NAMED, Fit, Order, beats_guessing
from fer_core.errors import ModelError
from fer_core.formatting import percent
from fer_core.runs.contracts import FitRecord


class OutputKind(StrEnum):
    """What a network answers."""

    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    SEPARATE = "separate"
    """A share 0..1 for each class by itself, as sigmoids give it."""
    NO_NUMBERS = "no numbers"


class TriedRecord(TypedDict):
    """One order at one scale. ``right``: a 1 for each face that it gets right, a 0 for each other."""

    scale: str
    output: str
    order: str
    classes: list[str]
    accuracy: float
    low: float
    high: float
    log_loss: float
    right: str


class TrialRecord(TypedDict):
    """What :func:`fer_core.bring.trial.try_out` found. ``count``: answers a face; ``faces``: tried on."""

    height: int
    width: int
    channels: int
    count: int
    faces: int
    most_frequent: float
    fits: list[TriedRecord]


@dataclass(frozen=True)
class Choice:
    """How a network is to be adapted. ``scale``: a name of :data:`fer_core.bring.adapter.SCALES`."""

    scale: str
    output: OutputKind
    order: Order
    by_owner: bool


class UndecidedError(ModelError):
    """The evidence does not say which scale or order is meant, or speaks against the one that was assumed.

    Attributes:
        table: what was tried, as lines.
        classes, scale: the likeliest of it, as one would type them: ``alphabetical`` and ``unit``.
    """

    def __init__(self, message: str, table: str, classes: str, scale: str) -> None:
        super().__init__(message)
        self.table, self.classes, self.scale = table, classes, scale

    @property
    def suggestion(self) -> str:
        """What to type for the likeliest."""
        return f"--classes {self.classes} --scale {self.scale}"

    def details(self) -> dict[str, object]:
        return {"table": self.table.splitlines(), "classes": self.classes, "scale": self.scale}


def choose(trial: TrialRecord, *, named: str = "", scale: str = "") -> Choice:
    """What the evidence says, within what the owner said of the order and the scale.

    ``named``: one of the orders' names, ``declared`` where the classes were listed, or empty: then the order is taken
    for FER-2013's own where no other does better by more than chance. ``scale``: one of the scales' names, or empty.
    Raises :class:`UndecidedError`.
    """
    every = [one for one in trial["fits"] if scale in ("", one["scale"])]
    if not every:
        raise ModelError(f"it was not tried with pixels {scale}.")
    wanted = [one for one in every if not named or one["order"] == named]
    if not wanted:
        raise ModelError(f"the order {named} has no {trial['count']} classes. Known: {', '.join(NAMED)}.")
    best = _surest(every)
    at = _surest(wanted)
    if named and (scale or better_than_guessing(trial, at)):
        return _choice(at, by_owner=True)
    if not better_than_guessing(trial, best):
        raise UndecidedError(
            f"in no order and at no scale do its answers fit the labels of {trial['faces']} faces better, by more than "
            f"chance, than always saying the same ({percent(trial['most_frequent'])}): it looks untrained, or its "
            "input is another. To bring it all the same, say what its classes and its pixels are.",
            table(trial),
            ",".join(at["classes"]) if named == DECLARED else named or FER,
            scale or "unit",
        )
    if named:
        return _choice(at, by_owner=True)
    assumed = next((one for one in every if one["order"] == FER and one["scale"] == best["scale"]), None)
    if assumed is None or beats(best, assumed):
        likely = likeliest(every)
        # At whichever scale that is: the table beside it shows the best.
        own = max((one["accuracy"] for one in every if one["order"] == FER), default=None)
        words = "" if own is None else f"; in FER-2013's own order {percent(own)}"
        raise UndecidedError(
            f"its classes seem to be in another order than FER-2013's: {_order_words(likely)} "
            f"{percent(likely['accuracy'])} of {trial['faces']} faces are right{words}. Say which order it is.",
            table(trial),
            likely["order"] if likely["order"] != BEST else ",".join(likely["classes"]),
            likely["scale"],
        )
    return _choice(assumed, by_owner=False)


def ranked(fits: Iterable[TriedRecord]) -> list[TriedRecord]:
    """The most accurate first; of equally accurate ones that with the lower log loss."""
    return sorted(fits, key=lambda one: (-one["accuracy"], one["log_loss"]))


def _surest(fits: list[TriedRecord]) -> TriedRecord:
    """The most accurate, at the scale where its answers are likeliest: accuracy hardly tells apart scales alike."""
    best = ranked(fits)[0]
    alike = [one for one in fits if one["classes"] == best["classes"] and not beats(best, one)]
    return min(alike, key=lambda one: one["log_loss"])


def likeliest(fits: list[TriedRecord]) -> TriedRecord:
    """The best, but a published order in place of the matching where that is no better by more than chance."""
    best = _surest(fits)
    named = [one for one in ranked(fits) if one["order"] != BEST and one["scale"] == best["scale"]]
    return named[0] if named and not beats(best, named[0]) else best


def beats(one: TriedRecord, other: TriedRecord) -> bool:
    """Whether ``one`` is better than ``other`` on the faces that both were tried on, by more than chance."""
    return _fit(one, other).beats(_fit(other, one))


def better_than_guessing(trial: TrialRecord, best: TriedRecord) -> bool:
    """Whether it does better than always answering the most frequent class, by more than chance."""
    return beats_guessing(best["right"].count("1"), len(best["right"]), trial["most_frequent"])


def table(trial: TrialRecord, most: int = 12) -> str:
    """The best of what was tried, as lines: each order at its best scale, then each scale in its best order."""
    shown: list[TriedRecord] = []
    order = ranked(trial["fits"])
    for key in ("order", "scale"):
        seen: set[str] = set()
        for one in order:
            if one[key] not in seen:
                seen.add(one[key])
                if one not in shown:
                    shown.append(one)
    lines = [f"  {'right':>7}  {'pixels':<10} {'order':<13} classes"]
    for one in ranked(shown)[:most]:
        lines.append(
            f"  {percent(one['accuracy']):>7}  {one['scale']:<10} {one['order']:<13} {', '.join(one['classes'])}"
        )
    lines.append(f"  {percent(trial['most_frequent']):>7}  always the most frequent class")
    return "\n".join(lines)


def kept(trial: TrialRecord) -> list[FitRecord]:
    """What ``import.json`` keeps of it, the best first."""
    return [
        FitRecord(
            order=one["order"],
            classes=one["classes"],
            accuracy=one["accuracy"],
            low=one["low"],
            high=one["high"],
            log_loss=one["log_loss"],
            scale=one["scale"],
            output=one["output"],
        )
        for one in ranked(trial["fits"])
    ]


def _fit(one: TriedRecord, other: TriedRecord) -> Fit:
    n = min(len(one["right"]), len(other["right"]))
    right = np.frombuffer(one["right"][:n].encode(), dtype=np.uint8) == ord("1")
    return Fit(Order(one["order"], tuple(one["classes"])), one["accuracy"], one["low"], one["high"], n, right)


def _choice(one: TriedRecord, *, by_owner: bool) -> Choice:
    return Choice(one["scale"], OutputKind(one["output"]), Order(one["order"], tuple(one["classes"])), by_owner)


def _order_words(one: TriedRecord) -> str:
    if one["order"] in (BEST, DECLARED):
        return f"as {', '.join(one['classes'])}"
    return f"in the order {one['order']} (pixels {scale_called(one['scale']).words})"
