"""What the worker does with a request. Runs in the worker's process only (imports Keras, inside functions)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fer_core.explain.inside import Inside, LayerResponse
from fer_core.explain.worker.draw import draw_map
from fer_core.explain.worker.ideals import activations, draw_inside
from fer_core.explain.worker.messages import ActivationsRequest, InsideRequest, Map, Request, SanityMaps, SanityRequest
from fer_core.explain.worker.randomise import draw_with_random_weights
from fer_core.explain.worker.serve import Watch
from fer_core.settings import settings
from fer_core.zoo.backend import TENSORFLOW, compute_with

if TYPE_CHECKING:
    from fer_core.explain.worker.gradient_model import GradientModel

_gradient_models: dict[tuple[str, str], GradientModel] = {}
"""By folder and seal, the one used last at the end."""


def prepare() -> None:
    """Load what takes seconds, once."""
    compute_with(TENSORFLOW)
    import keras  # noqa: F401
    import tf_keras_vis  # noqa: F401


def handle(request: Request, watch: Watch) -> Map | SanityMaps | Inside | list[LayerResponse]:
    """Answer one request. Raises ``ExplainError`` for a damaged model, ``Cancelled`` when asked to stop."""
    gradient_model = open_keras_model(request.folder, request.seal)
    watch.check()
    began = time.monotonic()
    if isinstance(request, InsideRequest):
        return draw_inside(gradient_model, request.seal, watch)
    if isinstance(request, ActivationsRequest):
        return activations(gradient_model, request.image, request.layers, watch)
    if isinstance(request, SanityRequest):
        real, steps, maps = draw_with_random_weights(gradient_model, request, watch)
        return SanityMaps(real, steps, maps, time.monotonic() - began)
    values = draw_map(gradient_model, request.image, request.label, request.method, request.layer, watch)
    return Map(values, gradient_model.probabilities(request.image), time.monotonic() - began)


def open_keras_model(folder: str, seal: str) -> GradientModel:
    """The run's model, opened once; the one that was not used for longest makes room."""
    from fer_core.explain.worker.gradient_model import GradientModel

    key = (folder, seal)
    gradient_model = _gradient_models.pop(key, None) or GradientModel.load(folder, seal)
    _gradient_models[key] = gradient_model
    while len(_gradient_models) > settings().worker_models:
        _gradient_models.pop(next(iter(_gradient_models)))
    return gradient_model
