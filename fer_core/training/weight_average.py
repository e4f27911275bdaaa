"""A running average of a network's weights (Polyak and Juditsky, 1992): steadier than the weights of any one step.

Keras' optimisers can keep one of trainable weights alone (``use_ema``). A network with batch normalisation is then
measured with averaged kernels beside statistics that belong to the last steps' kernels. Here the statistics are
averaged like everything else. Child processes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras

Arrays = list[npt.NDArray[np.float32]]


class WeightAverage:
    """Averages over the steps of one stage of a training; ``decay`` (0..1) is the share that each step keeps.

    The first steps keep less, as many as there have been, so that the average never holds on to random weights
    (``steps`` counts them).
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.values: Arrays = []

    def add(self, model: keras.Model) -> None:
        """Take in the weights as they are after a step."""
        weights = model.get_weights()
        if not self.steps:
            self.values = [np.array(value) for value in weights]
        else:
            share = np.float32(1 - min(self.decay, (1 + self.steps) / (10 + self.steps)))
            for average, value in zip(self.values, weights, strict=True):
                # In two steps, which take half of the time of average += share * (value - average).
                average *= 1 - share
                average += share * value
        self.steps += 1

    def begin_anew(self) -> None:
        """Forget everything: the network has become another one."""
        self.steps, self.values = 0, []

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What :meth:`restore` needs, as arrays by name."""
        arrays: dict[str, npt.NDArray[np.generic]] = {f"average{i:04d}": value for i, value in enumerate(self.values)}
        return {**arrays, "steps_averaged": np.array([self.steps])} if self.steps else {}

    def restore(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        """Go on with a :meth:`state`; an empty one begins anew."""
        self.steps = int(arrays["steps_averaged"][0]) if arrays else 0
        self.values = [np.asarray(arrays[name], np.float32) for name in sorted(arrays) if name.startswith("average")]
