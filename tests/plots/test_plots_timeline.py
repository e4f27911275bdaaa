"""The rolling minute."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.emotions import COLOURS, NAMES
from fer_core.plots.timeline import describe_rolling, rolling, rolling_spec


def test_seven_lines_in_the_classes_colours_that_end_now() -> None:
    times = np.array([100.0, 110.0, 120.0])
    values = np.full((3, 7), 0.05)
    values[:, 3] = 0.7
    drawn, spec = rolling(times, values, now_s=125.0), rolling_spec(60.0)
    colour = spec["encoding"]["color"]["scale"]
    assert (colour["domain"], colour["range"]) == (list(NAMES), list(COLOURS))
    assert set(drawn["expression"]) == set(NAMES)
    happy = drawn[drawn["expression"] == "happy"]
    assert list(happy["seconds"]) == [-25.0, -15.0, -5.0]
    assert list(happy["probability"]) == [70.0, 70.0, 70.0]
    assert spec["encoding"]["x"]["scale"]["domain"] == [-60.0, 0]
    fields = {spec["encoding"][channel]["field"] for channel in ("x", "y", "color")}
    assert fields == set(drawn.columns)


def test_no_numbers_yet_is_an_empty_picture() -> None:
    assert len(rolling([], np.empty((0, 7)), now_s=4.0)) == 0


def test_in_words() -> None:
    values = np.array([[0.7, 0, 0, 0.3, 0, 0, 0], [0.6, 0, 0, 0.4, 0, 0, 0], [0.1, 0, 0, 0.9, 0, 0, 0]])
    text = describe_rolling([1.0, 2.0, 3.0], values, now_s=4.0)
    assert "last 3 s" in text
    assert "Now most likely: happy, 90 %" in text
    assert "on average: happy, 53 %" in text
    assert "no numbers yet" in describe_rolling([], np.empty((0, 7)), now_s=4.0)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        rolling([1.0], np.zeros((2, 7)), now_s=1.0)
