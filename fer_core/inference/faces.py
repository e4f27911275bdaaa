"""From a picture file to faces of 48×48 pixels, framed and grey as in FER-2013."""

from __future__ import annotations

import io
import math

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from fer_core.emotions import IMAGE_SIZE
from fer_core.errors import DataError
from fer_core.inference.detectors import (
    Face,
    FaceDetector,
    HaarDetector,
    Picture,
    YuNetDetector,
    best_detector,
)
from fer_core.inference.face_crop import CROP_RULE, CropRule, cut
from fer_core.inference.file_types import HEAD, what_to_do

__all__ = [
    "CROP_RULE",
    "Face",
    "FaceDetector",
    "HaarDetector",
    "YuNetDetector",
    "best_detector",
    "crop_face",
    "find_face_crops",
    "find_faces",
    "load_picture",
]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 50_000_000
"""About what the largest phone cameras take."""
STRIP = 256
"""Lines of a picture that are copied at once."""
MAX_BYTES = 300 * 1024**2
"""Of a picture's file: so many pixels that are not packed at all have 150 MB, or twice that with 16 bits a colour."""


def load_picture(data: bytes, name: str = "the picture", *, most_pixels: int | None = None) -> Picture:
    """Decode a picture file: uint8 (H, W, 3), blue-green-red, upright.

    The camera's rotation mark (EXIF) is applied, transparent parts become white, of several frames the first
    counts. ``name`` is how messages call the file. Raises ``DataError`` for a file that is no picture of the
    known kinds (the message says what it is instead, where that can be told, and what to do), is cut off, or has more
    than 50 million pixels.

    ``most_pixels``: a larger picture is read at half its size, a third and so on, so that it has no more. JPEG is then
    never in memory at its whole size; of other kinds twice as many pixels are refused.
    """
    kinds = ", ".join(FORMATS)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(
                    f"{name} has {image.width:,} × {image.height:,} pixels; at most "
                    f"{MAX_PIXELS // 10**6} million are read. Make it smaller first."
                )
            smaller = image if most_pixels is None else _reduced(image, name, most_pixels)
            ImageOps.exif_transpose(smaller, in_place=True)
            return _blue_green_red(_opaque(smaller))
    except DataError:
        raise
    except Image.DecompressionBombError:
        raise DataError(f"{name} has far too many pixels to be read. Make it smaller first.") from None
    except Image.UnidentifiedImageError:
        if not data:
            raise DataError(f"{name} is not a picture: it is empty. Save it anew and try again.") from None
        advice = what_to_do(data[:HEAD]) or f"Readable kinds: {kinds}."
        raise DataError(f"{name} is not a picture that can be read. {advice}") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        # Pillow reports damaged content through any of these.
        raise DataError(f"{name} is damaged or cut off ({error}). Save it anew and try again.") from error


def find_faces(image_bgr: Picture, detector: FaceDetector | None = None) -> list[Face]:
    """All faces in a picture, the largest first. ``image_bgr``: uint8 (H, W, 3), blue-green-red.

    ``detector`` defaults to :func:`best_detector`, which opens a file each time: keep one for many pictures.
    Raises ``ValueError`` for an array of another kind.
    """
    _check(image_bgr)
    faces = (detector or best_detector()).detect(image_bgr)
    return sorted(faces, key=lambda face: (-face.area, face.x, face.y))


def crop_face(image_bgr: Picture, face: Face, rule: CropRule = CROP_RULE) -> npt.NDArray[np.uint8]:
    """The face as FER-2013 would show it: grey, uint8 (48, 48), a square about the box.

    Where the square leaves the picture, the picture's edge is repeated. ``image_bgr`` as in :func:`find_faces`.
    Raises ``ValueError`` if the box does not touch the picture, or ``rule`` needs landmarks that the face lacks.
    """
    _check(image_bgr)
    return cut(image_bgr, face, rule)


def find_face_crops(
    image_bgr: Picture, detector: FaceDetector | None = None
) -> list[tuple[Face, npt.NDArray[np.uint8]]]:
    """Each face with its crop, the largest first: :func:`find_faces`, then :func:`crop_face`.

    A picture of exactly 48×48 pixels is FER-2013's own format: it is one face already, with score 1, and is
    not searched.
    """
    _check(image_bgr)
    if image_bgr.shape[:2] == (IMAGE_SIZE, IMAGE_SIZE):
        grey = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        return [(Face(0, 0, IMAGE_SIZE, IMAGE_SIZE, 1.0), grey)]
    return [(face, crop_face(image_bgr, face)) for face in find_faces(image_bgr, detector)]


def _reduced(image: Image.Image, name: str, most: int) -> Image.Image:
    """The picture with at most so many pixels, decoded smaller where its kind allows. Raises ``DataError``."""
    times = math.ceil(math.sqrt(image.width * image.height / most))
    if times > 1:
        image.draft("RGB", (image.width // times, image.height // times))
        pixels = image.width * image.height
        if pixels > 2 * most and image.format != "JPEG":
            raise DataError(
                f"{name} has {pixels:,} pixels; here at most {2 * most // 10**6} million are read of a {image.format} "
                "picture. Save it as JPEG, or make it smaller first."
            )
        times = math.ceil(math.sqrt(pixels / most))
    return image if times == 1 else _keeping_marks(image, times)


def _keeping_marks(image: Image.Image, times: int) -> Image.Image:
    """Each square of ``times`` × ``times`` pixels as one; the camera's rotation mark stays with the picture."""
    marks = image.getexif()
    smaller = image.reduce(times)
    smaller.info["exif"] = marks.tobytes()
    return smaller


def _blue_green_red(image: Image.Image) -> Picture:
    """A picture of mode RGB as an array, strip by strip: a second whole copy of a phone's picture has 36 MB."""
    picture = np.empty((image.height, image.width, 3), dtype=np.uint8)
    for top in range(0, image.height, STRIP):
        part = image.crop((0, top, image.width, min(top + STRIP, image.height)))
        picture[top : top + STRIP] = np.asarray(part)[..., ::-1]
    return picture


def _opaque(image: Image.Image) -> Image.Image:
    """Any kind of picture as red-green-blue with 8 bits, transparent parts white."""
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey to 255 instead of scaling it.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _check(image_bgr: Picture) -> None:
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or image_bgr.size == 0:
        raise ValueError(
            f"a picture must be uint8 of shape (H, W, 3), not {image_bgr.dtype} of shape {image_bgr.shape}"
        )
