"""Pictures made of faces: contact sheets, class maps laid over a face, mean faces. Plain uint8 arrays.

A sheet is one picture, because a browser fetches one picture far faster than hundreds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fer_core.emotions import COLOURS, IMAGE_SIZE, NAMES

Grey = npt.NDArray[np.uint8]

BACKGROUND = 128
"""Grey between the faces: quiet on a light and on a dark page."""
FRAME = 2
CAPTION_HEIGHT = 16
_CAPTION_GREY, _CAPTION_TEXT = 40, "white"


def contact_sheet(
    images: Grey,
    columns: int,
    *,
    scale: int = 2,
    captions: Sequence[str] | None = None,
    labels: npt.ArrayLike | None = None,
    gap: int = 4,
) -> npt.NDArray[np.uint8]:
    """Many faces in one picture, row by row, ``columns`` in a row.

    ``images``: uint8 (n, 48, 48). ``scale``: whole-number magnification, pixels stay square. ``captions``: n
    short texts, each on a strip of 16 pixels below its face (cut where too long). ``labels``: int (n,), 0..6;
    each face then gets a frame of 2 pixels in its class's colour. ``gap``: pixels between faces and around
    the sheet. Returns uint8 (H, W) grey, or (H, W, 3) red-green-blue where captions or labels are given; face
    i is at :func:`cell_box`. Raises ``ValueError`` for no faces, another shape, or lists of another length.
    """
    images = _faces(images)
    if not len(images) or columns < 1 or scale < 1 or gap < 0:
        raise ValueError("a sheet needs at least one face, one column, a scale of 1 and no negative gap")
    for name, values in (("captions", captions), ("labels", labels)):
        if values is not None and len(np.asarray(values)) != len(images):
            raise ValueError(f"{name} must be {len(images)} long, not {len(np.asarray(values))}")
    options: dict[str, Any] = {
        "scale": scale,
        "gap": gap,
        "captions": captions is not None,
        "labels": labels is not None,
    }
    last_column = cell_box(min(columns, len(images)) - 1, columns, **options)
    last_row = cell_box(len(images) - 1, columns, **options)
    frame = FRAME if labels is not None else 0
    bottom = last_row[3] + frame + (CAPTION_HEIGHT if captions is not None else 0) + gap
    sheet = np.full((bottom, last_column[2] + frame + gap), BACKGROUND, dtype=np.uint8)
    colour = captions is not None or labels is not None
    if colour:
        sheet = np.repeat(sheet[..., np.newaxis], 3, axis=2)
    colours = [_rgb(text) for text in COLOURS]
    classes = None if labels is None else np.asarray(labels, dtype=np.int64)
    for index, face in enumerate(images):
        x0, y0, x1, y1 = cell_box(index, columns, **options)
        if classes is not None:
            sheet[y0 - frame : y1 + frame, x0 - frame : x1 + frame] = colours[classes[index]]
        large = np.kron(face, np.ones((scale, scale), dtype=np.uint8))
        sheet[y0:y1, x0:x1] = large[..., np.newaxis] if colour else large
    if captions is None:
        return sheet
    boxes = [cell_box(index, columns, **options) for index in range(len(images))]
    return _with_captions(sheet, captions, boxes, frame)


def cell_box(
    index: int, columns: int, *, scale: int = 2, captions: bool = False, labels: bool = False, gap: int = 4
) -> tuple[int, int, int, int]:
    """Where a sheet shows face ``index``: (x0, y0, x1, y1) in pixels, ends not included."""
    frame = FRAME if labels else 0
    side = IMAGE_SIZE * scale
    step_x = side + 2 * frame + gap
    step_y = step_x + (CAPTION_HEIGHT if captions else 0)
    row, column = divmod(index, columns)
    x0, y0 = gap + frame + column * step_x, gap + frame + row * step_y
    return x0, y0, x0 + side, y0 + side


def describe_sheet(n: int, labels: npt.ArrayLike | None = None, what: str = "faces") -> str:
    """Alternative text of a sheet: how many faces, and of which classes."""
    words = f"{n:,} {what if n != 1 else what.removesuffix('s')}"
    if labels is None:
        return f"Contact sheet of {words}."
    counts = np.bincount(np.asarray(labels, dtype=np.int64), minlength=len(NAMES))
    parts = ", ".join(f"{count:,} {name}" for count, name in zip(counts, NAMES, strict=True) if count)
    return f"Contact sheet of {words}: {parts}."


def overlay(
    face: Grey,
    class_map: npt.NDArray[np.floating],
    *,
    opacity: float = 0.6,
    size: int = 240,
    smooth: bool = True,
    top: float | None = None,
) -> npt.NDArray[np.uint8]:
    """A class map laid over a face: uint8 (size, size, 3), red-green-blue.

    ``face``: uint8 (48, 48). ``class_map``: float (h, w) ≥ 0. ``top``: the map's value that gets the full
    colour; by default the map's own maximum, and a map of zeros leaves the face as it is. Colour is as strong
    as the map: where it is zero the face shows through untouched, at the top it is covered to ``opacity``
    (0..1). ``smooth`` interpolates between the map's cells; without it the cells show as they are. Raises
    ``ValueError`` for other shapes or ranges.
    """
    _faces(np.asarray(face)[np.newaxis])
    weights = np.asarray(class_map, dtype=np.float32)
    if weights.ndim != 2 or not weights.size or not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(f"a class map must be finite, not negative and (h, w), not shape {weights.shape}")
    if not 0 <= opacity <= 1 or size < 1:
        raise ValueError(f"opacity must lie in 0..1 and size be positive, not {opacity} and {size}")
    highest = float(weights.max()) if top is None else float(top)
    strength = np.clip(weights / highest, 0, 1) if highest > 0 else np.zeros_like(weights)
    method = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    # Cubic interpolation overshoots: clip again.
    large = np.clip(cv2.resize(strength, (size, size), interpolation=method), 0, 1)
    grey = cv2.resize(np.asarray(face), (size, size), interpolation=cv2.INTER_CUBIC)
    heat = cv2.applyColorMap((255 * large).round().astype(np.uint8), cv2.COLORMAP_INFERNO)
    alpha = np.float32(opacity) * large
    # OpenCV's own takes a fifth of the time of the same in NumPy, and a page draws ten of these for each face.
    blended = cv2.blendLinear(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), heat, 1 - alpha, alpha)
    return np.ascontiguousarray(blended[..., ::-1])


def describe_overlay(class_map: npt.NDArray[np.floating], emotion: str) -> str:
    """Alternative text of :func:`overlay`: where the map is strongest."""
    weights = np.asarray(class_map, dtype=np.float64)
    height, width = weights.shape
    if weights.max() <= 0:
        return f"Face with the map of {emotion}: no part of it speaks for {emotion}."
    row, column = np.unravel_index(int(weights.argmax()), weights.shape)
    vertical = ("top", "middle", "bottom")[min(2, 3 * int(row) // height)]
    horizontal = ("left", "centre", "right")[min(2, 3 * int(column) // width)]
    return (
        f"Face with the map of {emotion}, {height} × {width} cells: "
        f"strongest at the {vertical} {horizontal} of the picture."
    )


def mean_face(images: Grey) -> Grey:
    """The mean of many faces, uint8 (48, 48). ``images``: uint8 (n, 48, 48); ``ValueError`` for none."""
    images = _faces(images)
    if not len(images):
        raise ValueError("there is no face to average")
    return np.asarray(np.mean(images, axis=0, dtype=np.float64)).round().astype(np.uint8)


def _with_captions(
    sheet: npt.NDArray[np.uint8],
    captions: Sequence[str],
    boxes: Sequence[tuple[int, int, int, int]],
    frame: int,
) -> npt.NDArray[np.uint8]:
    picture = Image.fromarray(sheet)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=11)
    for text, (x0, _, x1, y1) in zip(captions, boxes, strict=True):
        left, right, top = x0 - frame, x1 + frame, y1 + frame
        draw.rectangle((left, top, right - 1, top + CAPTION_HEIGHT - 1), fill=(_CAPTION_GREY,) * 3)
        draw.text((left + 3, top + 2), _fitting(text, font, right - left - 6), font=font, fill=_CAPTION_TEXT)
    return np.asarray(picture)


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """As much of the text as fits into ``width`` pixels, with an ellipsis where it was cut."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…"


def _faces(images: Grey) -> Grey:
    array = np.asarray(images)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise ValueError(f"faces must be uint8 (n, 48, 48), not {array.dtype} of shape {array.shape}")
    return array


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
