"""How long a training takes, told before it begins: by one like it on this machine, else from the fastest machine known
to the slowest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fer_core.emotions import IMAGE_SIZE
from fer_core.formatting import duration
from fer_core.runs.recipe import Recipe
from fer_core.zoo.registry import get

FACES_PER_SECOND = {
    "tiny": 2000.0,
    "custom_cnn": 900.0,
    "custom_cnn_augmented": 900.0,
    "resnet50": 140.0,
    "resnet50v2": 140.0,
    "vgg16": 90.0,
}
"""Trained on two cores with bfloat16 units, at 48 pixels, on a machine that did nothing else."""
SLOWER = 8.0
"""Machines differ by so much: without such units, or with others at work on the same cores."""
AROUND = 25.0
"""Seconds for what is not training: libraries, the measurement at the end, the export."""
MEASURING = 0.1
"""Share of an epoch that goes into PublicTest."""


@dataclass(frozen=True)
class Expected:
    """Seconds, from ``low`` to ``high``. ``measured``: by a training on this machine."""

    low: float
    high: float
    measured: bool

    def words(self) -> str:
        """``about 4 min, as measured here`` or ``1 min to 6 min, depending on the machine``."""
        if self.measured:
            return f"about {duration(self.high)}, going by your last one"
        return f"{duration(self.low)} to {duration(self.high)}, depending on the machine"

    def twice(self) -> Expected:
        """Of two trainings, one after the other."""
        return replace(self, low=2 * self.low, high=2 * self.high)


def expected(recipe: Recipe, faces: int, measured: float | None = None) -> Expected:
    """How long ``recipe`` takes with so many Training faces.

    ``measured``: faces per second of a training of this architecture on this machine, at 48 pixels.
    """
    seen = sum(faces * (_size(recipe.at(epoch)) / IMAGE_SIZE) ** 2 for epoch in range(1, recipe.epochs + 1))
    fast = seen * (1 + MEASURING) / (measured or FACES_PER_SECOND[recipe.architecture])
    return Expected(fast + AROUND, (fast if measured else SLOWER * fast) + AROUND, measured is not None)


def at_48_pixels(recipe: Recipe, epoch: int, images_per_second: float) -> float:
    """What a speed measured in ``epoch`` of a training would be at 48 pixels, for :func:`expected`."""
    return images_per_second * (_size(recipe.at(epoch)) / IMAGE_SIZE) ** 2


def _size(recipe: Recipe) -> int:
    return recipe.input_size or get(recipe.architecture).default_input_size
