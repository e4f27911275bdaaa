"""The journal of a run: ``events.jsonl``, append-only, one JSON object a line; and ``history.csv``, derived from it.

The training process appends; pages and the command line read, from any process, at any moment. A reader therefore
ignores a last line that is still being written. The events and their keys are listed in ``docs/ARCHITECTURE.md``.
``history.csv`` has one row an epoch, so a resumed run's curves join by themselves.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fer_core.errors import RunError
from fer_core.files import write_text
from fer_core.regular import read_bytes, require_file

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
"""Losses in nats; accuracies 0..1; ``seconds`` is the epoch's wall time, pauses not counted."""

Event = dict[str, Any]


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

    A torn line (a process killed in the middle of writing) is skipped: the journal goes on after it.
    Raises ``RunError`` if a line is not torn but is not an event either.
    """
    if not path.exists():
        return []
    try:
        content = read_bytes(path)
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror or error}).") from error
    events: list[Event] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if not isinstance(value, dict) or "event" not in value:
            raise RunError(f"{path}, line {number}: not a journal event. Was the file edited by hand?")
        events.append(value)
    return events


def epochs_of(events: Iterable[Event]) -> list[Event]:
    """The epoch events in order, each epoch once.

    An epoch that was trained twice (the process died after it ended but before its state was saved) counts as it
    was the last time; epochs beyond a resume's starting point are dropped the same way.
    """
    epochs: dict[int, Event] = {}
    for event in events:
        if event["event"] == "start":
            first = int(event.get("first_epoch", 1))
            epochs = {number: value for number, value in epochs.items() if number < first}
        elif event["event"] == "epoch":
            epochs[int(event["epoch"])] = event
    return [epochs[number] for number in sorted(epochs)]


def write_history(path: Path, events: Iterable[Event]) -> None:
    """Write ``history.csv`` anew from the journal's events, atomically."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, HISTORY_COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(epochs_of(events))
    write_text(path, buffer.getvalue())
