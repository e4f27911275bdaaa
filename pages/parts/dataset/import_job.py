"""Imports that outlive a click: the work runs in a thread of the server, every visitor sees the same progress.

A page's script is restarted whenever somebody touches a widget, and an import takes up to a minute. So it runs
beside the script and never calls Streamlit; a fragment of the page reads how far it is.
"""

from __future__ import annotations

import functools
import itertools
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from fer_core.access.policy import Action
from fer_core.data.half_written import discard
from fer_core.data.understanding import Corrections
from fer_core.errors import BusyError, FerError
from fer_core.settings import settings
from fer_core.threads import start_thread
from pages.parts import access

if TYPE_CHECKING:
    from fer_core.data.look import Look
    from fer_core.progress import Progress


PATIENCE_S = 0.8
_STOPPED = "The import was stopped. Nothing of it was kept."


class _StopError(Exception):
    """Raised inside the importer, from its progress callback, to end it; the importer tidies up behind itself."""


@dataclass
class ImportJob:
    """One import, or the look before it.

    ``state`` is ``running``, ``looked``, ``done``, ``stopped`` or ``failed``; ``message`` is for people. ``said`` is
    what somebody said about the faces, ``look`` what was understood then, ``temporary`` a folder that goes when all is
    over.
    """

    source: str
    name: str
    state: str = "running"
    said: Corrections = field(default_factory=Corrections)
    look: Look | None = None
    temporary: Path | None = None
    number: int = field(default_factory=itertools.count().__next__)
    """Tells looks apart: what was chosen at one is not chosen at the next."""
    progress: Progress | None = None
    message: str = ""
    stop_asked: bool = False
    tidy: Callable[[], None] = field(default=lambda: None, repr=False)
    """Removes what the work has written so far, where it cannot do so itself yet."""
    _ending: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def _report(self, progress: Progress) -> None:
        self.progress = progress
        if self.stop_asked:
            raise _StopError

    def begin(
        self, work: Callable[[Callable[[Progress], None]], str], undo: Callable[[], None], *, done: str = "done"
    ) -> None:
        """As :meth:`run`, in a thread. Raises ``BusyError`` where there is none; the job has failed then."""
        try:
            start_thread(functools.partial(self.run, work, undo, done=done), f"import {self.name}")
        except BusyError as error:
            # Else every later import would wait for this one.
            self._end("failed", str(error))
            self.tidy()
            raise

    def run(
        self, work: Callable[[Callable[[Progress], None]], str], undo: Callable[[], None], *, done: str = "done"
    ) -> None:
        """Do ``work``, which returns the sentence to end with. Every end is recorded, an unexpected one too.

        ``undo`` takes back what it did, where nobody waited for its end.
        """
        try:
            message = work(self._report)
            if not self._end(done, message):
                undo()
        except _StopError:
            self._end("stopped", _STOPPED)
        except FerError as error:
            self._end("failed", str(error))
        except BaseException as error:
            # The thread ends here in any case; without this the page would show a bar that never moves.
            self._end("failed", f"The import broke off: {type(error).__name__}: {error}")
            raise

    def stop(self) -> None:
        """Ask the work to stop, and wait no longer than :data:`PATIENCE_S` for it: a slow disk may not answer at all.

        Work that nobody waits for any more ends by itself at its next step, and keeps nothing.
        """
        self.stop_asked = True
        deadline = time.monotonic() + PATIENCE_S
        while self.state == "running" and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._end("stopped", _STOPPED):
            self.tidy()

    def _end(self, state: str, message: str) -> bool:
        """Whether this end is the first one."""
        with self._ending:
            first = self.state == "running"
            if first:
                self.message, self.state = message, state
            return first


class _Slot:
    """The one import of this server: two at once would only halve each other."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.job: ImportJob | None = None


@st.cache_resource(show_spinner=False)
def _slot(home: str) -> _Slot:
    return _Slot()


def current_job() -> ImportJob | None:
    """The running import, or the last one that ended and was not dismissed."""
    return _slot(str(settings().home)).job


@access.only(Action.IMPORT_DATA)
def dismiss() -> None:
    """Forget an import that has ended, or a look that nothing follows."""
    slot = _slot(str(settings().home))
    with slot.lock:
        if slot.job is not None and slot.job.state != "running":
            _delete(slot.job.temporary)
            slot.job = None


@access.only(Action.IMPORT_DATA)
def start_look(source: str, name: str, *, said: Corrections | None = None, temporary: Path | None = None) -> ImportJob:
    """Look at the faces at ``source``, a path, in a thread; nothing is written.

    ``temporary`` is a folder to delete when the import after it has ended, or where there is none. Raises ``FerError``
    while an import is running, or where no thread can be started.
    """
    job = _place(source, name, said or Corrections(), temporary)

    def work(report: Callable[[Progress], None]) -> str:
        from fer_core.data.look import look_at
        from fer_core.inference.cutter import LargestFace

        try:
            job.look = look_at(source, job.said, cutter=LargestFace(), progress=report)
        except BaseException:
            _delete(temporary)
            raise
        return ""

    job.tidy = lambda: _delete(temporary)
    job.begin(work, job.tidy, done="looked")
    return job


@access.only(Action.IMPORT_DATA)
def start_import(
    source: str, name: str, *, said: Corrections | None = None, temporary: Path | None = None
) -> ImportJob:
    """Import ``source`` (a path, or ``kaggle``) as a new dataset folder called like ``name``, in a thread.

    ``temporary`` is a folder to delete afterwards, whatever happens, a refusal included. Raises ``FerError``
    while another import is running.
    """
    job = _place(source, name, said or Corrections(), temporary)
    out = settings().datasets_dir / job.name

    def work(report: Callable[[Progress], None]) -> str:
        from fer_core.data.importer import import_dataset
        from fer_core.inference.cutter import LargestFace

        try:
            dataset = import_dataset(source, out, progress=report, name=out.name, said=job.said, cutter=LargestFace())
        finally:
            _delete(temporary)
        return " ".join([f"{len(dataset):,} faces are in.", *dataset.info.notes])

    def undo() -> None:
        shutil.rmtree(out, ignore_errors=True)

    def tidy() -> None:
        discard(out)
        _delete(temporary)

    job.tidy = tidy

    job.begin(work, undo)
    return job


@access.only(Action.IMPORT_DATA)
def stop(job: ImportJob) -> None:
    """Stop an import, wherever it is. Returns when it is over."""
    job.stop()


def _place(source: str, name: str, said: Corrections, temporary: Path | None) -> ImportJob:
    """A new job in the place of the last one, which must have ended; what that had copied goes with it."""
    slot = _slot(str(settings().home))
    with slot.lock:
        last = slot.job
        if last is not None and last.state == "running":
            _delete(temporary)
            raise FerError(f"“{last.name}” is being imported just now. Wait until it is done, or stop it.")
        if last is not None and last.temporary != temporary:
            _delete(last.temporary)
        slot.job = ImportJob(source, free_folder(name).name, said=said, temporary=temporary)
        return slot.job


def _delete(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def free_folder(name: str) -> Path:
    """A dataset folder that does not exist yet, called like ``name``: ``fer2013``, else ``fer2013-2`` and so on."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "faces"
    folder = settings().datasets_dir
    candidate, number = folder / stem, 1
    while candidate.exists():
        number += 1
        candidate = folder / f"{stem}-{number}"
    return candidate
