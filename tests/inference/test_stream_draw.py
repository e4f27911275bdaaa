"""What is drawn on a frame: where, in which colours, and at every size."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stream_helpers import made_result

from fer_core.emotions import COLOURS
from fer_core.inference.stream.draw import Style, draw_result
from fer_core.inference.stream.result import UNSURE_COLOUR

PLAIN = Style(model="made", bars=False, show_map=False)


def bgr(colour: str) -> tuple[int, int, int]:
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)


def count(picture: np.ndarray, colour: str) -> int:
    return int((picture == bgr(colour)).all(axis=2).sum())


def grey(height: int = 240, width: int = 320) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def test_the_frame_itself_stays_as_it_is() -> None:
    frame = grey()
    result = draw_result(frame, made_result(0.0, {1: 3}), Style(model="made"))
    assert (frame == 128).all()
    assert result.shape == frame.shape
    assert result.dtype == np.uint8
    assert (result != 128).any()
    np.testing.assert_array_equal(draw_result(frame, made_result(0.0, {}), Style(model="made")), frame)


@pytest.mark.parametrize("label", [0, 3, 6])
def test_boxes_have_the_colour_of_the_class(label: int) -> None:
    drawn = draw_result(grey(), made_result(0.0, {1: label}), PLAIN)
    assert count(drawn, COLOURS[label]) > 200
    assert tuple(drawn[100, 20]) == bgr(COLOURS[label]), "the left side of the box"
    assert tuple(drawn[100, 60]) == (128, 128, 128), "nothing inside it"


def test_unsure_and_no_model() -> None:
    assert count(draw_result(grey(), made_result(0.0, {1: None}), PLAIN), UNSURE_COLOUR) > 200
    assert count(draw_result(grey(), made_result(0.0, {1: 3}), Style(show_map=False)), COLOURS[3]) == 0


def test_bars_are_as_long_as_the_probabilities() -> None:
    drawn = draw_result(grey(), made_result(0.0, {1: 3}), Style(model="made", show_map=False))
    right_part = drawn[:, 110:]
    assert count(right_part, COLOURS[3]) > 8 * count(right_part, COLOURS[0]) > 0, "0.7 against 0.05"
    # Without room on the right they go to the left.
    result = made_result(0.0, {1: None, 2: None, 3: 3})
    right = draw_result(grey(), type(result)(0.0, (240, 320), result.faces[2:], True, result.timings), Style("made"))
    assert (right[60:160, 100:205] != 128).any()


def test_the_map_lies_where_its_cells_are() -> None:
    drawn = draw_result(grey(), made_result(0.0, {1: 3}), Style(model=None, show_map=True)).astype(int)
    changed = np.abs(drawn - 128).max(axis=2)
    assert changed[70, 30] > 30, "the first cell of the diagonal"
    assert changed[128, 88] > 30, "the last"
    assert changed[70, 88] < 10, "off the diagonal there is nothing"
    assert changed[200, 200] == 0, "outside the square neither"
    mirrored = draw_result(grey(), made_result(0.0, {1: 3}), Style(model=None, mirrored=True)).astype(int)
    assert np.abs(mirrored - 128).max(axis=2)[70, 319 - 30] > 30


def test_everything_grows_with_the_frame() -> None:
    result = made_result(0.0, {1: 3})
    small = draw_result(grey(480, 640), result, Style(model="made"))
    large = draw_result(grey(1440, 1920), result, Style(model="made"))
    again = cv2.resize(large, (640, 480), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - again).mean() < 8
    assert count(large, COLOURS[3]) > 7 * count(small, COLOURS[3])


@pytest.mark.parametrize("size", [(64, 48), (90, 400), (1080, 1920)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_any_size_and_faces_at_the_edge(size: tuple[int, int], mirrored: bool) -> None:
    result = made_result(0.0, {1: 0, 2: None, 3: 5})
    drawn = draw_result(grey(*size), result, Style(model="made", mirrored=mirrored))
    assert drawn.shape == (*size, 3)


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no answer of 'other', only of made"):
        draw_result(grey(), made_result(0.0, {1: 3}), Style(model="other"))
