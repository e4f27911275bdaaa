"""The picture of a round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.emotions import COLOURS
from fer_core.game.result import Answers, Result
from fer_core.plots.round_picture import CELL, LINE, round_picture

RESULT = Result(Answers("You", (0, 1)), Answers("The label", (0, 4)), (Answers("a", (3, 4)),), None, (False, False))


def filled(picture: np.ndarray, colour: str) -> int:
    """Pixels of that colour."""
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((picture == rgb).all(axis=2).sum())


def test_answers_are_filled_where_they_are_the_labels() -> None:
    picture = round_picture(RESULT, "Round 1")
    area = CELL * LINE / 2
    assert filled(picture, COLOURS[0]) > area
    assert filled(picture, COLOURS[4]) > area
    assert 0 < filled(picture, COLOURS[1]) < area
    assert 0 < filled(picture, COLOURS[3]) < area


def test_faces_are_there_only_where_they_are_given() -> None:
    faces = np.full((2, 48, 48), 100, np.uint8)
    assert filled(round_picture(RESULT, "Round 1"), "#646464") == 0
    assert filled(round_picture(RESULT, "Round 1", faces), "#646464") > 2 * 48 * 48
    with pytest.raises(ValueError, match="2 faces"):
        round_picture(RESULT, "Round 1", faces[:1])


def test_a_crowd_without_a_class_is_drawn_too() -> None:
    assert round_picture(replace(RESULT, crowd=Answers("Ten people", (-1, 4))), "Round 1").dtype == np.uint8
