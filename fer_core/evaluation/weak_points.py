"""How wrong a finished run still is, from its stored predictions, on the faces that have no twin in Training.

A face with a twin may be remembered, and tells nothing of other faces. Where nobody knows which have one, all count.
"""

from __future__ import annotations

from dataclasses import dataclass

from fer_core.emotions import COUNT, PRIVATE_TEST
from fer_core.runs.folder import RunFolder
from fer_core.runs.predictions import NEAR_DUPLICATE
from fer_core.runs.weakest import Unjudged, unjudged, weakest_class
from fer_core.stats.intervals import wilson_interval
from fer_core.stats.metrics import confusion_matrix

SURE = 0.9
"""From this probability on, the answer looks certain to most readers."""


@dataclass(frozen=True)
class CountedShare:
    """``count`` of ``n`` faces; ``value`` with its 95 % Wilson interval ``low``..``high``, 0..1, NaN where n is 0."""

    count: int
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class WeakPoints:
    """One run on one split. ``without_twins``: whether faces with a twin in Training were left out of its ``faces``.

    ``wrong``: of all faces. ``sure_wrong``: of those answered with a probability of :data:`SURE` or more.
    ``missed``: of the faces of the class called ``hardest``, which is the one most often missed; both None where no
    class has enough faces to be called so. ``unjudged``: classes that have too few.
    """

    name: str
    wrong: CountedShare
    sure_wrong: CountedShare
    hardest: str | None
    missed: CountedShare | None
    without_twins: bool = False
    faces: int = 0
    unjudged: tuple[Unjudged, ...] = ()


def weak_points(run: RunFolder, split: str = PRIVATE_TEST) -> WeakPoints | None:
    """Read a run's predictions. None where it has none for the split. Raises ``RunError`` where they are damaged."""
    table = run.predictions()
    if table is None:
        return None
    table = table[table["split"] == split]
    faces = len(table)
    known = NEAR_DUPLICATE in table.columns and not table[NEAR_DUPLICATE].all()
    if known:
        table = table[~table[NEAR_DUPLICATE].to_numpy(bool)]
    if not len(table):
        return None
    labels = table["label"].to_numpy()
    probabilities = table[[f"p{label}" for label in range(COUNT)]].to_numpy()
    said = probabilities.argmax(axis=1)
    wrong = said != labels
    sure = probabilities.max(axis=1) >= SURE
    confusion = confusion_matrix(labels, said)
    weakest = weakest_class(confusion)
    return WeakPoints(
        run.name,
        _share(int(wrong.sum()), len(table)),
        _share(int((wrong & sure).sum()), int(sure.sum())),
        weakest.emotion if weakest else None,
        _share(weakest.n - weakest.found, weakest.n) if weakest else None,
        known,
        faces,
        unjudged(confusion),
    )


def _share(count: int, n: int) -> CountedShare:
    low, high = wilson_interval(count, n)
    return CountedShare(count, n, count / n if n else float("nan"), float(low), float(high))
