"""FER-2013 as a CSV: one face a row, 2,304 grey values in one column.

Two files are about: ``fer2013.csv`` (``emotion,pixels,Usage``) and the Kaggle challenge's ``icml_face_data.csv``
(``emotion, Usage, pixels``, with blanks in front of column names). Columns are found by name, in any order.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.archives import BoundedLines, CsvStream, reading
from fer_core.data.class_names import meaning_of, number_of
from fer_core.data.imported_faces import Batch
from fer_core.data.split_names import split_of
from fer_core.errors import DataError

PIXELS = emotions.IMAGE_SIZE**2
# Bytes of a typical row, measured on fer2013.csv (301,053,565 bytes, 35,887 rows).
BYTES_PER_ROW = 8_389
LONGEST_LINE = 100_000
_NO_FER_2013 = (
    f"where a face has about {BYTES_PER_ROW:,}. This is not FER-2013's CSV. Import fer2013.csv or icml_face_data.csv."
)
MOST_BLANK = 1_000
"""Lines without anything. Millions of them would be read for minutes without a face."""
BATCH = 512

_COLUMNS = ("emotion", "pixels", "usage")
_USAGE = {split.lower(): split for split in emotions.SPLITS}
_DIGITS = {str(label): label for label in range(emotions.COUNT)}


class NotOfficialError(Exception):
    """The table is none of the two official files: :mod:`fer_core.data.table_source` reads it, from its beginning.

    ``strict``: what is wrong with it as an official file, where it calls itself one and has the header of one.
    """

    def __init__(self, strict: DataError | None = None) -> None:
        super().__init__()
        self.strict = strict


class _BadRowError(Exception):
    """What is wrong with a row, without file and number; what of the row that repeats; whether others write it so."""

    def __init__(self, message: str, quoted: str = "", *, known: bool = False) -> None:
        super().__init__(message)
        self.quoted, self.known = quoted, known


def read_batches(stream: CsvStream) -> Iterator[Batch]:
    """Yield the faces of a CSV in order, 512 at a time. Memory stays at a few megabytes.

    Raises ``NotOfficialError`` where name, header or words are not those of an official file; ``DataError`` that names
    file and row (the header is row 1) for a wrong number of pixels, a value that is no whole number from 0 to 255, an
    unknown emotion or Usage, an empty or truncated file.
    """
    with reading(stream.name):
        try:
            yield from _batches(stream)
        except UnicodeDecodeError as error:
            raise DataError(f"{stream.name} is not a text file, so it is no CSV ({error.reason}).") from error
        except csv.Error as error:
            raise DataError(f"{stream.name} is not a well-formed CSV: {error}. Download it again.") from error


def _batches(stream: CsvStream) -> Iterator[Batch]:
    lines = BoundedLines(stream, LONGEST_LINE, _NO_FER_2013)
    reader = csv.reader(lines)
    header = next(reader, None)
    if not header:
        raise DataError(f"{stream.name} is empty. Download it again.")
    if not is_official_name(stream.file):
        raise NotOfficialError
    positions = _find_columns(stream.name, header)
    images = np.empty((BATCH, PIXELS), np.uint8)
    labels: list[int] = []
    splits: list[str] = []
    names: list[str] = []
    rows = blank = 0
    for row in reader:
        if not row:
            blank += 1
            if blank > MOST_BLANK:
                raise DataError(f"{stream.name} has more than {MOST_BLANK:,} blank lines. This is not FER-2013's CSV.")
            continue
        try:
            if len(row) != len(header):
                raise _BadRowError(f"{len(row)} columns instead of {len(header)}")
            label, pixels, split = (row[position] for position in positions)
            labels.append(_label(label))
            splits.append(_split(split))
            images[len(names)] = _pixels(pixels)
        except _BadRowError as problem:
            # Asked before reading on, which moves the number.
            number = reader.line_num
            last = next(reader, None) is None and not lines.complete
            error = _bad_row(stream.name, number, problem, last=last)
            raise NotOfficialError(error) if problem.known else error from None
        names.append(f"{stream.file}:{reader.line_num}")
        rows += 1
        if len(names) == BATCH:
            yield _batch(images, labels, splits, names)
            labels, splits, names = [], [], []
    if names:
        yield _batch(images, labels, splits, names)
    if not rows:
        raise DataError(f"{stream.name} has a header and no rows. Download it again.")


def _batch(images: npt.NDArray[np.uint8], labels: list[int], splits: list[str], names: list[str]) -> Batch:
    faces = images[: len(names)].reshape(-1, emotions.IMAGE_SIZE, emotions.IMAGE_SIZE).copy()
    return Batch(faces, np.array(labels, np.int8), splits, names)


def is_official_name(file: str) -> bool:
    """Whether a file calls itself one of the two official ones: ``fer2013.csv``, ``fer2013 (1).csv.gz``."""
    return file.lower().startswith(("fer2013", "icml_face_data"))


def _find_columns(name: str, header: list[str]) -> list[int]:
    columns = [column.strip().lower() for column in header]
    if any(column not in columns for column in _COLUMNS):
        raise NotOfficialError
    doubled = [column for column in _COLUMNS if columns.count(column) > 1]
    if doubled:
        raise DataError(f"{name}, row 1: the column {doubled[0]!r} occurs more than once. Remove one of them.")
    return [columns.index(column) for column in _COLUMNS]


def _bad_row(name: str, number: int, problem: _BadRowError, *, last: bool) -> DataError:
    advice = (
        "It is the last row, so the file seems to be cut off (truncated). Download it again."
        if last
        else "Mend this row, or download the file again."
    )
    return DataError(f"{name}, row {number:,}: {problem}. {advice}", quoted=[problem.quoted])


def _label(text: str) -> int:
    label = _DIGITS.get(text.strip())
    if label is None:
        known = ", ".join(f"{emotion.index} {emotion.name}" for emotion in emotions.EMOTIONS)
        shown = repr(_shorten(text))
        words = number_of(text) is None and not meaning_of(text).doubtful
        raise _BadRowError(f"unknown emotion {shown}; there are {known}", shown, known=words)
    return label


def _split(text: str) -> str:
    split = _USAGE.get(text.strip().lower())
    if split is None:
        shown = repr(_shorten(text))
        message = f"unknown Usage {shown}; there are {', '.join(emotions.SPLITS)}"
        raise _BadRowError(message, shown, known=split_of(text) is not None)
    return split


def _pixels(text: str) -> npt.NDArray[np.int64]:
    """The grey values of a row, int64 (2304,), each 0..255.

    ``np.fromstring`` is the fastest parser at hand (37 µs a row, against 160 µs for split and int), but lenient:
    it stops at the first oddity and takes ``1+2`` for two numbers. So its answer counts only when everything about
    the row is as expected; otherwise :func:`_explain` looks at each value.
    """
    text = text.strip()
    last = text.rpartition(" ")[2]
    if text.count(" ") == PIXELS - 1 and "+" not in text and last.isascii() and last.isdigit():
        try:
            values = np.fromstring(text, dtype=np.int64, sep=" ")
        except ValueError:
            # NumPy 2.4 on; before, it returned the values up to the oddity.
            return _explain(text)
        if len(values) == PIXELS and values.min() >= 0 and values.max() <= 255:
            return values
    return _explain(text)


def _explain(text: str) -> npt.NDArray[np.int64]:
    tokens = text.split()
    for position, token in enumerate(tokens, start=1):
        digits = token.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            shown = repr(_shorten(token))
            raise _BadRowError(f"pixel {position:,} is {shown}, which is not a whole number", shown)
        if len(digits) > 18 or not 0 <= int(token) <= 255:
            shown = _shorten(token)
            raise _BadRowError(f"pixel {position:,} is {shown}, which is outside 0 to 255", shown)
    if len(tokens) != PIXELS:
        raise _BadRowError(f"{len(tokens):,} pixel values instead of {PIXELS:,} (48×48)")
    return np.array(tokens, dtype=np.int64)


def _shorten(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 30 else text[:30] + "…"
