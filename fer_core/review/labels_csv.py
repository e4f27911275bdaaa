"""Labels that people gave to faces without any, as a CSV to hand on and to take in: :data:`COLUMNS`, a line a face."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fer_core.emotions import NAMES
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, NOT_A_FACE, Annotation
from fer_core.review.annotations_csv import class_of, read_lines, row_of
from fer_core.review.answers_without_labels import given_label
from fer_core.review.ordering import together
from fer_core.spreadsheet import SpreadsheetWriter, plain

if TYPE_CHECKING:
    from fer_core.evaluation.aligned_predictions import AlignedPredictions

COLUMNS = ("row", "file", "label", "answer", "confidence", "mark", "note", "time")
"""``file``: the face's name at the source, which tells on the way in that the CSV is about these very faces. ``label``:
the class that somebody gave; empty where ``mark`` says "ambiguous" or "not a face". ``answer`` and ``confidence``: what
the models say together."""
LABEL = "label"
"""``mark`` of a face that got a class."""


def write_labels_csv(aligned: AlignedPredictions, files: Sequence[str], marks: Mapping[int, Annotation]) -> bytes:
    """What people said of faces, in UTF-8, by row number; marks on rows that there are not are left out.

    ``files``: names at the source, one for each row of the dataset.
    """
    said = together(aligned)
    places = {int(row): at for at, row in enumerate(aligned.rows)}
    text = io.StringIO(newline="")
    writer = SpreadsheetWriter(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row, mark in sorted(marks.items()):
        at = places.get(row)
        if at is None:
            continue  # the file of marks may have been edited by hand
        label, best = given_label(mark, int(aligned.labels[at])), int(said[at].argmax())
        word, kind = ("", mark.kind) if label is None else (NAMES[label], LABEL)
        writer.writerow([row, files[row], word, NAMES[best], f"{said[at, best]:.6f}", kind, mark.note, mark.time])
    return text.getvalue().encode()


def read_labels_csv(content: bytes, files: Sequence[str]) -> list[Annotation]:
    """The labels in a CSV, checked line by line, for :meth:`fer_core.review.annotations.Annotations.add`.

    ``content``: as :func:`fer_core.review.annotations_csv.read_annotations_csv` takes it, of which ``row``, ``file``,
    ``label`` and ``mark`` are needed. ``files``: as above. Raises ``DataError`` as that does.
    """

    def parse(header: list[str], values: list[str]) -> Annotation:
        cell = {column: value.strip() for column, value in zip(header, values, strict=True)}
        row = row_of(cell["row"], len(files))
        if (name := plain(values[header.index("file")])) != files[row]:
            raise ValueError(f"row {row:,} is {files[row][:60]!r}, not {name[:60]!r}. Is this another dataset?")
        when = {"time": cell["time"]} if cell.get("time") else {}
        note = plain(values[header.index("note")]) if "note" in header else ""
        if cell["label"]:
            return Annotation(row, LABEL_WRONG, class_of(cell["label"]), note, **when)
        if cell["mark"].lower() not in (AMBIGUOUS, NOT_A_FACE):
            raise ValueError(f"no label, and the mark is {cell['mark'][:30]!r}, not {AMBIGUOUS!r} or {NOT_A_FACE!r}")
        return Annotation(row, cell["mark"].lower(), None, note, **when)

    return read_lines(content, COLUMNS, ("row", "file", "label", "mark"), parse)
