"""A class's colour means that class, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.emotions import COLOURS
from fer_core.plots import style

ROOT = Path(__file__).resolve().parents[2]


def lab(colour: str) -> np.ndarray:
    """``#RRGGBB`` in CIE L*a*b*."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return cv2.cvtColor(np.array([[[red, green, blue]]], dtype=np.float32), cv2.COLOR_RGB2LAB)[0, 0]


def written(colour: str) -> re.Pattern[str]:
    """The colour as hexadecimal digits or as red, green and blue."""
    parts = r"\s*,\s*".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return re.compile(rf"{colour}|\(\s*{parts}\s*[,)]", re.IGNORECASE)


def test_the_colour_of_happy_framed_the_selection_and_marked_the_best_epoch() -> None:
    """Wherever a class's colour is needed, it is taken from ``emotions.py``."""
    files = [path for folder in ("fer_core", "pages") for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".js", ".css")}
    found = [
        f"{path.relative_to(ROOT)}: {colour}"
        for path, text in texts.items()
        if path.name != "emotions.py"
        for colour in COLOURS
        if written(colour).search(text)
    ]
    assert found == []


@pytest.mark.parametrize("colour", [style.SELECTED, style.ACCENT])
def test_what_stands_out_is_far_from_every_class(colour: str) -> None:
    assert min(np.linalg.norm(lab(colour) - lab(one)) for one in COLOURS) > 30
