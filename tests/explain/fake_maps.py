"""A gradient worker that draws made-up maps without TensorFlow. ScoreCAM kills it while a certain file is there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from fer_core.errors import ExplainError
from fer_core.explain.inside import Inside, LayerResponse, response
from fer_core.explain.methods import SALIENCY, SCORECAM
from fer_core.explain.worker.messages import (
    ActivationsRequest,
    InsideRequest,
    Map,
    Request,
    SanityMaps,
    SanityRequest,
)
from fer_core.explain.worker.serve import Watch, serve

DEADLY = "deadly"


def handle(request: Request, watch: Watch) -> Map | SanityMaps | Inside | list[LayerResponse]:
    watch.begin("passes", "Drawing")
    if isinstance(request, InsideRequest):
        pictures = np.zeros((7, 48, 48), dtype=np.uint8)
        return Inside(request.seal, "conv", np.ones((4, 3, 3)), pictures, np.eye(7))
    if isinstance(request, ActivationsRequest):
        return [response(name, np.ones((6, 6, 4))) for name in request.layers]
    rng = np.random.default_rng(len(request.method) + request.label)
    if isinstance(request, SanityRequest):
        real = rng.random((6, 6)).astype(np.float32)
        same = np.broadcast_to(real, (2, request.draws, 6, 6))
        return SanityMaps(real, ("head", "block1"), np.array(same), 0.5)
    if request.method == SCORECAM and Path(sys.argv[1], DEADLY).exists():
        os._exit(9)
    if request.method == SALIENCY:
        raise ExplainError("Saliency was refused by hand.")
    return Map(rng.random((6, 6)).astype(np.float32), np.full(7, 1 / 7, dtype=np.float32), 0.1)


if __name__ == "__main__":
    serve(handle, lambda: None)
