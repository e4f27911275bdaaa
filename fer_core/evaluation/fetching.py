"""FER-2013 fetched in the background of a server, try after try with growing patience; then models measured on it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

from fer_core.data import fetch
from fer_core.data.catalogue import list_datasets
from fer_core.data.fetch import FetchState
from fer_core.errors import DataError, RunError
from fer_core.evaluation import measuring
from fer_core.runs.listing import list_models
from fer_core.settings import PROJECT_ROOT, settings

FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 3600.0
"""Seconds before the second try, and at most before a later one; each pause is twice the one before."""
ELSEWHERE_S = 10.0
"""Seconds before it is looked again at what another server of the same home does."""


class Fetching(threading.Thread):
    """Sees to it that the data are fetched, as long as the server runs. It only starts children, and waits."""

    def __init__(self, first_pause_s: float = FIRST_PAUSE_S) -> None:
        super().__init__(name="fetch FER-2013", daemon=True)
        self._first_pause_s = first_pause_s
        self._over = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def end(self) -> None:
        """Try no more, and end a try that is under way: half a download is cleared by the next."""
        self._over.set()
        if self._child is not None:
            self._child.terminate()

    def run(self) -> None:
        pause = self._first_pause_s
        while not self._over.is_set() and not fetch.is_here():
            code = self._try()
            if code == HERE:
                measure_shipped_on_fetched()
                return
            if code == REFUSED:
                return
            if code == ELSEWHERE:
                self._over.wait(ELSEWHERE_S)
                continue
            self._announce(pause)
            self._over.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _try(self) -> int:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "fer_core.data.fetch_child"],
            cwd=PROJECT_ROOT,
            env={**os.environ, "FER_EXPLORER_HOME": str(settings().home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        code = self._child.wait()
        self._child = None
        return code

    def _announce(self, pause: float) -> None:
        """Say when the next try begins, and that one ended where it could not say so itself, as when it was killed."""
        found = fetch.state()
        with suppress(OSError):  # a full disk: the next try says so
            if found is None or found["state"] in (FetchState.FETCHING, FetchState.IMPORTING):
                message = "The process that fetched it was ended, perhaps because memory ran out."
                found = {
                    **(found or fetch.new_record("", 0)),
                    "state": FetchState.WAITING,
                    "tries": (found["tries"] if found else 0) + 1,
                    "message": message,
                }
            fetch.tell({**found, "next": time.time() + pause})


HERE, FAILED, REFUSED, ELSEWHERE = range(4)
"""Exit codes of a try, see :class:`fer_core.data.fetch_child.Outcome`, which a server need not load."""


def begin() -> Fetching | None:
    """Start fetching in the background where the environment asks for it and the data are not here; else None."""
    try:
        asked = fetch.wanted(os.environ)
    except DataError:
        return None  # the owner reads it on Home
    if asked is None or fetch.is_here():
        return None
    thread = Fetching()
    thread.start()
    return thread


def measure_shipped_on_fetched() -> None:
    """Have the shipped runs measured on what was fetched, where it has other pixels than their figures are about."""
    for info in list_datasets():
        if info.path.name == fetch.NAME:
            missing = [
                run.path for run in list_models() if run.shipped and run.folder.evaluation(info.fingerprint) is None
            ]
            with suppress(RunError):  # others are being measured: the owner has a button for these
                if missing:
                    measuring.start(info, missing)
