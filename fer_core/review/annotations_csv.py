"""Marks as a CSV, to hand on and to take in: ``row, split, label, mark, new_label, note, time``.

Classes go by their names. ``split`` and ``label`` are the dataset's own; on the way in they are what tells that the CSV
belongs to these very faces.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, NAMES, index_of
from fer_core.errors import DataError
from fer_core.review.annotations import KINDS, LABEL_WRONG, Annotation
from fer_core.spreadsheet import SpreadsheetWriter, plain

COLUMNS = ("row", "split", "label", "mark", "new_label", "note", "time")
_SHOWN = 5
"""Problems named in a message; of the others only the number."""
_MOST = 1_000
"""Problems after which nobody reads on."""


def write_annotations_csv(annotations: Mapping[int, Annotation], labels: npt.ArrayLike, splits: npt.ArrayLike) -> bytes:
    """The marks as a CSV in UTF-8, one line a face, by row number.

    ``annotations``: as from :meth:`fer_core.review.annotations.Annotations.all`. ``labels``: int (N,) and ``splits``:
    str (N,), those of the whole dataset. Raises ``DataError`` when a mark names a row that the dataset does not have.
    """
    given, names = np.asarray(labels), np.asarray(splits)
    text = io.StringIO(newline="")
    writer = SpreadsheetWriter(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row, annotation in sorted(annotations.items()):
        if row >= len(given):
            raise DataError(f"Row {row:,} is marked, and the dataset has {len(given):,} faces, counted from 0.")
        new = "" if annotation.new_label is None else NAMES[annotation.new_label]
        writer.writerow(
            [row, names[row], NAMES[int(given[row])], annotation.kind, new, annotation.note, annotation.time]
        )
    return text.getvalue().encode()


def read_annotations_csv(content: bytes, labels: npt.ArrayLike, splits: npt.ArrayLike) -> list[Annotation]:
    """The marks in a CSV, checked line by line, for :meth:`fer_core.review.annotations.Annotations.add`.

    ``content``: the file, UTF-8, with commas, semicolons or tabs between the columns; ``note`` and ``time`` may be
    missing or empty, and classes may be numbers, too. ``labels`` and ``splits``: as above. Raises ``DataError`` that
    names each bad line (the header is line 1) and what is wrong with it, up to five; then nothing is to be imported.
    """
    given, names = np.asarray(labels), np.asarray(splits)
    needed = [column for column in COLUMNS if column not in ("note", "time")]
    return read_lines(content, COLUMNS, needed, lambda header, values: _annotation(header, values, given, names))


def read_lines(
    content: bytes,
    columns: Sequence[str],
    needed: Sequence[str],
    parse: Callable[[list[str], list[str]], Annotation],
) -> list[Annotation]:
    """A CSV of marks, line by line. ``columns``: those that are known, of which ``needed`` have to be there.

    ``parse``: from the header and one line's values to a mark; raises ``ValueError`` saying what is wrong with the
    line. Raises ``DataError`` as :func:`read_annotations_csv` does.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("The file is not a text file in UTF-8. Save it as CSV (UTF-8), and import that.") from error
    head = text.partition("\n")[0]
    delimiter = next((sign for sign in (",", ";", "\t") if sign in head), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    annotations: dict[int, Annotation] = {}
    problems: list[str] = []
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        _check_header(header, columns, needed)
        start = reader.line_num + 1
        for values in reader:
            if any(value.strip() for value in values):
                try:
                    if len(values) != len(header):
                        raise ValueError(f"{len(values)} columns instead of {len(header)}")
                    annotation = parse(header, values)
                    if annotation.row in annotations:
                        raise ValueError(f"row {annotation.row:,} was marked in an earlier line already")
                    annotations[annotation.row] = annotation
                except ValueError as error:
                    problems.append(f"line {start:,}: {error}")
            start = reader.line_num + 1
            if len(problems) == _MOST:
                break
    except csv.Error as error:
        problems.append(f"line {reader.line_num:,}: not a well-formed CSV ({error})")
    if problems:
        further = "very many" if len(problems) >= _MOST else f"{len(problems) - _SHOWN:,}"
        more = f"; and {further} more" if len(problems) > _SHOWN else ""
        raise DataError(f"Nothing was imported. {'; '.join(problems[:_SHOWN])}{more}. Mend this, and import it again.")
    return list(annotations.values())


def _check_header(header: list[str], columns: Sequence[str], needed: Sequence[str]) -> None:
    if missing := [column for column in needed if column not in header]:
        raise DataError(
            f"Nothing was imported. Line 1: there is no column {' and no column '.join(missing)}. The columns are "
            f"{', '.join(columns)}."
        )
    if doubled := [column for column in columns if header.count(column) > 1]:
        raise DataError(f"Nothing was imported. Line 1: the column {doubled[0]} occurs more than once.")


def _annotation(header: list[str], values: list[str], labels: npt.NDArray[Any], splits: npt.NDArray[Any]) -> Annotation:
    """One line as a mark. Raises ``ValueError`` saying what is wrong with it."""
    cell = {column: value.strip() for column, value in zip(header, values, strict=True)}
    row = row_of(cell["row"], len(labels))
    if cell["split"].lower() != str(splits[row]).lower():
        raise ValueError(f"row {row:,} is in {splits[row]}, not in {cell['split'][:30]!r}. Is this another dataset?")
    if class_of(cell["label"]) != labels[row]:
        own = NAMES[int(labels[row])]
        raise ValueError(f"row {row:,} is labelled {own}, not {cell['label'][:30]!r}. Is this another dataset?")
    kind = cell["mark"].lower()
    if kind not in KINDS:
        raise ValueError(f"unknown mark {cell['mark'][:30]!r}; there are {', '.join(KINDS)}")
    if not cell["new_label"] and kind == LABEL_WRONG:
        raise ValueError(f"{LABEL_WRONG!r} needs the right class in new_label")
    new = class_of(cell["new_label"]) if cell["new_label"] else None
    if new is not None and kind != LABEL_WRONG:
        raise ValueError(f"only {LABEL_WRONG!r} has a new_label, not {kind!r}")
    if new is not None and new == labels[row]:
        raise ValueError(f"new_label {NAMES[new]} is the label that the face has already")
    when = {"time": cell["time"]} if cell.get("time") else {}
    note = plain(values[header.index("note")]) if "note" in header else ""
    return Annotation(row, kind, new, note, **when)


def row_of(text: str, faces: int) -> int:
    """A row number of a dataset of so many ``faces``. Raises ``ValueError`` for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise ValueError(f"{text[:30]!r} is no row number")
    row = int(text)
    if row >= faces:
        raise ValueError(f"row {row:,} does not exist; the dataset has {faces:,} faces, counted from 0")
    return row


def class_of(text: str) -> int:
    """0..6, from a class's name or number. Raises ``ValueError`` for anything else."""
    if text.isascii() and text.isdigit() and len(text) == 1 and int(text) < COUNT:
        return int(text)
    try:
        return index_of(text)
    except KeyError:
        raise ValueError(f"unknown class {text[:30]!r}; there are {', '.join(NAMES)}") from None
