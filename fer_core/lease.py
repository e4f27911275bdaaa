"""Leases: small files that say which process works on something, and that it still does.

The process touches its lease every two seconds. On its own host nobody looks at that: there the kernel knows whether
the process exists, also while it is stopped, or the computer was asleep. Other hosts, which share the disk, compare the
time of the last touch with the time that the disk gives a file now: both come from one clock. Where they are apart,
that clock may just have been set, so they look again a while later, by their own steady clock.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from fer_core.errors import RunError
from fer_core.files import disk_time_ns, is_there, temporary_name, write_json
from fer_core.processes import ProcessMark, place
from fer_core.reading import RefusedError, UnreadableError, read_bytes
from fer_core.try_lock import short_lock

BEAT_S = 2.0
FRESH_S = 30.0
"""Seconds without a touch that a living process may take: loading libraries holds its threads up, and networks lag."""
WATCH_S = 3 * BEAT_S
"""Seconds for which an old lease has to stay untouched before its process counts as gone."""
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP}
"""What disks say that have no second names for a file."""

_seen: dict[Path, tuple[str, int, float]] = {}
"""Old leases of other hosts: token, time of the last touch, and when they were first found so, by the steady clock."""


@dataclass(frozen=True)
class Lease:
    """What a lease says. ``host`` is for people, ``token`` random, ``run_dir`` the absolute path that it is about."""

    host: str
    place: str
    pid: int
    start: int
    token: str
    run_dir: str

    @classmethod
    def of(cls, pid: int, run_dir: Path, token: str | None = None) -> Lease:
        """A lease for a process of this host. Raises ``ProcessLookupError`` where there is none of that number."""
        mark = ProcessMark.of(pid)
        return cls(socket.gethostname(), mark.place, pid, mark.start, token or secrets.token_hex(8), str(run_dir))

    @property
    def process(self) -> ProcessMark:
        return ProcessMark(self.place, self.pid, self.start)

    @property
    def is_here(self) -> bool:
        """Whether its process is one of this host."""
        return self.place == place()


class HeldError(Exception):
    """Somebody else holds it: ``lease`` says who."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"held by process {lease.pid} of {lease.host}")
        self.lease = lease


class HolderUnknownError(RunError):
    """There may be a lease, and it cannot be read: somebody holds it, for all that is known."""


def read(path: Path) -> Lease | None:
    """The lease at ``path``, of a living process or not. None where there is none, or what is there is no lease.

    Raises :class:`HolderUnknownError` where the system does not let it be read, as all below that say nothing else.
    """
    try:
        value = json.loads(read_bytes(path))
        kinds = {name: int if kind == "int" else str for name, kind in Lease.__annotations__.items()}
        return Lease(**value) if {name: type(one) for name, one in value.items()} == kinds else None
    except RefusedError as error:
        raise HolderUnknownError(
            f"Whether a process works on {path.parent} cannot be told, so nothing is done with it: its {path.name} "
            f"says so, and {error}. Try again, or see why that file cannot be read."
        ) from None
    except (UnreadableError, ValueError, AttributeError):
        return None


def alive(path: Path) -> Lease | None:
    """The lease at ``path`` if its process lives, as far as can be told at once: where in doubt, it does."""
    lease = read(path)
    return lease if lease is not None and _lives(path, lease) is not False else None


def settled(path: Path) -> Lease | None:
    """As :func:`alive`, and where in doubt waits for up to :data:`WATCH_S` seconds. For whoever acts on it."""
    while (lease := read(path)) is not None:
        lives = _lives(path, lease)
        if lives is not None:
            return lease if lives else None
        time.sleep(BEAT_S / 8)
    return None


def take(path: Path, lease: Lease, lock: Path, *, clear: Iterable[Path] = ()) -> None:
    """Write ``lease`` to ``path`` unless another process that lives holds it; a dead one's is taken over.

    ``lock``: a file beside it. Of two who try at once, on one host or two, one gets it. Again for the same process is
    fine. ``clear``: files that were meant for the holder before; they go before anybody can mean this one. Raises
    ``HeldError`` naming who has it, ``OSError`` where it cannot be written.
    """
    while not _taken(path, lease, lock, clear):
        # Another host has just made one that this host's network disk did not show yet. By now it does.
        time.sleep(BEAT_S / 8)


def _taken(path: Path, lease: Lease, lock: Path, clear: Iterable[Path]) -> bool:
    settled(path)
    with short_lock(lock):
        found = read(path)
        if found is not None and _lives(path, found) is not False:
            if (found.process, found.run_dir) != (lease.process, lease.run_dir):
                raise HeldError(found)
            return True
        if not _put_away(path, found):
            return False
        for one in filter(is_there, clear):
            one.unlink(missing_ok=True)
        prepared = path.with_name(temporary_name(f"{path.name}."))
        write_json(prepared, asdict(lease))
        return _named(prepared, path)


def _put_away(path: Path, dead: Lease | None) -> bool:
    """Take away the ``dead`` lease, or what is no lease. False where something else was there by now, which stays.

    Network disks remember for up to a minute that there was no such file, or what was in it.
    """
    away = path.with_name(temporary_name(f"{path.name}."))
    try:
        path.rename(away)
    except FileNotFoundError:
        return True
    if read(away) != dead:
        _named(away, path)
        return False
    away.unlink()
    return True


def _named(file: Path, path: Path) -> bool:
    """Give ``file`` the name ``path``. False, and it is gone, where there is something of that name.

    The server knows what is there when it gives a file a second name; a file that is renamed takes the place of
    whatever is there, and this host may not know of it.
    """
    try:
        os.link(file, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        file.replace(path)
    finally:
        file.unlink(missing_ok=True)
    return True


def release(path: Path, process: ProcessMark, lock: Path) -> None:
    """Take the lease away, if that process holds it. Nothing happens where it, or its folder, has gone.

    Nor where it cannot be read: it dies with the process.
    """
    if not path.parent.is_dir():
        return
    with short_lock(lock):
        try:
            found = read(path)
        except HolderUnknownError:
            return
        if found is not None and found.process == process:
            path.unlink(missing_ok=True)


def is_lost(path: Path) -> bool:
    """Whether another process than this one holds what this one held: to another host it seemed gone while it slept."""
    found = read(path)
    return found is not None and found.process != ProcessMark.me()


class Heart:
    """Touches the lease of this process at ``path`` until it is stopped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease {path.parent.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the last touch is over."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(BEAT_S):
            try:
                if not is_lost(self.path):
                    os.utime(self.path)
            except (OSError, HolderUnknownError):
                # Its folder was deleted, or the disk is away for a moment. Whatever it is, the work itself will meet it
                # and say so; the next beat tries again.
                continue


def _lives(path: Path, lease: Lease) -> bool | None:
    """Whether the process of a lease lives; None while that is in doubt."""
    known = lease.process.alive()
    if known is not None:
        return known
    try:
        # Opened, because network disks keep what they last knew of files that are only asked about.
        with path.open("rb") as file:
            touched = os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return False
    if abs(disk_time_ns(path.parent) - touched) <= FRESH_S * 1e9:
        _seen.pop(path, None)
        return True
    token, before, since = _seen.get(path, ("", 0, 0.0))
    if (token, before) != (lease.token, touched):
        _seen[path] = (lease.token, touched, time.monotonic())
        # A touch while we looked is a sign of life, whatever the two clocks say.
        return True if token == lease.token else None
    return False if time.monotonic() - since >= WATCH_S else None
