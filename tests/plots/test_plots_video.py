"""One face over a video, as lines."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.emotions import COLOURS, COUNT, NAMES
from fer_core.plots import video


def numbers(n: int, label: int = 3) -> np.ndarray:
    values = np.full((n, COUNT), 0.05)
    values[:, label] = 0.7
    return values


def test_seven_lines_in_the_classes_colours_that_break_where_the_face_was_away() -> None:
    times = np.concatenate([np.arange(0, 2, 0.1), np.arange(5, 6, 0.1)])
    figure = video.timeline(times, numbers(len(times)), seconds=8)
    assert [trace.name for trace in figure.data] == list(NAMES)
    assert [trace.line.color for trace in figure.data] == list(COLOURS)
    happy = figure.data[3]
    assert np.flatnonzero(np.isnan(np.asarray(happy.y, dtype=float))).tolist() == [20]
    assert len(happy.x) == len(times) + 1
    assert list(figure.layout.xaxis.range) == [0, 8]
    assert "(s)" in figure.layout.xaxis.title.text


def test_long_videos_count_in_minutes() -> None:
    figure = video.timeline([0, 300], numbers(2), seconds=600)
    assert list(figure.layout.xaxis.range) == [0, 10]
    assert "(min)" in figure.layout.xaxis.title.text
    assert figure.data[0].x[1] == 5


def test_words_and_wrong_shapes() -> None:
    times = np.arange(0, 3, 0.1)
    values = numbers(30)
    values[:6] = np.roll(values[:6], 1, axis=1)
    text = video.describe_timeline(times, values, seconds=10)
    assert "from 0.0 to 2.9 s" in text
    assert "happy in 80 %, sad in 20 %" in text
    assert "never read" in video.describe_timeline([], np.empty((0, COUNT)), seconds=10)
    assert len(video.timeline([], np.empty((0, COUNT)), seconds=10).data) == COUNT
    with pytest.raises(ValueError, match=r"\(n, 7\)"):
        video.timeline([1, 2], numbers(3), seconds=10)
