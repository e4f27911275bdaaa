"""What killed processes left behind, taken away when the app starts: half imports, uploads, videos, temporary files.

Whatever is temporary says in its name whose it is (:mod:`fer_core.leftovers`). Only what no living process holds goes;
of a process of another host, which shares the home, only what nobody has touched for a day.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fer_core import lease
from fer_core.data.half_written import remove_stale
from fer_core.leftovers import DAY_S, abandoned, untouched_for
from fer_core.processes import ProcessMark, place
from fer_core.runs.folder import RunFolder
from fer_core.runs.transaction import COMMIT_FILE
from fer_core.settings import settings

UPLOADS = ("upload-", "ferplus-")
"""How folders of files on their way in begin, in the cache."""
VIDEOS = "fer-explorer-"
"""How folders of visitors' videos begin, among the system's temporary files."""
SCRATCH = ("bring-", "fer-score-")
"""How folders begin there in which somebody's model is tried, and in which a video lies while it is scored."""
UNMARKED = ".half-"
"""How folders began that earlier versions made in a run without a mark."""
_HOST_LEASE = re.compile(r"\.training-([0-9a-f]{12})\.json")
TOLD_S = 3600.0
"""Seconds for which pages tell of it."""


@dataclass(frozen=True)
class CleanedUp:
    """What was taken away: names of the half imports, how many uploads, videos and other files or folders."""

    imports: tuple[str, ...] = ()
    uploads: int = 0
    videos: int = 0
    others: int = 0


_lock = threading.Lock()
_last: tuple[float, CleanedUp] | None = None


def clean_up() -> CleanedUp:
    """Take away what is left. What cannot be deleted, on a read-only disk say, stays for the next time."""
    global _last
    home = settings()
    imports = tuple(remove_stale(home.datasets_dir)) if os.access(home.datasets_dir, os.R_OK | os.X_OK) else ()
    uploads = sum(map(_remove, _left(home.cache_dir, *UPLOADS)))
    videos = sum(map(_remove, _left(Path(tempfile.gettempdir()), VIDEOS)))
    scratch = _left(Path(tempfile.gettempdir()), *SCRATCH)
    others = sum(map(_remove, (*_marked(), *_host_leases(), *scratch)))
    found = CleanedUp(imports, uploads, videos, others)
    with _lock:
        _last = (time.monotonic(), found)
    return found


def recently() -> CleanedUp:
    """What this server took away when it started, for an hour; then, and where nothing was left, an empty one."""
    with _lock:
        found = _last
    return found[1] if found is not None and time.monotonic() - found[0] < TOLD_S else CleanedUp()


def _left(parent: Path, *beginnings: str) -> Iterator[Path]:
    for path in _entries(parent):
        # With a mark alone: people call folders of their own fer-explorer, too.
        if path.name.startswith(beginnings) and ProcessMark.find(path.name) and _mine(path) and abandoned(path):
            yield path


def _marked() -> Iterator[Path]:
    """Temporary siblings and hidden folders in the home, in its folders and in those of runs and datasets."""
    home = settings()
    places = [home.datasets_dir, home.runs_dir, home.sweeps_dir, home.reviews_dir, home.cache_dir]
    # os.path, unlike Path, takes what cannot be looked at, a folder of another account say, for none.
    inside = [path for folder in (*places, home.models_dir) for path in _entries(folder) if os.path.isdir(path)]  # noqa: PTH112
    for folder in (*places, *(path for path in inside if ProcessMark.find(path.name) is None)):
        # What a change that has happened still has to move: whoever reads the run finishes it.
        if os.path.lexists(folder / COMMIT_FILE):
            continue
        for path in _entries(folder):
            marked = path.name.startswith(".") and ProcessMark.find(path.name) is not None
            if (marked or path.name.startswith(UNMARKED)) and abandoned(path):
                yield path


def _host_leases() -> Iterator[Path]:
    """Who trained on this host before it was started again, or on another one. This host's own is kept: it is reused.

    It is not touched while the training lives, so that of the run has to be old, too.
    """
    runs = settings().runs_dir
    for path in _entries(runs):
        match = _HOST_LEASE.fullmatch(path.name)
        if match is None or match[1] == place():
            continue
        try:
            found = lease.read(path)
        except lease.HolderUnknownError:
            continue
        # The disk may lie elsewhere for the other host.
        folders = [] if found is None else [Path(found.run_dir), runs / Path(found.run_dir).name]
        leases = [one for folder in folders if os.path.lexists(one := RunFolder(folder).lease_path)]
        if all(untouched_for(one, DAY_S) for one in (path, *leases)):
            yield path


def _entries(parent: Path) -> list[Path]:
    try:
        return sorted(parent.iterdir())
    except OSError:
        return []  # not there, or not to be looked at


def _mine(path: Path) -> bool:
    """Whether it may be ours: others keep files in the system's temporary folder, too."""
    try:
        return not hasattr(os, "getuid") or (path.is_dir() and path.lstat().st_uid == os.getuid())
    except OSError:
        return False


def _remove(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            return False
    return not path.exists()
