"""Whose run it is, where a visitor of a hosted app started it: ``visitor.json`` in the run folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from typing_extensions import TypedDict

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.runs.reading import read_json
from fer_core.value_types import Amount, Line, Moment

VISITOR_FILE = "visitor.json"
NOBODY = ""
"""Who started a run whose ``visitor.json`` cannot be read: no visitor, so that it is the owner's affair."""


class VisitorRecord(TypedDict):
    """``visitor.json``. ``mark`` tells visitors apart; ``seconds``: how long the training may take, pauses included."""

    mark: Line
    started: Moment
    seconds: Amount


def write_visitor(run: Path, mark: str, seconds: float) -> None:
    """Note who started the run in ``run``, and how long it may train. Raises ``OSError``."""
    write_json(
        run / VISITOR_FILE,
        {"mark": mark, "started": datetime.now(UTC).isoformat(timespec="milliseconds"), "seconds": seconds},
    )


def read_visitor(run: Path) -> VisitorRecord | None:
    """What is noted in a run folder; None where no visitor started it. Raises ``RunError`` for a damaged note."""
    if not os.path.lexists(run / VISITOR_FILE):
        return None
    return read_json(run / VISITOR_FILE, VisitorRecord, "Delete the run.")


def started_by(run: Path) -> str | None:
    """The mark of the visitor who started a run; None for the owner's, :data:`NOBODY` where that cannot be told."""
    try:
        found = read_visitor(run)
    except RunError:
        return NOBODY
    return None if found is None else found["mark"]
