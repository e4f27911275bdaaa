"""One visitor's camera: frames in, drawn frames out at once, and all that a page wants to show beside them.

Whoever hands in frames never waits for the models. They look at the newest frame alone (:mod:`.latest`), and what they
last said is drawn on every frame that comes. How much older than the picture that is, the lag, is measured.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.inference.detectors import FaceDetector
from fer_core.inference.predictor import Predictor
from fer_core.inference.stream.draw import Style, draw_result
from fer_core.inference.stream.latest_frame import IDLE_S, LatestWorker
from fer_core.inference.stream.pipeline import Pipeline, StreamSettings
from fer_core.inference.stream.recording import Recorder
from fer_core.inference.stream.result import Result, Timings
from fer_core.inference.stream.timeline import Timeline
from fer_core.photo import Picture

WINDOW_S = 2.0
"""Rates and lags are those of the last two seconds: long enough not to dance, short enough to follow."""
MOST_SAMPLES = 240
"""Two seconds at 120 frames a second."""


@dataclass(frozen=True)
class StreamPlan:
    """How a stream is read and drawn. ``models``: by name; ``settings`` and ``style`` name only those."""

    models: Mapping[str, Predictor]
    detector: FaceDetector
    settings: StreamSettings
    style: Style


@dataclass(frozen=True)
class Shot:
    """A frame, uint8 (H, W, 3), blue-green-red, not mirrored; what was found on it; the style of that moment."""

    frame: Picture
    result: Result
    style: Style

    def drawn(self) -> Picture:
        """The frame with the result drawn on it, uint8 (H, W, 3)."""
        return draw_result(self.frame, self.result, self.style)


@dataclass(frozen=True)
class Speed:
    """How the stream keeps up, over the last :data:`WINDOW_S` seconds.

    ``camera_per_s``: frames handed in per second. ``read_per_s``: frames that the models looked at per second.
    ``frames``, ``dropped``: handed in, and never looked at, since the start. ``lag_ms``: how much older than the
    picture the drawn result is, median; ``worst_lag_ms`` likewise; None before the first result. ``stages``: median
    milliseconds by stage, in order; stages that did not run are left out.
    """

    camera_per_s: float
    read_per_s: float
    frames: int
    dropped: int
    lag_ms: float | None
    worst_lag_ms: float | None
    stages: Mapping[str, float]


class LiveStream:
    """Reads one visitor's camera; never to be shared between visitors. All methods may be called from any thread.

    Attributes:
        timeline: the last minute in numbers.
        recorder: the numbers that the visitor chose to keep.
    """

    def __init__(
        self,
        plan: StreamPlan,
        *,
        clock: Callable[[], float] = time.monotonic,
        idle_s: float = IDLE_S,
        name: str = "live",
    ) -> None:
        """``clock``: seconds that never run back. ``idle_s``: see :data:`~.latest.IDLE_S`. ``name``: the thread's."""
        self.timeline = Timeline()
        self.recorder = Recorder()
        self._clock = clock
        self._plan = self._applied = plan
        self._pipeline = Pipeline(plan.models, plan.detector, plan.settings)
        self._worker: LatestWorker[tuple[Picture, float], Shot] = LatestWorker(self._work, name=name, idle_s=idle_s)
        self._lock = threading.Lock()
        self._fresh, self._on = True, False
        self._error: Exception | None = None
        self._frames = 0
        self._arrivals: deque[float] = deque(maxlen=MOST_SAMPLES)
        self._reads: deque[tuple[float, Timings]] = deque(maxlen=MOST_SAMPLES // 4)
        self._lags: deque[tuple[float, float]] = deque(maxlen=MOST_SAMPLES)
        self._draw_ms: deque[float] = deque(maxlen=MOST_SAMPLES // 4)

    @property
    def plan(self) -> StreamPlan:
        """What holds now."""
        return self._plan

    def configure(self, plan: StreamPlan) -> None:
        """Read and draw by another plan, from the next frame on. Faces keep their numbers."""
        self._plan = plan

    def see(self, frame_bgr: Picture) -> Picture:
        """Take a frame, uint8 (H, W, 3), and return a new one with the newest result drawn on it, at once.

        Starts the stream if it is stopped. Where reading or drawing failed, the frame comes back as it is, and
        :attr:`error` says why until the next start.
        """
        now_s = self._clock()
        if not self._on:
            self._begin()
        with self._lock:
            self._frames += 1
            self._arrivals.append(now_s)
        self._worker.submit((frame_bgr, now_s))
        began = time.perf_counter()
        try:
            shot = self._worker.latest()
            if shot is None:
                return np.ascontiguousarray(frame_bgr[:, ::-1]) if self._plan.style.mirrored else frame_bgr
            drawn = draw_result(frame_bgr, shot.result, shot.style)
        except Exception as error:  # the page shows it: a picture without boxes is better than a dead camera
            self._error = error
            return frame_bgr
        with self._lock:
            self._lags.append((now_s, now_s - shot.result.time_s))
            self._draw_ms.append((time.perf_counter() - began) * 1000)
        return drawn

    def shot(self) -> Shot | None:
        """The newest frame that the models looked at; None before the first and after :meth:`stop`."""
        return self._worker.latest() if self._worker.running else None

    @property
    def error(self) -> Exception | None:
        """What stopped the reading, or None."""
        return self._error

    @property
    def running(self) -> bool:
        """Whether it has taken a frame and was not stopped since."""
        return self._on

    @property
    def last_frame_s(self) -> float | None:
        """When the newest frame came, on the stream's clock; None before the first."""
        with self._lock:
            return self._arrivals[-1] if self._arrivals else None

    def now_s(self) -> float:
        """The stream's clock."""
        return self._clock()

    def speed(self) -> Speed:
        """How it keeps up."""
        now_s, load = self._clock(), self._worker.load
        with self._lock:
            arrivals = [at for at in self._arrivals if now_s - at <= WINDOW_S]
            reads = [at for at, _ in self._reads if now_s - at <= WINDOW_S]
            lags = [1000 * lag for at, lag in self._lags if now_s - at <= WINDOW_S]
            timings = [timing for _, timing in self._reads]
            draw_ms, frames = list(self._draw_ms), self._frames
        stages: dict[str, float] = {}
        if timings:
            looked = [timing.detect_ms for timing in timings if timing.detect_ms]
            if looked:
                stages["find faces"] = statistics.median(looked)
            stages["follow faces"] = statistics.median(timing.track_ms for timing in timings)
            stages["cut them out"] = statistics.median(timing.crop_ms for timing in timings)
            for model in timings[-1].predict_ms:
                asked = [timing.predict_ms[model] for timing in timings if timing.predict_ms.get(model)]
                if asked:
                    stages[model] = statistics.median(asked)
        if draw_ms:
            stages["draw"] = statistics.median(draw_ms)
        return Speed(
            camera_per_s=_rate(arrivals),
            read_per_s=_rate(reads),
            frames=frames,
            dropped=load.dropped,
            lag_ms=statistics.median(lags) if lags else None,
            worst_lag_ms=max(lags, default=None),
            stages=stages,
        )

    def stop(self, timeout_s: float = 0.0) -> bool:
        """Look at no more frames, let go of the pictures, end a recording. The next frame starts it again.

        The numbers stay. Returns whether the thread has ended within ``timeout_s`` seconds; if not, it ends by itself
        after the turn that is under way.
        """
        self._on = False
        self.recorder.stop()
        ended = self._worker.stop(timeout_s)
        self._fresh = True
        self._error = None
        return ended

    def _begin(self) -> None:
        """Another camera, or the same one again: faces are numbered from 1, and the counts start anew."""
        with self._lock:
            self._error, self._frames = None, 0
            for samples in (self._arrivals, self._reads, self._lags, self._draw_ms):
                samples.clear()
        self._fresh = self._on = True
        self._worker.start()

    def _work(self, item: tuple[Picture, float]) -> Shot:
        frame, time_s = item
        plan = self._plan
        if self._fresh:
            self._fresh = False
            self._pipeline.reset()
            self.timeline.clear()
        if plan is not self._applied:
            self._pipeline.models = dict(plan.models)
            self._pipeline.detector = plan.detector
            self._pipeline.settings = plan.settings
            self._applied = plan
        result = self._pipeline.process(frame, time_s)
        self.timeline.add(result)
        self.recorder.add(result)
        with self._lock:
            self._reads.append((self._clock(), result.timings))
        return Shot(frame, result, plan.style)


def _rate(times: list[float]) -> float:
    """Events per second, 0 for fewer than two."""
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
