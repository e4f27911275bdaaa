"""Twins: two runs of one recipe, with augmentation and without. ``twin.json`` in the folder of each names both."""

from __future__ import annotations

import os
from pathlib import Path

from typing_extensions import TypedDict

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.runs.reading import read_json
from fer_core.value_types import Name

TWIN_FILE = "twin.json"


class TwinRecord(TypedDict):
    """``twin.json``: names of two folders beside each other. ``second`` is trained last, and may be to come."""

    first: Name
    second: Name


def write_twins(run: Path, first: str, second: str) -> None:
    """Note in the folder ``run`` which two runs are twins. Raises ``OSError``."""
    write_json(run / TWIN_FILE, {"first": first, "second": second})


def read_twins(run: Path) -> TwinRecord | None:
    """What is noted in a run folder; None where it has no twin. Raises ``RunError`` for a damaged note."""
    if not os.path.lexists(run / TWIN_FILE):
        return None
    found = read_json(run / TWIN_FILE, TwinRecord, "Delete the file: the run has no twin then.")
    for name in (found["first"], found["second"]):
        # They become paths.
        if Path(name).name != name or name.startswith("."):
            raise RunError(f"{run / TWIN_FILE} names {name!r:.100}, which is no name of a folder. Delete the file.")
    return found


def twin_of(run: Path) -> Path | None:
    """The folder of the run's twin; None where it has none, or the twin was deleted or is still to come.

    Both must say so: another run may have got a deleted twin's name. Raises ``RunError`` for a damaged note.
    """
    record = read_twins(run)
    if record is None or run.name not in (record["first"], record["second"]):
        return None
    other = run.parent / (record["second"] if run.name == record["first"] else record["first"])
    return other if other != run and other.is_dir() and read_twins(other) == record else None
