"""Classes of pictures out of lists beside them: CSV files of paths, ``name label`` lines, with or without a header.

A list is any text file of a sane size in which most lines name a picture that is there. Its columns are found by what
is in them: the picture, the class, and a split where there is one. Otherwise a split is told by the list's own name
(``train_labels.csv``), the folders around the picture, or the beginning of its name (``train_00001.jpg``, as in
RAF-DB).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath

from fer_core.data.class_columns import class_columns, ferplus_columns, most
from fer_core.data.class_names import is_known, number_of
from fer_core.data.folder_or_zip import Tree
from fer_core.data.layout import NO_PICTURE, Layout, PictureFile, dropped, ending, is_picture, split_folder
from fer_core.data.split_names import split_of
from fer_core.data.understanding import Corrections, LeftOutTally
from fer_core.errors import DataError, UnusableFileError

LIST_ENDINGS = ("jsonl", "csv", "tsv", "txt", "lst", "list")
MOST_LISTS = 20
"""Lists that are looked into; a folder with a text file for each picture is no folder of lists."""
UNLISTED = "pictures that no list names"
MISSING = "lines of lists whose picture is not there"
UNTOLD = "pictures whose line tells no class, or two alike"

_LOOKED_AT = 200
"""Lines by which the columns are found."""
_LONGEST_LINE = 2000
"""Bytes of a line; one of pixels has more."""
_LABEL_HEADERS = frozenset(
    ("label", "labels", "emotion", "emotions", "expression", "class", "classes", "category", "exp", "target")
)
_DELIMITERS = (",", ";", "\t", "|", " ")
_RAF_DB = "_aligned"


@dataclass(frozen=True)
class _Columns:
    """Where in a row of a list the picture, the class and the split are; None for a split that is not there.

    ``each_class``: the classes' names by column, where each has its own: see :mod:`fer_core.data.class_columns`.
    """

    delimiter: str
    picture: int
    label: int
    split: int | None
    each_class: Mapping[int, str] = field(default_factory=dict)

    def word(self, row: Sequence[str]) -> str:
        """The class of a row in the list's words; empty where it names none, or several."""
        if not self.each_class:
            return row[self.label].strip()
        return most({word: _cell(row, at) for at, word in self.each_class.items()})


class _Pictures:
    """Finds a picture by what a list calls it: its path from anywhere above it, or its bare name."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = {name.lower(): name for name in names}
        self._bare: dict[str, str | None] = {}
        for name in names:
            path = PurePosixPath(name.lower())
            for key in {path.name, path.stem}:
                # Two of one name: neither can be meant by it alone.
                self._bare[key] = None if key in self._bare else name

    def find(self, said: str, folder: str) -> str | None:
        """The picture's name in the tree. ``folder``: that of the list."""
        path = said.strip().strip('"').replace("\\", "/").lower().removeprefix("./")
        if not path or len(path) > 1000:
            return None
        beside = self._names.get(f"{folder.lower()}/{path}") if folder else None
        if found := beside or self._names.get(path):
            return found
        parts = PurePosixPath(path).parts
        for start in range(1, len(parts) - 1):
            if found := self._names.get("/".join(parts[start:])):
                return found
        pure = PurePosixPath(path)
        return self._bare.get(pure.name) or self._bare.get(f"{pure.stem}{_RAF_DB}")

    def shared(self, text: str) -> str:
        """A bare name of several pictures, where most lines of a list hold such a one; else empty."""
        lines = text.splitlines()[:_LOOKED_AT]
        words = [[word.strip().strip('"') for word in re.split(r"[,;\t|]", line)] for line in lines]
        found = [word for row in words for word in row if is_picture(word) and self._bare.get(word.lower(), "") is None]
        return found[0] if len(found) * 2 > len(lines) else ""


def find_list(tree: Tree, names: Sequence[str], said: Corrections, left_out: LeftOutTally) -> Layout | None:
    """The pictures that lists in the tree name, with their classes; None where there is no list."""
    pictures = [name for name in names if is_picture(name)]
    lists = [name for name in names if ending(name) in LIST_ENDINGS]
    if not pictures or not 0 < len(lists) <= MOST_LISTS:
        return None
    index = _Pictures(pictures)
    files: dict[str, PictureFile] = {}
    used: list[str] = []
    named: set[str] = set()
    for one in lists:
        text = _text(tree, one)
        folder = one.rpartition("/")[0]
        columns = _columns(text, index, folder) if text else None
        if columns is None:
            if shared := index.shared(text):
                raise DataError(
                    f"{tree.label}/{one} names pictures such as {shared!r}, and several are called so. Write the "
                    "folder before each, as in some/folder/1.png."
                )
            continue
        used.append(one)
        for row in _rows(text, columns.delimiter):
            named.add(_take(row, columns, one, folder, index, said, files, left_out))
    if not files:
        return None
    for name in names:
        if name in named or name in used:
            continue
        left_out.add(UNLISTED if is_picture(name) else NO_PICTURE, name)
    listed = ", ".join(used[:3]) + (f" and {len(used) - 3} more" if len(used) > 3 else "")
    return Layout(f"Pictures, and lists that tell their classes: {listed}.", list(files.values()))


def _take(
    row: list[str],
    columns: _Columns,
    one: str,
    folder: str,
    index: _Pictures,
    said: Corrections,
    files: dict[str, PictureFile],
    left_out: LeftOutTally,
) -> str:
    """Add the picture of a row to ``files``, or count why not. Returns its name in the tree, empty where none is."""
    if len(row) <= max(columns.picture, columns.label):
        return ""
    name = index.find(row[columns.picture], folder)
    word = columns.word(row)
    if name is None:
        if is_picture(row[columns.picture].strip()):
            left_out.add(MISSING, row[columns.picture].strip())
        return ""
    if dropped(name, said):
        left_out.add("pictures you left out", name)
    elif not word:
        left_out.add(UNTOLD, name)
    elif name not in files:
        told = row[columns.split] if columns.split is not None and columns.split < len(row) else ""
        files[name] = PictureFile(name, word, _split(told, one, name, said))
    return name


def _split(told: str, one: str, name: str, said: Corrections) -> str:
    if "all" in said.splits:
        return said.splits["all"]
    for word in (told, *re.findall(r"[^\W\d_]+", PurePosixPath(one).stem)):
        if found := said.splits.get(word.strip().casefold()) or split_of(word):
            return found
    first = re.match(r"[^\W\d_]+", PurePosixPath(name).stem)
    return split_folder(PurePosixPath(name).parts[:-1], said) or (split_of(first[0]) if first else None) or ""


def _columns(text: str, index: _Pictures, folder: str) -> _Columns | None:
    """The columns that hold pictures and classes, by the first lines; None where no list is understood."""
    for delimiter in _DELIMITERS:
        rows = list(islice(_rows(text, delimiter), _LOOKED_AT))
        width = max(map(len, rows), default=0)
        if width < 2 or width > 100:
            continue
        header = [cell.strip().lower() for cell in rows[0]]
        hits = [sum(index.find(_cell(row, at), folder) is not None for row in rows) for at in range(width)]
        picture = max(range(width), key=lambda at: hits[at])
        # A header and pictures that are missing must not hide that it is a list.
        if hits[picture] * 2 < len(rows) - 1 or not hits[picture]:
            continue
        body = rows[1:] if index.find(_cell(rows[0], picture), folder) is None and len(rows) > 1 else rows
        others = [at for at in range(width) if at != picture]
        split = next((at for at in others if all(split_of(_cell(row, at)) for row in body)), None)
        scores = {at: _class_likeness([_cell(row, at) for row in body]) for at in others if at != split}
        named = [at for at in scores if at < len(header) and header[at] in _LABEL_HEADERS]
        if not named:
            beside = {at: [_cell(row, at) for row in body] for at in scores}
            each_class = class_columns(rows[0], beside) or ferplus_columns(body)
            if each_class:
                return _Columns(delimiter, picture, picture, split, each_class)
        label = named[0] if named else max(scores, key=lambda at: scores[at], default=None)
        if label is not None and (named or scores[label] > 0):
            return _Columns(delimiter, picture, label, split)
    return None


def _class_likeness(cells: list[str]) -> float:
    """How much a column looks like one of classes: words count more than numbers, and numbers that go on not at all."""
    if not cells or len(set(cells)) > 40:
        return 0
    words = sum(is_known(cell) for cell in cells) / len(cells)
    numbers = sum(number_of(cell) is not None for cell in cells) / len(cells)
    return words * 2 if words >= 0.5 else numbers if numbers == 1 else 0


def _cell(row: Sequence[str], at: int) -> str:
    return row[at] if at < len(row) else ""


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows that are not blank, one at a time; they end where the text is no table any more."""
    lines = io.StringIO(text, newline="")
    if delimiter == " ":
        yield from (row for line in lines if (row := line.split()))
        return
    try:
        yield from (row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row))
    except csv.Error:
        return  # a cell without an end, say: no list of pictures goes on like that


def _text(tree: Tree, name: str) -> str:
    """A text file; empty for one that is no text, is a table of pixels, or cannot be read, which is told elsewhere."""
    try:
        content = tree.read(name)
    except UnusableFileError:
        return ""
    head = content[:8192]
    if b"\0" in head or max(map(len, head.splitlines()[:3]), default=0) > _LONGEST_LINE:
        return ""
    text = content.decode("utf-8-sig", errors="replace")
    return _of_json_lines(text) if ending(name) == "jsonl" else text


def _of_json_lines(text: str) -> str:
    """Lines of JSON objects, as Hugging Face's ``metadata.jsonl``, as a CSV; empty where a line is none."""
    try:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return ""
    if not all(isinstance(row, dict) for row in rows):
        return ""
    names = list(dict.fromkeys(name for row in rows[:_LOOKED_AT] for name in row))
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, names, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()
