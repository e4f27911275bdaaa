"""Which process something belongs to, told so that neither a step of the clock nor a number used again deceives."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

_PROC = Path("/proc")
_MARK = re.compile(r"([0-9a-f]{12})-(\d+)-(\d+)")
_HUNDREDTHS = 100
"""Elsewhere than on Linux: of a second, in which the start of a process is written."""


@dataclass(frozen=True)
class ProcessMark:
    """One process of one host.

    Attributes:
        place: 12 hex digits of the host's boot and the namespace that process numbers count in. Two containers with one
            host name differ, and so does a host that was started again.
        pid: its number there.
        start: what tells it from a later process of that number: on Linux the kernel's count of ticks since the boot,
            which no clock changes.
    """

    place: str
    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> ProcessMark:
        """The process that has that number here now. Raises ``ProcessLookupError`` where there is none."""
        try:
            start = _start(pid)
        except PermissionError as error:
            raise ProcessLookupError(f"process {pid} is hidden from this account") from error
        if start is None:
            raise ProcessLookupError(f"there is no process {pid}")
        return cls(place(), pid, start)

    @classmethod
    def me(cls) -> ProcessMark:
        """This very process."""
        return cls.of(os.getpid())

    @classmethod
    def find(cls, text: str) -> ProcessMark | None:
        """The mark that ``text``, as the name of a temporary file, holds; None if there is none."""
        found = _MARK.search(text)
        return cls(found[1], int(found[2]), int(found[3])) if found else None

    def __str__(self) -> str:
        return f"{self.place}-{self.pid}-{self.start}"

    def alive(self) -> bool | None:
        """Whether it still runs; a stopped one does.

        None where that cannot be seen from here: it is of another place, or the system hides it (``hidepid``).
        """
        if self.place != place():
            return None
        try:
            start = _start(self.pid)
        except PermissionError:
            return None
        return start is not None and abs(start - self.start) <= _tolerance()


@cache
def place() -> str:
    """See :class:`ProcessMark`. Where a system gives no number of the boot, the host's name has to do."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # Ticks are counted anew in another time namespace, too.
        parts = [boot, *(_namespace(kind) for kind in ("pid", "time"))]
    except OSError:
        parts = [socket.gethostname()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _namespace(kind: str) -> str:
    try:
        return str((_PROC / "self/ns" / kind).readlink())
    except OSError:
        return ""  # a kernel without this kind of namespace has one for all


def _tolerance() -> int:
    return 0 if sys.platform == "linux" else _HUNDREDTHS


def _start(pid: int) -> int | None:
    """When a process of this host began, in a unit of the system's; None for one that is gone or a zombie.

    Raises ``PermissionError`` for one that is there, and of which this account sees no more than that.
    """
    if sys.platform != "linux":
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            # Kept by these systems since the process began, so that setting the clock does not move it.
            return round(process.create_time() * _HUNDREDTHS)
        except psutil.NoSuchProcess:
            return None
        except psutil.AccessDenied as error:
            raise PermissionError(str(error)) from error
    try:
        # psutil adds the ticks to the time of the boot, which moves with every step of the clock.
        content = (_PROC / str(pid) / "stat").read_bytes()
    except ProcessLookupError:
        return None
    except FileNotFoundError:
        try:
            if pid <= 0:
                return None
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return None
        raise PermissionError(f"process {pid} is hidden from this account") from None
    # The name, in brackets, may hold anything. After it: state, and nineteen fields later the start.
    fields = content[content.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
