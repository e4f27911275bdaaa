"""Temporary folders that say whose they are, and whether what lies about was left by a process that is gone.

A process that is killed takes nothing away. So whatever is temporary carries its process in its name
(:class:`fer_core.processes.ProcessMark`), and whoever comes next can tell what nobody holds any more.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from fer_core.files import disk_time_ns, temporary_name
from fer_core.processes import ProcessMark

DAY_S = 24 * 3600


def temporary_folder(purpose: str, parent: Path) -> Path:
    """A new empty folder in ``parent``, which exists, for this process alone. Raises ``OSError``."""
    path = parent / temporary_name(f"{purpose}-")
    path.mkdir(mode=0o700)
    return path


def delete_folder(path: Path) -> None:
    """Delete a folder, for whoever reads it at once and as a whole: first it gets a hidden name. Raises ``OSError``.

    Network disks keep a file that a process of this host has open, under a name of their own, and the folder with it:
    that goes when the app next starts.
    """
    gone = path.with_name(temporary_name(".deleted-"))
    path.rename(gone)
    try:
        shutil.rmtree(gone)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EBUSY):
            raise


def abandoned(path: Path, seconds: float = DAY_S) -> bool:
    """Whether the process that made ``path``, by its name, is gone.

    Processes of another host cannot be seen: there it is when nothing of ``path`` has changed for ``seconds``.
    """
    mark = ProcessMark.find(path.name)
    alive = mark.alive() if mark is not None else None
    return untouched_for(path, seconds) if alive is None else not alive


def untouched_for(path: Path, seconds: float) -> bool:
    """Whether neither ``path`` nor anything in it has changed for so long, by the clock of its disk."""
    times = []
    for one in (path, *path.rglob("*")):
        try:
            times.append(os.lstat(one).st_mtime_ns)
        except OSError:
            return False  # somebody is at work on it just now, or it is not ours to look at
    return disk_time_ns(path.parent) - max(times) > seconds * 1e9
