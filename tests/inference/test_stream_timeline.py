"""The last minute of numbers: what is kept, for how long, in how much memory, and as CSV."""

from __future__ import annotations

import csv
import io
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stream_helpers import made_result

from fer_core.emotions import NAMES
from fer_core.inference.stream.timeline import HEADER, Timeline, rows


def test_only_the_last_minute_is_kept_at_five_a_second() -> None:
    timeline = Timeline()
    for index in range(30 * 200):
        timeline.add(made_result(index / 30, {1: 3}))
    [series] = timeline.series()
    assert (series.face, series.model) == (1, "made")
    assert series.times_s[-1] == pytest.approx(199.9, abs=0.2)
    assert series.times_s[-1] - series.times_s[0] == pytest.approx(60, abs=0.3)
    assert np.diff(series.times_s) == pytest.approx(0.2)
    assert series.smoothed.shape == (len(series.times_s), 7)
    assert (series.smoothed[:, 3] == np.float32(0.7)).all()
    assert (series.shown == 3).all()


def test_faces_that_left_stay_for_a_minute() -> None:
    timeline = Timeline(seconds=10)
    for index in range(50):
        timeline.add(made_result(index * 0.1, {1: 3}))
    for index in range(50, 155):
        timeline.add(made_result(index * 0.1, {2: None}))
        if index == 120:
            assert [series.face for series in timeline.series()] == [1, 2]
    [series] = timeline.series()
    assert series.face == 2
    assert (series.shown == -1).all()


def test_memory_is_bounded_by_faces_too() -> None:
    timeline = Timeline(most_series=6)
    for index in range(100):
        timeline.add(made_result(index * 0.1, {index + 1: 0}, models=("a", "b")))
    series_left = timeline.series()
    assert {series.face for series in series_left} == {98, 99, 100}
    assert {series.face for series in timeline.series("b")} == {98, 99, 100}
    assert {series.model for series in timeline.series("b")} == {"b"}


def test_a_clip_that_starts_again_begins_anew() -> None:
    timeline = Timeline()
    timeline.add(made_result(50.0, {1: 0}))
    timeline.add(made_result(0.0, {1: 0}))
    assert timeline.series()[0].times_s.tolist() == [0.0]
    timeline.clear()
    assert timeline.series() == []


def test_csv() -> None:
    timeline = Timeline()
    timeline.add(made_result(1.25, {2: 3, 1: None}, models=("a", "b")))
    timeline.add(made_result(2.5, {1: 6}, models=("a", "b")))
    table = list(csv.reader(io.StringIO(timeline.to_csv())))
    assert tuple(table[0]) == HEADER == ("time_s", "face", "model", *(f"p_{name}" for name in NAMES), "shown")
    assert [line[:3] + line[-1:] for line in table[1:]] == [
        ["1.250", "1", "a", "unsure"],
        ["1.250", "1", "b", "unsure"],
        ["1.250", "2", "a", "happy"],
        ["1.250", "2", "b", "happy"],
        ["2.500", "1", "a", "neutral"],
        ["2.500", "1", "b", "neutral"],
    ]
    assert table[3][3:10] == ["0.0500", "0.0500", "0.0500", "0.7000", "0.0500", "0.0500", "0.0500"]
    assert list(rows(made_result(2.5, {1: 6}, models=("a",)))) == [tuple(table[5])]


def test_reading_while_writing() -> None:
    timeline = Timeline()
    stop = threading.Event()

    def write() -> None:
        index = 0
        while not stop.is_set():
            timeline.add(made_result(index * 0.1, {1: 0, 2 + index // 50: 1}))
            index += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(50):
            for series in timeline.series():
                assert (np.diff(series.times_s) > 0).all()
                assert len(series.times_s) == len(series.smoothed) == len(series.shown)
            timeline.to_csv()
    finally:
        stop.set()
        thread.join()


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Timeline(seconds=0)
