"""Maps of many faces by one method, each of one class: what faithfulness is measured on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.base import Faces
from fer_core.explain.baselines import GRID
from fer_core.explain.methods import CLASS_MAP, METHODS, OCCLUSION, RISE
from fer_core.explain.occlusion import occlusion
from fer_core.explain.rise import rise
from fer_core.progress import Meter, ProgressCallback

if TYPE_CHECKING:
    from fer_core.explain.worker.client import Worker
    from fer_core.inference.predictor import Predictor
    from fer_core.runs.folder import RunFolder

FINE = (IMAGE_SIZE, IMAGE_SIZE)
"""Cells of the random orders for maps that are as fine as pixels."""
TOGETHER = 16
"""Faces whose maps of all seven classes are in memory at once."""

Maps = npt.NDArray[np.float32]
Classes = npt.NDArray[np.integer]


@dataclass(frozen=True)
class FaithfulnessPlan:
    """How faithfulness is measured. Two measurements can be compared only where all of this is the same.

    ``n``: faces, drawn class by class. ``steps``: of deletion and insertion. ``orders``: random maps a face, 5 or more.
    ``patch``, ``stride``: of occlusion, in pixels. ``masks``: of RISE. Few of all, since every face costs
    ``3 + 2 * (steps - 1) * (maps + 2 + orders)`` predictions beside those of the methods themselves.
    """

    n: int = 500
    steps: int = 8
    orders: int = 5
    patch: int = 12
    stride: int = 6
    masks: int = 200
    seed: int = 0


def by_grid(names: Sequence[str], predictor: Predictor) -> dict[tuple[int, int], list[str]]:
    """Methods together whose random orders are equally coarse: they share them."""
    groups: dict[tuple[int, int], list[str]] = {}
    for name in names:
        one = METHODS[name]
        grid = predictor.map_grid if one.layered or name == CLASS_MAP else FINE if one.where == "worker" else GRID
        groups.setdefault(grid, []).append(name)
    return groups


def maps_of(
    folder: RunFolder,
    predictor: Predictor,
    faces: Faces,
    classes: Classes,
    name: str,
    plan: FaithfulnessPlan,
    worker: Worker | None,
    progress: ProgressCallback | None,
) -> Maps:
    """One map a face, float32 (n, h, w), of its class 0..6, for faces uint8 (n, 48, 48), n ≥ 1.

    ``name``: one of :data:`METHODS`. ``worker``: see :func:`fer_core.explain.faithfulness_study.measure_faithfulness`.
    Raises ``ExplainError`` where the run cannot have that method.
    """
    meter = Meter(progress, "maps", f"{folder.name}, {METHODS[name].title}")
    if name == CLASS_MAP:
        return predictor.explain(faces)[1][np.arange(len(faces)), classes]
    if METHODS[name].where == "worker":
        found = _by_gradient(folder, faces, classes, name, worker)
    elif name == OCCLUSION:
        found = _by_occlusion(predictor, faces, classes, plan)
    elif name == RISE:
        found = _by_rise(predictor, faces, classes, plan)
    else:
        raise ValueError(f"nobody has said here how {name} draws the maps of many faces")
    maps = []
    for one in found:
        maps.append(one)
        meter.update(len(maps), len(faces), force=len(maps) == len(faces))
    return np.stack(maps)


def _by_rise(predictor: Predictor, faces: Faces, classes: Classes, plan: FaithfulnessPlan) -> Iterator[Maps]:
    for face, label in zip(faces, classes, strict=True):
        yield rise(predictor.predict, face, n=plan.masks, seed=plan.seed).maps[label]


def _by_occlusion(predictor: Predictor, faces: Faces, classes: Classes, plan: FaithfulnessPlan) -> Iterator[Maps]:
    for start in range(0, len(faces), TOGETHER):
        part = slice(start, start + TOGETHER)
        found = occlusion(predictor.predict, faces[part], patch=plan.patch, stride=plan.stride)
        yield from found.maps[np.arange(len(found.maps)), classes[part]]


def _by_gradient(folder: RunFolder, faces: Faces, classes: Classes, name: str, worker: Worker | None) -> Iterator[Maps]:
    from fer_core.explain.worker.client import Worker as Started
    from fer_core.explain.worker.messages import map_request

    requests = [map_request(folder, face, int(label), name) for face, label in zip(faces, classes, strict=True)]
    running = worker or Started()
    try:
        for request in requests:
            yield running.run(request).values
    finally:
        if worker is None:
            running.stop()
