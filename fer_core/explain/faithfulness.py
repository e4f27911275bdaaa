"""Deletion and insertion: does the model really use what a map marks?

Petsiuk, Das and Saenko, 2018 (https://arxiv.org/abs/1806.07421). **Deletion** takes pixels away, the most marked
first; the sooner the probability falls, the better the map: a *small* area under the curve is good. **Insertion**
starts from a face without features and puts pixels back, the most marked first: a *large* area is good. Areas are 0..1.

A deleted pixel becomes the face's mean grey, and insertion starts from the blurred face: the paper's choices, with grey
that fits the face. Both can be changed, and neither is neutral: compare areas with those of the baselines, measured
alike (:mod:`fer_core.explain.baselines`), never on their own. :mod:`fer_core.explain.trust` puts that into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.explain.base import (
    Faces,
    Fill,
    Floats,
    Predict,
    ask,
    at_face_size,
    checked_classes,
    checked_faces,
    filling,
    to_grey,
)
from fer_core.explain.baselines import GRID, Grid, centre_map, edge_map, random_maps
from fer_core.progress import Meter, ProgressCallback

PIXELS = IMAGE_SIZE**2
CENTRE, EDGES = "centre", "edges"
TOGETHER = 2048
"""Variants made at a time: 5 MB of pixels."""

Areas = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effort:
    """How thoroughly maps are tested: random ``orders`` and ``steps`` in which the face is deleted and put back.

    The study of many faces has its own: :class:`fer_core.explain.batch_maps.FaithfulnessPlan`.
    """

    orders: int
    steps: int


QUICK, THOROUGH = Effort(5, 4), Effort(9, 12)
"""Quick is what four models can do within a second on two fast cores; five orders are the fewest that tell their
spread. Thorough is the usual one: enough to know the spread, few enough to wait for."""
EFFORTS = {"quick": QUICK, "thorough": THOROUGH}
"""By the names that Explain's address holds."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Probabilities of all classes while k maps of n faces are deleted and inserted in s steps.

    ``fractions``: float64 (s + 1,), 0..1, the share of the face that is deleted or put back. ``deletion`` and
    ``insertion``: float32 (n, k, s + 1, 7), probabilities.
    """

    fractions: npt.NDArray[np.float64]
    deletion: Floats
    insertion: Floats

    @cached_property
    def areas(self) -> tuple[Areas, Areas]:
        """Areas under the curves by the trapezoid rule: deletion and insertion, each float64 (n, k, 7), 0..1."""
        deleted, inserted = (
            np.asarray(np.trapezoid(curve.astype(np.float64), self.fractions, axis=2))
            for curve in (self.deletion, self.insertion)
        )
        return deleted, inserted


def deletion_insertion_curves(
    predict: Predict,
    faces: Faces,
    maps: npt.ArrayLike,
    *,
    steps: int = THOROUGH.steps,
    deletion_fill: Fill = "mean",
    insertion_fill: Fill = "blur",
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> Curves:
    """Delete and insert n faces uint8 (n, 48, 48) in the orders of k maps each, (n, k, h, w), of any grid.

    Maps finer or coarser than the face are resized to it. Pixels that a map holds equal, such as all its zeros, are
    taken in an order that ``seed`` draws, in blobs; a map of zeros is therefore a random order. Costs
    ``n * (3 + 2 * k * (steps - 1))`` predictions, batched over faces and maps. Raises ``ValueError`` for other shapes,
    maps that are not finite, or fewer than two steps.
    """
    faces = checked_faces(faces)
    stacked = np.asarray(maps)
    if stacked.ndim != 4 or len(stacked) != len(faces) or not 2 <= steps <= PIXELS:
        raise ValueError(f"maps must be ({len(faces)}, k, h, w) and steps 2..{PIXELS}, not {stacked.shape} and {steps}")
    n, k = stacked.shape[:2]
    counts = np.rint(np.linspace(0, PIXELS, steps + 1)).astype(np.int64)
    ranks = _ranks(at_face_size(stacked.reshape(n * k, *stacked.shape[2:])), seed).reshape(n, k, IMAGE_SIZE, IMAGE_SIZE)
    gone, start = to_grey(filling(faces, deletion_fill)), to_grey(filling(faces, insertion_fill))
    each = 3 + 2 * k * (steps - 1)
    meter = Meter(progress, "variants", "Deleting and inserting what the maps mark")
    result = np.empty((2, n, k, steps + 1, COUNT), dtype=np.float32)
    group = max(1, TOGETHER // each)
    for first in range(0, n, group):
        rows = slice(first, min(n, first + group))
        # (faces, k, steps - 1, 48, 48): is the pixel among those already taken?
        taken = ranks[rows, :, np.newaxis] < counts[1:-1, np.newaxis, np.newaxis]
        face, grey, dim = (pictures[rows, np.newaxis, np.newaxis] for pictures in (faces, gone, start))
        deleted, inserted = np.where(taken, grey, face), np.where(taken, face, dim)
        ends = np.concatenate([faces[rows], gone[rows], start[rows]])
        inner = np.concatenate([deleted, inserted]).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
        answers = ask(predict, np.concatenate([ends, inner]), meter, done=first * each, total=n * each)
        whole, empty, blurry = (part[:, np.newaxis] for part in np.split(answers[: len(ends)], 3))
        result[:, rows, :, 1:-1] = answers[len(ends) :].reshape(2, -1, k, steps - 1, COUNT)
        result[0, rows, :, 0], result[0, rows, :, -1] = whole, empty
        result[1, rows, :, 0], result[1, rows, :, -1] = blurry, whole
    return Curves(counts / PIXELS, result[0], result[1])


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Curves of some maps of n faces beside those of the baselines.

    ``curves`` holds, along its second axis, the maps called ``names``, then the centre blob, then the face's edges,
    then ``orders`` random maps. All classes are measured at once, so one measurement judges maps of several classes.
    """

    names: tuple[str, ...]
    orders: int
    curves: Curves

    def __len__(self) -> int:
        """Faces."""
        return len(self.curves.deletion)

    def index(self, name: str) -> int:
        """Where a map, :data:`CENTRE` or :data:`EDGES` is along the curves' second axis. ``KeyError`` if nowhere."""
        known = (*self.names, CENTRE, EDGES)
        if name not in known:
            raise KeyError(f"there is no map called {name!r}; there are {', '.join(known)}")
        return known.index(name)

    def areas(self, name: str, classes: npt.ArrayLike) -> tuple[Areas, Areas]:
        """Deletion and insertion areas of one map for one class, or one class a face: each float64 (n,), 0..1."""
        picked = self._of(classes)
        return picked[0][:, self.index(name)], picked[1][:, self.index(name)]

    def random_areas(self, classes: npt.ArrayLike) -> tuple[Areas, Areas]:
        """The same of the random maps, each float64 (n, orders)."""
        deleted, inserted = self._of(classes)
        return deleted[:, -self.orders :], inserted[:, -self.orders :]

    def probabilities(self, classes: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """What the model gives that class on the untouched face, float64 (n,)."""
        wanted = checked_classes(classes, len(self))
        return self.curves.deletion[np.arange(len(self)), 0, 0, wanted].astype(np.float64)

    def _of(self, classes: npt.ArrayLike) -> tuple[Areas, Areas]:
        wanted = checked_classes(classes, len(self))
        deleted, inserted = self.curves.areas
        return deleted[np.arange(len(self)), :, wanted], inserted[np.arange(len(self)), :, wanted]


def measure_maps(
    predict: Predict,
    faces: Faces,
    maps: Mapping[str, npt.ArrayLike],
    *,
    orders: int = THOROUGH.orders,
    grid: Grid = GRID,
    steps: int = THOROUGH.steps,
    deletion_fill: Fill = "mean",
    insertion_fill: Fill = "blur",
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> Faithfulness:
    """Measure maps of n faces uint8 (n, 48, 48) beside random, centre and edges, in as few calls as possible.

    ``maps``: name to (n, h, w), one map a face; no name may be that of a baseline. ``orders``: random maps a face, 5 or
    more. ``grid``: their cells, as many as the maps have (see :func:`fer_core.explain.baselines.random_maps`). Each
    face gets random maps of its own; the same ``seed`` gives the same ones. The rest as in
    :func:`deletion_insertion_curves`. One face with one map and the defaults costs 267 predictions. Raises
    ``ValueError`` for other shapes, names or ranges.
    """
    faces = checked_faces(faces)
    n = len(faces)
    if not maps or {CENTRE, EDGES} & set(maps) or orders < 5:
        raise ValueError(f"maps needs a name other than {CENTRE} and {EDGES}, and orders must be 5 or more")
    stack = []
    for name, values in maps.items():
        if np.ndim(values) != 3 or len(np.asarray(values)) != n:
            raise ValueError(f"the maps called {name} must be ({n}, h, w), not {np.shape(values)}")
        stack.append(at_face_size(values))
    stack.append(np.broadcast_to(centre_map(), (n, IMAGE_SIZE, IMAGE_SIZE)))
    stack.append(np.array([edge_map(face) for face in faces]).reshape(n, IMAGE_SIZE, IMAGE_SIZE))
    # A seed of its own, so that no random map is also the order in which equal pixels are taken.
    chance = random_maps(n * orders, grid=grid, seed=seed + 1).reshape(n, orders, IMAGE_SIZE, IMAGE_SIZE)
    everything = np.concatenate([np.stack(stack, axis=1), chance], axis=1)
    traced = deletion_insertion_curves(
        predict,
        faces,
        everything,
        steps=steps,
        deletion_fill=deletion_fill,
        insertion_fill=insertion_fill,
        seed=seed,
        progress=progress,
    )
    return Faithfulness(tuple(maps), orders, traced)


def _ranks(maps: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.int16]:
    """Each pixel's place in its map's order, 0 the most marked: int16 (k, 48, 48)."""
    tie_break = random_maps(1, seed=seed).reshape(1, PIXELS)
    flat = maps.reshape(-1, PIXELS)
    order = np.lexsort((np.broadcast_to(tie_break, flat.shape), -flat), axis=-1)
    ranks = np.empty(flat.shape, dtype=np.int16)
    np.put_along_axis(ranks, order, np.arange(PIXELS, dtype=np.int16)[np.newaxis], axis=1)
    return ranks.reshape(maps.shape)
