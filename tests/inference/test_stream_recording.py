"""The numbers that a visitor keeps."""

from __future__ import annotations

import csv
import io

import pytest
from stream_helpers import made_result

from fer_core.inference.stream.recording import HEADER, Recorder


def read(recorder: Recorder) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(recorder.to_csv())))


def test_nothing_is_kept_until_it_is_started() -> None:
    recorder = Recorder()
    recorder.add(made_result(0.0, {1: 3}))
    assert (recorder.on, recorder.rows, recorder.seconds) == (False, 0, 0.0)
    assert recorder.to_csv().strip() == ",".join(HEADER)


def test_a_line_for_each_time_face_and_model_from_zero_on() -> None:
    recorder = Recorder()
    recorder.start()
    recorder.add(made_result(100.0, {1: 3, 2: None}, models=("a", "b")))
    recorder.add(made_result(100.5, {1: 4}, models=("a", "b")))
    recorder.stop()
    recorder.add(made_result(101.0, {1: 4}))
    lines = read(recorder)
    assert [(line["time_s"], line["face"], line["model"], line["shown"]) for line in lines] == [
        ("0.000", "1", "a", "happy"),
        ("0.000", "1", "b", "happy"),
        ("0.000", "2", "a", "unsure"),
        ("0.000", "2", "b", "unsure"),
        ("0.500", "1", "a", "sad"),
        ("0.500", "1", "b", "sad"),
    ]
    assert float(lines[0]["p_happy"]) == pytest.approx(0.7)
    assert float(lines[0]["raw_angry"]) == pytest.approx(0.05)
    assert (recorder.rows, recorder.seconds) == (6, 0.5)


def test_at_most_ten_times_a_second() -> None:
    recorder = Recorder()
    recorder.start()
    for frame in range(61):
        recorder.add(made_result(frame / 30, {1: 3}))
    assert recorder.rows == 21


def test_frames_without_faces_do_not_delay_the_next_face() -> None:
    recorder = Recorder()
    recorder.start()
    recorder.add(made_result(0.0, {}))
    recorder.add(made_result(0.01, {1: 3}))
    assert recorder.rows == 1


def test_it_stops_by_itself_when_full_and_keeps_what_it_has() -> None:
    recorder = Recorder(most_rows=5)
    recorder.start()
    for second in range(9):
        recorder.add(made_result(float(second), {1: 3}))
    assert (recorder.on, recorder.full, recorder.rows) == (False, True, 5)
    assert len(read(recorder)) == 5


def test_starting_again_and_clearing_forget() -> None:
    recorder = Recorder()
    recorder.start()
    recorder.add(made_result(5.0, {1: 3}, models=("a",)))
    recorder.start()
    recorder.add(made_result(9.0, {1: 4}, models=("b",)))
    (line,) = read(recorder)
    assert (line["time_s"], line["model"], line["shown"]) == ("0.000", "b", "sad")
    recorder.clear()
    assert (recorder.on, recorder.rows) == (False, 0)


def test_many_lines_keep_their_order_across_blocks() -> None:
    recorder = Recorder()
    recorder.start()
    for tick in range(9000):
        recorder.add(made_result(tick / 10, {1: tick % 7}))
    lines = read(recorder)
    assert len(lines) == 9000
    assert [float(line["time_s"]) for line in lines] == [tick / 10 for tick in range(9000)]


def test_bad_limits_are_refused() -> None:
    for options in ({"per_s": 0}, {"most_rows": 0}):
        with pytest.raises(ValueError, match="above 0"):
            Recorder(**options)
