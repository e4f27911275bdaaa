"""What the worker does with a request. Runs in the worker's process only (imports Keras, inside functions)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fer_core.explain.worker.draw import draw
from fer_core.explain.worker.messages import Map, MapRequest, SanityMaps, SanityRequest
from fer_core.explain.worker.randomise import cascade
from fer_core.explain.worker.serve import Watch
from fer_core.settings import settings

if TYPE_CHECKING:
    from fer_core.explain.worker.opened_model import Opened

_opened: dict[tuple[str, str], Opened] = {}
"""By folder and seal, the one used last at the end."""


def prepare() -> None:
    """Load what takes seconds, once."""
    import keras  # noqa: F401
    import tf_keras_vis  # noqa: F401


def handle(request: MapRequest, watch: Watch) -> Map | SanityMaps:
    """Answer one request. Raises ``ExplainError`` for a damaged model, ``Cancelled`` when asked to stop."""
    opened = open_model(request.folder, request.seal)
    watch.check()
    began = time.monotonic()
    if isinstance(request, SanityRequest):
        real, steps, maps = cascade(opened, request, watch)
        return SanityMaps(real, steps, maps, time.monotonic() - began)
    values = draw(opened, request.image, request.label, request.method, request.layer, watch)
    return Map(values, opened.probabilities(request.image), time.monotonic() - began)


def open_model(folder: str, seal: str) -> Opened:
    """The run's model, opened once; the one that was not used for longest makes room."""
    from fer_core.explain.worker.opened_model import Opened

    key = (folder, seal)
    opened = _opened.pop(key, None) or Opened.load(folder, seal)
    _opened[key] = opened
    while len(_opened) > settings().worker_models:
        _opened.pop(next(iter(_opened)))
    return opened
