"""YuNet's file fetched by itself, in the background and once for a home; and why it is not there yet.

Nobody waits for it: until it is there, Haar finds the faces. What was tried in vain is written down beside it, so that
neither a page that is looked at often nor a command that is given often asks a network that is not there again.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from fer_core.errors import BusyError, DownloadError
from fer_core.files import fetched, replacing, write_json
from fer_core.inference import yunet
from fer_core.inference.yunet import yunet_path, yunet_ready
from fer_core.processes import place
from fer_core.settings import settings
from fer_core.threads import start_thread
from fer_core.try_lock import try_lock

PAUSE_S = 3600.0
"""Seconds after a try in vain before the next one."""
TIMEOUT_S, MOST_S = 10.0, 60.0
"""Seconds without a byte, and for the whole file, after which a try ends."""


class Absence(StrEnum):
    """Why YuNet is not there."""

    OFF = "off"
    """The settings forbid to fetch it."""
    COMING = "coming"
    """It is being fetched, by this process or another one."""
    FAILED = "failed"
    """The last try failed; the next one is made after a pause."""


@dataclass
class _Tries:
    """What this process knows of its tries for one file. ``not_before``: by the steady clock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    thread: threading.Thread | None = None
    not_before: float = float("-inf")
    problem: str = ""


_tries: dict[Path, _Tries] = {}
"""By the file's path: only tests have more than one."""


def begin() -> None:
    """See to it that YuNet comes, unless it is there, being fetched, switched off, or was tried in vain a while ago.

    Returns at once and never raises: whoever needs a detector has another one meanwhile.
    """
    if not settings().fetch_detector or yunet_ready():
        return
    tries = _mine()
    with tries.lock:
        if _alive(tries) or time.monotonic() < tries.not_before:
            return
        left, problem = _earlier_failure()
        if left > 0:
            # Another process, or an earlier command.
            tries.not_before, tries.problem = time.monotonic() + left, problem
            return
        try:
            tries.thread = start_thread(lambda: _try(tries), "fetch YuNet")
        except BusyError:
            return  # the next who needs a detector tries again


def fetch_now() -> None:
    """Fetch it while the caller waits, whatever was tried before and whatever the settings say.

    Raises ``DownloadError`` where it cannot be fetched or kept, or another process is at it.
    """
    tries = _mine()
    _try(tries, again=True)
    if not yunet_ready():
        raise DownloadError(tries.problem or "It is being fetched by another process just now. Wait a moment.")


def absence() -> tuple[Absence, str] | None:
    """Why YuNet is not there, with the reason of a failure; None where it is."""
    if yunet_ready():
        return None
    tries = _mine()
    with tries.lock:
        if _alive(tries):
            return Absence.COMING, ""
        if tries.problem:
            return Absence.FAILED, tries.problem
    return (Absence.COMING if settings().fetch_detector else Absence.OFF), ""


def _mine() -> _Tries:
    return _tries.setdefault(yunet_path(), _Tries())


def _alive(tries: _Tries) -> bool:
    return tries.thread is not None and tries.thread.is_alive()


def _try(tries: _Tries, *, again: bool = False) -> None:
    """One try. What goes wrong is remembered by this process and, where it can be written, beside the file."""
    path = yunet_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with try_lock(path.with_name(f".{path.name}.lock")) as mine:
            if not mine or yunet_ready():
                return
            left, problem = _earlier_failure()
            if left > 0 and not again:
                tries.not_before, tries.problem = time.monotonic() + left, problem
                return
            try:
                content = fetched(
                    yunet.YUNET_URL,
                    yunet.YUNET_SHA256,
                    max_bytes=yunet.YUNET_BYTES,
                    timeout=TIMEOUT_S,
                    most_seconds=MOST_S,
                )
            except DownloadError as error:
                tries.not_before, tries.problem = time.monotonic() + PAUSE_S, str(error)
                write_json(_record(), {"place": place(), "time": time.time(), "problem": str(error)})
                return
            with replacing(path) as temporary:
                temporary.write_bytes(content)
            _record().unlink(missing_ok=True)
            tries.problem = ""
    except OSError as error:
        # A home that is read-only, or has no locks: asked again later, since that may be mended.
        tries.not_before = time.monotonic() + PAUSE_S
        tries.problem = tries.problem or f"{path} cannot be written ({error.strerror or error})."


def _record() -> Path:
    return yunet_path().with_name("yunet-failed.json")


def _earlier_failure() -> tuple[float, str]:
    """Seconds for which nobody on this host should try again, and what went wrong; (0, "") where nothing did.

    Another host of a shared home may have a network, so that its failures do not count here.
    """
    try:
        record = json.loads(_record().read_text(encoding="utf-8"))
        age = time.time() - float(record["time"])
        if record["place"] == place() and 0 <= age < PAUSE_S:
            return PAUSE_S - age, str(record["problem"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no record, or one that says nothing: try
    return 0.0, ""
