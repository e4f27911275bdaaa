"""The rolling minute."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.emotions import COLOURS, NAMES
from fer_core.plots.timeline import describe_rolling, rolling


def test_seven_lines_in_the_classes_colours_that_end_now() -> None:
    times = np.array([100.0, 110.0, 120.0])
    values = np.full((3, 7), 0.05)
    values[:, 3] = 0.7
    figure = rolling(times, values, now_s=125.0)
    assert [trace.name for trace in figure.data] == list(NAMES)
    assert [trace.line.color for trace in figure.data] == list(COLOURS)
    assert list(figure.data[3].x) == [-25.0, -15.0, -5.0]
    assert list(figure.data[3].y) == [70.0, 70.0, 70.0]
    assert tuple(figure.layout.xaxis.range) == (-60.0, 0.0)
    assert figure.layout.uirevision


def test_in_words() -> None:
    values = np.array([[0.7, 0, 0, 0.3, 0, 0, 0], [0.6, 0, 0, 0.4, 0, 0, 0], [0.1, 0, 0, 0.9, 0, 0, 0]])
    told = describe_rolling([1.0, 2.0, 3.0], values, now_s=4.0)
    assert "last 3 s" in told
    assert "Now most likely: happy, 90 %" in told
    assert "on average: happy, 53 %" in told
    assert "no numbers yet" in describe_rolling([], np.empty((0, 7)), now_s=4.0)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        rolling([1.0], np.zeros((2, 7)), now_s=1.0)
