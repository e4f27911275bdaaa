"""Faces as tables of numbers that somebody wrote: one face a row, in whatever form; FER-2013's own are in csv_source.

A table is gone through twice: once for its labels and splits, which are counted and understood, and once for its faces.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.archives import CsvStream, reading
from fer_core.data.class_columns import FERPLUS
from fer_core.data.class_names import Numbering, number_of
from fer_core.data.imported_faces import Batch
from fer_core.data.number_text import numbers_in, numbers_of
from fer_core.data.pixel_values import FaceMaker, PixelError, Scale, scale_of
from fer_core.data.stated import Stated
from fer_core.data.table_columns import Columns, find_columns
from fer_core.data.table_text import Row, TableReader
from fer_core.data.understanding import Corrections, LeftOutTally, Understanding
from fer_core.errors import DataError

BATCH = 512
TOO_MANY_BAD = 0.5
"""The share of rows without a face that ends an import: then something else is wrong than a few rows."""
BAD = "rows without a face that can be read"
UNLABELLED = "rows without a label"
TIED = "rows that tell no class, or two alike"
_SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "blanks", "": ""}


@dataclass(frozen=True)
class TableFile:
    """One file of a table: how it is opened, and the word for a split that its name holds, empty where it has none."""

    open: Callable[[], AbstractContextManager[CsvStream]]
    split: str = ""


@dataclass(frozen=True)
class _Part:
    """A file that was looked through."""

    file: TableFile
    name: str
    columns: Columns
    delimiter: str
    scale: Scale


class TableSource:
    """A :class:`~fer_core.data.imported_faces.FaceSource`: one table, or several that are the splits of one set."""

    def __init__(self, label: str, files: Sequence[TableFile], said: Corrections | None = None) -> None:
        """Go through all rows once. ``label`` is what messages call the source.

        Raises ``DataError`` for what is no table, has no labels, and for splits that are not understood.
        """
        self.label = label
        said = said or Corrections()
        self.left_out = LeftOutTally()
        self._tally: Counter[tuple[str, str]] = Counter()
        self._unlabelled: dict[str, str] = {}
        """The columns of files without labels, by name."""
        self._notes: list[str] = []
        self._rows = self._bad = 0
        self._first_bad: DataError | None = None
        self._parts = [part for file in files if (part := self._look(file)) is not None]
        if not self._parts:
            raise _nothing_labelled(self._unlabelled)
        # The official files call it so, and their followers number contempt 7.
        official = all(part.columns.label_name == "emotion" for part in self._parts)
        spoken = " ".join(split for _, split in self._tally)
        hint = " ".join([*(part.name for part in self._parts), spoken])
        numbers = {number for word, _ in self._tally if (number := number_of(word)) is not None}
        # From 1 to 7 they are somebody's who counts from 1.
        numbering = Numbering.FER_2013 if official and (0 in numbers or max(numbers, default=0) < 7) else None
        self._stated = Stated(self._tally, said, where=label, hint=hint, numbering=numbering)
        self.held_out: Mapping[str, float] = self._stated.held_out
        self._makers = {scale: FaceMaker(scale) for scale in {part.scale for part in self._parts}}
        self.understanding = Understanding(
            self._layout(),
            self._stated.classes,
            self._stated.splits,
            (*self._stated.left_out, *self.left_out.result()),
            tuple(self._about_unlabelled()),
            self._stated.reassigned,
        )

    @property
    def mixed(self) -> bool:
        """Whether official words stand beside others for the same: then one of them is a mistake."""
        words = {word for word, _ in self._tally}
        numbers = {word for word in words if number_of(word) is not None}
        splits = {split.lower() for _, split in self._tally}
        official = {split.lower() for split in emotions.SPLITS}
        return bool(numbers and words - numbers) or (bool(splits & official) and bool(splits - official))

    @property
    def official(self) -> bool:
        """Whether it looks like FER-2013, or a part of it: the names of its column and its splits are the same."""
        named = all(part.columns.label_name == "emotion" for part in self._parts)
        return named and {split for _, split in self._tally} <= set(emotions.SPLITS)

    def batches(self) -> Iterator[Batch]:
        """All faces in the order of rows. Raises ``DataError`` where a class is in doubt, and when half is bad."""
        self._stated.require_answers(self.label)
        self.left_out = LeftOutTally()
        for part in self._parts:
            yield from self._faces(part)
        if self._first_bad is not None and self._bad > TOO_MANY_BAD * self._rows:
            raise self._first_bad

    def notes(self) -> list[str]:
        """What was done to the faces."""
        done = [note for maker in self._makers.values() for note in maker.notes()]
        return [*done, *self._notes, *self._about_unlabelled()]

    def _look(self, file: TableFile) -> _Part | None:
        """Count the labels of one file; None where it has none."""
        with _open(file) as (stream, reader):
            columns = find_columns(reader.name, reader.sample)
            if not columns.pixels:
                if set(FERPLUS) <= {word for cells in reader.sample[:1] for word in cells}:
                    raise DataError(
                        f"{reader.name} holds FER+'s votes and no faces. Import FER-2013 itself, then add the votes on "
                        "the page Dataset, under FER+."
                    )
                raise DataError(
                    f"{reader.name} lists pictures, and they are not beside it. Import the folder that holds both."
                )
            if not columns.has_labels:
                shown = (
                    ", ".join(cell.strip()[:30] for cell in reader.sample[0][:6]) if columns.header else "without names"
                )
                self._unlabelled[reader.name] = shown
                return None
            for row in _body(reader, columns):
                if len(row.cells) != columns.width:
                    continue
                if word := columns.label_word(row.cells):
                    self._tally[word, _split_word(file, columns, row)] += 1
                else:
                    self.left_out.add(_untold(columns), f"{stream.file}:{row.number}")
            return _Part(file, reader.name, columns, reader.delimiter, _scale(reader, columns))

    def _faces(self, part: _Part) -> Iterator[Batch]:
        columns, maker = part.columns, self._makers[part.scale]
        images: list[npt.NDArray[np.uint8]] = []
        labels: list[int] = []
        splits: list[str] = []
        names: list[str] = []
        with _open(part.file) as (stream, reader):
            for row in _body(reader, columns):
                self._rows += 1
                name = f"{stream.file}:{row.number}"
                try:
                    label = self._label(part, row, name)
                    if label is None:
                        continue
                    images.append(maker.faces(_values(row, columns)[np.newaxis])[0])
                except PixelError as problem:
                    self._add_bad(reader.name, name, row, problem)
                    continue
                labels.append(label)
                splits.append(self._stated.split(_split_word(part.file, columns, row)))
                names.append(name)
                if len(names) == BATCH:
                    yield Batch(np.stack(images), np.array(labels, np.int8), splits, names)
                    images, labels, splits, names = [], [], [], []
            if names:
                yield Batch(np.stack(images), np.array(labels, np.int8), splits, names)

    def _label(self, part: _Part, row: Row, name: str) -> int | None:
        """0..6; None for a row that is left out, which is counted. Raises ``PixelError`` for one that is no row."""
        if len(row.cells) != part.columns.width:
            raise PixelError(f"{len(row.cells):,} columns instead of {part.columns.width:,}")
        word = part.columns.label_word(row.cells)
        if not word:
            self.left_out.add(_untold(part.columns), name)
            return None
        label = self._stated.label(word)
        if label is None:
            self.left_out.add(self._stated.kind_of(word), name)
        return label

    def _add_bad(self, where: str, name: str, row: Row, problem: PixelError) -> None:
        self._bad += 1
        self.left_out.add(BAD, name)
        if not row.complete:
            self._notes.append(f"{where} ends in the middle of row {row.number:,}: it was cut off (truncated).")
        if self._first_bad is None:
            advice = (
                "No line end follows it, so the file was cut off (truncated). Download it again."
                if not row.complete
                else "Mend it, and others like it, or write the table anew."
            )
            self._first_bad = DataError(f"{where}, row {row.number:,}: {problem}. {advice}", quoted=[problem.quoted])

    def _layout(self) -> str:
        """One sentence on how the tables were read."""
        first = self._parts[0]
        columns = first.columns
        what = "A table" if len(self._parts) == 1 else f"{len(self._parts)} tables"
        signs = f" with {_SIGNS[first.delimiter]} between its cells" if first.delimiter not in (",", "") else ""
        pixels = "in one column" if len(columns.pixels) == 1 else f"in {len(columns.pixels):,} columns"
        if columns.label is None:
            start = f"from “{columns.names[columns.each_class[0]]}” on"
            told = (
                f"columns of 0 and 1, {start}, tell"
                if columns.flags
                else f"columns, {start}, have votes, whose most tell"
            )
            label = f"{len(columns.each_class)} {told}"
            return f"{what}{signs}: one face a row, its pixels {pixels}, {first.scale.value}; {label} the class."
        label = f"“{columns.label_name}”" if columns.label_name else f"column {columns.label + 1}"
        return f"{what}{signs}: one face a row, its pixels {pixels}, {first.scale.value}; {label} is the class."

    def _about_unlabelled(self) -> list[str]:
        return [f"{name} has no labels, so its faces were left out. {HOW_UNLABELLED}" for name in self._unlabelled]


HOW_UNLABELLED = (
    "Faces without a label cannot be measured; python -m fer_core predict tells what a model sees in a picture. The "
    "labelled test faces of the challenge are in icml_face_data.csv and in fer2013.csv."
)


def _nothing_labelled(columns: Mapping[str, str]) -> DataError:
    name, shown = next(iter(columns.items()))
    return DataError(
        f"{name}, row 1: there is no column 'emotion', nor another one with labels; the columns are: {shown}. So this "
        f"is an unlabelled file, such as the challenge's test.csv. Import train.csv. {HOW_UNLABELLED}",
        quoted=[shown],
    )


def _untold(columns: Columns) -> str:
    return TIED if columns.each_class else UNLABELLED


@contextmanager
def _open(file: TableFile) -> Iterator[tuple[CsvStream, TableReader]]:
    with file.open() as stream, reading(stream.name):
        try:
            yield stream, TableReader(stream)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{stream.name} is not a text file in UTF-8, so it is no table that can be read ({error.reason}). If "
                "it is one, save it as CSV UTF-8."
            ) from error
        except csv.Error as error:
            raise DataError(f"{stream.name} is not a well-formed CSV: {error}. Write the table anew.") from error


def _body(reader: TableReader, columns: Columns) -> Iterator[Row]:
    rows = iter(reader)
    if columns.header:
        next(rows, None)
    return rows


def _split_word(file: TableFile, columns: Columns, row: Row) -> str:
    """What a row, or else its file's name, says of its split."""
    return row.cells[columns.usage].strip() if columns.usage is not None else file.split


def _values(row: Row, columns: Columns) -> npt.NDArray[np.float64]:
    if len(columns.pixels) == 1:
        return numbers_in(row.cells[columns.pixels[0]])
    return numbers_of([row.cells[i] for i in columns.pixels])


def _scale(reader: TableReader, columns: Columns) -> Scale:
    """By the rows at the beginning that can be read."""
    low, high, whole, seen = 0.0, 0.0, True, False
    for cells in reader.sample[int(columns.header) :]:
        try:
            values = _values(Row(0, cells, True), columns)
        except (PixelError, IndexError):
            continue
        if len(values):
            low, high, seen = min(low, float(values.min())), max(high, float(values.max())), True
            whole = whole and not np.mod(values, 1).any()
    try:
        return scale_of(low, high, whole=whole) if seen else Scale.BYTES
    except PixelError as problem:
        # One row of a few may be broken: each is looked at again when it is read.
        if high <= 255 * 4:
            return Scale.BYTES
        raise DataError(f"{reader.name}: {problem}.") from None
