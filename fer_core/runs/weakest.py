"""Where a run is weakest, from its own figures: the class it misses most, its commonest mistake, what breaks it most.

Classes and mistakes are those of the faces without twins in Training, where there are such figures: a rare class may
live on faces that a model remembers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.formatting import listed, percent
from fer_core.runs.contracts import Metrics
from fer_core.runs.evaluations import CORRUPTIONS, Evaluation
from fer_core.runs.measurements import PARQUET_KEY, corrupted_column
from fer_core.runs.metrics import without_twins
from fer_core.stats.intervals import wilson_interval

FEWEST_TO_JUDGE = 20
"""A class of fewer faces is not called the weakest: chance alone may have made it so."""
_WORDS = {"jpeg": "JPEG compression", "resolution": "low resolution", "occlusion": "a square over the face"}
"""Corruptions whose name alone would not tell a reader what it is."""


@dataclass(frozen=True)
class WeakestClass:
    """``found`` of ``n`` faces of the class ``emotion`` were; ``low``..``high``, 0..1, is the 95 % interval."""

    emotion: str
    found: int
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Unjudged:
    """A class of too few faces to be called the weakest: ``found`` of its ``n`` were, fewer than
    :data:`FEWEST_TO_JUDGE`.
    """

    emotion: str
    found: int
    n: int


@dataclass(frozen=True)
class Mistake:
    """``count`` of ``n`` faces of the class ``true`` were taken for ``said``."""

    true: str
    said: str
    count: int
    n: int


@dataclass(frozen=True)
class Breaks:
    """How a run does on ``n`` faces of PublicTest made worse by ``corruption``, on the mean over its strengths, 0..1,
    where it is right on ``clean`` of them as they are."""

    corruption: str
    accuracy: float
    clean: float
    n: int


def weakest_class(confusion: list[list[int]] | npt.NDArray[np.integer]) -> WeakestClass | None:
    """The class least often found, of those with :data:`FEWEST_TO_JUDGE` faces or more; None where there is none.

    ``confusion``: 7×7 counts, rows true.
    """
    counts = np.asarray(confusion)
    n = counts.sum(axis=1)
    there = np.flatnonzero(n >= FEWEST_TO_JUDGE)
    if not len(there):
        return None
    worst = min(there, key=lambda label: counts[label, label] / n[label])
    found, of = int(counts[worst, worst]), int(n[worst])
    low, high = wilson_interval(found, of)
    return WeakestClass(NAMES[worst], found, of, float(low), float(high))


def unjudged(confusion: list[list[int]] | npt.NDArray[np.integer]) -> tuple[Unjudged, ...]:
    """The classes that have faces, but too few to be judged. ``confusion``: 7×7 counts, rows true."""
    counts = np.asarray(confusion)
    return tuple(
        Unjudged(NAMES[label], int(counts[label, label]), int(n))
        for label, n in enumerate(counts.sum(axis=1))
        if 0 < n < FEWEST_TO_JUDGE
    )


def unjudged_words(classes: Sequence[Unjudged]) -> str:
    """A sentence about such classes, and which of them are never found; nothing where there is none."""
    if not classes:
        return ""
    names = [f"{one.emotion} ({'none' if not one.found else one.found} of {one.n} found)" for one in classes]
    return f"Classes with fewer than {FEWEST_TO_JUDGE} faces are not judged: {listed(names)}."


def commonest_mistake(confusion: list[list[int]]) -> Mistake | None:
    """The pair of classes confused most often, by count; None where nothing was confused."""
    counts = np.asarray(confusion)
    wrong = counts - np.diag(counts.diagonal())
    true, said = np.unravel_index(int(wrong.argmax()), wrong.shape)
    count = int(wrong[true, said])
    return Mistake(NAMES[true], NAMES[said], count, int(counts[true].sum())) if count else None


def breaks_most(evaluation: Evaluation) -> Breaks | None:
    """The corruption that costs most; None where nobody measured any. Raises ``RunError`` for a damaged file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not evaluation.has(CORRUPTIONS):
        return None
    evaluation.check(CORRUPTIONS)
    try:
        table = pq.read_table(evaluation.corruptions_path)
        strengths = json.loads((table.schema.metadata or {})[PARQUET_KEY])["strengths"]
        labels = table["label"].to_numpy()
        accuracies = {
            name: float(
                np.mean(
                    [table[corrupted_column(name, k + 1)].to_numpy() == labels for k in range(len(strengths[name]))]
                )
            )
            for name in strengths
        }
        clean = float(np.mean(table["clean"].to_numpy() == labels))
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{evaluation.corruptions_path} cannot be read: {error}") from error
    worst = min(accuracies, key=accuracies.__getitem__)
    return Breaks(worst, accuracies[worst], clean, len(labels))


def weakest_lines(metrics: Metrics) -> list[str]:
    """A sentence for the weakest class and one for the commonest mistake, of PrivateTest where it was opened."""
    split = PRIVATE_TEST if PRIVATE_TEST in metrics["splits"] else PUBLIC_TEST
    scores = metrics["splits"].get(split)
    lines = []
    if scores is not None:
        clean = without_twins(scores)
        which = f"{split} without twins" if clean else split
        confusion = (clean or scores)["confusion"]
        few = unjudged_words(unjudged(confusion))
        if weak := weakest_class(confusion):
            lines.append(
                f"**Weakest class**: {weak.emotion}. It finds {percent(weak.found / weak.n, 0)} of them "
                f"({100 * weak.low:.0f}–{100 * weak.high:.0f} %, n = {weak.n:,}, {which})." + (f" {few}" if few else "")
            )
        elif few:
            lines.append(f"**Weakest class**: none is named. {few}")
        if mistake := commonest_mistake(confusion):
            lines.append(
                f"**Commonest mistake**: {mistake.true} taken for {mistake.said}, {mistake.count:,} of {mistake.n:,} "
                f"faces ({percent(mistake.count / mistake.n, 0)}, {which})."
            )
    return lines


def breaks_lines(evaluation: Evaluation) -> list[str]:
    """A sentence for what breaks it most, where that was measured. Raises ``RunError`` for a damaged file."""
    breaks = breaks_most(evaluation)
    if breaks is None:
        return []
    return [
        f"**Breaks most under** {_WORDS.get(breaks.corruption, breaks.corruption)}: right on "
        f"{percent(breaks.accuracy, 0)} on the mean over its strengths, on {percent(breaks.clean, 0)} of the same "
        f"{breaks.n:,} faces of {PUBLIC_TEST} as they are."
    ]
