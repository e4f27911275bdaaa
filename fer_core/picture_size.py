"""How many pixels of a picture are decoded: told by the file's header, before any of them is."""

from __future__ import annotations

import math

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

MOST_PIXELS = 50_000_000
"""About what the largest phone cameras take."""
MOST_WHOLE = 16_000_000
"""Of a picture that can only be decoded as a whole; the largest common screens have 15 million."""
MOST_DECODED = 8_000_000
"""Pixels that are held in memory, at three bytes each and, while they are decoded, at four more. A phone's picture of
12 million is decoded at half its sides, which are still longer than those in which detectors look for faces."""


class TooManyPixelsError(Exception):
    """The picture is too large to be decoded; the message ends a sentence that begins with the file's name."""


def limit(image: Image.Image) -> None:
    """Have an opened picture, of which nothing is decoded yet, decoded with few enough pixels.

    A usual JPEG is decoded at a half, a quarter or an eighth of its sides; ``image.size`` changes. Raises
    :class:`TooManyPixelsError` where that is not possible.
    """
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise TooManyPixelsError(
            f"has {width:,} × {height:,} pixels; at most {MOST_PIXELS // 10**6} million are read. Make it smaller first"
        )
    # A progressive one keeps all it has read of each pixel until its last byte, however small it is wanted.
    if isinstance(image, JpegImageFile) and not image.info.get("progressive"):
        factor = next(
            (one for one in (1, 2, 4, 8) if math.ceil(width / one) * math.ceil(height / one) <= MOST_DECODED), 8
        )
        if factor > 1:
            image.draft(image.mode, (width // factor, height // factor))
    elif width * height > MOST_WHOLE:
        raise TooManyPixelsError(
            f"has {width:,} × {height:,} pixels; at most {MOST_WHOLE // 10**6} million are read of a picture that is "
            "no plain JPEG. Save it as JPEG, or make it smaller first"
        )
