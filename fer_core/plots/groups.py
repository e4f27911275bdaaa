"""Groups of faces in one picture: the faces of a group side by side on a panel, groups one after the other.

A panel is grey on nothing, so that the picture fits a light and a dark page. See :mod:`fer_core.plots.faces` for why
it is one picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.plots.faces import BACKGROUND, CAPTION_HEIGHT, FRAME, contact_sheet

Box = tuple[int, int, int, int]

PAD = 4
"""Pixels of panel around each face."""
BETWEEN = 8
"""Pixels between panels."""


def group_sheet(
    images: npt.NDArray[np.uint8],
    sizes: Sequence[int],
    *,
    columns: int,
    captions: Sequence[str],
    labels: npt.ArrayLike,
    scale: int = 2,
) -> tuple[npt.NDArray[np.uint8], list[Box]]:
    """Groups as words in a text: side by side while they fit into ``columns``, else on the next line.

    ``images``: uint8 (n, 48, 48), the faces of the first group, then those of the second, and so on. ``sizes``: faces
    in each group, each at least 1, n in all. A group of more than ``columns`` goes on over several lines.
    ``captions``: n short texts below the faces. ``labels``: int (n,), 0..6, for the frames. ``scale``: whole-number
    magnification. Returns the picture, uint8 (H, W, 4), red-green-blue-alpha, always as wide as ``columns``, and the
    box (x0, y0, x1, y1) of each face in it, frame and caption not included. Raises ``ValueError`` for no faces or
    lists of other lengths.
    """
    if not sizes or min(sizes) < 1 or sum(sizes) != len(images) or columns < 1:
        raise ValueError(f"{len(images)} faces cannot be groups of {list(sizes)} in {columns} columns")
    tiles = [
        contact_sheet(images[i : i + 1], 1, scale=scale, captions=captions[i : i + 1], labels=of, gap=0)
        for i, of in enumerate(np.asarray(labels).reshape(len(images), 1))
    ]
    side = IMAGE_SIZE * scale
    step_x = side + 2 * FRAME + 2 * PAD + BETWEEN
    step_y = step_x + CAPTION_HEIGHT
    places = _places(sizes, columns)
    lines = places[-1][0] + 1
    sheet = np.zeros((lines * step_y - BETWEEN, columns * step_x - BETWEEN, 4), dtype=np.uint8)
    boxes: list[Box] = []
    for tile, (line, column, is_joined) in zip(tiles, places, strict=True):
        x, y = column * step_x, line * step_y
        height, width = tile.shape[:2]
        # The panels of one group touch, those of two do not.
        left = x - BETWEEN if is_joined else x
        sheet[y : y + height + 2 * PAD, left : x + width + 2 * PAD] = (BACKGROUND, BACKGROUND, BACKGROUND, 255)
        sheet[y + PAD : y + PAD + height, x + PAD : x + PAD + width, :3] = tile
        x0, y0 = x + PAD + FRAME, y + PAD + FRAME
        boxes.append((x0, y0, x0 + side, y0 + side))
    return sheet, boxes


def _places(sizes: Sequence[int], columns: int) -> list[tuple[int, int, bool]]:
    """For each face its line and column, and whether its panel joins the one to its left."""
    places = []
    line = column = 0
    for size in sizes:
        if column and column + size > columns:
            line, column = line + 1, 0
        for member in range(size):
            if column == columns:
                line, column = line + 1, 0
            places.append((line, column, member > 0 and column > 0))
            column += 1
    return places
