"""The worker's process as the app sees it: pickles in, pickles out, its last words when it dies."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import psutil

from fer_core.endings import how_it_ended
from fer_core.settings import PROJECT_ROOT

_NICE = 5
"""Below the app's own priority, so that pages stay quick while a map is drawn; above background trainings."""
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}


class Child:
    """One running process. Ends by itself when the app does: its standard input ends then."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it. Raises ``OSError``."""
        self._process = subprocess.Popen(
            list(command),
            cwd=PROJECT_ROOT,
            env={**os.environ, **_QUIET},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.pid = self._process.pid
        self._sending = threading.Lock()
        self._last_lines: deque[str] = deque(maxlen=4)
        self._why = ""
        self._listener = threading.Thread(target=self._listen, name="gradient worker's log", daemon=True)
        self._listener.start()
        self._lower_priority()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, *message: Any) -> None:
        """Send a message. Where nobody listens any more nothing happens: :meth:`receive` will tell."""
        assert self._process.stdin is not None
        try:
            with self._sending:
                pickle.dump(message, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
                self._process.stdin.flush()
        except (OSError, ValueError):
            return  # a broken pipe, or one that was closed

    def receive(self) -> tuple[Any, ...] | None:
        """Wait for the next message; None once there is nobody to send one."""
        assert self._process.stdout is not None
        try:
            message: tuple[Any, ...] = pickle.load(self._process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            # Killed in the middle of a message it leaves half a pickle.
            return None
        return message

    def kill(self, why: str = "") -> None:
        """End it now; who waits in :meth:`receive` hears of it. ``why``: what :meth:`last_words` shall say."""
        self._why = why
        self._process.kill()

    def end(self, grace: float = 0) -> None:
        """End it, and wait until it has gone. ``grace``: seconds that one which is dying anyway has for doing so."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(2)
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()
            except OSError:
                continue  # what could not be delivered any more

    def last_lines(self) -> str:
        """Why it ended, as a sentence. After :meth:`end`, or once it is not alive."""
        code = self._process.wait()
        if self._why:
            return self._why
        return how_it_ended(code, self._last_lines)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as log:
            for line in log:
                self._last_lines.append(line.decode(errors="replace").strip())

    def _lower_priority(self) -> None:
        try:
            psutil.Process(self.pid).nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else _NICE)
        except psutil.NoSuchProcess:
            return  # it has ended already; receive() will tell
