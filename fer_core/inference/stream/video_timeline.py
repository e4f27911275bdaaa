"""What each model said about each face over a whole video of any length, in bounded memory: the longer, the coarser."""

from __future__ import annotations

import threading
from array import array
from dataclasses import dataclass, field

import numpy as np

from fer_core.emotions import COUNT
from fer_core.inference.stream.result import Result
from fer_core.inference.stream.timeline import Series

POINTS = 600
"""Samples of one face and model at most: a plot shows no more."""
FINEST_S = 0.1
"""Seconds between two samples of a short video."""
MOST_SERIES = 128
"""Faces × models, 3 MB in all; of more, those seen longest ago go first."""


@dataclass
class _Samples:
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("f"))
    shown: array[int] = field(default_factory=lambda: array("b"))

    def thin(self) -> None:
        """Leave out every second sample."""
        values = np.asarray(self.values, dtype=np.float32).reshape(-1, COUNT)[::2]
        self.times, self.values, self.shown = self.times[::2], array("f", values.ravel().tolist()), self.shown[::2]


class VideoTimeline:
    """Safe to write in one thread and read in another."""

    def __init__(self, points: int = POINTS, finest_s: float = FINEST_S, most_series: int = MOST_SERIES) -> None:
        """Raises ``ValueError`` unless ``points`` is at least 2 and the others are above 0."""
        if not (points >= 2 and finest_s > 0 and most_series > 0):
            raise ValueError("points must be at least 2, finest_s and most_series above 0")
        self._points, self._step_s, self._most = points, finest_s, most_series
        self._samples: dict[tuple[int, str], _Samples] = {}
        self._dropped = 0
        self._lock = threading.Lock()

    def add(self, result: Result) -> None:
        """Take in a frame's numbers; times must not run back."""
        with self._lock:
            while result.time_s >= self._points * self._step_s:
                self._step_s *= 2
                for samples in self._samples.values():
                    samples.thin()
            for face in result.faces:
                for model, smoothed in face.smoothed.items():
                    key = (face.number, model)
                    samples = self._samples.pop(key) if key in self._samples else _Samples()
                    self._samples[key] = samples  # last in the dictionary: seen most recently
                    # Half a millisecond of grace: frame times are rounded.
                    if samples.times and result.time_s - samples.times[-1] < self._step_s - 0.0005:
                        continue
                    label = face.shown[model]
                    samples.times.append(result.time_s)
                    samples.values.extend(smoothed.tolist())
                    samples.shown.append(-1 if label is None else label)
            while len(self._samples) > self._most:
                del self._samples[next(iter(self._samples))]
                self._dropped += 1

    @property
    def dropped(self) -> int:
        """How many series had to go because there were too many."""
        with self._lock:
            return self._dropped

    def series(self) -> list[Series]:
        """Every face and model, by face, then model. Copies."""
        with self._lock:
            found = [
                Series(
                    face,
                    model,
                    np.array(samples.times, dtype=np.float64),
                    np.array(samples.values, dtype=np.float32).reshape(-1, COUNT),
                    np.array(samples.shown, dtype=np.int8),
                )
                for (face, model), samples in self._samples.items()
            ]
        return sorted(found, key=lambda entry: (entry.face, entry.model))
