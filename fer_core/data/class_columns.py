"""Classes told by a column each, called like it: a 1 in the face's own, votes of people, or shares; the most counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from fer_core.data.class_names import is_known

FERPLUS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
"""The columns of FER+'s votes, in its order: in its own lists they have no names."""
MOST_VOTES = 10


def class_columns(header: Sequence[str], cells: Mapping[int, Sequence[str]]) -> dict[int, str]:
    """The columns that tell the class, with its name: two or more, called like classes, of numbers from 0 on.

    ``header``: names by column, ``cells``: those of the columns that may be it. Empty where there are none.
    """
    found = {
        at: header[at].strip()
        for at, column in cells.items()
        # Of thousands of columns, none is to be compared with every word there is.
        if at < len(header) and is_known(header[at].strip()) and not header[at].strip().isdigit() and _counts(column)
    }
    # Of votes, each column is 0 in many rows.
    return found if len(found) > 1 and any(_number(cell) > 0 for at in found for cell in cells[at]) else {}


def ferplus_columns(rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """As :func:`class_columns` for FER+'s own lists, whose columns have no names: a picture, a box, ten numbers."""
    start = 2
    for row in rows:
        votes = [_number(cell) for cell in row[start:]]
        if (
            len(votes) != len(FERPLUS)
            or any(one not in range(MOST_VOTES + 1) for one in votes)
            or sum(votes) > MOST_VOTES
        ):
            return {}
    return {start + at: name for at, name in enumerate(FERPLUS)} if rows else {}


def only_flags(cells: Iterable[str]) -> bool:
    """Whether there is nothing but 0 and 1."""
    return all(_number(cell) in (0, 1) for cell in cells)


def most(cells: Mapping[str, str]) -> str:
    """The class whose cell, by name, holds the most; empty where several do, or one holds no number."""
    numbers = {name: _number(cell) for name, cell in cells.items()}
    top = max(numbers.values(), default=0.0)
    first = [name for name, number in numbers.items() if number == top]
    return first[0] if len(first) == 1 and top > 0 and all(number >= 0 for number in numbers.values()) else ""


def _counts(cells: Sequence[str]) -> bool:
    return all(_number(cell) >= 0 for cell in cells)


def _number(cell: str) -> float:
    """The number in a cell, 0 for an empty one; -1 for what is none."""
    if not cell.strip():
        return 0.0
    try:
        number = float(cell.replace(",", "."))
    except ValueError:
        return -1.0
    return number if math.isfinite(number) else -1.0
