"""An audit in a process of its own, so that an app stays quick meanwhile: start, look how far it is, stop."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path

import psutil

from fer_core.endings import how_it_ended
from fer_core.errors import BusyError, DataError
from fer_core.memory import no_room
from fer_core.progress import Progress
from fer_core.settings import PROJECT_ROOT, settings
from fer_core.threads import start_thread
from fer_core.writable import check_writable

RUNNING, DONE, STOPPED, FAILED = "running", "done", "stopped", "failed"

CHILD_BYTES = 0.4e9
"""What the audit of FER-2013 takes at its peak, measured on Linux: 380 MB."""
_NICE = 10
"""Below the app's own priority: comparing all faces takes every core there is."""

_AMOUNT = re.compile(r"([\d,]+) of ([\d,]+) rows(?:, ([\d,]+) s left)?")
"""What ``data audit`` says on standard error while it works."""


def audit_command(folder: Path) -> list[str]:
    """The arguments after ``python`` that audit a dataset folder."""
    return ["-m", "fer_core", "data", "audit", str(folder)]


class AuditJob:
    """One ``python -m fer_core data audit`` as a child process.

    ``state`` is ``running``, ``done``, ``stopped`` or ``failed``. ``progress`` is the last that the child said, None
    before. ``message`` is for people: why it failed, or, when done, why the result could not be kept (else empty).
    All of them are written by a thread that lives as long as the child.
    """

    def __init__(self, folder: Path) -> None:
        """Start the audit of a dataset folder.

        Raises ``DataError`` where its result could not be kept or too little memory is left, ``OSError`` where no
        process can be started, ``BusyError`` where no thread can.
        """
        # The page shows what is kept, so an audit that cannot be kept would be work for nothing.
        check_writable(folder, "The result of the audit", DataError)
        if why := no_room(CHILD_BYTES, "The audit runs in a process of its own, which"):
            raise DataError(why)
        self.folder = folder
        self.state = RUNNING
        self.progress: Progress | None = None
        self.message = ""
        self._stop_asked = False
        # A file, not a pipe: of a dataset with many faults the result is longer than a pipe holds.
        self._result = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by the thread
        self._child = subprocess.Popen(
            [sys.executable, *audit_command(folder), "--json"],
            cwd=PROJECT_ROOT,
            env={**os.environ, "FER_EXPLORER_HOME": str(settings().home), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=self._result,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._lower_priority()
        try:
            self._thread = start_thread(self._follow, f"audit {folder.name}")
        except BusyError:
            self._child.kill()
            self._child.communicate()
            self._result.close()
            raise

    def stop(self) -> None:
        """Ask the child to end. What it had found is lost; nothing half-written stays."""
        self._stop_asked = True
        self._child.terminate()

    def wait(self, timeout: float | None = None) -> str:
        """Wait until it has ended, at most ``timeout`` seconds; returns the state then."""
        self._thread.join(timeout)
        return self.state

    def _lower_priority(self) -> None:
        try:
            lower = psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else _NICE
            psutil.Process(self._child.pid).nice(lower)
        except psutil.NoSuchProcess:
            # It has ended already; the thread will say how.
            return

    def _follow(self) -> None:
        assert self._child.stderr is not None
        last: deque[str] = deque(maxlen=8)
        try:
            for line in self._child.stderr:
                if not self._heard(line):
                    last.append(line.strip())
            code = self._child.wait()
            with self._result:
                self._result.seek(0)
                self.message, state = self._outcome(self._result.read(), code, last)
        except BaseException as error:
            # The thread ends here in any case; without this the page would show a bar that never moves.
            self.message, self.state = f"The audit broke off: {type(error).__name__}: {error}", FAILED
            raise
        self.state = state

    def _heard(self, line: str) -> bool:
        """Take in a line about the progress; False for any other."""
        found = _AMOUNT.search(line)
        if found is None:
            return False
        done, total, left = (None if part is None else int(part.replace(",", "")) for part in found.groups())
        self.progress = Progress(done or 0, total, "rows", left, line.split("  ")[0].strip())
        return True

    def _outcome(self, output: str, code: int, last: deque[str]) -> tuple[str, str]:
        if code == 0:
            return str(json.loads(output)["note"]), DONE
        if self._stop_asked:
            return "The audit was stopped. Nothing of it was kept.", STOPPED
        try:
            return str(json.loads(output)["error"]), FAILED
        except (ValueError, KeyError):
            return f"The audit ended unexpectedly: {how_it_ended(code, last)}", FAILED
