"""One visitor's stream: never waits, never mixes, leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from stream_helpers import MadeDetector, MadeModel, frame_with

from fer_core.inference.stream import pipeline
from fer_core.inference.stream.draw import Style
from fer_core.inference.stream.live import LiveStream, StreamPlan
from fer_core.inference.stream.pipeline import StreamSettings

PATIENCE = 60.0
"""Seconds until a test gives up; none takes a noticeable part of that."""
BOX = (0.25, 0.25, 0.5, 0.5)


def make_plan(*models: MadeModel, box: tuple[float, float, float, float] = BOX, **style: object) -> StreamPlan:
    by_name = {model.name: model for model in models}
    lead = next(iter(by_name), None)
    detector = MadeDetector(lambda _: [box])
    return StreamPlan(by_name, detector, StreamSettings(detect_every=1), Style(model=lead, **style))  # type: ignore[arg-type]


def live_threads(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def wait_for(ready: object, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not ready() and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.005)
    assert ready()  # type: ignore[operator]


def look(stream: LiveStream, brightness: int = 250, turns: int = 4) -> np.ndarray:
    """Hand in the same frame until faces are confirmed and the newest result is drawn."""
    frame = frame_with((80, 60, 160, brightness))
    for _ in range(turns):
        done = stream._worker.load.done if stream.running else 0
        stream.see(frame)
        assert stream._worker.wait(done + 1, PATIENCE)
    return stream.see(frame)


@pytest.fixture
def stream() -> Iterator[LiveStream]:
    live = LiveStream(make_plan(MadeModel("one")), name="live-test")
    yield live
    live.stop(PATIENCE)


class HeldModel(MadeModel):
    """Says when it is asked, and answers when the test lets it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked, self.gate = threading.Semaphore(0), threading.Semaphore(0)

    def explain(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.asked.release()
        assert self.gate.acquire(timeout=PATIENCE)
        return super().explain(images)


def test_a_frame_comes_back_with_the_box_drawn_and_the_numbers_go_to_the_timeline(stream: LiveStream) -> None:
    frame = frame_with((80, 60, 160, 250))
    drawn = look(stream)
    assert drawn.shape == frame.shape
    assert (drawn != frame).any()
    (series,) = stream.timeline.series("one")
    assert (series.face, int(series.smoothed[-1].argmax())) == (1, 6)
    shot = stream.shot()
    assert shot is not None
    np.testing.assert_array_equal(shot.frame, frame)
    assert (shot.drawn() != frame).any()


def test_slow_models_drop_frames_keep_the_lag_bounded_and_never_hold_up_the_camera(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At 30 frames a second, with a model that takes five of them, on a clock of the test's own."""
    now = [0.0]
    monkeypatch.setattr(pipeline, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    model = HeldModel("slow")
    stream = LiveStream(make_plan(model), clock=lambda: now[0])
    # Faces are confirmed before a model is asked.
    frame, seen = frame_with((80, 60, 160, 250)), 0
    while not model.asked.acquire(blocking=False):
        stream.see(frame)
        seen += 1
        stream._worker.wait(seen, 0.05)
    before, asked = stream.speed().dropped, 1
    for number in range(1, 61):
        now[0] += 1 / 30
        # The model is held at its gate: a camera that waited for it would wait for ever.
        stream.see(frame)
        if number % 5 == 0:
            model.gate.release()
            assert model.asked.acquire(timeout=PATIENCE)
            asked += 1
    speed = stream.speed()
    model.gate.release()
    assert stream.stop(PATIENCE)
    assert speed.frames == seen + 60
    assert asked == 13
    assert speed.dropped - before == 60 - 12, "of five frames in the time of one answer, one is looked at"
    # Two turns of work, and a turn's wait until the next result; a queue would have got to seconds.
    assert speed.worst_lag_ms is not None
    assert speed.worst_lag_ms <= 3 * 167
    assert speed.camera_per_s == pytest.approx(30)
    assert speed.read_per_s == pytest.approx(6)
    assert speed.stages["slow"] == pytest.approx(1000 / 6, rel=0.01)


def test_two_visitors_get_their_own_faces() -> None:
    shared = MadeModel("one")
    left = LiveStream(make_plan(shared, box=(0.25, 0.25, 0.5, 0.5)))
    right = LiveStream(make_plan(shared, box=(0.25, 0.25, 0.5, 0.5)))
    dark, bright = frame_with((80, 60, 160, 10)), frame_with((80, 60, 160, 250))
    for done in range(1, 5):
        left.see(dark)
        right.see(bright)
        assert left._worker.wait(done, PATIENCE)
        assert right._worker.wait(done, PATIENCE)
    wait_for(lambda: left.shot() is not None and left.shot().result.faces and right.shot().result.faces)
    for stream, frame, label in ((left, dark, 0), (right, bright, 6)):
        shot = stream.shot()
        assert shot is not None
        assert shot.frame is frame
        assert {int(face.raw["one"].argmax()) for face in shot.result.faces} == {label}
        assert {int(series.smoothed[-1].argmax()) for series in stream.timeline.series()} == {label}
        stream.stop(PATIENCE)


def test_stopping_ends_the_thread_and_lets_go_of_pictures_and_the_stream_itself() -> None:
    live = LiveStream(make_plan(MadeModel("one")), name="live-stop")
    itself = weakref.ref(live)

    class Frame(np.ndarray):
        """An array that can be watched."""

    frame = frame_with((80, 60, 160, 250)).view(Frame)
    gone = weakref.ref(frame)
    live.see(frame)
    assert live._worker.wait(1, PATIENCE)
    assert live_threads("live-stop") == 1
    del frame
    assert gone() is not None
    assert live.stop(PATIENCE)
    gc.collect()
    assert gone() is None
    assert live_threads("live-stop") == 0
    assert live.shot() is None
    assert not live.running
    del live
    gc.collect()
    assert itself() is None


def test_the_next_frame_starts_it_again_with_faces_from_1_and_an_empty_minute(stream: LiveStream) -> None:
    look(stream)
    stream.recorder.start()
    look(stream)
    stream.stop(PATIENCE)
    assert not stream.recorder.on
    stored = stream.recorder.rows
    assert stored
    look(stream, brightness=10, turns=2)
    (series,) = stream.timeline.series()
    assert series.face == 1
    assert int(series.smoothed[-1].argmax()) == 0
    assert stream.recorder.rows == stored
    assert stream.speed().frames == 3, "counted anew"


def test_an_abandoned_stream_leaves_no_thread() -> None:
    stream = LiveStream(make_plan(MadeModel("one")), name="live-idle", idle_s=0.05)
    look(stream, turns=1)
    wait_for(lambda: live_threads("live-idle") == 0)
    look(stream, turns=1)
    assert stream.stop(PATIENCE)


def test_models_and_looks_change_while_it_runs_and_faces_keep_their_numbers(stream: LiveStream) -> None:
    look(stream)
    one, two = MadeModel("one"), MadeModel("two")
    plan = make_plan(two, one)
    stream.configure(replace(plan, settings=StreamSettings(map_model="two", map_class=3)))
    look(stream)
    shot = stream.shot()
    assert shot is not None
    (face,) = shot.result.faces
    assert face.number == 1
    assert list(face.shown) == ["two", "one"]
    assert face.map is not None
    assert (face.map.model, face.map.label) == ("two", 3)
    stream.configure(make_plan())
    drawn = look(stream)
    shot = stream.shot()
    assert shot is not None
    assert not shot.result.faces[0].shown, "faces are followed without any model, too"
    assert drawn.any()


def test_a_change_never_meets_a_result_of_before() -> None:
    """The style names a model that only the next result has: it must not be drawn on the one before."""
    stream = LiveStream(make_plan(MadeModel("one")))
    frame = frame_with((80, 60, 160, 250))
    look(stream)
    for number in range(6):
        before = stream._worker.load.done
        stream.configure(make_plan(MadeModel("one" if number % 2 else "two")))
        stream.see(frame)  # drawn with what was found before the change
        assert stream._worker.wait(before + 1, PATIENCE)
    assert stream.error is None
    stream.stop(PATIENCE)


def test_a_failing_model_is_reported_and_the_picture_goes_on() -> None:
    class Broken(MadeModel):
        def explain(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            raise RuntimeError("the file has gone")

    stream = LiveStream(make_plan(Broken("broken")))
    frame = frame_with((80, 60, 160, 250))
    wait_for(lambda: stream.see(frame) is not None and stream.error is not None)
    assert "the file has gone" in str(stream.error)
    np.testing.assert_array_equal(stream.see(frame), frame)
    assert stream.shot() is None
    stream.stop(PATIENCE)
    assert stream.error is None
    stream.configure(make_plan(MadeModel("one")))
    look(stream)
    assert stream.error is None
    stream.stop(PATIENCE)


def test_before_the_first_result_the_picture_is_mirrored_already() -> None:
    seeing = threading.Event()
    detector = MadeDetector(lambda _: [BOX] if seeing.wait(PATIENCE) else [])
    stream = LiveStream(replace(make_plan(MadeModel("one"), mirrored=True), detector=detector))
    frame = frame_with((0, 0, 40, 250))
    np.testing.assert_array_equal(stream.see(frame), frame[:, ::-1])
    seeing.set()
    stream.stop(PATIENCE)


def test_frames_may_change_size_in_mid_stream(stream: LiveStream) -> None:
    look(stream)
    small = frame_with((40, 30, 80, 250), height=120, width=160)
    assert stream.see(small).shape == small.shape
    wait_for(lambda: stream.shot().result.size == (120, 160))  # type: ignore[union-attr]
    (face,) = stream.shot().result.faces  # type: ignore[union-attr]
    assert face.number == 1
    assert (face.face.x, face.face.width) == (pytest.approx(40, abs=3), pytest.approx(80, abs=3))
    assert stream.error is None


def test_memory_does_not_grow_with_the_number_of_frames(stream: LiveStream) -> None:
    for _ in range(20):
        look(stream, turns=1)
    stored = [len(stream._arrivals), len(stream._reads), len(stream._lags), len(stream._draw_ms)]
    for _ in range(100):
        look(stream, turns=1)
    assert len(stream._arrivals) <= 240
    assert len(stream._reads) <= 60
    assert max(stored) <= 240
