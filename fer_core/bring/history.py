"""The history of somebody else's training: Keras' ``History`` as JSON, its ``CSVLogger``, or our ``history.csv``.

TensorBoard's event files are told here and read elsewhere, in the process that opens the model
(:mod:`fer_core.bring.tensorboard`); :func:`rows_of` takes what comes of it.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from fer_core.errors import ModelError
from fer_core.files import write_text
from fer_core.reading import UnreadableError, read_text
from fer_core.regular_files import kind_of, open_file
from fer_core.runs.contracts import HistoryRow
from fer_core.runs.journal import HISTORY_COLUMNS
from fer_core.runs.reading import shown
from fer_core.value_types import MOST_EPOCHS

_NAMES = {
    "loss": ("loss", "train_loss"),
    "accuracy": ("accuracy", "acc", "categorical_accuracy", "sparse_categorical_accuracy", "train_accuracy"),
    "val_loss": ("val_loss", "validation_loss"),
    "val_accuracy": ("val_accuracy", "val_acc", "val_categorical_accuracy", "val_sparse_categorical_accuracy"),
    "learning_rate": ("learning_rate", "lr"),
    "seconds": ("seconds",),
}
_HEAD = 64
_OPTIONAL = ("learning_rate", "seconds")
"""0 where they are not told."""


def is_tensorboard(path: Path) -> bool:
    """Whether it is a folder, a zip or an event file of TensorBoard. Raises ``ModelError`` for what cannot be read."""
    try:
        if kind_of(path) == "a folder":
            return True
        with open_file(path) as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise ModelError(f"the history {shown(path)} cannot be read: {error.strerror or error}.") from None
    return head.startswith(b"PK") or b"brain.Event:" in head


def read_foreign_history(path: Path) -> list[HistoryRow]:
    """One row an epoch, numbered from 1. Raises ``ModelError`` for a file that is none of the three."""
    where = shown(path)
    try:
        text = read_text(path).lstrip("\ufeff")
    except UnreadableError as error:
        raise ModelError(f"the history {where} cannot be read: {error}.") from None
    return rows_of(_json(text, where) if text.lstrip().startswith("{") else _csv(text), where)


def rows_of(columns: Mapping[str, Sequence[object]], where: str) -> list[HistoryRow]:
    """One row an epoch out of columns by name, in any of the usual words. Raises ``ModelError``, which names it so."""
    chosen = {}
    for name, known in _NAMES.items():
        found = next((columns[one] for one in known if one in columns), None)
        if found is None and name not in _OPTIONAL:
            raise ModelError(
                f"the history {where} has no {name}. It should hold loss, accuracy, val_loss and val_accuracy, "
                "epoch by epoch, as in json.dump(history.history, file), or what CSVLogger writes."
            )
        chosen[name] = found
    count = len(chosen["loss"] or ())
    if not 1 <= count <= MOST_EPOCHS or any(one is not None and len(one) != count for one in chosen.values()):
        raise ModelError(f"the history {where} does not give the same number of epochs, one or more, everywhere.")
    numbers = {name: _numbers(one or [0] * count, name, where) for name, one in chosen.items()}
    # Some count accuracy in per cent.
    for name in ("accuracy", "val_accuracy"):
        if max(numbers[name]) > 1:
            numbers[name] = [value / 100 for value in numbers[name]]
    return [
        HistoryRow(
            epoch=epoch + 1,
            loss=numbers["loss"][epoch],
            accuracy=numbers["accuracy"][epoch],
            val_loss=numbers["val_loss"][epoch],
            val_accuracy=numbers["val_accuracy"][epoch],
            learning_rate=numbers["learning_rate"][epoch],
            seconds=numbers["seconds"][epoch],
        )
        for epoch in range(count)
    ]


def write_foreign_history(path: Path, rows: Sequence[HistoryRow]) -> None:
    """Write ``history.csv`` of a run."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, HISTORY_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, buffer.getvalue())


def _json(text: str, where: str) -> Mapping[str, Sequence[object]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the history {where} is no JSON: {str(error)[:100]}.") from None
    if isinstance(value.get("history"), dict):
        value = value["history"]
    return {str(name): one for name, one in value.items() if isinstance(one, list)}


def _csv(text: str) -> Mapping[str, Sequence[object]]:
    first = text.split("\n", 1)[0]
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    rows = list(table)
    return {(name or "").strip(): [row[name] for row in rows] for name in table.fieldnames or ()}


def _numbers(values: Sequence[object], name: str, where: str) -> list[float]:
    try:
        numbers = [float(value) for value in values]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ModelError(f"the history {where} holds what is no number under {name}.") from None
    if not all(math.isfinite(value) for value in numbers) or (name != "loss" and min(numbers, default=0) < 0):
        raise ModelError(f"the history {where} holds a number under {name} that cannot be one.")
    return numbers
