"""What a brought run is called: as its owner says, or like the file that it came in."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

from fer_core.errors import RunError
from fer_core.formatting import is_plain
from fer_core.runs.listing import places
from fer_core.settings import settings

LONGEST = 60


def free_run(name: str | None, source: Path) -> Path:
    """A folder among the runs that is not there yet.

    Raises ``RunError`` for a ``name`` that is taken, or cannot be a folder's; without one, the file's is made to fit.
    """
    if name:
        if name.startswith(".") or Path(name).name != name or not is_plain(name):
            raise RunError(f"{name!r} cannot be the name of a run. Use letters, digits and hyphens.")
        if _taken(name):
            raise RunError(f"there is a run called {name} already. Choose another name, or delete that run.")
        return settings().runs_dir / name
    stem = re.sub(r"[^a-z0-9]+", "-", source.name.split(".")[0].lower()).strip("-")[:LONGEST] or "brought"
    return next(
        settings().runs_dir / one
        for number in count(1)
        if not _taken(one := stem if number == 1 else f"{stem}-{number}")
    )


def title_of(name: str | None, source: Path) -> str:
    """What people read: the name, or the file's without its ending."""
    return name or re.sub(r"[_\s-]+", " ", source.name.split(".")[0]).strip()[:LONGEST] or "Brought"


def _taken(name: str) -> bool:
    return any(path.exists() for path in places(name)[:2])
