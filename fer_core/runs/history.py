"""``history.csv``: one row an epoch. It is derived from the journal, so a resumed run's curves join by themselves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from fer_core.files import write_text
from fer_core.runs.journal import Event

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
"""Losses in nats; accuracies 0..1; ``seconds`` is the epoch's wall time, pauses not counted."""


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
