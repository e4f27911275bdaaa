"""Average maps: where does a model look over a whole class, a confusion cell, or any selection of faces?

FER-2013's faces are roughly in register, eyes above mouth, so a mean over faces means something. Maps that say nothing
(see :mod:`fer_core.explain.blank_maps`) are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.explain.base import Faces, Floats, checked_classes, checked_faces, checked_maps
from fer_core.explain.blank_maps import blank
from fer_core.formatting import plural
from fer_core.progress import Meter, ProgressCallback

Explain = Callable[[Faces], tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]]
"""Faces uint8 (B, 48, 48) to probabilities (B, 7) and maps (B, 7, h, w), such as ``Predictor.explain``."""
Scale = Literal["peak", "sum", "none"]
SCALES: dict[Scale, str] = {
    "peak": "each map divided by its largest value, so that every face counts alike",
    "sum": "each map divided by its sum, so that a map that marks a small part counts more there",
    "none": "maps as they are, on the scale of the logit, so that faces that speak strongly count more",
}
BATCH = 256


@dataclass(frozen=True, eq=False)
class AverageMap:
    """The mean of the maps of ``n`` faces; ``left_out`` more had maps that say nothing.

    ``mean``, ``spread``: float32 (h, w), mean and standard deviation over faces, after ``scale``; zeros where n is 0.
    ``mean_face``: float32 (48, 48), grey 0..255, of the same n faces.
    """

    mean: Floats
    spread: Floats
    mean_face: Floats
    n: int
    left_out: int
    scale: Scale

    def sentence(self) -> str:
        """What this is the mean of, and what was left out, for a caption."""
        if not self.n:
            if not self.left_out:
                return "There are no faces to average."
            return f"None of the {plural(self.left_out, 'face')} has a map that says anything, so there is no mean."
        text = f"Mean over {plural(self.n, 'face')}: {SCALES[self.scale]}."
        if self.left_out:
            verb = "was" if self.left_out == 1 else "were"
            text += f" {plural(self.left_out, 'face')} {verb} left out because the map is empty or flat."
        return text


def average(
    explain: Explain,
    faces: Faces,
    classes: npt.ArrayLike | None,
    *,
    scale: Scale = "peak",
    progress: ProgressCallback | None = None,
) -> AverageMap:
    """Explain faces uint8 (n, 48, 48) in batches and average the maps of ``classes``.

    ``classes``: one 0..6, or one a face (n,); None takes the model's own answer on each face. For a confusion cell pass
    its faces, and the class whose evidence is asked for: the answer's, to see what spoke for it, or the true one's.
    Raises ``ValueError`` for other shapes, classes or scales, or for maps of another shape than (B, 7, h, w).
    """
    faces = checked_faces(faces)
    wanted = None if classes is None else checked_classes(classes, len(faces))
    meter = Meter(progress, "faces", "Averaging maps")
    parts = []
    for start in range(0, max(1, len(faces)), BATCH):  # at least once: an empty batch still tells the grid
        part = slice(start, start + BATCH)
        probabilities, maps = (np.asarray(answer) for answer in explain(faces[part]))
        if maps.ndim != 4 or maps.shape[:2] != (len(faces[part]), COUNT):
            raise ValueError(f"maps must be ({len(faces[part])}, {COUNT}, h, w), not {maps.shape}")
        which = probabilities.argmax(axis=1) if wanted is None else wanted[part]
        parts.append(maps[np.arange(len(maps)), which])
        meter.update(min(len(faces), start + BATCH), len(faces), force=True)
    return mean_map(np.concatenate(parts), faces, scale=scale)


def mean_map(maps: npt.ArrayLike, faces: Faces, *, scale: Scale = "peak") -> AverageMap:
    """The mean of maps (n, h, w) of faces uint8 (n, 48, 48), whose values may be negative: then sizes set the scale.

    Raises ``ValueError`` for other shapes, maps that are not finite, or an unknown scale.
    """
    values, faces = checked_maps(maps), checked_faces(faces)
    if len(values) != len(faces):
        raise ValueError(f"there must be a map for each of {len(faces)} faces, not {len(values)}")
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}, not {scale!r}")
    informative = ~blank(values)
    drawn = values[informative]
    n, left_out = len(drawn), int((~informative).sum())
    if not n:
        nothing = np.zeros(values.shape[1:], dtype=np.float32)
        return AverageMap(nothing, nothing, np.zeros((IMAGE_SIZE,) * 2, np.float32), 0, left_out, scale)
    size = np.abs(drawn)
    if scale == "peak":
        drawn = drawn / size.max(axis=(1, 2), keepdims=True)
    elif scale == "sum":
        drawn = drawn / size.sum(axis=(1, 2), keepdims=True)
    return AverageMap(
        drawn.mean(axis=0).astype(np.float32),
        drawn.std(axis=0).astype(np.float32),
        faces[informative].mean(axis=0, dtype=np.float64).astype(np.float32),
        n,
        left_out,
        scale,
    )
