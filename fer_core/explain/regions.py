"""Where brows, eyes and mouth are in a face, as masks for the pointing game and for painting over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

Corners = tuple[int, int, int, int]

TYPICAL_REGIONS: dict[str, Corners] = {
    "brows": (8, 8, 40, 15),
    "eyes": (8, 14, 40, 22),
    "mouth": (13, 34, 35, 45),
}
"""Where they are in most faces of FER-2013: (x0, y0, x1, y1) in pixels, x1 and y1 exclusive: read off the mean of every
seventh Training face. Faces that are turned or cut otherwise need a box moved by hand.
"""


def region_boxes(dataset: Dataset, row: int) -> dict[str, Corners] | None:
    """``brows``, ``eyes`` and ``mouth`` of one face as (x0, y0, x1, y1) in pixels, x1 and y1 exclusive.

    None where the dataset does not know them: only the drawn sample does. Boxes are cut at the picture's edge; a part
    that lies outside the picture is left out. Raises ``IndexError`` for a row that does not exist, ``DataError`` where
    the stored regions are damaged.
    """
    stored = dataset.regions()
    if stored is None:
        return None
    if not 0 <= row < len(dataset):
        raise IndexError(f"{dataset.info.name} has no face {row}; it has {len(dataset):,}, counted from 0")
    return cut_boxes({name: boxes[row] for name, boxes in stored.items()})


def cut_boxes(boxes: Mapping[str, npt.ArrayLike]) -> dict[str, Corners]:
    """Boxes cut at the picture's edge, those outside it left out: what ``draw_face`` returns, or a row of regions."""
    cut = {}
    for name, box in boxes.items():
        x0, y0, x1, y1 = (int(value) for value in np.clip(np.asarray(box), 0, IMAGE_SIZE))
        if x0 < x1 and y0 < y1:
            cut[name] = (x0, y0, x1, y1)
    return cut


def region_masks(boxes: Mapping[str, npt.ArrayLike]) -> dict[str, npt.NDArray[np.bool_]]:
    """Each box as bool (48, 48), True inside, and ``any``: all of them together."""
    masks = {}
    for name, (x0, y0, x1, y1) in cut_boxes(boxes).items():
        masks[name] = np.zeros((IMAGE_SIZE, IMAGE_SIZE), dtype=np.bool_)
        masks[name][y0:y1, x0:x1] = True
    masks["any"] = np.logical_or.reduce(list(masks.values())) if masks else np.zeros((IMAGE_SIZE, IMAGE_SIZE), bool)
    return masks
