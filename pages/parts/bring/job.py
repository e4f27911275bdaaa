"""What is being brought: a command in a process of its own, which outlives a click. One at a time on a server.

A stranger's model is tried and measured for minutes, and answers about a large dataset wait for its audit. The process
is ``python -m fer_core`` as anybody would type it, so the page can do nothing that the command line cannot.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from fer_core.access.policy import Action
from fer_core.endings import how_it_ended
from fer_core.errors import ModelError
from fer_core.memory import no_room
from fer_core.settings import PROJECT_ROOT, settings
from pages.parts import access

CHILD_BYTES = 0.6e9
"""What must be free: Python with NumPy, pandas and the faces of FER-2013. A model's own process asks for more."""
MODEL = "model"
"""What :attr:`BringJob.what` is where a model is brought."""
MOST_SAID = 200
"""Lines kept of what the process says."""


@dataclass(eq=False)
class BringJob:
    """One command at work, or ended.

    Attributes:
        what: a key of the page's parts: which of them began it.
        source: the name of what is brought, for people.
        file: the uploaded file, in a folder of its own that goes when the job is dismissed.
        began: monotonic seconds.
        said: lines of its standard error, so far.
    """

    what: str
    source: str
    file: Path
    process: subprocess.Popen[bytes]
    began: float = field(default_factory=time.monotonic)
    said: list[str] = field(default_factory=list)
    _output: list[bytes] = field(default_factory=list)
    _readers: list[threading.Thread] = field(default_factory=list)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def source_is_model(self) -> bool:
        """Whether what comes of it can be asked."""
        return self.what == MODEL

    @property
    def run(self) -> str:
        """The name of the run that was made; empty where none was."""
        self._finish()
        if self.process.returncode:
            return ""
        try:
            return Path(json.loads(b"".join(self._output))["run"]).name
        except (ValueError, KeyError, TypeError):
            return ""

    @property
    def problem(self) -> str:
        """Why no run was made, for people."""
        self._finish()
        errors = [line.removeprefix("error: ") for line in self.said if line.startswith("error: ")]
        if errors:
            return errors[-1]
        return f"The process that brings it ended {how_it_ended(self.process.returncode or 0, self.said[-4:])}"

    @property
    def table(self) -> list[str]:
        """Lines that it showed before it asked: what was tried, indented."""
        return [line for line in self.said if line.startswith("  ")]

    def read(self) -> None:
        """Begin to listen to the process: a full pipe would stop it."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self._output.extend, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._listen, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            # A line of progress is written over again and again.
            text = line.decode("utf-8", "replace").rstrip().rpartition("\r")[2]
            if text.strip():
                self.said = [*self.said, text][-MOST_SAID:]

    def _finish(self) -> None:
        for reader in self._readers:
            reader.join(timeout=5)


def command(arguments: Sequence[str]) -> list[str]:
    """What is run for these arguments of the command line."""
    return [sys.executable, "-m", "fer_core", *arguments, "--json"]


class _Slot:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.job: BringJob | None = None


@st.cache_resource(show_spinner=False)
def _slot(home: str) -> _Slot:
    return _Slot()


def current() -> BringJob | None:
    """The command at work, or the last one that ended and was not dismissed."""
    return _slot(str(settings().home)).job


@access.only(Action.BRING_MODEL)
def start(what: str, source: str, file: Path, arguments: Sequence[str]) -> None:
    """Run ``python -m fer_core`` with these arguments and ``--json``. Raises ``ModelError`` while another one runs.

    ``file`` lies in a folder of its own, which is deleted in the end.
    """
    slot = _slot(str(settings().home))
    with slot.lock:
        if slot.job is not None and slot.job.running:
            raise ModelError(f"{slot.job.source} is being brought just now. Wait for its end.")
        if why := no_room(CHILD_BYTES, "Bringing it"):
            raise ModelError(why)
        before = slot.job
        process = subprocess.Popen(
            command(arguments),
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        slot.job = BringJob(what, source, file, process)
        slot.job.read()
        if before is not None and before.file != file:
            shutil.rmtree(before.file.parent, ignore_errors=True)


@access.only(Action.BRING_MODEL)
def stop() -> None:
    """End the command that is at work; nothing of it is kept."""
    job = current()
    if job is not None and job.running:
        job.process.terminate()


@access.only(Action.BRING_MODEL)
def dismiss() -> None:
    """Forget a command that has ended, and its file."""
    slot = _slot(str(settings().home))
    with slot.lock:
        if slot.job is not None and not slot.job.running:
            shutil.rmtree(slot.job.file.parent, ignore_errors=True)
            slot.job = None
