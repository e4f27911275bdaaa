"""A picture file, decoded as people see it: upright, opaque, with eight bits a colour and not too many pixels."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from fer_core import picture_size
from fer_core.emotions import IMAGE_SIZE
from fer_core.errors import UnusableFileError
from fer_core.file_types import HEAD, PICTURES, odd_picture, what_to_do

Picture = npt.NDArray[np.uint8]

_LYING = (5, 6, 7, 8)
"""EXIF's marks of pictures whose sides are exchanged."""
_BAND = 256
EMPTY, BROKEN, TOO_LARGE, NO_LEVELS, NO_PICTURE = (
    "empty files",
    "damaged or cut-off pictures",
    "pictures with too many pixels",
    "pictures of which it is not known what is black and what is white",
    "files that are no pictures of a kind that is read",
)
"""Kinds of files that :func:`load_photo` refuses; pictures of other kinds go by the name of theirs."""
MAX_BYTES = 300 * 1024**2
"""Of a picture's file: so many pixels that are not packed at all have 150 MB, or twice that with 16 bits a colour."""


_BITS = (8, 10, 12, 16)
"""Of a grey value that takes two bytes: cameras commonly use 10 or 12 of them."""


class _LevelsError(ValueError):
    """The numbers of a picture are no levels of grey."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded picture: uint8 (H, W, 3), blue-green-red, upright; smaller than the file's own size if that is large.

    ``width``, ``height``: the file's own, upright, in pixels.
    """

    picture: Picture
    width: int
    height: int


def load_picture(data: bytes, name: str = "the picture") -> Picture:
    """The pixels of :func:`load_photo`."""
    return load_photo(data, name).picture


def load_photo(data: bytes, name: str = "the picture") -> Photo:
    """Decode a picture file, with at most some 8 million pixels.

    The camera's rotation mark (EXIF) is applied, transparent parts become white, of several frames the first
    counts. ``name`` is how messages call the file. Raises ``UnusableFileError`` for a file that is no picture of the
    known kinds (the message says what it is instead, where that can be told, and what to do), is cut off, or has too
    many pixels: see :mod:`fer_core.picture_size`.
    """
    kinds = ", ".join(PICTURES)
    try:
        with Image.open(io.BytesIO(data), formats=tuple(PICTURES)) as image:
            size = image.size
            picture_size.limit(image)
            lying = image.getexif().get(ExifTags.Base.Orientation) in _LYING
            ImageOps.exif_transpose(image, in_place=True)
            width, height = reversed(size) if lying else size
            return Photo(_pixels(image), width, height)
    except picture_size.TooManyPixelsError as error:
        raise UnusableFileError(f"{name} {error}.", TOO_LARGE) from None
    except Image.DecompressionBombError:
        raise UnusableFileError(
            f"{name} has far too many pixels to be read. Make it smaller first.", TOO_LARGE
        ) from None
    except Image.UnidentifiedImageError:
        if not data:
            raise UnusableFileError(
                f"{name} is not a picture: it is empty. Save it anew and try again.", EMPTY
            ) from None
        advice = what_to_do(data[:HEAD]) or f"Readable kinds: {kinds}."
        odd = odd_picture(data[:HEAD])
        kind = f"{odd} pictures, which are not read" if odd else NO_PICTURE
        raise UnusableFileError(f"{name} is not a picture that can be read. {advice}", kind) from None
    except _LevelsError as error:
        raise UnusableFileError(
            f"{name} has no levels of grey that are known: {error}. Save it with whole numbers from 0 to 255.",
            NO_LEVELS,
        ) from None
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        # Pillow reports damaged content through any of these.
        raise UnusableFileError(
            f"{name} is damaged or cut off ({error}). Save it anew and try again.", BROKEN
        ) from error


def as_face(picture: Picture) -> npt.NDArray[np.uint8]:
    """The whole picture as one face: grey (ITU-R 601), uint8 (48, 48); other sizes are resized (Lanczos).

    ``picture``: uint8 (H, W, 3), blue-green-red.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    if grey.shape == (IMAGE_SIZE, IMAGE_SIZE):
        return grey
    return np.asarray(Image.fromarray(grey).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.LANCZOS), dtype=np.uint8)


def _pixels(image: Image.Image) -> Picture:
    """Blue-green-red, uint8 (H, W, 3), band by band: Pillow has four bytes a pixel, and copies what it turns."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    levels = _levels(image)
    for top in range(0, image.height, _BAND):
        band = image.crop((0, top, image.width, min(top + _BAND, image.height)))
        if levels is not None:
            band = levels.grey(band)
        pixels[top : top + _BAND] = np.asarray(_opaque(band), dtype=np.uint8)[..., ::-1]
    if image.width * image.height > picture_size.MOST_DECODED:
        half = (image.width // 2, image.height // 2)
        return np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return pixels


@dataclass(frozen=True)
class _Levels:
    """How numbers beyond eight bits become grey levels: ``factor`` times what is above ``black``."""

    black: float
    factor: float

    def grey(self, image: Image.Image) -> Image.Image:
        numbers = (np.asarray(image, dtype=np.float32) - self.black) * self.factor
        if not np.isfinite(numbers).all():
            raise _LevelsError("some of its pixels are no numbers")
        return Image.fromarray(numbers.clip(0, 255).astype(np.uint8))


def _levels(image: Image.Image) -> _Levels | None:
    """Of a grey picture of 16 bits, 32 bits or fractions, by the numbers that are in it; None for all others.

    Pillow would clip them to 255, or cut fractions off: white, or black. Raises ``_LevelsError`` for other ranges.
    """
    fractions = image.mode == "F"
    if not (fractions or image.mode.startswith("I")):
        return None
    low, high = image.getextrema()
    if not (isinstance(low, int | float) and isinstance(high, int | float)):
        raise TypeError(f"a grey picture of mode {image.mode} has several colours")
    if fractions and -1 <= low < 0 and high <= 1:
        return _Levels(-1, 127.5)
    if fractions and low >= 0 and high <= 1:
        return _Levels(0, 255)
    bits = next((one for one in _BITS if high < 2**one), None)
    if low < 0 or bits is None:
        raise _LevelsError(f"its pixels go from {low:g} to {high:g}")
    return _Levels(0, 1 / 2 ** (bits - 8))


def _opaque(image: Image.Image) -> Image.Image:
    """Any kind of picture as red-green-blue with 8 bits, transparent parts white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
