"""Occlusion: cover a part of the face, and see how far each probability falls.

Zeiler and Fergus, 2014, *Visualizing and Understanding Convolutional Networks* (https://arxiv.org/abs/1311.2901).
Needs no gradient, no layer and no access to the model: any function from faces to probabilities will do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.explain.base import Faces, Fill, Floats, Predict, ask, checked_face, checked_faces, filling, to_grey
from fer_core.progress import Meter, ProgressCallback

USUAL_PATCH, USUAL_STRIDE = 8, 4
"""Pixels, where nothing else is asked for: 121 patches."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What covering each part of n faces did.

    ``maps``: float32 (n, 7, 48, 48), -1..1: how far a class's probability falls, on average over the patches that
    cover a pixel; above 0 the pixel speaks for the class, below 0 against it. ``probabilities``: float32 (n, 7), those
    of the faces themselves. ``drops``: float32 (n, p, 7), the fall at each patch. ``boxes``: int (p, 4), the patches as
    (x0, y0, x1, y1) in pixels, x1 and y1 exclusive, row by row.
    """

    maps: Floats
    probabilities: Floats
    drops: Floats
    boxes: npt.NDArray[np.int64]


def occlusion(
    predict: Predict,
    faces: Faces,
    *,
    patch: int = USUAL_PATCH,
    stride: int = USUAL_STRIDE,
    fill: Fill = "mean",
    progress: ProgressCallback | None = None,
) -> Occlusion:
    """Maps of all seven classes for faces uint8 (n, 48, 48), or one face (48, 48), which counts as n = 1.

    ``patch``: side of the square that is covered, 1..48 pixels. ``stride``: from one patch to the next, 1..patch
    pixels; the last patch always ends at the edge, so every pixel is covered. ``fill``: see
    :data:`fer_core.explain.base.Fill`. Costs one prediction for each face and each patch (121 with the defaults), and
    one more for the face. Raises ``ValueError`` for other shapes or ranges.
    """
    faces = checked_faces(faces)
    boxes = patches(patch, stride)
    replacement = to_grey(filling(faces, fill))
    total = len(faces) * (len(boxes) + 1)
    meter = Meter(progress, "variants", "Covering parts of the face")
    answers = np.empty((len(faces), len(boxes) + 1, COUNT), dtype=np.float32)
    for number, (face, other) in enumerate(zip(faces, replacement, strict=True)):
        variants = np.concatenate([face[np.newaxis], covered(face, boxes, other)])
        answers[number] = ask(predict, variants, meter, done=number * len(variants), total=total)
    drops = answers[:, :1] - answers[:, 1:]
    return Occlusion(_spread(drops, patch, stride), answers[:, 0], drops, boxes)


def starts(patch: int, stride: int) -> npt.NDArray[np.int64]:
    """Where patches begin along one side, int (m,), ascending; the last one ends at the edge."""
    if not (1 <= patch <= IMAGE_SIZE and 1 <= stride <= patch):
        raise ValueError(f"patch must be 1..{IMAGE_SIZE} pixels and stride 1..patch, not {patch} and {stride}")
    return np.unique(np.append(np.arange(0, IMAGE_SIZE - patch + 1, stride), IMAGE_SIZE - patch))


def patches(patch: int, stride: int) -> npt.NDArray[np.int64]:
    """All patches as boxes int (p, 4), (x0, y0, x1, y1), row by row. Raises ``ValueError`` for other ranges."""
    y, x = (side.ravel() for side in np.meshgrid(starts(patch, stride), starts(patch, stride), indexing="ij"))
    return np.stack([x, y, x + patch, y + patch], axis=1)


def covered(face: Faces, boxes: npt.NDArray[np.integer], replacement: Faces) -> Faces:
    """The face with one box at a time replaced by ``replacement`` (48, 48): uint8 (p, 48, 48)."""
    variants = np.repeat(checked_face(face)[np.newaxis], len(boxes), axis=0)
    for variant, (x0, y0, x1, y1) in zip(variants, boxes, strict=True):
        variant[y0:y1, x0:x1] = replacement[y0:y1, x0:x1]
    return variants


def _spread(drops: Floats, patch: int, stride: int) -> Floats:
    """Mean fall over the patches that cover each pixel: (n, p, 7) to (n, 7, 48, 48)."""
    begin = starts(patch, stride)[:, np.newaxis]
    pixel = np.arange(IMAGE_SIZE)
    covers = ((pixel >= begin) & (pixel < begin + patch)).astype(np.float32)
    # Patches lie on a grid, so the mean over them is the mean along one side, then along the other.
    weights = covers / covers.sum(axis=0)
    grid = drops.reshape(len(drops), len(begin), len(begin), COUNT)
    return np.einsum("nijc,iy,jx->ncyx", grid, weights, weights, optimize=True).astype(np.float32)
