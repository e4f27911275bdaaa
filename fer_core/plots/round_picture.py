"""A round of the game as a picture to keep: a line for everybody, a cell for each face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fer_core.emotions import COLOURS, IMAGE_SIZE, NAMES
from fer_core.game.result import NO_CLASS, PEOPLE, PEOPLE_GIVE_OR_TAKE, Result

CELL, LINE, LEFT, EDGE = 92, 46, 250, 28
"""Pixels: a cell's width, a line's height, the column of names, the margin."""
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_FACE = 84
_INK, _QUIET, _PAPER, _RULE = "#22222B", "#5C5C6B", "#FFFFFF", "#D9D9E3"


def round_picture(result: Result, title: str, faces: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[np.uint8]:
    """Everybody's answers in the classes' colours, filled where they are the label's, and how many are.

    Returns uint8 (H, W, 3).

    ``faces``: uint8 (n, 48, 48), shown above the cells; None for faces that may not be passed on. Raises ``ValueError``
    for faces of another shape.
    """
    n = result.faces
    if faces is not None and faces.shape != (n, IMAGE_SIZE, IMAGE_SIZE):
        raise ValueError(f"{n} faces of 48×48 pixels were expected, not {faces.shape}")
    top = EDGE + 62 + (0 if faces is None else _FACE + 8)
    width, height = LEFT + n * CELL + 90 + EDGE, top + LINE * len(result.everybody) + 48
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    large, plain, small = (ImageFont.load_default(size=size) for size in (30, 19, 16))
    draw.text((EDGE, EDGE - 6), title, _INK, font=large)
    for at, face in enumerate([] if faces is None else faces):
        large_face = Image.fromarray(face).resize((_FACE, _FACE), Image.Resampling.LANCZOS)
        image.paste(large_face, (LEFT + at * CELL + (CELL - _FACE) // 2, EDGE + 54))
    for line, one in enumerate(result.everybody):
        y = top + line * LINE
        draw.line((EDGE, y, width - EDGE, y), _RULE)
        draw.text((EDGE, y + LINE / 2), one.name, _INK, font=plain, anchor="lm")
        for at, answer in enumerate(one.answers):
            right = one is not result.labels and answer == result.labels.answers[at]
            _cell(draw, LEFT + at * CELL, y, answer, right=right, font=small)
        if one is not result.labels:
            draw.text((width - EDGE, y + LINE / 2), f"{result.right(one)} of {n}", _INK, font=plain, anchor="rm")
    words = f"Filled: as the label says. On FER-2013 as a whole people reach {PEOPLE} ± {PEOPLE_GIVE_OR_TAKE} %."
    draw.text((EDGE, height - EDGE), words, _QUIET, font=small, anchor="ls")
    return np.asarray(image)


def _cell(draw: ImageDraw.ImageDraw, x: int, y: int, answer: int, *, right: bool, font: Font) -> None:
    if answer == NO_CLASS:
        draw.text((x + CELL / 2, y + LINE / 2), "none", _QUIET, font=font, anchor="mm")
        return
    box = (x + 3, y + 5, x + CELL - 3, y + LINE - 4)
    draw.rounded_rectangle(box, 5, fill=COLOURS[answer] if right else _PAPER, outline=COLOURS[answer], width=2)
    ink = _ink_on(COLOURS[answer]) if right else _INK
    draw.text((x + CELL / 2, y + LINE / 2), NAMES[answer], ink, font=font, anchor="mm")


def _ink_on(colour: str) -> str:
    """Black or white, whichever can be read on it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 100 else "#FFFFFF"
