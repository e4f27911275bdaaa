"""What is being brought: a command in a process of its own, which outlives a click.

A stranger's model is tried and measured for minutes, and answers about a large dataset wait for its audit. The process
is ``python -m fer_core`` as anybody would type it, so the page can do nothing that the command line cannot. One at a
time for owners, and one for all visitors together. Whoever began it sees it, and nobody else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer_core.access import brought
from fer_core.access.policy import Action
from fer_core.endings import how_it_ended
from fer_core.errors import ModelError
from fer_core.memory import no_room
from fer_core.settings import PROJECT_ROOT, settings
from fer_core.threads import start_thread
from pages.parts import access, server
from pages.parts.bring.upload import Files

CHILD_BYTES = 0.6e9
"""What must be free: Python with NumPy, pandas and the faces of FER-2013. A model's own process asks for more."""
MODEL = "model"
"""What :attr:`BringJob.what` is where a model is brought."""
MOST_SAID = 200
"""Lines kept of what the process says."""
OWNERS = ""
"""Stands for the mark of whoever began it, where that is an owner."""
KEPT_S = 3600.0
"""After which a visitor's command that has ended is forgotten, where they left word of nothing."""


_ENDING_S = 10.0
"""For a command that was asked to end to clear up."""


@dataclass(frozen=True)
class Undecided:
    """What a trial left open: the table of what was tried, and the likeliest of it as one would type it."""

    table: tuple[str, ...]
    classes: str
    scale: str


@dataclass(eq=False)
class BringJob:
    """One command at work, or ended.

    Attributes:
        what: a key of the page's parts: which of them began it.
        source: the name of what is brought, for people.
        files: what was uploaded, in a folder of its own that goes when the job is dismissed.
        began: monotonic seconds.
        said: lines of its standard error, so far.
    """

    what: str
    source: str
    files: Files
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
        return "" if self._ended() else Path(str(self._answer().get("run", ""))).name

    @property
    def problem(self) -> str:
        """Why no run was made, for people."""
        code = self._ended()
        words = str(self._answer().get("error", ""))
        if not words:
            return f"The process that brings it ended {how_it_ended(code, self.said[-4:])}"
        # Where the upload lies tells nobody anything, and how to type an answer is for the command line.
        words = words.replace(f"{self.files.source.parent}/", "").partition(" For the likeliest, add: ")[0]
        return words if words.startswith((self.source, self.files.source.name)) else words[:1].upper() + words[1:]

    @property
    def undecided(self) -> Undecided | None:
        """What the trial left open, where that is why no run was made."""
        self._ended()
        answer = self._answer()
        table, classes, scale = answer.get("table"), answer.get("classes"), answer.get("scale")
        if not (isinstance(table, list) and isinstance(classes, str) and isinstance(scale, str)):
            return None
        return Undecided(tuple(map(str, table)), classes, scale)

    @property
    def script(self) -> tuple[str, ...]:
        """Lines of Python that write the model's probabilities, where those are to be brought instead."""
        self._ended()
        script = self._answer().get("script")
        return tuple(map(str, script)) if isinstance(script, list) else ()

    def read(self) -> None:
        """Begin to listen to the process: a full pipe would stop it."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            start_thread(partial(self._output.extend, self.process.stdout), "bring: answer"),
            start_thread(self._listen, "bring: words"),
        ]

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            # A line of progress is written over again and again.
            text = line.decode("utf-8", "replace").rstrip().rpartition("\r")[2]
            if text.strip():
                self.said = [*self.said, text][-MOST_SAID:]

    def _ended(self) -> int:
        """The exit code, once all that it said has been read."""
        for reader in self._readers:
            reader.join(timeout=5)
        return self.process.returncode or 0

    def _answer(self) -> dict[str, Any]:
        """The object that ``--json`` prints; empty where it was ended before."""
        try:
            answer = json.loads(b"".join(self._output))
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}


def command(arguments: Sequence[str]) -> list[str]:
    """What is run for these arguments of the command line."""
    return [sys.executable, "-m", "fer_core", *arguments, "--json"]


class _Jobs:
    """By the mark of whoever began each."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.of: dict[str, BringJob] = {}

    def drop(self, mark: str) -> None:
        if (job := self.of.pop(mark, None)) is not None:
            job.files.forget()


@st.cache_resource(show_spinner=False)
def _jobs(home: str) -> _Jobs:
    return _Jobs()


def _here() -> tuple[_Jobs, str]:
    person = access.person()
    return _jobs(str(settings().home)), OWNERS if person.owner else person.mark


def current() -> BringJob | None:
    """The command at work, or the last one that ended and was not dismissed, of whoever looks at this page."""
    jobs, mark = _here()
    return jobs.of.get(mark)


@access.only(Action.BRING_MODEL)
def start(what: str, source: str, files: Files, arguments: Sequence[str]) -> None:
    """Run ``python -m fer_core`` with these arguments and ``--json``. Raises ``ModelError`` while another one runs.

    ``files`` are its own from now on, and deleted in the end.
    """
    jobs, mark = _here()
    with jobs.lock:
        for other, job in list(jobs.of.items()):
            if job.running and (other == OWNERS) == (mark == OWNERS):
                whose = job.source if other == mark else "Another visitor's model"
                raise ModelError(f"{whose} is being brought just now. Wait for its end.")
            if other not in (OWNERS, mark) and not job.running and time.monotonic() - job.began > KEPT_S:
                jobs.drop(other)
        if why := no_room(CHILD_BYTES, "Bringing it"):
            raise ModelError(why)
        more = brought.arguments(access.person())
        before = jobs.of.get(mark)
        process = subprocess.Popen(
            command([*arguments, *more]),
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        jobs.of[mark] = BringJob(what, source, files, process)
        jobs.of[mark].read()
        if before is not None and before.files != files:
            before.files.forget()
    if mark != OWNERS and (context := get_script_run_ctx()) is not None:
        server.at_end(context.session_id, "bring", partial(leave, str(settings().home), mark))


def leave(home: str, mark: str) -> None:
    """A visit has ended: what the visitor with that mark brings ends, and what they brought is deleted."""
    jobs = _jobs(home)
    with jobs.lock:
        if (job := jobs.of.get(mark)) is not None and job.running:
            job.process.terminate()
            try:
                job.process.wait(_ENDING_S)
            except subprocess.TimeoutExpired:
                job.process.kill()
                job.process.wait()
        jobs.drop(mark)
    brought.leave(mark)


@access.only(Action.BRING_MODEL)
def stop() -> None:
    """End the command that is at work; nothing of it is kept."""
    job = current()
    if job is not None and job.running:
        job.process.terminate()


@access.only(Action.BRING_MODEL)
def dismiss() -> None:
    """Forget a command that has ended, and its file."""
    jobs, mark = _here()
    with jobs.lock:
        if (job := jobs.of.get(mark)) is not None and not job.running:
            jobs.drop(mark)
