"""One piece of work that somebody waits for: how far it is, how it ended. Shared by whoever draws maps."""

from __future__ import annotations

import threading
from typing import Any, Final, Literal

from fer_core.errors import ExplainError
from fer_core.fair_queue import Ticket
from fer_core.progress import Progress

TaskStage = Literal["queued", "running", "done", "failed", "cancelled"]
QUEUED: Final = "queued"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
FORGOTTEN_S = 300.0
"""Seconds after which what nobody looks at any more is not begun: its visitor has gone, or went on."""
FORGOTTEN = "Nobody waited for it any more. Ask again."


class Task:
    """One request and what became of it. Written by one thread; read by any.

    Attributes:
        request: as it was submitted.
        stage: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        progress: the last that was heard while it ran, else None.
        message: why it failed or was cancelled, for people; else empty.
        cancelling: whether somebody asked to cancel it.
        askers: which visitors want it: who may cancel it is whoever is alone with it.
        ticket: its place in the queue; given up when it is over.
        looked: when somebody last asked for it, by the clock of whoever does the work.
        packed: the request as it is sent.
    """

    def __init__(self, request: Any, number: int, ticket: Ticket) -> None:
        self.request, self.number, self.ticket = request, number, ticket
        self.stage: TaskStage = QUEUED
        self.progress: Progress | None = None
        self.message = ""
        self.cancelling = False
        self.looked = 0.0
        self.askers: set[str] = set()
        self.packed = b""
        self._answer: Any = None
        self._over = threading.Event()

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._over.is_set()

    def wait(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds until it is over; returns whether it is."""
        return self._over.wait(timeout)

    def result(self, timeout: float | None = None) -> Any:
        """The answer, waited for at most ``timeout`` seconds. Raises ``ExplainError`` where there is none."""
        if not self._over.wait(timeout):
            raise ExplainError(f"There is no answer after {timeout:g} seconds.")
        if self.stage != DONE:
            raise ExplainError(self.message)
        return self._answer

    def close(self, stage: TaskStage, message: str = "", answer: Any = None) -> None:
        """Say how it ended (whoever does the work)."""
        self.message, self._answer, self.stage = message, answer, stage
        self._over.set()
        self.ticket.close()
