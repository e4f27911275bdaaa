"""The history of somebody else's training: Keras' ``History`` as JSON, its ``CSVLogger``, or our ``history.csv``.

JSON may be what pandas made of it, and text what Python prints of the dictionary.

TensorBoard's event files are told here and read elsewhere, in the process that opens the model
(:mod:`fer_core.bring.tensorboard`); :func:`rows_of` takes what comes of it.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from fer_core.errors import ModelError
from fer_core.files import write_text
from fer_core.formatting import plural
from fer_core.reading import UnreadableError, read_bytes
from fer_core.regular_files import kind_of, open_file
from fer_core.runs.contracts import HistoryRow
from fer_core.runs.journal import HISTORY_COLUMNS
from fer_core.runs.reading import shown
from fer_core.value_types import MOST_EPOCHS

_NEEDED = ("loss", "accuracy", "val_loss", "val_accuracy")
_VALIDATION = frozenset({"val", "valid", "validation", "eval", "evaluation", "dev", "test"})
_TRAINING = frozenset({"train", "training"})
_LOSS = frozenset({"loss", "losses"})
_ACCURACY = frozenset({"accuracy", "accuracies", "acc", "accs"})
_OTHER = frozenset({"batch", "iterations", "iteration", "step", "steps", "top", "k"})
"""Words of figures that are none of an epoch, or none of the first answer."""
_REPR = re.compile(r"\b(?:np|numpy)\.float(?:16|32|64)\(([^()]*)\)")
_DECIMAL_COMMA = re.compile(r"\s*-?\d+,\d+(?:[eE][-+]?\d+)?\s*")
_PER_CENT = 1.5
"""An accuracy above this is in per cent. One that is hardly above 1 was rounded."""
_HEAD = 64
_LEAVE_OUT = "Write that epoch anew, or bring the model without its history."


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
        content = read_bytes(path)
        if content[:1] == b"\x80" or content.startswith(b"\x93NUMPY"):
            raise UnreadableError(
                "it is a Python pickle or holds one, which can run any program when it is opened. Write it anew with "
                "json.dump(history.history, file)"
            )
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise ModelError(f"the history {where} cannot be read: it is not text in UTF-8.") from None
    except UnreadableError as error:
        raise ModelError(f"the history {where} cannot be read: {error}.") from None
    return rows_of(_json(text, where) if text.lstrip().startswith(("{", "[", '"{')) else _csv(text, where), where)


def column_of(name: str, aside: Collection[str] = ()) -> str:
    """Which column of our ``history.csv`` somebody's ``name`` is about, empty for none.

    ``aside``: words that say whether it is about validation where the name does not, as of the folder of a file.
    """
    words = set(words_of(name))
    if words & _OTHER:
        return ""
    if "lr" in words or {"learning", "rate"} <= words:
        return "learning_rate"
    if words == {"seconds"}:
        return "seconds"
    what = "loss" if words & _LOSS else "accuracy" if words & _ACCURACY else ""
    if not what:
        return ""
    of_itself = words & (_VALIDATION | _TRAINING) or set(aside)
    return f"val_{what}" if of_itself & _VALIDATION else what


def words_of(text: str) -> list[str]:
    """The words of a name in small letters: ``ValAccuracy`` has two."""
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())


def rows_of(columns: Mapping[str, Sequence[object]], where: str) -> list[HistoryRow]:
    """One row an epoch out of columns by name, in any of the usual words. Raises ``ModelError``, which names it so."""
    chosen: dict[str, Sequence[object]] = {}
    # Of a model of several parts the figures of the whole have the shortest names.
    for name in sorted(columns, key=lambda one: len(words_of(one))):
        chosen.setdefault(column_of(name), columns[name])
    if missing := next((name for name in _NEEDED if name not in chosen), None):
        raise ModelError(
            f"the history {where} has no {missing}. It should hold loss, accuracy, val_loss and val_accuracy, epoch by "
            "epoch, as in json.dump(history.history, file), or what CSVLogger writes. A model can be brought without a "
            "history."
        )
    lengths = {name: len(chosen[name]) for name in HISTORY_COLUMNS if name in chosen}
    count = lengths["loss"]
    if other := next((name for name, length in lengths.items() if length != count), None):
        raise ModelError(
            f"the history {where} has {plural(count, 'epoch')} of loss and {lengths[other]:,} of {other}. Write down "
            "each figure of each epoch."
        )
    if not 1 <= count <= MOST_EPOCHS:
        raise ModelError(f"the history {where} has {count:,} epochs, and 1 to {MOST_EPOCHS:,} are drawn.")
    numbers = {name: _numbers(chosen.get(name, [0] * count), name, where) for name in HISTORY_COLUMNS[1:]}
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
    """Columns by name out of JSON: lists by name, as pandas writes a table, or lines of one object an epoch."""
    try:
        value = _parsed(text)
        if isinstance(value, str):  # json.dumps of what was JSON already
            value = _parsed(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise ModelError(
            f"the history {where} is no JSON: {str(error)[:100]}. Write it with json.dump(history.history, file)."
        ) from None
    if isinstance(value, dict) and isinstance(value.get("history"), dict):
        value = value["history"]
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return {str(name): [row.get(name) for row in value] for name in value[0]}
    if not isinstance(value, dict):
        return {}
    lists = ((name, list(one.values()) if isinstance(one, dict) else one) for name, one in value.items())
    return {str(name): one for name, one in lists if isinstance(one, list)}


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        if text.lstrip().startswith(("{'", "[{'")):  # str(history.history)
            return ast.literal_eval(_REPR.sub(r"\1", text.strip()))
        if "\n{" in text:  # one object a line
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        raise


def _csv(text: str, where: str) -> Mapping[str, Sequence[object]]:
    first = text.lstrip().split("\n", 1)[0]
    try:
        table = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), skipinitialspace=True)
        names, *rows = [row for row in table if any(cell.strip() for cell in row)] or [[]]
    except csv.Error as error:
        raise ModelError(f"the history {where} is no table: {error}. Write it with Keras' CSVLogger.") from None
    if odd := next((number for number, row in enumerate(rows, start=1) if len(row) != len(names)), None):
        raise ModelError(
            f"the history {where} has {plural(len(rows[odd - 1]), 'cell')} in line {odd} below its names, of which "
            f"there are {len(names)}. Where decimals have a comma, part the cells with semicolons."
        )
    return {name.strip(): [row[at] for row in rows] for at, name in enumerate(names)}


def _numbers(values: Sequence[object], name: str, where: str) -> list[float]:
    numbers = []
    for epoch, value in enumerate(values, start=1):
        if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
            value = value.replace(",", ".")
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            held = "nothing" if value in (None, "") else f"{shown(str(value))[:40]!r}, which is no number,"
            raise ModelError(f"the history {where} holds {held} as {name} of epoch {epoch}. {_LEAVE_OUT}") from None
        if not math.isfinite(number) or (name not in ("loss", "val_loss") and number < 0):
            raise ModelError(
                f"the history {where} holds {number:g} as {name} of epoch {epoch}, which cannot be drawn. {_LEAVE_OUT}"
            )
        numbers.append(number)
    return _shares(numbers, name, where) if name in ("accuracy", "val_accuracy") else numbers


def _shares(numbers: list[float], name: str, where: str) -> list[float]:
    """Accuracies 0..1, which some count in per cent."""
    most = max(numbers)
    if most > 100:
        raise ModelError(f"the history {where} holds {most:g} as {name}, and 1 or 100 % is the most. {_LEAVE_OUT}")
    return [number / 100 if most > _PER_CENT else min(number, 1.0) for number in numbers]
