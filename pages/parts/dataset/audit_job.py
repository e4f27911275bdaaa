"""Running an audit from the page: the offer, how far it is, how it ended. The work is done by a child process."""

from __future__ import annotations

import threading
from pathlib import Path

import streamlit as st

from fer_core.access.policy import Action
from fer_core.data.audit import THRESHOLD, read_audit
from fer_core.data.audit.job import DONE, RUNNING, STOPPED, AuditJob, audit_command
from fer_core.data.dataset import Dataset
from fer_core.errors import BusyError, DataError
from fer_core.formatting import duration, plain, plural
from pages.parts import access, messages, queue
from pages.parts.fragments import fragment


class _Jobs:
    """The audits of this server by dataset folder, so that every visitor sees the same one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_folder: dict[Path, AuditJob] = {}

    def start(self, folder: Path) -> None:
        """Start one unless it runs already. Raises ``DataError``, ``OSError``."""
        with self.lock:
            job = self.by_folder.get(folder)
            if job is None or job.state != RUNNING:
                self.by_folder[folder] = AuditJob(folder)

    def dismiss(self, folder: Path) -> None:
        with self.lock:
            self.by_folder.pop(folder, None)


@st.cache_resource(show_spinner=False)
def jobs() -> _Jobs:
    """The one collection of this server."""
    return _Jobs()


def offer(dataset: Dataset) -> None:
    """In place of an audit that was not done yet: what it does, how long it takes, a button, and how far it is."""
    job = jobs().by_folder.get(dataset.path)
    runs = job is not None and job.state == RUNNING
    st.markdown(
        f"**These {plural(len(dataset), 'face')} were not audited yet.** The audit compares every face with every "
        "other one. It finds exact and near duplicates within and across the splits, equal faces with different "
        "labels, and images that show nothing. Then this tab shows them, and what they cost each model."
    )
    if not access.may(Action.AUDIT):
        st.caption("The owner of this app can start it.")
    # In its place while the audit runs: the browser would keep what went away when it is clicked, until the next click.
    elif st.button(
        "Audit these faces",
        type="primary",
        icon=":material/content_copy:",
        disabled=runs,
        key="audit.start",
        help="FER-2013 takes under a minute on two processor cores, the drawn sample a few seconds. It is done once: "
        "the result is kept beside the faces.",
    ):
        try:
            _start(dataset)
        except BusyError as error:
            queue.say_busy(error)
        except DataError as error:
            st.error(messages.told(error), icon=":material/lock:")
        except OSError as error:
            st.error(
                f"The audit could not be started: {messages.told(error.strerror or str(error))}. Try the command below."
            )
        else:
            st.rerun()
    if job is not None and runs:
        fragment(_bar, every=0.5)(job, dataset)
        if access.may(Action.AUDIT):
            st.button("Stop the audit", icon=":material/stop:", on_click=_stop, args=(job,))
        st.caption("The app stays usable meanwhile. You may leave this page and come back.")
    cli_command(dataset)


@access.only(Action.AUDIT)
def _start(dataset: Dataset) -> None:
    jobs().start(dataset.path)


@access.only(Action.AUDIT)
def _stop(job: AuditJob) -> None:
    job.stop()


@access.only(Action.AUDIT)
def _dismiss(dataset: Dataset) -> None:
    jobs().dismiss(dataset.path)


def outcome(dataset: Dataset) -> None:
    """How the last audit from this page ended, where that needs saying; nothing while it runs."""
    job = jobs().by_folder.get(dataset.path)
    if job is None or job.state == RUNNING:
        return
    if job.state == DONE and not job.message:
        if read_audit(dataset) is None:
            st.error(
                "The audit ended, but its result does not fit these faces: they were changed meanwhile. Try again."
            )
        jobs().dismiss(dataset.path)
        return
    if job.state == DONE:
        st.error(f"The audit was done, but cannot be shown. {messages.told(job.message)}", icon=":material/lock:")
    elif job.state == STOPPED:
        st.info(messages.told(job.message))
    else:
        st.error(f"The audit failed. {messages.told(job.message)}", icon=":material/error:")
    if access.may(Action.AUDIT):
        st.button("Dismiss this message", on_click=_dismiss, args=(dataset,), key="dismiss-audit")


def cli_command(dataset: Dataset) -> None:
    """The same from the command line, to copy, for those who have one there."""
    if not access.may(Action.SERVER_PATHS):
        return
    shown = messages.place(dataset.path)
    *words, _ = audit_command(dataset.path)
    st.caption(f"The same from the command line, where `--threshold` takes another limit than {THRESHOLD:g}:")
    st.code(f'python {" ".join(words)} "{shown}"', language="shell", wrap_lines=True)


def _bar(job: AuditJob, dataset: Dataset) -> None:
    """How far the audit is, read anew twice a second; its end redraws the page."""
    if job.state != RUNNING:
        st.rerun()
    progress = job.progress
    if progress is None or not progress.total:
        st.progress(0.0, text=f"Auditing {plain(dataset.info.title)}: starting")
        return
    left = f", {duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    st.progress(
        min(1.0, progress.done / progress.total),
        text=f"{progress.message}: {progress.done:,} of {progress.total:,} faces{left}",
    )
