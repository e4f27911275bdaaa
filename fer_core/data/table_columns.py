"""Which column of a table is what: label, pixels, split, picture. Names of columns tell, and the cells below them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from fer_core.data.class_columns import class_columns, most, only_flags
from fer_core.data.class_names import meaning_of, number_of
from fer_core.data.pixel_values import PixelError, side_of
from fer_core.data.split_names import split_of
from fer_core.data.table_text import ENOUGH, is_face, is_picture
from fer_core.errors import DataError

_LABEL = (
    "emotion",
    "emotions",
    "label",
    "labels",
    "class",
    "classes",
    "classname",
    "target",
    "targets",
    "expression",
    "expressions",
    "category",
    "y",
    "emotionlabel",
    "emotionname",
    "labelname",
    "facialexpression",
    "sentiment",
)
_PIXELS = ("pixels", "pixel", "image", "images", "img", "imagepixels", "data", "x", "features", "face")
_USAGE = ("usage", "split", "splits", "set", "subset", "partition", "dataset", "phase", "mode", "fold", "datasplit")
_INDEX = ("", "unnamed0", "index", "idx", "id", "imageid", "rowid", "no")


@dataclass(frozen=True)
class Columns:
    """Positions of columns, from 0; None where there is no such column. ``pixels``: one, or one for each pixel.

    ``each_class``: in place of a label, a column for each class, see :mod:`fer_core.data.class_columns`; ``flags``:
    whether they hold nothing but 0 and 1.
    ``header``: whether the first row is one. ``names``: what its cells say, in small letters and figures only.
    ``width``: cells of a row.
    """

    header: bool
    names: tuple[str, ...]
    width: int
    label: int | None
    pixels: tuple[int, ...]
    usage: int | None
    picture: int | None
    each_class: tuple[int, ...] = ()
    flags: bool = False

    @property
    def has_labels(self) -> bool:
        """Whether the table says of its faces what they are."""
        return self.label is not None or bool(self.each_class)

    def label_word(self, cells: list[str]) -> str:
        """What a row says its face is; empty where it says nothing, or two things."""
        if self.label is not None:
            return cells[self.label].strip()
        return most({self.names[i]: cells[i] for i in self.each_class})

    @property
    def label_name(self) -> str:
        """What the label's column is called; empty without a header."""
        return self.names[self.label] if self.header and self.label is not None else ""


def find_columns(name: str, sample: list[list[str]]) -> Columns:
    """From the first rows of a table, the header among them. ``name``: of the file, for messages.

    Raises ``DataError`` for a table with neither pixels nor pictures, one without rows, and doubtful columns.
    """
    if not sample:
        raise DataError(f"{name} is empty. Give a table with one face a row.")
    first = sample[0]
    header = _is_header(first)
    names = tuple(_plain(cell) for cell in first) if header else ("",) * len(first)
    body = sample[1:] if header else sample
    body = [row for row in body if len(row) == len(first)]
    if not body:
        if len(sample) > int(header):
            raise DataError(f"{name}, row 2: {len(sample[1])} columns instead of {len(first)}. Mend the table.")
        raise DataError(f"{name} has a header and no rows. Give a table with one face a row.")
    cells = list(zip(*body, strict=True))
    picture = next((i for i, column in enumerate(cells) if all(is_picture(cell) for cell in column)), None)
    long = [i for i, column in enumerate(cells) if any(is_face(cell) for cell in column)]
    usage = _by_name(name, names, _USAGE)
    if usage is None:
        usage = next((i for i, c in enumerate(cells) if all(split_of(cell) is not None for cell in c)), None)
    label = _label_column(name, names, cells, {usage, picture, *long}, wide=len(first) >= ENOUGH)
    others = {i: c for i, c in enumerate(cells) if i not in {usage, picture, *long}}
    each_class = tuple(class_columns(names, others)) if label is None else ()
    pixels: tuple[int, ...]
    if long:
        pixels = (_best(names, long),)
    elif picture is None and (named := _by_name(name, names, _PIXELS[:2])) is not None:
        # Named so, and no face in it: the rows' own errors say what is wrong.
        pixels = (named,)
    else:
        # Beside the names of pictures there may be their pixels.
        pixels = _wide(names, cells, {label, usage, picture, *each_class})
    if not pixels and picture is None:
        shown = ", ".join(cell.strip()[:30] for cell in first[:6])
        have = [] if label is not None or each_class else ["'emotion'"]
        missing = " and no column ".join([*have, "'pixels'"])
        raise DataError(
            f"{name}, row 1: there is no column {missing} that could be read as such; the columns are: {shown}. A "
            "table of faces has a label and either pixels, in one column or one each, or names of pictures.",
            quoted=[shown],
        )
    flags = only_flags(cell for i in each_class for cell in cells[i])
    return Columns(header, names, len(first), label, pixels, usage, picture, each_class, flags)


def _is_header(cells: list[str]) -> bool:
    """Whether a first row names its columns: no cell of it is a face, a picture or, beside many others, a number."""
    if any(is_face(cell) or is_picture(cell) for cell in cells):
        return False
    numbers = [cell.strip() for cell in cells if _is_number(cell)]
    if not numbers:
        return any(_plain(cell) in (*_LABEL, *_PIXELS, *_USAGE) for cell in cells) or not _looks_like_row(cells)
    # pandas numbers columns without a name: 0, 1, 2, …
    counted = [str(int(float(numbers[0])) + i) for i in range(len(numbers))]
    return len(numbers) >= ENOUGH and numbers == counted


def _looks_like_row(cells: list[str]) -> bool:
    return any(meaning_of(cell).label is not None or split_of(cell) is not None for cell in cells)


def _label_column(
    name: str, names: tuple[str, ...], cells: list[tuple[str, ...]], taken: set[int | None], *, wide: bool
) -> int | None:
    named = [i for i, one in enumerate(names) if one in _LABEL and i not in taken]
    # Some tables say it twice, as a number and as a word: the word leaves no doubt.
    worded = [i for i in named if all(meaning_of(cell).label is not None for cell in cells[i])]
    if len(named) > 1 and len({names[i] for i in named}) < len(named):
        raise _twice(name, names, named)
    if named:
        return (worded or sorted(named, key=lambda i: _LABEL.index(names[i])))[0]
    free = [i for i in range(len(cells)) if i not in taken and not _is_index(i, names, cells)]
    words = [i for i in free if all(not _is_number(cell) for cell in cells[i]) and _known(cells[i])]
    if words:
        return words[0]
    if wide:
        # 2,305 columns: the label stands first or last, and a pixel of a corner is seldom that dark in every face.
        spare = len(free) - _whole_square(len(free))
        ends = [i for i in (free[0], free[-1]) if _small(cells[i])] if free and spare == 1 else []
        return ends[0] if ends else None
    small = [i for i in free if _small(cells[i])]
    return small[0] if len(small) == 1 else None


def _wide(names: tuple[str, ...], cells: list[tuple[str, ...]], taken: set[int | None]) -> tuple[int, ...]:
    """One column for each pixel: those of numbers that are nothing else, as many as a square picture has."""
    numeric = [i for i, c in enumerate(cells) if i not in taken and all(_is_number(cell) or not cell for cell in c)]
    if len(numeric) < ENOUGH:
        return ()
    for columns in (numeric, [i for i in numeric if not _is_index(i, names, cells)], numeric[1:], numeric[:-1]):
        try:
            side_of(len(columns))
        except PixelError:
            continue
        return tuple(columns)
    return ()


def _is_index(i: int, names: tuple[str, ...], cells: list[tuple[str, ...]]) -> bool:
    """Whether a column only counts the rows."""
    if names[i] not in _INDEX:
        return False
    column = cells[i]
    if names[i]:
        return True
    values = [float(cell) if _is_number(cell) else -1 for cell in column]
    return len(values) > 1 and all(after - before == 1 for before, after in pairwise(values))


def _by_name(name: str, names: tuple[str, ...], wanted: tuple[str, ...]) -> int | None:
    found = [i for i, one in enumerate(names) if one in wanted]
    if len(found) > 1 and len({names[i] for i in found}) < len(found):
        raise _twice(name, names, found)
    return min(found, key=lambda i: wanted.index(names[i])) if found else None


def _twice(name: str, names: tuple[str, ...], found: list[int]) -> DataError:
    doubled = next(names[i] for i in found if names.count(names[i]) > 1)
    return DataError(f"{name}, row 1: the column {doubled!r} occurs more than once. Remove one of them.")


def _best(names: tuple[str, ...], long: list[int]) -> int:
    return min(long, key=lambda i: _PIXELS.index(names[i]) if names[i] in _PIXELS else len(_PIXELS))


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _known(column: tuple[str, ...]) -> bool:
    known = sum(not meaning_of(cell).doubtful for cell in column)
    return known * 2 > len(column)


def _small(column: tuple[str, ...]) -> bool:
    return all(number_of(cell) is not None and (number_of(cell) or 0) <= 10 for cell in column)


def _whole_square(number: int) -> int:
    for numbers in (number, number - 1):
        try:
            side_of(numbers)
        except PixelError:
            continue
        return numbers
    return number


def _plain(cell: str) -> str:
    return re.sub(r"[^a-z0-9]", "", cell.lower())
