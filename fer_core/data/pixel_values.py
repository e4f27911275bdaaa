"""Numbers as faces: whatever their range, size and colours, 48×48 grey levels come out, and what was done is told."""

from __future__ import annotations

import enum
import math
from collections import Counter

import numpy as np
import numpy.typing as npt
from PIL import Image

from fer_core import emotions

SIDE = emotions.IMAGE_SIZE
SMALLEST, LARGEST = 16, 1024
"""Pixels of a side. Less shows no face, and more are not written as numbers."""
# ITU-R 601, as Pillow turns colours to grey.
_GREY = np.array([0.299, 0.587, 0.114])


class Scale(enum.Enum):
    """Which numbers stand for black and white. ``value``: in words."""

    BYTES = "0 to 255"
    UNIT = "0 to 1"
    SIGNED = "−1 to 1"


class PixelError(Exception):
    """Numbers that are no face; the message goes on after the place where they stand. ``quoted``: what it repeats."""

    def __init__(self, message: str, quoted: str = "") -> None:
        super().__init__(message)
        self.quoted = quoted


def scale_of(low: float, high: float, *, whole: bool) -> Scale:
    """The scale of numbers between ``low`` and ``high``; ``whole``: all are whole numbers. Raises ``PixelError``."""
    if not (math.isfinite(low) and math.isfinite(high)):
        raise PixelError("some pixels are no numbers (NaN or infinite)")
    if low >= 0 and high <= 1 and (not whole or high <= 0):
        return Scale.UNIT if high > 0 else Scale.BYTES
    if low >= 0 and high <= 255:
        return Scale.BYTES
    if -1 <= low < 0 and high <= 1:
        return Scale.SIGNED
    raise PixelError(
        f"pixels go from {low:g} to {high:g}; understood are 0 to 255, 0 to 1 and −1 to 1. Bring them as they were "
        "before they were standardised"
    )


def side_of(numbers: int) -> tuple[int, int]:
    """Side and colours (1 or 3) of a square picture with so many numbers. Raises ``PixelError``."""
    for colours in (1, 3):
        side = math.isqrt(numbers // colours)
        if side * side * colours == numbers and SMALLEST <= side <= LARGEST:
            return side, colours
    raise PixelError(f"{numbers:,} pixel values instead of {SIDE * SIDE:,} (48×48), nor those of another square")


def shape_of(shape: tuple[int, ...]) -> tuple[int, int, int, bool]:
    """Height, width, colours, and whether these come first, of faces with this shape. Raises ``PixelError``.

    Understood are (h, w), (h, w, 1), (h, w, 3), (1, h, w), (3, h, w) and (h × w × colours,).
    """
    if len(shape) == 1:
        side, colours = side_of(shape[0])
        return side, side, colours, False
    if len(shape) == 2:
        height, width, colours, first = *shape, 1, False
    elif len(shape) == 3 and shape[2] in (1, 3):
        height, width, colours, first = *shape, False
    elif len(shape) == 3 and shape[0] in (1, 3):
        colours, height, width, first = *shape, True
    else:
        raise PixelError(f"faces of the shape {shape} are not understood; understood are 48×48, 48×48×1, 48×48×3, 2304")
    if not all(SMALLEST <= side <= LARGEST for side in (height, width)):
        raise PixelError(f"faces of {width}×{height} pixels; understood are {SMALLEST} to {LARGEST} a side")
    return height, width, colours, first


class FaceMaker:
    """Turns numbers into faces, and counts what it had to do."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self._sizes: Counter[tuple[int, int]] = Counter()
        self._coloured = 0

    def faces(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """uint8 (n, 48, 48) from numbers (n, …). Raises ``PixelError`` for shapes and values that do not fit."""
        height, width, colours, first = shape_of(values.shape[1:])
        pixels = self._levels(values)
        if colours == 3:
            self._coloured += len(pixels)
            pixels = pixels.reshape(-1, 3, height, width) if first else pixels.reshape(-1, height, width, 3)
            grey = np.tensordot(pixels, _GREY, axes=([1 if first else 3], [0]))
            pixels = np.rint(grey).astype(np.uint8)
        pixels = pixels.reshape(-1, height, width)
        if (height, width) == (SIDE, SIDE):
            return pixels
        self._sizes[width, height] += len(pixels)
        resized = [Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.LANCZOS) for one in pixels]
        return np.stack([np.asarray(one, np.uint8) for one in resized])

    def notes(self) -> list[str]:
        """What was done, in sentences."""
        notes = []
        if self.scale is not Scale.BYTES:
            notes.append(f"Pixels from {self.scale.value} were scaled to 0 to 255.")
        if self._sizes:
            listed = ", ".join(f"{width}×{height}" for width, height in list(self._sizes)[:3])
            squeezed = sum(number for (width, height), number in self._sizes.items() if width != height)
            tail = f"; {squeezed:,} of them were not square and are distorted" if squeezed else ""
            notes.append(f"{sum(self._sizes.values()):,} faces were resized from {listed} to 48×48 pixels{tail}.")
        if self._coloured:
            notes.append(
                f"{self._coloured:,} faces were in colour (taken as red, green, blue) and were turned to grey."
            )
        return notes

    def _levels(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        if values.dtype == np.uint8 and self.scale is Scale.BYTES:
            return np.ascontiguousarray(values)
        numbers = values.astype(np.float64)
        if self.scale is Scale.UNIT:
            numbers *= 255
        elif self.scale is Scale.SIGNED:
            numbers = (numbers + 1) * 127.5
        # A tenth of a grey level more is the rounding of whoever wrote it.
        if not (numbers.min(initial=0) >= -0.1 and numbers.max(initial=0) <= 255.1):
            raise PixelError(f"a pixel is outside {self.scale.value}, in which the first ones are")
        return np.rint(numbers).clip(0, 255).astype(np.uint8)
