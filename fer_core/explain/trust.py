"""May a map be trusted? The numbers of :mod:`fer_core.explain.faithfulness` in words, by a rule that is written down.

**One face.** Chance is what the random orders of the same face did. A map does better than chance where its area lies
outside the range that one more random order would stay in, on that side, 19 times out of 20: mean ± t · sd · √(1 + 1/r)
of r orders, t being Student's 95 % point. Areas of random orders are near enough to a bell curve for that.

**Many faces.** A map does better than a baseline where the 95 % interval of the mean difference, by a bootstrap over
faces, excludes 0. Map and baseline are compared on the same faces; a face's random orders are averaged first.

A map is trusted where deleting what it marks hurts more than chance and showing it helps more than chance; with one of
the two only, with care; with neither, not at all. A class to which the model gives next to nothing cannot be tested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from fer_core.emotions import NAMES
from fer_core.explain.base import checked_classes
from fer_core.explain.faithfulness import CENTRE, EDGES, Faithfulness
from fer_core.formatting import percent
from fer_core.stats.intervals import RESAMPLES, SEED
from fer_core.stats.paired_tests import ALPHA, Difference

LEAST = 0.05
"""Below this probability there is next to nothing to delete."""
RANDOM = "random"
BASELINES = {RANDOM: "random orders", CENTRE: "a round blob in the middle", EDGES: "the face's edges"}
"""What maps are compared with, in words, in the order of reports: none of it knows anything of the model."""

Verdict = Literal["trust", "care", "no", "untestable"]
SENTENCES: dict[tuple[bool, bool], str] = {
    (True, True): "Deleting what this map marks hurts more than deleting at random, and showing it first helps more: "
    "the model uses what it marks.",
    (True, False): "Deleting what this map marks hurts more than deleting at random, but showing it first helps no "
    "more: trust it with care.",
    (False, True): "Showing what this map marks first helps more than showing at random, but deleting it hurts no "
    "more: trust it with care.",
    (False, False): "Deleting what this map marks hurts no more than deleting at random: do not trust it.",
}
"""By whether deletion, and insertion, did better than chance."""
LUCK = "Deleting what this map marks hurts no more than deleting at random can by luck: do not trust it on this alone."
"""In place of the last where the area is better than the mean of the random orders, but within their range."""
WORSE = "Deleting what this map marks hurts even less than deleting at random: do not trust it."


@dataclass(frozen=True)
class ComparedArea:
    """One area of one face beside chance. All 0..1; ``low`` and ``high`` bound what random orders do.

    ``better``: the map is better than chance; ``worse``: it is worse. ``centre`` and ``edges``: areas of these.
    """

    area: float
    random: float
    low: float
    high: float
    better: bool
    worse: bool
    centre: float
    edges: float


@dataclass(frozen=True)
class Judgement:
    """May the map of class ``label`` of one face be trusted? ``sentences`` says it in plain English."""

    verdict: Verdict
    label: int
    probability: float
    deletion: ComparedArea
    insertion: ComparedArea
    sentences: tuple[str, ...]


def judge(faithfulness: Faithfulness, name: str, label: int, *, face: int = 0) -> Judgement:
    """Judge one map of one face for class ``label`` (0..6). See the module for the rule.

    Raises ``KeyError`` for an unknown map, ``ValueError`` for an unknown class, ``IndexError`` for an unknown face.
    """
    probability = float(faithfulness.probabilities(label)[face])
    maps, centres, edges = (faithfulness.areas(one, label) for one in (name, CENTRE, EDGES))
    chance = faithfulness.random_areas(label)
    deletion, insertion = (
        _figure(
            float(maps[which][face]),
            chance[which][face],
            float(centres[which][face]),
            float(edges[which][face]),
            small_is_good=which == 0,
        )
        for which in (0, 1)
    )
    if probability < LEAST:
        sentence = (
            f"The model gives {NAMES[label]} only {percent(probability)}: there is next to nothing to delete, so this "
            f"test cannot tell whether the map of {NAMES[label]} is right."
        )
        return Judgement("untestable", label, probability, deletion, insertion, (sentence,))
    verdict = _verdict(deletion.better, insertion.better)
    first = SENTENCES[deletion.better, insertion.better]
    if verdict == "no":
        first = WORSE if deletion.worse else LUCK if deletion.area < deletion.random else first
    sentences = [first]
    if verdict != "no":
        simple = [
            words
            for words, area in ((BASELINES[CENTRE], deletion.centre), (BASELINES[EDGES], deletion.edges))
            if area <= deletion.area
        ]
        if simple:
            sentences.append(
                f"But deleting {' or '.join(simple)} hurts at least as much, and knows nothing of the model."
            )
    return Judgement(verdict, label, probability, deletion, insertion, tuple(sentences))


@dataclass(frozen=True)
class Row:
    """A map against one baseline over n faces: mean areas, and map less baseline with its 95 % interval."""

    baseline: str
    map_deletion: float
    map_insertion: float
    baseline_deletion: float
    baseline_insertion: float
    deletion: Difference
    insertion: Difference

    @property
    def better(self) -> tuple[bool, bool]:
        """Whether the map is better than the baseline at deletion, and at insertion."""
        return self.deletion.high < 0, self.insertion.low > 0


@dataclass(frozen=True)
class Summary:
    """A map over ``n`` faces. ``rows``: random, centre, edges. ``untestable``: faces left out, see :data:`LEAST`."""

    verdict: Verdict
    n: int
    untestable: int
    rows: tuple[Row, ...]
    sentences: tuple[str, ...]


def summarise(
    faithfulness: Faithfulness, name: str, classes: npt.ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Summary:
    """Judge one map over all faces, each for the class ``classes`` names, int (n,) or one number. See the module.

    Faces whose class has a probability below :data:`LEAST` are left out and counted. Raises ``KeyError`` for an unknown
    map, ``ValueError`` for other classes or fewer than one resample.
    """
    wanted = checked_classes(classes, len(faithfulness))
    testable = faithfulness.probabilities(wanted) >= LEAST
    n, left_out = int(testable.sum()), int((~testable).sum())
    if n < 2:
        sentence = f"Only {n} of {len(faithfulness):,} faces can be tested: too few to say anything about this map."
        return Summary("untestable", n, left_out, (), (sentence,))
    chance = faithfulness.random_areas(wanted)
    baselines = {
        RANDOM: (chance[0].mean(axis=1), chance[1].mean(axis=1)),
        CENTRE: faithfulness.areas(CENTRE, wanted),
        EDGES: faithfulness.areas(EDGES, wanted),
    }
    mine = faithfulness.areas(name, wanted)
    rows = []
    for baseline, theirs in baselines.items():
        deletion, insertion = (
            mean_difference(theirs[which][testable], mine[which][testable], resamples=resamples, seed=seed)
            for which in (0, 1)
        )
        means = [float(areas[testable].mean()) for areas in (*mine, *theirs)]
        rows.append(Row(baseline, means[0], means[1], means[2], means[3], deletion, insertion))
    hurts, helps = rows[0].better
    first, random = SENTENCES[hurts, helps], rows[0].deletion
    if not hurts and not helps:
        first = WORSE if random.low > 0 else LUCK if random.value < 0 else first
    sentences = [first]
    simple = [BASELINES[row.baseline] for row in rows[1:] if not row.better[0]]
    if (hurts or helps) and simple:
        sentences.append(f"But it is not shown to be better than {' or '.join(simple)} at deletion.")
    return Summary(_verdict(hurts, helps), n, left_out, tuple(rows), tuple(sentences))


def mean_difference(a: npt.ArrayLike, b: npt.ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED) -> Difference:
    """Mean of B less A over the same n faces, float (n,) each, with the 95 % percentile bootstrap over faces.

    Raises ``ValueError`` for empty arrays, arrays of different length, or fewer than one resample.
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape or not len(one) or resamples < 1:
        raise ValueError(f"two lists of equal length and a resample were expected, not {one.shape} and {other.shape}")
    change, n = other - one, len(one)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples) @ change / n
    low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2])
    return Difference(float(change.mean()), float(low), float(high), n)


def chance_range(areas: Sequence[float] | npt.NDArray[np.float64]) -> tuple[float, float]:
    """What one more random order would stay above, and below, 19 times out of 20 each, from r ≥ 5 orders' areas.

    Raises ``ValueError`` for fewer than five.
    """
    values = np.asarray(areas, dtype=np.float64)
    if values.ndim != 1 or len(values) < 5:
        raise ValueError("at least five random orders are needed to know how far they spread")
    reach = student_t95(len(values) - 1) * float(values.std(ddof=1)) * math.sqrt(1 + 1 / len(values))
    return float(values.mean()) - reach, float(values.mean()) + reach


def student_t95(freedom: int) -> float:
    """The 95 % point of Student's t with ``freedom`` ≥ 4 degrees, right to 0.2 %.

    Abramowitz and Stegun, 1964, *Handbook of Mathematical Functions*, 26.7.5: an expansion about the normal.
    """
    z = NormalDist().inv_cdf(1 - ALPHA)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


def _verdict(hurts: bool, helps: bool) -> Verdict:
    if hurts and helps:
        return "trust"
    return "care" if hurts or helps else "no"


def _figure(
    area: float, chance: npt.NDArray[np.float64], centre: float, edges: float, *, small_is_good: bool
) -> ComparedArea:
    low, high = chance_range(chance)
    below, above = area < low, area > high
    better, worse = (below, above) if small_is_good else (above, below)
    return ComparedArea(area, float(chance.mean()), low, high, better, worse, centre, edges)
