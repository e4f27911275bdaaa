"""The last minute in numbers: what each model said about each face, in bounded memory, for plots and as CSV.

Numbers only; no picture ever gets in here.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, NAMES
from fer_core.inference.stream.result import Result, name_of
from fer_core.spreadsheet import SpreadsheetWriter

SECONDS = 60.0
PER_S = 5.0
"""Samples kept per second: a minute is then 300 points a line, which a page can redraw every second."""
MOST_SERIES = 64
"""Faces × models: eight faces seen by eight models. Of more, those updated longest ago go first."""

HEADER = ("time_s", "face", "model", *(f"p_{name}" for name in NAMES), "shown")


@dataclass(frozen=True)
class Series:
    """One face as one model saw it, oldest first. ``times_s``: float64 (n,). ``smoothed``: float32 (n, 7).

    ``shown``: int8 (n,), the class 0..6, -1 for "unsure".
    """

    face: int
    model: str
    times_s: npt.NDArray[np.float64]
    smoothed: npt.NDArray[np.float32]
    shown: npt.NDArray[np.int8]


class Writer(Protocol):
    """What writes a table, such as :class:`fer_core.spreadsheet.SpreadsheetWriter`."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one line."""


class Timeline:
    """Safe to write in one thread and read in another. Takes about 22 KB per face and model, 1.4 MB at most."""

    def __init__(self, seconds: float = SECONDS, per_s: float = PER_S, most_series: int = MOST_SERIES) -> None:
        """``seconds`` and ``per_s``: how much is kept and how densely; ``most_series``: faces × models at most.

        Raises ``ValueError`` unless all are above 0.
        """
        if not (seconds > 0 and per_s > 0 and most_series > 0):
            raise ValueError("seconds, per_s and most_series must be above 0")
        self._seconds, self._step_s, self._most = seconds, 1 / per_s, most_series
        self._capacity = int(np.ceil(seconds * per_s)) + 1
        self._rings: dict[tuple[int, str], _Ring] = {}
        self._now_s = -np.inf
        self._lock = threading.Lock()

    def add(self, result: Result) -> None:
        """Take in a frame's numbers. A face is kept at most ``per_s`` times a second; time running back begins anew."""
        with self._lock:
            if result.time_s < self._now_s:
                self._rings.clear()
            self._now_s = result.time_s
            for face in result.faces:
                for model, smoothed in face.smoothed.items():
                    key = (face.number, model)
                    ring = self._rings.pop(key, None) or _Ring(self._capacity)
                    self._rings[key] = ring  # last in the dictionary: updated most recently
                    # Half a millisecond of grace: frame times are rounded.
                    if result.time_s - ring.last_s >= self._step_s - 0.0005:
                        label = face.shown[model]
                        ring.append(result.time_s, smoothed, -1 if label is None else label)
            oldest = self._now_s - self._seconds
            for key in [key for key, ring in self._rings.items() if ring.last_s < oldest]:
                del self._rings[key]
            while len(self._rings) > self._most:
                del self._rings[next(iter(self._rings))]

    def series(self, model: str | None = None) -> list[Series]:
        """The last ``seconds`` of every face (and of one model only), by face, then model. Copies."""
        with self._lock:
            oldest = self._now_s - self._seconds
            found = [
                Series(face, name, *ring.since(oldest))
                for (face, name), ring in self._rings.items()
                if model is None or name == model
            ]
        return sorted((entry for entry in found if len(entry.times_s)), key=lambda entry: (entry.face, entry.model))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._rings.clear()
            self._now_s = -np.inf

    def to_csv(self) -> str:
        """What :meth:`series` holds, as CSV: :data:`HEADER`, then a line per time, face and model, by time.

        Probabilities are the smoothed ones, 0..1; ``shown`` is a class or "unsure".
        """
        lines = sorted(
            (time_s, entry.face, entry.model, tuple(smoothed), int(label))
            for entry in self.series()
            for time_s, smoothed, label in zip(
                entry.times_s.tolist(), entry.smoothed.tolist(), entry.shown.tolist(), strict=True
            )
        )
        buffer = io.StringIO(newline="")
        writer = SpreadsheetWriter(buffer)
        writer.writerow(HEADER)
        for time_s, face, model, smoothed, label in lines:
            writer.writerow(_line(time_s, face, model, smoothed, None if label < 0 else label))
        return buffer.getvalue()


def write_rows(writer: Writer, result: Result) -> None:
    """One frame's lines under :data:`HEADER`: every face, every model, smoothed probabilities."""
    for row in rows(result):
        writer.writerow(row)


def rows(result: Result) -> Iterator[tuple[str, ...]]:
    """One frame's lines of the CSV."""
    for face in result.faces:
        for model, smoothed in face.smoothed.items():
            yield _line(result.time_s, face.number, model, smoothed.tolist(), face.shown[model])


def _line(time_s: float, face: int, model: str, probabilities: Sequence[float], label: int | None) -> tuple[str, ...]:
    return (f"{time_s:.3f}", str(face), model, *(f"{value:.4f}" for value in probabilities), name_of(label))


class _Ring:
    """The newest samples of one series, in arrays that never grow."""

    def __init__(self, capacity: int) -> None:
        self._times = np.full(capacity, -np.inf)
        self._values = np.zeros((capacity, COUNT), dtype=np.float32)
        self._shown = np.full(capacity, -1, dtype=np.int8)
        self._next = 0
        self.last_s = -np.inf

    def append(self, time_s: float, values: npt.NDArray[np.float32], label: int) -> None:
        at = self._next % len(self._times)
        self._times[at], self._values[at], self._shown[at] = time_s, values, label
        self._next += 1
        self.last_s = time_s

    def since(self, oldest_s: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32], npt.NDArray[np.int8]]:
        """Copies of the samples from ``oldest_s`` on, oldest first."""
        count = min(self._next, len(self._times))
        order = (np.arange(self._next - count, self._next)) % len(self._times)
        order = order[self._times[order] >= oldest_s]
        return self._times[order], self._values[order], self._shown[order]
