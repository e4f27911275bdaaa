"""The sanity check's maps: the head, then ever more stages of a model, get weights as if never trained.

Adebayo et al., 2018 (https://arxiv.org/abs/1810.03292): "cascading randomisation". Runs in the worker's process only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.explain.layers import randomisation_stages
from fer_core.explain.worker.draw import draw_map
from fer_core.explain.worker.gradient_model import GradientModel
from fer_core.explain.worker.messages import SanityRequest
from fer_core.explain.worker.serve import Watch
from fer_core.runs.folder import RunFolder

if TYPE_CHECKING:
    import keras

Floats = npt.NDArray[np.float32]


def draw_with_random_weights(
    gradient_model: GradientModel, request: SanityRequest, watch: Watch
) -> tuple[Floats, tuple[str, ...], Floats]:
    """The real map (h, w), the s steps' names, and maps float32 (s, draws, h, w) of the model as it forgets.

    Each draw is a cascade of its own. The model has its weights back at the end, however it ends.
    """
    import keras

    steps = randomisation_stages(RunFolder(Path(request.folder)).description())
    args = (request.image, request.label, request.method, request.layer)
    real = draw_map(gradient_model, *args, Watch(cancelled=watch.cancelled))
    maps = np.zeros((len(steps), request.draws, *real.shape), dtype=np.float32)
    weights = gradient_model.model.get_weights()
    total = len(steps) * request.draws
    watch.begin("maps", "Drawing with random weights")
    try:
        for number in range(request.draws):
            gradient_model.model.set_weights(weights)
            keras.utils.set_random_seed(request.seed + number)
            for step, (_, names) in enumerate(steps):
                for name in names:
                    reset_weights(gradient_model.model.get_layer(name))
                maps[step, number] = draw_map(gradient_model, *args, Watch(cancelled=watch.cancelled))
                watch.step(number * len(steps) + step + 1, total)
    finally:
        gradient_model.model.set_weights(weights)
    return real, tuple(name for name, _ in steps), maps


def reset_weights(layer: keras.layers.Layer) -> None:
    """Give a layer the weights that an untrained one starts with, by its own initialisers."""
    fresh = type(layer).from_config(layer.get_config())
    fresh.build(layer.input.shape)
    layer.set_weights(fresh.get_weights())
