"""A video in a thread of its own: progress, stopping, and not a file left behind."""

from __future__ import annotations

import gc
import io
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from readonly import full
from stream_helpers import FRAMES, MadeDetector, MadeModel, clip, made_result

from fer_core.errors import DataError
from fer_core.fair_queue import Lane
from fer_core.inference.stream import video_job
from fer_core.inference.stream.draw import Style
from fer_core.inference.stream.pipeline import Pipeline
from fer_core.inference.stream.video_job import DONE, FAILED, STOPPED, WAITING, VideoJob
from fer_core.inference.stream.video_timeline import VideoTimeline

PATIENCE = 60
"""Seconds until a test gives up; none takes a noticeable part of that."""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where jobs keep their files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


class Held(MadeDetector):
    """Looks at one frame, and at the others when the test lets it."""

    def __init__(self) -> None:
        super().__init__(lambda call: [])
        self.gate = threading.Event()

    def detect(self, image_bgr: np.ndarray) -> list:
        if self.calls:
            assert self.gate.wait(PATIENCE)
        return super().detect(image_bgr)


def job(content: bytes, detector: MadeDetector | None = None, name: str = "clip.webm") -> VideoJob:
    detector = detector or MadeDetector(lambda call: [(0.14, 0.26, 0.36, 0.48)])
    pipeline = Pipeline({"made": MadeModel()}, detector)  # type: ignore[dict-item]
    return VideoJob(io.BytesIO(content), name, pipeline, Style(model="made"))


def test_a_video_is_read_and_its_files_go_when_it_is_closed(tmp_path: Path, temporary: Path) -> None:
    work = job(clip(tmp_path / "in.webm").read_bytes())
    assert work.wait(PATIENCE)
    progress = work.progress
    assert (progress.state, progress.frames, progress.expected, progress.message) == (DONE, FRAMES, FRAMES, "")
    assert work.summary is not None
    assert work.summary.faces == 1
    [portrait] = work.portraits()
    assert (portrait.number, portrait.frames, portrait.crop.shape) == (1, FRAMES - 1, (48, 48))
    [series] = work.timeline.series()
    assert (series.face, series.model, len(series.times_s)) == (1, "made", FRAMES - 1)
    assert sorted(path.name for path in temporary.rglob("*") if path.is_file()) == ["annotated.mp4", "numbers.csv"]
    assert len(work.csv_path.read_text().splitlines()) == FRAMES
    work.close()
    work.close()
    assert list(temporary.iterdir()) == []


def test_stopping_keeps_nothing(tmp_path: Path, temporary: Path) -> None:
    held = Held()
    work = job(clip(tmp_path / "in.webm", frames=60).read_bytes(), held)
    while not work.progress.frames:
        time.sleep(0.01)
    work.stop()
    held.gate.set()
    assert work.wait(PATIENCE)
    assert work.progress.state == STOPPED
    assert work.progress.message.startswith("clip.webm was stopped after")
    assert 0 < work.progress.frames < 60
    assert [path for path in temporary.rglob("*") if path.is_file()] == []
    work.close()
    assert list(temporary.iterdir()) == []


def test_a_visitor_who_leaves_takes_the_work_along(tmp_path: Path, temporary: Path) -> None:
    held = Held()
    work = job(clip(tmp_path / "in.webm", frames=60).read_bytes(), held)
    while not work.progress.frames:
        time.sleep(0.01)
    del work
    gc.collect()
    held.gate.set()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and list(temporary.iterdir()):
        time.sleep(0.02)
    assert list(temporary.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("video ")]


def test_a_result_that_nobody_looks_at_is_deleted(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, readings = [0.0], [0]

    def clock() -> float:
        readings[0] += 1
        return now[0]

    def later(share: float) -> None:
        """Some of the time that a result is kept passes, and the keeper looks at the clock."""
        now[0] += share * video_job.KEEP_RESULT_S
        before = readings[0]
        deadline = time.monotonic() + PATIENCE
        while readings[0] < before + 2 and list(temporary.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.001)

    monkeypatch.setattr(video_job, "CHECK_S", 0.001)
    monkeypatch.setattr(video_job, "time", SimpleNamespace(monotonic=clock))
    work = job(clip(tmp_path / "in.webm").read_bytes())
    assert work.wait(PATIENCE)
    for _ in range(4):
        later(0.9)
        assert work.progress.state == DONE, "each look keeps it"
    later(1.1)
    assert work.progress.state == STOPPED
    assert work.progress.message.startswith("The result of clip.webm was deleted")
    assert list(temporary.iterdir()) == []
    work.close()


def test_a_bad_video_is_called_by_its_own_name(temporary: Path) -> None:
    work = job(b"this is no video at all\n" * 50, name="holiday.mp4")
    assert work.wait(PATIENCE)
    assert work.progress.state == FAILED
    assert work.progress.message.startswith("holiday.mp4 ")
    work.close()
    assert list(temporary.iterdir()) == []


def test_only_so_many_at_once_and_those_who_wait_can_be_stopped(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(video_job.QUEUE._places, Lane.VIDEO, 1)
    content = clip(tmp_path / "in.webm", frames=60).read_bytes()
    held, empty = Held(), MadeDetector(lambda call: [])
    first = job(content, held)
    while not first.progress.frames:
        time.sleep(0.01)
    second, third = job(content, empty), job(content, empty)
    assert second.progress.state == third.progress.state == WAITING
    assert (first.progress.position, second.progress.position, third.progress.position) == (0, 1, 2)
    second.stop()
    assert second.wait(PATIENCE)
    assert "before its turn came" in second.progress.message
    first.stop()
    held.gate.set()
    assert third.wait(PATIENCE)
    assert third.progress.state == DONE
    for work in (first, second, third):
        work.close()
    assert list(temporary.iterdir()) == []


def test_a_course_gets_coarser_instead_of_longer() -> None:
    timeline = VideoTimeline(points=100, finest_s=0.1)
    one, both = made_result(0, {1: 3}), made_result(0, {1: 3, 2: None})
    for frame in range(30_000):
        timeline.add(replace(both if frame % 2 else one, time_s=frame / 10))
    first, second = timeline.series()
    for series in (first, second):
        assert 40 <= len(series.times_s) <= 101
        assert series.times_s[0] < 100
        assert series.times_s[-1] > 2900
        steps = np.diff(series.times_s)
        assert steps.min() > 0.9 * steps.max()
    assert set(first.shown) == {3}
    assert set(second.shown) == {-1}
    assert first.smoothed[:, 3] == pytest.approx(0.7)


def test_a_course_forgets_those_seen_longest_ago() -> None:
    timeline = VideoTimeline(most_series=3)
    for number in range(1, 6):
        timeline.add(made_result(float(number), {number: 0}))
    assert [series.face for series in timeline.series()] == [3, 4, 5]
    assert timeline.dropped == 2


def test_a_full_disk_takes_no_video_and_keeps_no_place_in_the_queue(tmp_path: Path, temporary: Path) -> None:
    content = clip(tmp_path / "in.webm").read_bytes()
    with full(temporary):
        for _ in range(3):
            with pytest.raises(DataError, match=r"clip.webm could not be kept.*No space left"):
                job(content)
        assert [path.name for path in temporary.iterdir()] == ["filling"]
    done = job(content)
    assert done.wait(PATIENCE)
    assert done.progress.state == DONE
    done.close()


def test_a_disk_that_fills_up_while_a_video_is_read_leaves_nothing_and_is_told(tmp_path: Path, temporary: Path) -> None:
    held = Held()
    content = clip(tmp_path / "in.webm").read_bytes()
    with full(temporary, room=len(content) + 16384) as fill:
        broken = job(content, held)
        while not broken.progress.frames:
            assert not broken.wait(0.01)
        fill()
        held.gate.set()
        assert broken.wait(PATIENCE)
        assert broken.progress.state == FAILED
        assert "No space left" in broken.progress.message
        assert str(temporary) not in broken.progress.message
        broken.close()
        until_gone(temporary)
    done = job(content)
    assert done.wait(PATIENCE)
    assert done.progress.state == DONE
    done.close()


def until_gone(temporary: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while [path.name for path in temporary.iterdir()] != ["filling"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
