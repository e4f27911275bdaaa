"""The lines of a table that somebody wrote: with which sign its cells are parted, and its rows one after the other."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fer_core.data.archives import BoundedLines, CsvStream
from fer_core.errors import DataError

LONGEST_LINE = 1_000_000
"""Letters. A face of 48×48 floats has some 50,000, in colour three times as many."""
MOST_BLANK = 1_000
SAMPLE_ROWS = 30
_SAMPLE_LETTERS = 2_000_000
_DELIMITERS = (",", ";", "\t", "|")
BLANKS = " "
"""Cells parted by any number of blanks, as in lists of ``name label``."""
ENOUGH = 256
"""Numbers in one cell, or in one row, from which on they are a face: 16×16."""
_PICTURE = re.compile(r"\.(jpe?g|png|bmp|webp|tiff?|gif)$", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """``number`` as a person counts lines, from 1. ``complete``: a line end follows."""

    number: int
    cells: list[str]
    complete: bool


class TableReader:
    """Rows of an open table. Its first few are there at once, in ``sample``; then iterate, from the first one on."""

    def __init__(self, stream: CsvStream) -> None:
        """Raises ``DataError`` for an endless line and for text that is none."""
        self.name = stream.name
        self._lines = BoundedLines(stream, LONGEST_LINE, "where a face has some 8,000. This is no table of faces.")
        head: list[str] = []
        letters = blank = 0
        for line in self._lines:
            head.append(line)
            letters += len(line)
            blank += not line.strip()
            self._check_blank(blank)
            if len(head) - blank > SAMPLE_ROWS or letters > _SAMPLE_LETTERS:
                break
        self.delimiter = delimiter_of([line for line in head if line.strip()])
        self._head = head
        # A last row without an end may be cut off; where there is hardly another it has to do.
        whole = head if len(head) <= 3 or head[-1].endswith(("\n", "\r")) else head[:-1]
        self.sample = [row for row in self._parse(whole) if row][:SAMPLE_ROWS]

    def __iter__(self) -> Iterator[Row]:
        """All rows but blank ones. Raises ``DataError``."""
        counter = _Counter(self._head, self._lines)
        blank = 0
        try:
            for cells in self._parse(counter):
                if not any(cell.strip() for cell in cells):
                    blank += 1
                    self._check_blank(blank)
                    continue
                yield Row(counter.number, cells, counter.complete)
        except csv.Error as error:
            raise DataError(
                f"{self.name}, row {counter.number:,}: not a well-formed CSV: {error}. Write it anew, one row a face."
            ) from error

    def _check_blank(self, blank: int) -> None:
        if blank > MOST_BLANK:
            raise DataError(f"{self.name} has more than {MOST_BLANK:,} blank lines. This is no table of faces.")

    def _parse(self, lines: Iterable[str]) -> Iterator[list[str]]:
        if self.delimiter == BLANKS:
            return (line.split() for line in lines)
        if not self.delimiter:
            return ([line.strip().strip('"')] if line.strip() else [] for line in lines)
        return csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True)


def delimiter_of(lines: list[str]) -> str:
    """The sign between the cells, by the first few lines; empty where each line is one cell."""
    widths: dict[str, int] = {}
    for sign in _DELIMITERS:
        try:
            rows = list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=sign, skipinitialspace=True))
        except csv.Error:
            continue
        rows = [row for row in rows if row]
        usual = len(rows[0]) if rows else 0
        alike = sum(len(row) == usual for row in rows)
        # A last row may be cut off, and one in the middle broken.
        if (usual > 1 and alike > max(1, len(rows) * 3 // 4 - 1)) or (usual > 1 and alike == len(rows)):
            # Commas may stand within a face that semicolons part from its label.
            if any(is_face(cell) for row in rows for cell in row):
                return sign
            widths[sign] = usual
    if widths:
        return max(widths, key=lambda sign: widths[sign])
    lists = [line.split() for line in lines]
    if lists and all(2 <= len(cells) <= 4 for cells in lists) and any(_PICTURE.search(cells[0]) for cells in lists):
        return BLANKS
    return ""


def is_picture(cell: str) -> bool:
    """Whether a cell is the name of a picture's file."""
    return _PICTURE.search(cell.strip()) is not None


def is_face(cell: str) -> bool:
    """Whether a cell holds as many numbers as a square picture. One that lacks some is a broken face, and still one."""
    if len(cell) < 2 * ENOUGH - 1 or not re.match(r"[\s\[(\d.+-]", cell):
        return False
    return len(re.findall(r"[^\s,;\[\]()]+", cell)) >= ENOUGH


class _Counter:
    """Hands on lines, and knows the number of the last and whether it had an end."""

    def __init__(self, head: list[str], lines: Iterable[str]) -> None:
        self._head, self._lines = head, lines
        self.number, self.complete = 0, True

    def __iter__(self) -> Iterator[str]:
        for source in (self._head, self._lines):
            for line in source:
                self.number += 1
                self.complete = line.endswith(("\n", "\r"))
                yield line
