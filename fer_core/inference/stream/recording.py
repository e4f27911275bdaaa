"""Numbers that a visitor chose to keep: who was seen when, and what each model said. Never a picture."""

from __future__ import annotations

import io
import threading

import numpy as np

from fer_core.emotions import COUNT, NAMES
from fer_core.inference.stream.result import Result, name_of
from fer_core.spreadsheet import SpreadsheetWriter

PER_S = 10.0
"""Lines a second for each face and model: expressions change more slowly."""
MOST_ROWS = 120_000
"""Lines of one recording, 9 MB in memory: 3 h 20 min of one face and one model, 50 min of four models."""
HEADER = ("time_s", "face", "model", *(f"p_{name}" for name in NAMES), *(f"raw_{name}" for name in NAMES), "shown")
_ROW = np.dtype(
    [
        ("time_s", np.float64),
        ("face", np.int32),
        ("model", np.int16),
        ("smoothed", np.float32, (COUNT,)),
        ("raw", np.float32, (COUNT,)),
        ("shown", np.int8),
    ]
)
_BLOCK = 4096


class Recorder:
    """Safe to write in one thread and read in another. Memory grows with what is kept, up to the limit."""

    def __init__(self, per_s: float = PER_S, most_rows: int = MOST_ROWS) -> None:
        """Raises ``ValueError`` unless both are above 0."""
        if not (per_s > 0 and most_rows > 0):
            raise ValueError("per_s and most_rows must be above 0")
        self._step_s, self._most = 1 / per_s, most_rows
        self._lock = threading.Lock()
        self._on = False
        self._blocks: list[np.ndarray] = []
        self._models: dict[str, int] = {}
        self._count = 0
        self._first_s: float | None = None
        self._latest_s = 0.0

    @property
    def on(self) -> bool:
        """Whether it takes numbers."""
        with self._lock:
            return self._on

    @property
    def full(self) -> bool:
        """Whether it stopped because it holds all the lines it may."""
        with self._lock:
            return self._count >= self._most

    @property
    def rows(self) -> int:
        """Lines kept."""
        with self._lock:
            return self._count

    @property
    def seconds(self) -> float:
        """From the first line to the last."""
        with self._lock:
            return 0.0 if self._first_s is None else self._latest_s - self._first_s

    def start(self) -> None:
        """Forget what is kept and take numbers from now on."""
        with self._lock:
            self._clear()
            self._on = True

    def stop(self) -> None:
        """Take no more. What is kept stays until the next start."""
        with self._lock:
            self._on = False

    def clear(self) -> None:
        """Stop, and forget what is kept."""
        with self._lock:
            self._clear()
            self._on = False

    def add(self, result: Result) -> None:
        """Keep a frame's numbers, at most ``per_s`` times a second; stops by itself once it is full."""
        with self._lock:
            # Half a millisecond of grace: frame times are rounded.
            if not self._on or (self._first_s is not None and result.time_s - self._latest_s < self._step_s - 0.0005):
                return
            for face in result.faces:
                for model, smoothed in face.smoothed.items():
                    if self._count >= self._most:
                        self._on = False
                        return
                    number = self._models.setdefault(model, len(self._models))
                    label = face.shown[model]
                    if self._count % _BLOCK == 0:
                        self._blocks.append(np.zeros(_BLOCK, dtype=_ROW))
                    values = (result.time_s, face.number, number, smoothed, face.raw[model])
                    self._blocks[-1][self._count % _BLOCK] = (*values, -1 if label is None else label)
                    self._count += 1
            if result.faces:
                self._first_s = result.time_s if self._first_s is None else self._first_s
                self._latest_s = result.time_s

    def to_csv(self) -> str:
        """:data:`HEADER`, then a line for each time, face and model. Times are seconds from the first line.

        ``p_…`` are the smoothed probabilities, 0..1, ``raw_…`` those of the frame alone; ``shown`` is a class or
        "unsure".
        """
        with self._lock:
            rows = np.concatenate(self._blocks)[: self._count] if self._blocks else np.zeros(0, dtype=_ROW)
            names, first_s = list(self._models), self._first_s or 0.0
        buffer = io.StringIO(newline="")
        writer = SpreadsheetWriter(buffer)
        writer.writerow(HEADER)
        fields = (rows[name].tolist() for name in ("time_s", "face", "model", "smoothed", "raw", "shown"))
        for time_s, face, model, smoothed, raw, shown in zip(*fields, strict=True):
            writer.writerow(
                (
                    f"{time_s - first_s:.3f}",
                    face,
                    names[model],
                    *(f"{value:.4f}" for value in smoothed),
                    *(f"{value:.4f}" for value in raw),
                    name_of(None if shown < 0 else shown),
                )
            )
        return buffer.getvalue()

    def _clear(self) -> None:
        self._blocks, self._models, self._count, self._first_s, self._latest_s = [], {}, 0, None, 0.0
