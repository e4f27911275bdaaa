"""A video in a thread of its own: progress, stopping, and not a file left behind."""

from __future__ import annotations

import gc
import io
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stream_helpers import FRAMES, MadeDetector, MadeModel, clip, made_result

from fer_core.inference.stream import video_job
from fer_core.inference.stream.draw import Style
from fer_core.inference.stream.pipeline import Pipeline
from fer_core.inference.stream.video_job import DONE, FAILED, STOPPED, WAITING, VideoJob
from fer_core.inference.stream.video_timeline import Course


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where jobs keep their files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


class Slow(MadeDetector):
    """Takes its time for every frame."""

    def __init__(self, seconds: float) -> None:
        super().__init__(lambda call: [])
        self.seconds = seconds

    def detect(self, image_bgr: np.ndarray) -> list:
        time.sleep(self.seconds)
        return []


def job(content: bytes, detector: MadeDetector | None = None, name: str = "clip.webm") -> VideoJob:
    detector = detector or MadeDetector(lambda call: [(0.14, 0.26, 0.36, 0.48)])
    pipeline = Pipeline({"made": MadeModel()}, detector)  # type: ignore[dict-item]
    return VideoJob(io.BytesIO(content), name, pipeline, Style(model="made"))


def test_a_video_is_read_and_its_files_go_when_it_is_closed(tmp_path: Path, temporary: Path) -> None:
    work = job(clip(tmp_path / "in.webm").read_bytes())
    assert work.wait(60)
    progress = work.progress
    assert (progress.state, progress.frames, progress.expected, progress.message) == (DONE, FRAMES, FRAMES, "")
    assert work.summary is not None
    assert work.summary.faces == 1
    [portrait] = work.portraits()
    assert (portrait.number, portrait.frames, portrait.crop.shape) == (1, FRAMES - 1, (48, 48))
    [series] = work.course.series()
    assert (series.face, series.model, len(series.times_s)) == (1, "made", FRAMES - 1)
    assert sorted(path.name for path in temporary.rglob("*.*")) == ["annotated.mp4", "numbers.csv"]
    assert len(work.csv_path.read_text().splitlines()) == FRAMES
    work.close()
    work.close()
    assert list(temporary.iterdir()) == []


def test_stopping_keeps_nothing(tmp_path: Path, temporary: Path) -> None:
    work = job(clip(tmp_path / "in.webm", frames=60).read_bytes(), Slow(0.05))
    while not work.progress.frames:
        time.sleep(0.01)
    work.stop()
    assert work.wait(10)
    assert work.progress.state == STOPPED
    assert work.progress.message.startswith("clip.webm was stopped after")
    assert 0 < work.progress.frames < 60
    assert list(temporary.rglob("*.*")) == []
    work.close()
    assert list(temporary.iterdir()) == []


def test_a_visitor_who_leaves_takes_the_work_along(tmp_path: Path, temporary: Path) -> None:
    work = job(clip(tmp_path / "in.webm", frames=60).read_bytes(), Slow(0.05))
    while not work.progress.frames:
        time.sleep(0.01)
    del work
    gc.collect()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and list(temporary.iterdir()):
        time.sleep(0.02)
    assert list(temporary.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("video ")]


def test_a_result_that_nobody_looks_at_is_deleted(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_job, "CHECK_S", 0.02)
    monkeypatch.setattr(video_job, "KEEP_S", 0.3)
    work = job(clip(tmp_path / "in.webm").read_bytes())
    assert work.wait(60)
    for _ in range(4):
        time.sleep(0.1)
        assert work.progress.state == DONE, "each look keeps it"
    time.sleep(1.5)
    assert work.progress.state == STOPPED
    assert work.progress.message.startswith("The result of clip.webm was deleted")
    assert list(temporary.iterdir()) == []
    work.close()


def test_a_bad_video_is_called_by_its_own_name(temporary: Path) -> None:
    work = job(b"this is no video at all\n" * 50, name="holiday.mp4")
    assert work.wait(10)
    assert work.progress.state == FAILED
    assert work.progress.message.startswith("holiday.mp4 ")
    work.close()
    assert list(temporary.iterdir()) == []


def test_only_so_many_at_once_and_those_who_wait_can_be_stopped(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_job, "_turns", threading.BoundedSemaphore(1))
    content = clip(tmp_path / "in.webm", frames=60).read_bytes()
    first = job(content, Slow(0.05))
    while not first.progress.frames:
        time.sleep(0.01)
    second, third = job(content, Slow(0.0)), job(content, Slow(0.0))
    assert second.progress.state == third.progress.state == WAITING
    second.stop()
    assert second.wait(5)
    assert "before its turn came" in second.progress.message
    first.stop()
    assert third.wait(60)
    assert third.progress.state == DONE
    for work in (first, second, third):
        work.close()
    assert list(temporary.iterdir()) == []


def test_a_course_gets_coarser_instead_of_longer() -> None:
    course = Course(points=100, finest_s=0.1)
    for frame in range(30_000):
        course.add(made_result(frame / 10, {1: 3, 2: None} if frame % 2 else {1: 3}))
    first, second = course.series()
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
    course = Course(most_series=3)
    for number in range(1, 6):
        course.add(made_result(float(number), {number: 0}))
    assert [series.face for series in course.series()] == [3, 4, 5]
    assert course.dropped == 2
