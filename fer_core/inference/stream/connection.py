"""How far a camera's connection is, told from three signs, so that nobody stares at a spinner."""

from __future__ import annotations

import enum
from dataclasses import dataclass

PATIENCE_S = 15.0
"""Seconds without a picture after which something is wrong: where a way exists, it is found in two or three."""
STALL_S = 5.0
"""Seconds without a new frame after which a camera that worked is said to stand still."""
LEAST_TRY_S = 3.0
"""An attempt that ends sooner without a picture was called off, not lost."""


class ConnectionStage(enum.Enum):
    """``IDLE``: off. ``CONNECTING``: no picture yet. ``LATE``: still none after :data:`PATIENCE_S`. ``LIVE``: frames
    come. ``STALLED``: they came, and stopped. ``LOST``: the last attempt ended without a single one.
    """

    IDLE = "off"
    CONNECTING = "connecting"
    LATE = "late"
    LIVE = "live"
    STALLED = "stalled"
    LOST = "lost"

    @property
    def is_trouble(self) -> bool:
        """Whether people need help."""
        return self in (ConnectionStage.LATE, ConnectionStage.STALLED, ConnectionStage.LOST)


@dataclass(frozen=True)
class Connection:
    """``seconds``: since the attempt began, or, if stalled, since the last frame; of a lost one, how long it took.

    ``agreed``: whether browser and server ever found a way to each other in this attempt.
    """

    stage: ConnectionStage
    seconds: float
    agreed: bool


class ConnectionWatch:
    """Looks at the signs each time it is asked. One for each visitor."""

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._agreed = self._seen = False
        self._lost: Connection | None = None

    def update(self, *, trying: bool, agreed: bool, last_frame_s: float | None, now_s: float) -> Connection:
        """What to tell people now.

        ``trying``: the browser offers its camera or is connected. ``agreed``: it is connected. ``last_frame_s``: when
        the newest frame came, None for never; on the same clock as ``now_s``, in seconds.
        """
        if not trying:
            if self._began_s is not None:
                took_s = now_s - self._began_s
                lost = not self._seen and took_s >= LEAST_TRY_S
                self._lost = Connection(ConnectionStage.LOST, took_s, self._agreed) if lost else None
                self._began_s = None
            return self._lost or Connection(ConnectionStage.IDLE, 0.0, False)
        if self._began_s is None:
            self._began_s, self._agreed, self._seen, self._lost = now_s, False, False, None
        self._agreed = self._agreed or agreed
        # A frame of an earlier attempt says nothing about this one.
        if last_frame_s is not None and last_frame_s >= self._began_s:
            self._seen = True
            still_s = now_s - last_frame_s
            if still_s >= STALL_S:
                return Connection(ConnectionStage.STALLED, still_s, True)
            return Connection(ConnectionStage.LIVE, now_s - self._began_s, True)
        waited_s = now_s - self._began_s
        return Connection(
            ConnectionStage.LATE if waited_s >= PATIENCE_S else ConnectionStage.CONNECTING, waited_s, self._agreed
        )
