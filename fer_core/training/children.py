"""The training processes that this process has started: how one ended, nobody else can tell."""

from __future__ import annotations

import subprocess
from collections import OrderedDict
from pathlib import Path

from fer_core import endings
from fer_core.runs.folder import RunFolder

_MOST = 100
_LAST_LINES = 4
_MOST_BYTES = 8192
_children: OrderedDict[Path, subprocess.Popen[bytes]] = OrderedDict()


def remember(run_dir: Path, child: subprocess.Popen[bytes]) -> None:
    """Keep the process that trains into ``run_dir``, until a hundred others were started."""
    _children[run_dir] = child
    _children.move_to_end(run_dir)
    while len(_children) > _MOST:
        _children.popitem(last=False)


def how_it_ended(run_dir: Path) -> str | None:
    """In words to follow a colon; None where it was started by another process, still runs, or ended well."""
    child = _children.get(run_dir)
    code = child.poll() if child is not None else None
    return endings.how_it_ended(code, _last_lines(RunFolder(run_dir).log_path)) if code else None


def _last_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _MOST_BYTES))
            return file.read().decode(errors="replace").splitlines()[-_LAST_LINES:]
    except FileNotFoundError:
        return []
