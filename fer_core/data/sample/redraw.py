"""A drawn face drawn again with some of its muscles moved: the same person, light and camera, another expression."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_core import emotions
from fer_core.data.sample.action_units import NAMES, PROTOTYPES
from fer_core.data.sample.appearance import FIELDS, Appearance, appearances_of, draw_appearances
from fer_core.data.sample.populate import SamplePlan, plan_sample
from fer_core.data.sample.render import Regions, draw_face
from fer_core.errors import DataError

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

MOST_SEED = 9999
"""New faces are numbered 0 to this: short in a link, and more than anybody looks through."""


@dataclass(frozen=True)
class DrawnFace:
    """All that a face is drawn from. ``units``: each of the action units with its intensity, 0..1."""

    units: Mapping[str, float]
    appearance: Appearance

    def draw(self, moved: Mapping[str, float] | None = None) -> tuple[NDArray[np.uint8], Regions]:
        """The face, uint8 (48, 48), and its regions, each int16 (4,), with the units in ``moved`` at new intensities.

        Takes about 3 ms. Raises ``ValueError`` for an unknown unit or an intensity outside 0..1.
        """
        return draw_face({**self.units, **(moved or {})}, self.appearance)


def drawn_face(dataset: Dataset, row: int) -> DrawnFace:
    """What the face in a row of the drawn sample was drawn from.

    Raises ``IndexError`` for a row that does not exist, and ``DataError`` where the dataset is not the drawn sample or
    holds other pixels than drawing gives, as after a change to how faces are drawn.
    """
    info = dataset.info
    if not info.is_sample:
        raise DataError(f"{info.title} is not the drawn sample, so its faces have no muscles to move.")
    if not 0 <= row < len(dataset):
        raise IndexError(f"{info.name} has no face {row}; it has {len(dataset):,}, counted from 0")
    match = re.fullmatch(r"drawn with seed (\d+)", info.source)
    face = None if match is None else _planned_face(_plan(len(dataset), int(match[1])), row)
    if face is None or not np.array_equal(face.draw()[0], dataset.images[row]):
        raise DataError(
            f"Row {row:,} of {info.title} was drawn by another version of this program, so its muscles are not known. "
            f"Draw the sample anew with: python -m fer_core data import sample --out {info.path} --overwrite"
        )
    return face


def new_face(seed: int) -> DrawnFace:
    """A face of its own for each seed in 0..:data:`MOST_SEED`, with every muscle at rest.

    Upright and from the front, so that moving a muscle is all that changes it. Raises ``ValueError`` for another seed.
    """
    if not 0 <= seed <= MOST_SEED:
        raise ValueError(f"the number of a new face must lie in 0..{MOST_SEED}, not {seed}")
    looks = draw_appearances(1, np.random.default_rng(seed))
    straight = {name: np.zeros(1) for name in ("yaw", "pitch", "roll", "shift_x", "shift_y", "glasses")}
    return DrawnFace(dict.fromkeys(NAMES, 0.0), appearances_of({**looks, **straight})[0])


def expression_units(emotion: str) -> dict[str, float]:
    """All units with the intensities (0..1) of the commonest way to show an expression; those not in it at 0.

    Raises ``ValueError`` for a name that is not in :data:`fer_core.emotions.NAMES`.
    """
    if emotion not in PROTOTYPES:
        raise ValueError(f"there is no expression {emotion!r}; there are {', '.join(emotions.NAMES)}")
    prototype = max(PROTOTYPES[emotion], key=lambda one: one.weight)
    return {**dict.fromkeys(NAMES, 0.0), **{name: float(share) for name, share in prototype.units.items()}}


def _planned_face(plan: SamplePlan, row: int) -> DrawnFace:
    looks = {name: plan.looks[name][row : row + 1] for name in FIELDS}
    return DrawnFace(dict(zip(NAMES, plan.units[row].tolist(), strict=True)), appearances_of(looks)[0])


@lru_cache(maxsize=4)
def _plan(n: int, seed: int) -> SamplePlan:
    return plan_sample(n, seed)
