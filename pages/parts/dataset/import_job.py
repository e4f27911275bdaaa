"""Imports that outlive a click: the work runs in a thread of the server, every visitor sees the same progress.

A page's script is restarted whenever somebody touches a widget, and an import takes up to a minute. So it runs
beside the script and never calls Streamlit; a fragment of the page reads how far it is.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from fer_core.access.policy import Action
from fer_core.errors import FerError
from fer_core.settings import settings
from pages.parts import access

if TYPE_CHECKING:
    from fer_core.progress import Progress


class _StopError(Exception):
    """Raised inside the importer, from its progress callback, to end it; the importer tidies up behind itself."""


@dataclass
class ImportJob:
    """One import. ``state`` is ``running``, ``done``, ``stopped`` or ``failed``; ``message`` is for people."""

    source: str
    name: str
    state: str = "running"
    progress: Progress | None = None
    message: str = ""
    stop_asked: bool = False

    def _report(self, progress: Progress) -> None:
        self.progress = progress
        if self.stop_asked:
            raise _StopError

    def run(self, work: Callable[[Callable[[Progress], None]], str]) -> None:
        """Do ``work``, which returns the sentence to end with. Every end is recorded, an unexpected one too."""
        try:
            self.message = work(self._report)
            self.state = "done"
        except _StopError:
            self.state, self.message = "stopped", "The import was stopped. Nothing of it was kept."
        except FerError as error:
            self.state, self.message = "failed", str(error)
        except BaseException as error:
            # The thread ends here in any case; without this the page would show a bar that never moves.
            self.state, self.message = "failed", f"The import broke off: {type(error).__name__}: {error}"
            raise


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
    """Forget an import that has ended."""
    slot = _slot(str(settings().home))
    with slot.lock:
        if slot.job is not None and slot.job.state != "running":
            slot.job = None


@access.only(Action.IMPORT_DATA)
def start_import(source: str, name: str, *, temporary: Path | None = None) -> ImportJob:
    """Import ``source`` (a path, or ``kaggle``) as a new dataset folder called like ``name``, in a thread.

    ``temporary`` is a folder to delete afterwards, whatever happens, a refusal included. Raises ``FerError``
    while another import is running.
    """
    slot = _slot(str(settings().home))
    with slot.lock:
        if slot.job is not None and slot.job.state == "running":
            _delete(temporary)
            raise FerError(f"“{slot.job.name}” is being imported just now. Wait until it is done, or stop it.")
        out = free_folder(name)
        slot.job = job = ImportJob(source, out.name)

    def work(report: Callable[[Progress], None]) -> str:
        from fer_core.data.importer import import_dataset

        try:
            dataset = import_dataset(source, out, progress=report, name=out.name)
        finally:
            _delete(temporary)
        return " ".join([f"{len(dataset):,} faces are in.", *dataset.info.notes])

    threading.Thread(target=job.run, args=(work,), name=f"import {out.name}", daemon=True).start()
    return job


@access.only(Action.IMPORT_DATA)
def stop(job: ImportJob) -> None:
    """Ask an import to stop; it does at its next step."""
    job.stop_asked = True


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
