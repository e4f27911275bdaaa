"""The whole sample: how many faces of each class, which split, and all of them drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_core import emotions
from fer_core.data.sample import action_units, appearance, render
from fer_core.data.sample.appearance import Appearance, Columns

if TYPE_CHECKING:
    import pandas as pd

FACES, SEED = 2100, 2013
"""Of the usual sample, fixed so that everybody sees the very same faces. It is kept as it was drawn once: who changes
them runs ``python -m fer_core.data.kept_sample``, and evaluates the shipped runs on it again."""
FER2013_TRAINING = (3995, 436, 4097, 7215, 4830, 3171, 4965)
"""Faces per class in FER-2013's Training split (Goodfellow et al., 2013): the imbalance we follow."""
LEAST = 3 * emotions.COUNT
"""With fewer faces than this some class would be missing from some split."""
HELD_OUT = 0.1
"""Share of each class that goes to PublicTest, and again to PrivateTest."""


@dataclass(frozen=True)
class Sample:
    """N drawn faces, Training first, then PublicTest, then PrivateTest, each in random order."""

    images: NDArray[np.uint8]
    """(N, 48, 48), greyscale 0..255."""
    labels: NDArray[np.int8]
    """(N,), 0..6 as in :mod:`fer_core.emotions`: the expression that was meant, however weakly it shows."""
    splits: NDArray[np.str_]
    """(N,), one of :data:`fer_core.emotions.SPLITS`."""
    regions: dict[str, NDArray[np.int16]]
    """``brows``, ``eyes``, ``mouth``: boxes (N, 4) in pixels, x0, y0, x1, y1 with x1 and y1 exclusive."""
    units: NDArray[np.float64]
    """(N, units), intensities 0..1 in the order of :data:`ACTION_UNITS`."""
    appearances: list[Appearance]
    """N looks: ``draw_face(sample.action_units.iloc[i], sample.appearances[i])`` is face ``i`` again."""

    @property
    def action_units(self) -> pd.DataFrame:
        """``units`` as a table, one column per unit."""
        # Imported here: whoever only draws the sample, as a fresh server does, need not wait for it.
        import pandas as pd

        return pd.DataFrame(self.units, columns=list(action_units.NAMES))


@dataclass(frozen=True)
class SamplePlan:
    """What N faces are to look like, before any is drawn: as in :class:`Sample`, ``units`` (N, units) in 0..1."""

    labels: NDArray[np.int8]
    splits: NDArray[np.str_]
    units: NDArray[np.float64]
    looks: Columns


def draw_sample(n: int = FACES, seed: int = SEED) -> Sample:
    """Draw ``n`` faces with FER-2013's imbalance; 80 % Training, 10 % PublicTest, 10 % PrivateTest of each class.

    The same arguments give the same pixels. Raises ``ValueError`` where ``n`` is below 21, since then not every
    class could be in every split.
    """
    plan = plan_sample(n, seed)
    images, regions = render.draw_faces(plan.units, plan.looks)
    return Sample(
        images=images,
        labels=plan.labels,
        splits=plan.splits,
        regions=regions,
        units=plan.units,
        appearances=appearance.appearances_of(plan.looks),
    )


def plan_sample(n: int = FACES, seed: int = SEED) -> SamplePlan:
    """What :func:`draw_sample` is about to draw, in a few milliseconds. Raises ``ValueError`` as it does."""
    if n < LEAST:
        raise ValueError(f"A sample needs at least {LEAST} faces (seven classes in three splits), not {n}.")
    rng = np.random.default_rng(seed)
    labels, splits = _assign(n, rng)
    units = action_units.draw_action_units(labels, rng)
    return SamplePlan(labels, splits, units, appearance.draw_appearances(n, rng))


def sample_class_counts(n: int) -> NDArray[np.int64]:
    """How many of ``n`` faces each class gets, (7,): in proportion by largest remainder, three at the least."""
    spare = n - LEAST
    exact = np.array(FER2013_TRAINING) / sum(FER2013_TRAINING) * n
    wanted = np.maximum(exact - 3, 0)
    wanted *= spare / wanted.sum() if spare else 0
    counts = np.floor(wanted).astype(np.int64)
    remainder = np.argsort(counts - wanted, kind="stable")
    counts[remainder[: spare - counts.sum()]] += 1
    return counts + 3


def _assign(n: int, rng: np.random.Generator) -> tuple[NDArray[np.int8], NDArray[np.str_]]:
    """Labels (N,) and splits (N,), shuffled within each split."""
    counts = sample_class_counts(n)
    held_out = np.maximum(np.rint(counts * HELD_OUT).astype(np.int64), 1)
    per_split = (counts - 2 * held_out, held_out, held_out)
    classes = np.arange(emotions.COUNT, dtype=np.int8)
    labels = np.concatenate([rng.permutation(np.repeat(classes, split)) for split in per_split])
    splits = np.repeat(np.array(emotions.SPLITS), [int(split.sum()) for split in per_split])
    return labels, splits
