"""The journal of a run: ``events.jsonl``, append-only, one JSON object a line; and ``history.csv``, derived from it.

The training process appends; pages and the command line read, from any process, at any moment. A reader therefore
ignores a last line that is still being written. The events and their keys are listed in ``docs/ARCHITECTURE.md``.
``history.csv`` has one row an epoch, so a resumed run's curves join by themselves.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fer_core.files import write_text
from fer_core.reading import UnreadableError, adapter, read_bytes, read_text, wrong
from fer_core.regular_files import require_file
from fer_core.runs.contracts import HistoryRow
from fer_core.runs.events import NAMES, EpochEvent, Event
from fer_core.runs.reading import RESTORE, damaged

if TYPE_CHECKING:
    import pandas as pd

HISTORY_COLUMNS = tuple(HistoryRow.__annotations__)
"""Losses in nats; accuracies 0..1; ``seconds`` is the epoch's wall time, pauses not counted."""

KEPT_BATCHES = 20
"""Batch events of an epoch that a complete run keeps."""

_EVENT = re.compile(rb'"event": ?"(\w+)"')

__all__ = [
    "HISTORY_COLUMNS",
    "KEPT_BATCHES",
    "Event",
    "Journal",
    "epochs_of",
    "history_rows",
    "read_events",
    "read_history",
    "thinned",
    "utc_now",
    "write_history",
]


def utc_now() -> str:
    """The time as the journal writes it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Journal:
    """Appends events to ``path``. Each event is on disk, whole, before :meth:`write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _end_torn_line(path)

    def write(self, event: str, **values: Any) -> None:
        """Append one event; the time is added. Values must be plain JSON."""
        line = json.dumps({"time": utc_now(), "event": event, **values}, allow_nan=False) + "\n"
        # One write of one line on an append-mode file: a kill leaves a torn last line at worst.
        with self.path.open("ab") as file:
            file.write(line.encode())


def thinned(content: bytes) -> bytes:
    """A journal's bytes with at most :data:`KEPT_BATCHES` batch events of each epoch that ended, its last among them.

    A training writes several a second, for whoever watches; afterwards curves need a few. Every other line stays as it
    is, and so do those of an epoch that did not end, which a resume begins anew.
    """
    lines = content.splitlines(keepends=True)
    batches: list[int] = []
    dropped: set[int] = set()
    for number, line in enumerate(lines):
        match = _EVENT.search(line)
        if match is None:
            continue
        if match[1] == b"batch":
            batches.append(number)
        elif match[1] == b"epoch":
            last = len(batches) - 1
            kept = {batches[round(last * step / (KEPT_BATCHES - 1))] for step in range(KEPT_BATCHES) if batches}
            dropped |= set(batches) - kept
            batches = []
        elif match[1] == b"start":
            batches = []
    return b"".join(line for number, line in enumerate(lines) if number not in dropped)


def _end_torn_line(path: Path) -> None:
    """Close a line that a killed process left open, so that the next event starts on a line of its own."""
    if not path.exists():
        return
    require_file(path)
    if path.stat().st_size == 0:
        return
    with path.open("rb+") as file:
        file.seek(-1, 2)
        if file.read(1) != b"\n":
            file.write(b"\n")


def read_events(path: Path) -> list[Event]:
    """All whole events, oldest first; an absent journal has none.

    One rule for every line: what is not whole JSON is skipped (a process was killed in the middle of writing it, and
    the journal goes on after it); an event of a name that this version does not know is skipped, too (a newer version
    wrote it); anything else must be what :mod:`fer_core.runs.events` declares: its keys and their types.
    Raises ``RunError``, which names the line, where it is not, and where the file is no regular text file.
    """
    if not path.exists() and not path.is_symlink():
        return []
    from pydantic import ValidationError

    try:
        content = read_bytes(path)
    except UnreadableError as error:
        raise damaged(path, error, RESTORE) from None
    events: list[Event] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            events.append(_event().validate_json(line))
        except ValidationError as error:
            if (reason := _refused(line, error)) is not None:
                raise damaged(path, f"line {number} is not a journal event: {reason}", RESTORE) from None
    return events


@lru_cache(maxsize=1)
def _event() -> Any:
    from pydantic import Field

    return adapter(Annotated[Event, Field(discriminator="event")])


def _refused(line: bytes, error: Any) -> str | None:
    """Why a line cannot be used; None for one that may be skipped."""
    from pydantic_core import from_json

    try:
        value = from_json(line)
    except ValueError:
        return None
    name = value.get("event") if isinstance(value, dict) else None
    if isinstance(name, str) and name not in NAMES:
        return None
    return wrong(error) if name is not None else "it does not say which"


def epochs_of(events: Iterable[Event]) -> list[EpochEvent]:
    """The epoch events in order, each epoch once.

    An epoch that was trained twice (the process died after it ended but before its state was saved) counts as it
    was the last time; epochs beyond a resume's starting point are dropped the same way.
    """
    epochs: dict[int, EpochEvent] = {}
    for event in events:
        if event["event"] == "start":
            first = event.get("first_epoch", 1)
            epochs = {number: value for number, value in epochs.items() if number < first}
        elif event["event"] == "epoch":
            epochs[event["epoch"]] = event
    return [epochs[number] for number in sorted(epochs)]


def read_history(path: Path) -> pd.DataFrame:
    """:func:`history_rows` as a table: one row an epoch, with the columns of :data:`HISTORY_COLUMNS`."""
    import pandas as pd

    return pd.DataFrame(history_rows(path), columns=list(HISTORY_COLUMNS))


def history_rows(path: Path) -> list[HistoryRow]:
    """One row an epoch, ascending; none for an absent file, as no epoch has ended yet.

    Raises ``RunError`` for a file that is no table, lacks a column, holds what is no finite number, or has its epochs
    in another order.
    """
    if not path.exists() and not path.is_symlink():
        return []
    from pydantic import ValidationError

    try:
        table = csv.DictReader(io.StringIO(read_text(path), newline=""))
        if missing := [name for name in HISTORY_COLUMNS if name not in (table.fieldnames or ())]:
            raise UnreadableError(f"it has no column {', '.join(missing)}")
        # Text becomes numbers here, and only here: CSV has nothing else.
        rows: list[HistoryRow] = adapter(list[HistoryRow]).validate_python(
            [{name: row[name] for name in HISTORY_COLUMNS} for row in table], strict=False
        )
    except ValidationError as error:
        raise damaged(path, wrong(error), RESTORE) from None
    except csv.Error as error:
        raise damaged(path, f"it is not a table with commas between ({error})", RESTORE) from None
    except UnreadableError as error:
        raise damaged(path, error, RESTORE) from None
    epochs = [row["epoch"] for row in rows]
    if epochs != sorted(set(epochs)):
        raise damaged(path, "its epochs are not in order", RESTORE)
    return rows


def write_history(path: Path, events: Iterable[Event]) -> None:
    """Write ``history.csv`` anew from the journal's events, atomically."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, HISTORY_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(epochs_of(events))
    write_text(path, buffer.getvalue())
