"""Datasets that are being written, beside their place: whose half folder is whose, and what killed processes left.

An import writes into a hidden sibling and renames it; what it replaces is set aside under such a name, too.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
from pathlib import Path

from fer_core.files import temporary_name
from fer_core.leftovers import abandoned
from fer_core.processes import ProcessMark

_TEMPORARY = re.compile(r"^\.(?P<name>.+)\.(?P<what>importing|replaced)-(?P<mark>[0-9a-f-]+)(\.[0-9a-f]+)?$")

_active: dict[Path, Path] = {}
"""The datasets that this process writes, by their place, and the hidden folder of each."""
_active_lock = threading.Lock()


def temporary_folder(out: Path) -> Path:
    """A name for the folder in which this process writes what will be ``out``."""
    return out.with_name(temporary_name(f".{out.name}.importing-"))


def set_aside(folder: Path) -> Path:
    """Where the process that writes in ``folder`` puts what was in the place of that, while it is replaced."""
    return folder.with_name(folder.name.replace(".importing-", ".replaced-"))


def begin(out: Path, folder: Path) -> bool:
    """Note that this process writes ``out`` in ``folder``; False where it does so already, in another thread."""
    with _active_lock:
        return _active.setdefault(out, folder) == folder


def end(out: Path) -> None:
    """This process writes ``out`` no longer."""
    with _active_lock:
        _active.pop(out, None)


def discard(out: Path) -> None:
    """Take away what this process has written of ``out`` so far: its next write fails."""
    with _active_lock:
        folder = _active.get(out)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def remove_stale(parent: Path) -> list[str]:
    """Clean up after imports whose process died: half-written folders go, half-replaced ones come back.

    Returns the names of the datasets that were being imported.
    """
    bring_back(parent)
    names = []
    for path, what, target in _left_behind(parent):
        # Another import may be removing the same one just now.
        shutil.rmtree(path, ignore_errors=True)
        if what == "importing" and not path.exists():
            names.append(target.name)
    return names


def bring_back(parent: Path) -> None:
    """Bring back datasets that a process was about to replace when it died. For readers: cheap where there are none.

    Where the folder cannot be written to, they stay away.
    """
    for path, what, target in _left_behind(parent):
        if what == "replaced" and not target.exists():
            # Another reader may be bringing the same one back just now.
            with contextlib.suppress(OSError):
                path.rename(target)


def _left_behind(parent: Path) -> list[tuple[Path, str, Path]]:
    """Hidden folders of imports whose process died: folder, ``importing`` or ``replaced``, and the dataset's place."""
    found = []
    for path in parent.iterdir():
        match = _TEMPORARY.match(path.name)
        if match is not None and path.is_dir() and not _in_use(path):
            found.append((path, match["what"], parent / match["name"]))
    return found


def _in_use(path: Path) -> bool:
    if ProcessMark.find(path.name) == ProcessMark.me():
        with _active_lock:
            return path.with_name(path.name.replace(".replaced-", ".importing-")) in _active.values()
    return not abandoned(path)
