"""Calm numbers from nervous ones: probabilities smoothed over time, and a shown class that does not flicker.

Both count in seconds, not frames, so that a slow computer and a fast one show the same. How much is smoothed where
nobody chooses: ``StreamSettings`` in ``pipeline.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT

Probabilities = npt.NDArray[np.float32]

UNSURE_BELOW = 0.45
"""Below this confidence the answer is "unsure". On PublicTest (n = 3,589) custom_cnn then answers for 86 % of the faces
and is right for 72.7 % of those, custom_cnn_augmented for 87 % and 73.6 %, the vote of four for 82 % and 77.5 %."""


class Smoother:
    """Exponential smoothing of seven probabilities, with a time constant.

    After a change that lasts, ``constant_s`` seconds later 63 % of it has arrived, three times as long after it 95 %.
    The first moments are averaged evenly instead, so that the very first frame does not weigh more than those after it.
    """

    def __init__(self) -> None:
        self._value: npt.NDArray[np.float64] | None = None
        self._first_s = self._last_s = 0.0

    def update(self, probabilities: npt.ArrayLike, time_s: float, constant_s: float) -> Probabilities:
        """The smoothed probabilities, float32 (7,), after ``probabilities`` (7,) seen at ``time_s`` seconds.

        ``constant_s`` may change from call to call; 0 smooths nothing. Times that stand still or run backwards (a clip
        that starts again) begin anew. Raises ``ValueError`` for another shape or a negative constant.
        """
        new = np.asarray(probabilities, dtype=np.float64)
        if new.shape != (COUNT,) or not constant_s >= 0:
            raise ValueError(f"{COUNT} probabilities and a constant of at least 0 s were expected")
        if self._value is None or constant_s == 0 or time_s <= self._last_s:
            self._value, self._first_s = new, time_s
        else:
            step = time_s - self._last_s
            # The first sample stands for as long as the step after it.
            evenly = step / (time_s - self._first_s + step)
            weight = max(-math.expm1(-step / constant_s), evenly)
            self._value = self._value + weight * (new - self._value)
        self._last_s = time_s
        return self._value.astype(np.float32)


@dataclass(frozen=True)
class Steadiness:
    """When the shown class changes.

    ``unsure_below``: least probability (0..1) of a class to be shown. ``slack``: how far (0..1) the shown class may
    fall below that before it becomes "unsure", so that it does not blink around the limit. ``margin``: how far (0..1)
    another class must be ahead of the shown one to replace it.
    """

    unsure_below: float = UNSURE_BELOW
    slack: float = 0.05
    margin: float = 0.08

    def __post_init__(self) -> None:
        if not all(0 <= value <= 1 for value in (self.unsure_below, self.slack, self.margin)):
            raise ValueError("unsure_below, slack and margin must be in 0..1")


def shown_class(current: int | None, probabilities: npt.ArrayLike, steadiness: Steadiness) -> int | None:
    """The class to show next, 0..6, or None for "unsure".

    ``current``: what is shown now. ``probabilities`` (7,), smoothed. The shown class stays while it is no more than the
    margin behind the best and no more than the slack below the limit; otherwise the best class takes its place if it
    reaches the limit. Raises ``ValueError`` for another shape.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (COUNT,):
        raise ValueError(f"{COUNT} probabilities were expected, not an array of shape {values.shape}")
    best = int(values.argmax())
    if current is not None:
        behind = values[best] - values[current]
        if behind <= steadiness.margin and values[current] >= steadiness.unsure_below - steadiness.slack:
            return current
    return best if values[best] >= steadiness.unsure_below else None
