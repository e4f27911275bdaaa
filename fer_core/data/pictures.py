"""One picture file as a 48×48 greyscale face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.photo import Picture as Pixels
from fer_core.photo import as_face, load_photo

_SIZE = (emotions.IMAGE_SIZE, emotions.IMAGE_SIZE)
LARGEST_CUT = 64
"""Pixels of the longer side up to which a picture is taken for a face that is cut out already."""


class FaceCutter(Protocol):
    """Finds the largest face of a picture and frames it as FER-2013's are."""

    @property
    def caution(self) -> str:
        """What to bear in mind about the faces it has cut out; empty where there is nothing."""

    def __call__(self, picture: Pixels) -> npt.NDArray[np.uint8] | None:
        """``picture``: uint8 (H, W, 3), blue-green-red. The face, grey uint8 (48, 48); None where none is found."""


@dataclass(frozen=True)
class Picture:
    """A face: ``pixels`` uint8 (48, 48), and what had to be done to the file to get it."""

    pixels: npt.NDArray[np.uint8]
    resized: bool
    squeezed: bool
    """True when the file was not square, so that resizing changed the face's proportions."""
    had_colour: bool
    cut: bool = False
    """True when a face was found in it and cut out; then nothing was squeezed."""
    faceless: bool = False
    """True when a face was looked for in vain."""


def decode(content: bytes, where: str, cutter: FaceCutter | None = None) -> Picture:
    """Decode a picture of any kind that Photo reads, upright by its EXIF mark. Colour becomes grey (ITU-R 601).

    With a ``cutter``, the largest face is cut out of a picture larger than 64 pixels; where none is found, and in
    smaller ones, the whole picture is the face. Other sizes become 48×48 (Lanczos). Raises ``UnusableFileError`` naming
    ``where``, as :func:`fer_core.photo.load_photo` does.
    """
    photo = load_photo(content, where)
    pixels = photo.picture
    size = (photo.width, photo.height)
    had_colour = bool((pixels[..., 0] != pixels[..., 1]).any() or (pixels[..., 1] != pixels[..., 2]).any())
    searched = cutter is not None and max(size) > LARGEST_CUT
    if cutter is not None and searched:
        face = cutter(pixels)
        if face is not None:
            return Picture(face, resized=True, squeezed=False, had_colour=had_colour, cut=True)
    same = size == _SIZE
    return Picture(
        as_face(pixels), resized=not same, squeezed=size[0] != size[1], had_colour=had_colour, faceless=searched
    )
