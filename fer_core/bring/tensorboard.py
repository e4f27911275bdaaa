"""The history of a training out of TensorBoard's event files. Child processes only: TensorFlow reads the events.

Keras writes two folders, ``train`` and ``validation``, with the same tags in both (``epoch_loss``); others write one
file whose tags say it (``loss/train``, ``val_accuracy``).
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fer_core.bring.history import column_of, words_of
from fer_core.bring.unpacking import unpack
from fer_core.errors import ModelError
from fer_core.regular_files import kind_of, open_file
from fer_core.runs.reading import shown
from fer_core.value_types import MOST_EPOCHS

NAME = "tfevents"
"""What the names of such files hold."""
MOST_FILES = 100
MOST_BYTES = 300 * 1024**2
"""Of one file. Pictures and histograms may be in there, too, and are passed over."""
MOST_EVENT_BYTES = 64 * 1024**2
_HEAD = struct.Struct("<QI")
Points = dict[int, float]


def read_events(path: Path, scratch: Path) -> dict[str, list[float]]:
    """Columns ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy`` and, where it is told, ``learning_rate``.

    ``path``: an event file, or a folder or zip of them. Raises ``ModelError`` where they hold no such columns, or not
    for the same epochs.
    """
    where = shown(path)
    try:
        return _columns(path, scratch, where)
    except OSError as error:
        raise ModelError(f"the history {where} cannot be read: {error.strerror or error}.") from None


def _columns(path: Path, scratch: Path, where: str) -> dict[str, list[float]]:
    if zipfile.is_zipfile(path):
        path = unpack(path, scratch / "events", where)
    if kind_of(path) == "a folder":
        files = sorted(one for one in path.rglob("*") if NAME in one.name and kind_of(one) == "a file")
    else:
        files = [path]
    if not 1 <= len(files) <= MOST_FILES:
        raise ModelError(f"the history {where} should hold 1 to {MOST_FILES} of TensorBoard's files, not {len(files)}.")
    found: dict[str, Points] = {}
    for file in files:
        aside = {word for part in file.relative_to(path).parts[:-1] for word in words_of(part)}
        for tag, step, value in _scalars(file):
            if name := column_of(tag, aside):
                # Of a training that was begun again, the later one counts.
                found.setdefault(name, {})[step] = value
    needed = ("loss", "accuracy", "val_loss", "val_accuracy")
    if missing := [name for name in needed if name not in found]:
        raise ModelError(
            f"the history {where} has no {missing[0]}. Give the folder of logs with its folders train and validation, "
            "or files whose tags are called so."
        )
    steps = sorted(set.intersection(*(set(found[name]) for name in needed)))
    if not steps or len(steps) > MOST_EPOCHS or any(len(steps) * 2 < len(found[name]) for name in needed):
        raise ModelError(f"the history {where} does not tell all figures of the same epochs.")
    columns = {name: [found[name][step] for step in steps] for name in needed}
    rate = found.get("learning_rate", {})
    if all(step in rate for step in steps):
        columns["learning_rate"] = [rate[step] for step in steps]
    return columns


def _scalars(path: Path) -> Iterator[tuple[str, int, float]]:
    """Tag, step and value of each number."""
    import tensorflow as tf

    for data in _records(path):
        try:
            event = tf.compat.v1.Event.FromString(data)
        except Exception as error:  # protobuf's DecodeError has moved between versions
            raise ModelError(f"the history {shown(path)} is damaged, or no file of TensorBoard.") from error
        for value in event.summary.value:
            number = _number(value, tf)
            if number is not None:
                yield value.tag, event.step, number


def _number(value: Any, tf: Any) -> float | None:
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if value.HasField("tensor") and not value.tensor.tensor_shape.dim:
        try:
            return float(tf.make_ndarray(value.tensor))
        except (TypeError, ValueError):
            return None  # words, which TensorBoard shows as text
    return None


def _records(path: Path) -> Iterator[bytes]:
    """The records of a TFRecord file: length, checksum, data, checksum. One that was not written to its end is left."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ModelError(f"the history {shown(path)} has more than {MOST_BYTES // 1024**2} MB.")
    with open_file(path) as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, _ = _HEAD.unpack(head)
            if length > MOST_EVENT_BYTES:
                raise ModelError(f"the history {shown(path)} is damaged, or no file of TensorBoard.")
            data = file.read(length + 4)
            if len(data) < length + 4:
                return
            yield data[:length]
