"""One picture file as a 48×48 greyscale face."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from fer_core import emotions, picture_size
from fer_core.errors import DataError

_SIZE = (emotions.IMAGE_SIZE, emotions.IMAGE_SIZE)


@dataclass(frozen=True)
class Picture:
    """A face: ``pixels`` uint8 (48, 48), and what had to be done to the file to get it."""

    pixels: npt.NDArray[np.uint8]
    resized: bool
    squeezed: bool
    """True when the file was not square, so that resizing changed the face's proportions."""
    had_colour: bool


def decode(content: bytes, where: str) -> Picture:
    """Decode a JPEG or PNG. Colour becomes grey (ITU-R 601), other sizes become 48×48 (Lanczos); EXIF is ignored.

    Raises ``DataError`` naming ``where`` when the content is no readable JPEG or PNG, or has too many pixels (see
    :mod:`fer_core.picture_size`).
    """
    try:
        # Opening reads the header only: the size is checked before any pixel is unpacked.
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            resized = image.size != _SIZE
            squeezed = image.width != image.height
            picture_size.limit(image)
            had_colour = image.mode not in ("L", "LA", "1") and not image.mode.startswith("I")
            grey = _grey(image)
            if resized:
                grey = grey.resize(_SIZE, Image.Resampling.LANCZOS)
            return Picture(np.asarray(grey, dtype=np.uint8), resized, squeezed, had_colour)
    except picture_size.TooManyPixelsError as error:
        raise DataError(f"{where} {error}, or remove the file.") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{where} has far too many pixels for the picture of a face. Remove the file.") from error
    # Pillow's readers raise all of these for broken files; SyntaxError is its own habit for broken PNGs.
    except (OSError, SyntaxError, ValueError, struct.error, EOFError) as error:
        raise DataError(
            f"{where} is not an image that can be read (JPEG or PNG): {error}. Remove the file or replace it."
        ) from error


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit PNG. Pillow's own conversion clips at 255 instead of scaling.
        return Image.fromarray((np.asarray(image, dtype=np.uint32) >> 8).astype(np.uint8))
    return image.convert("L")
