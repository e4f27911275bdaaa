"""Pause and stop through files in the run folder, honoured between two batches."""

from __future__ import annotations

import time

from fer_core.files import is_there
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.runs.visitor import read_visitor
from fer_core.signals import asked_to_end
from fer_core.training.lock import check_kept

POLL_SECONDS = 0.1
CHECK_SECONDS = 2.0
"""Between two looks at whether another computer has taken the run over."""


class Control:
    """Asked by the training loop before every epoch and after every batch."""

    def __init__(self, folder: RunFolder, journal: Journal) -> None:
        self.folder = folder
        self.journal = journal
        self.paused_seconds = 0.0
        """Time spent paused since the loop last set this to zero."""
        self._began = self._checked = time.monotonic()
        self._seconds: float | None = None

    def done(self) -> None:
        """Take away requests that nobody will honour any more, so that none stays in the finished run's folder."""
        for path in (self.folder.stop_path, self.folder.pause_path):
            path.unlink(missing_ok=True)

    def stop_wanted(self, epoch: int, step: int) -> bool:
        """True once somebody asked to stop. Waits in here for as long as the run is paused.

        Raises ``RunError`` where another computer has taken the run over, and ``KeyboardInterrupt`` where a signal
        asked the process to end and a library has swallowed it.
        """
        if asked_to_end():
            raise KeyboardInterrupt
        if is_there(self.folder.pause_path) and not is_there(self.folder.stop_path):
            self.journal.write("paused", epoch=epoch, step=step)
            began = time.monotonic()
            while is_there(self.folder.pause_path) and not self._must_stop():
                time.sleep(POLL_SECONDS)
            self.paused_seconds += time.monotonic() - began
            self.journal.write("resumed", epoch=epoch, step=step)
        if time.monotonic() - self._checked >= CHECK_SECONDS:
            check_kept(self.folder.path)
            self._checked = time.monotonic()
        return self._must_stop()

    def _must_stop(self) -> bool:
        """Whether somebody asked, or a visitor's time is up."""
        if self._seconds is None:
            # Not before the first batch: the note is written when the process has begun.
            visitor = read_visitor(self.folder.path)
            self._seconds = float("inf") if visitor is None else visitor["seconds"]
        return is_there(self.folder.stop_path) or time.monotonic() - self._began > self._seconds
