"""Draws a result on its frame: boxes, expressions, bars and the map. Everything grows with the frame.

OpenCV's own font has no other letters than plain English ones, which is all the class names need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.emotions import COLOURS, COUNT, NAMES
from fer_core.inference.stream.result import FaceResult, Result, colour_of, name_of
from fer_core.photo import Picture

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

FONT = cv2.FONT_HERSHEY_SIMPLEX
WHITE: Colour = (255, 255, 255)
DARK: Colour = (24, 24, 24)
MAP_STRENGTH = 0.65
"""How opaque the map is where it is strongest; it fades out to nothing where it is 0."""


@dataclass(frozen=True)
class Style:
    """What is drawn. ``model``: whose answer labels the boxes; None for boxes and numbers alone.

    ``bars``: the seven smoothed probabilities beside each face. ``answers``: in place of the bars, what each model that
    ran says, one line a model. ``show_map``: the map that came with the result. ``mirrored``: turn the picture left to
    right first, as in a mirror, with readable text.
    """

    model: str | None = None
    bars: bool = True
    answers: bool = False
    show_map: bool = True
    mirrored: bool = False


def draw_result(frame_bgr: Picture, result: Result, style: Style) -> npt.NDArray[np.uint8]:
    """A new picture, uint8 (H, W, 3), blue-green-red; the frame itself stays as it is.

    ``frame_bgr``: uint8 (H, W, 3), the frame of the result or a newer one; of another size, boxes are scaled. Raises
    ``ValueError`` if ``style.model`` is not in the result.
    """
    height, width = frame_bgr.shape[:2]
    across, down = width / result.size[1], height / result.size[0]
    picture = np.ascontiguousarray(frame_bgr[:, ::-1] if style.mirrored else frame_bgr).copy()
    pen = _Pen(height, width)
    for face in result.faces:
        if style.model is not None and style.model not in face.smoothed:
            raise ValueError(
                f"the result has no answer of {style.model!r}, only of {', '.join(face.smoothed) or 'none'}"
            )
        if style.show_map and face.map is not None:
            _overlay(picture, face, across, down, mirrored=style.mirrored)
    boxes, labels = [], []
    for face in result.faces:
        x, y = face.face.x * across, face.face.y * down
        wide, high = face.face.width * across, face.face.height * down
        if style.mirrored:
            x = width - x - wide
        boxes.append((round(x), round(y), round(x + wide), round(y + high)))
        labels.append(_label(picture, face, boxes[-1], style, pen))
    if (style.bars or style.answers) and style.model is not None:
        # Faces and their labels are kept free of bars, as far as there is room.
        taken = [*boxes, *(label.box for label in labels)]
        for face, box in zip(result.faces, boxes, strict=True):
            if style.answers:
                _answers(picture, face, box, pen, taken)
            else:
                _bars(picture, face, box, style.model, pen, taken)
    for box, label in zip(boxes, labels, strict=True):
        _face(picture, box, label, pen)
    return picture


class _Pen:
    """Sizes in pixels for a frame: about 1/30 of its shorter side for a line of text, at least readable."""

    def __init__(self, height: int, width: int) -> None:
        self.line = max(11, round(min(height, width) / 30))
        self.text = self.line / 30
        self.thick = max(1, round(self.line / 16))
        self.frame = max(2, round(self.line / 7))
        self.gap = max(2, self.line // 5)


@dataclass(frozen=True)
class _Label:
    """What stands over a face, and where."""

    text: str
    colour: Colour
    box: Box


def _label(picture: npt.NDArray[np.uint8], face: FaceResult, box: Box, style: Style, pen: _Pen) -> _Label:
    """Over the box; inside it where the frame ends."""
    x0, y0, _, _ = box
    text, colour = str(face.number), WHITE
    if style.model is not None:
        label = face.shown[style.model]
        colour = _bgr(colour_of(label))
        text += f"  {name_of(label)}"
        if label is not None:
            text += f" {100 * face.smoothed[style.model][label]:.0f} %"
    wide = _text_width(text, pen, 1.2) + 2 * pen.gap
    high = round(pen.line * 1.2) + pen.gap
    height, width = picture.shape[:2]
    left = max(0, min(x0, width - wide))
    top = y0 - high if y0 >= high else max(0, min(y0, height - high))
    return _Label(text, colour, (left, top, left + wide, top + high))


def _face(picture: npt.NDArray[np.uint8], box: Box, label: _Label, pen: _Pen) -> None:
    # A dark rim keeps the box visible on a background of its own colour.
    cv2.rectangle(picture, box[:2], box[2:], DARK, pen.frame + 2)
    cv2.rectangle(picture, box[:2], box[2:], label.colour, pen.frame)
    left, _, _, bottom = label.box
    cv2.rectangle(picture, label.box[:2], label.box[2:], label.colour, -1)
    ink = DARK if _light(label.colour) else WHITE
    _write(picture, label.text, left + pen.gap, bottom - pen.gap - pen.line // 6, ink, pen, 1.2)


def _bars(
    picture: npt.NDArray[np.uint8],
    face: FaceResult,
    box: Box,
    model: str,
    pen: _Pen,
    taken: list[Box],
) -> None:
    """Seven bars beside the face; see :func:`_panel`."""
    values, shown = face.smoothed[model], face.shown[model]
    names = max(_text_width(name, pen, 0.8) for name in NAMES)
    length = round(pen.line * 2.6)
    left, top = _panel(picture, box, names + length + 3 * pen.gap, COUNT * pen.line + 2 * pen.gap, pen, taken)
    for label, name in enumerate(NAMES):
        base = top + pen.gap + label * pen.line
        ink = WHITE if label == shown else (200, 200, 200)
        _write(picture, name, left + pen.gap, base + round(pen.line * 0.75), ink, pen, 0.8)
        start = left + names + 2 * pen.gap
        foot = base + max(1, pen.line // 6), base + pen.line - max(1, pen.line // 6)
        cv2.rectangle(picture, (start, foot[0]), (start + length, foot[1]), (70, 70, 70), -1)
        end = start + round(length * float(values[label]))
        if end > start:
            cv2.rectangle(picture, (start, foot[0]), (end, foot[1]), _bgr(COLOURS[label]), -1)


def _answers(picture: npt.NDArray[np.uint8], face: FaceResult, box: Box, pen: _Pen, taken: list[Box]) -> None:
    """A line for each model: its answer in the class's colour, then its name; see :func:`_panel`."""
    lines = []
    for model, label in face.shown.items():
        chance = "" if label is None else f" {100 * face.smoothed[model][label]:.0f} %"
        lines.append((model, name_of(label) + chance, _bgr(colour_of(label))))
    shown_label = max(_text_width(text, pen, 0.8) for _, text, _ in lines)
    names = max(_text_width(name, pen, 0.8) for name, _, _ in lines)
    wide, high = shown_label + names + pen.line + 4 * pen.gap, len(lines) * pen.line + 2 * pen.gap
    left, top = _panel(picture, box, wide, high, pen, taken)
    for number, (name, text, colour) in enumerate(lines):
        base = top + pen.gap + number * pen.line
        patch = left + pen.gap, base + pen.line // 6, left + pen.gap + pen.line // 2, base + pen.line - pen.line // 6
        cv2.rectangle(picture, patch[:2], patch[2:], colour, -1)
        foot = base + round(pen.line * 0.75)
        _write(picture, text, patch[2] + pen.gap, foot, WHITE, pen, 0.8)
        _write(picture, name, patch[2] + shown_label + 3 * pen.gap, foot, (200, 200, 200), pen, 0.8)


def _panel(
    picture: npt.NDArray[np.uint8], box: Box, wide: int, high: int, pen: _Pen, taken: list[Box]
) -> tuple[int, int]:
    """Darken a place beside the face where it covers least of what is ``taken``, add it to that, and return its corner.

    ``wide`` and ``high`` in pixels; the corner is left, top.
    """
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box
    upper, lower = y0, y1 - high
    places = [(x, y) for x in (x1 + pen.gap, x0 - pen.gap - wide) for y in (upper, lower)]
    # Below or above the face, or where the frame has no room at all, over its right half.
    places += [(x0, y1 + pen.gap), (x0, y0 - 2 * pen.line - pen.gap - high), (x1 - wide, upper)]
    inside = [(max(0, min(x, width - wide)), max(0, min(y, height - high))) for x, y in places]
    left, top = min(inside, key=lambda at: sum(_shared((*at, at[0] + wide, at[1] + high), other) for other in taken))
    taken.append((left, top, left + wide, top + high))
    panel = picture[max(0, top) : top + high, max(0, left) : left + wide]
    panel[:] = panel // 4  # darkened, so that white text is readable on any background
    return left, top


def _shared(a: Box, b: Box) -> int:
    """The area two boxes have in common, in square pixels."""
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def _overlay(picture: npt.NDArray[np.uint8], face: FaceResult, across: float, down: float, *, mirrored: bool) -> None:
    """Lay the map over the square it belongs to; strongest where it is greatest, for this face."""
    values = np.asarray(face.map.values if face.map is not None else 0, dtype=np.float32)
    peak = float(values.max())
    if peak <= 0:
        return  # a map without any support has nothing to show
    x, y, side, tilt = face.square
    height, width = picture.shape[:2]
    # Cell middles to the frame: the square's grid is turned by the tilt, then scaled.
    rows, columns = values.shape
    per_column, per_row = side / columns, side / rows
    cosine, sine = math.cos(tilt), math.sin(tilt)
    matrix = np.array([[cosine * per_column, -sine * per_row, 0.0], [sine * per_column, cosine * per_row, 0.0]])
    centre = np.array([(columns - 1) / 2, (rows - 1) / 2])
    matrix[:, 2] = np.array([x, y]) - matrix[:, :2] @ centre
    matrix *= np.array([[across], [down]])
    if mirrored:
        matrix[0] = -matrix[0]
        matrix[0, 2] += width - 1
    reach = side * (abs(cosine) + abs(sine)) / 2
    middle_x = x * across if not mirrored else width - x * across
    x0, x1 = max(0, int(middle_x - reach * across)), min(width, math.ceil(middle_x + reach * across))
    y0, y1 = max(0, int((y - reach) * down)), min(height, math.ceil((y + reach) * down))
    if x0 >= x1 or y0 >= y1:
        return
    matrix[:, 2] -= (x0, y0)
    corners = cv2.BORDER_REPLICATE
    spread = cv2.warpAffine(values / peak, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_CUBIC, borderMode=corners)
    # The nearest cell of a map of ones is one exactly where the square is, and 0 outside.
    inside = cv2.warpAffine(np.ones_like(values), matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_NEAREST)
    strength = np.clip(spread, 0, 1) * (inside > 0)
    colours = cv2.applyColorMap(np.asarray(strength * 255, dtype=np.uint8), cv2.COLORMAP_INFERNO)
    weight = (MAP_STRENGTH * strength)[..., None]
    part = picture[y0:y1, x0:x1]
    part[:] = np.asarray(part * (1 - weight) + colours * weight, dtype=np.uint8)


def _write(picture: npt.NDArray[np.uint8], text: str, x: int, y: int, colour: Colour, pen: _Pen, size: float) -> None:
    cv2.putText(picture, text, (x, y), FONT, pen.text * size, colour, pen.thick, cv2.LINE_AA)


def _text_width(text: str, pen: _Pen, size: float) -> int:
    return int(cv2.getTextSize(text, FONT, pen.text * size, pen.thick)[0][0])


def _bgr(colour: str) -> Colour:
    """A hex colour as OpenCV wants it."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return blue, green, red


def _light(colour: Colour) -> bool:
    """Whether dark text reads better on it (relative luminance above the middle for contrast)."""
    blue, green, red = ((value / 255) ** 2.2 for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18
