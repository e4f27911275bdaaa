"""Kernels and channels of a layer as small pictures."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
CELL, GAP, COLUMNS = 28, 4, 16
"""Pixels of a kernel and between two, and kernels in a line."""
SIDE = 96


def kernel_picture(kernels: npt.NDArray[np.floating]) -> Picture:
    """Kernels (n, h, w) in lines, each from black (its most negative weight) over grey (0) to white: uint8 (H, W, 4),
    see-through between them. Raises ``ValueError`` for another shape.
    """
    if kernels.ndim != 3 or not kernels.size:
        raise ValueError(f"kernels must be (n, h, w), not {kernels.shape}")
    lines = -(-len(kernels) // COLUMNS)
    step = CELL + GAP
    sheet = np.zeros((lines * step - GAP, min(len(kernels), COLUMNS) * step - GAP, 4), dtype=np.uint8)
    for at, kernel in enumerate(np.asarray(kernels, dtype=np.float64)):
        most = np.abs(kernel).max() or 1.0
        grey = np.rint(127.5 + 127.5 * kernel / most).astype(np.uint8)
        large = cv2.resize(grey, (CELL, CELL), interpolation=cv2.INTER_NEAREST)
        y, x = (step * value for value in divmod(at, COLUMNS))
        sheet[y : y + CELL, x : x + CELL, :3] = large[..., np.newaxis]
        sheet[y : y + CELL, x : x + CELL, 3] = 255
    return sheet


def channel_picture(values: npt.NDArray[np.floating]) -> Picture:
    """One channel (h, w), 0..1, from black to bright yellow: uint8 (96, 96, 3), red-green-blue, cells as they are."""
    grey = np.rint(255 * np.clip(np.asarray(values, dtype=np.float64), 0, 1)).astype(np.uint8)
    heat = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[..., ::-1]
    return np.asarray(cv2.resize(heat, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
