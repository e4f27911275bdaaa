"""Kinds of values that files hold: counts, shares, hashes, moments, lines of text. Types only, with their ranges.

The contracts of files (``contracts.py`` of each package) are written in these words. To Python and mypy they are plain
``int``, ``float`` and ``str``; :mod:`fer_core.reading` holds what it reads against the ranges.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Gt, Le, MaxLen, MinLen, Predicate

LONGEST_LINE = 300
"""Characters of a name or title: several times what fits on a screen, and far from what makes a page unusable."""
LONGEST_TEXT = 5_000
MOST_EPOCHS = 10_000
"""Epochs of one training."""

JsonObject = Mapping[str, object]
"""What ``json.dumps`` takes, made to be written: for people's programs, and never looked into again here."""

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


def is_line(text: str) -> bool:
    """Whether a text is one line to be shown to people: no control characters, no halves of characters."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text)


def is_sha256(text: str) -> bool:
    """Whether it is 64 hexadecimal digits in lower case."""
    return _HEX.fullmatch(text) is not None


def is_moment(text: str) -> bool:
    """Whether it is a moment in ISO 8601 with its time zone, in this millennium."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return moment.tzinfo is not None and 2000 <= moment.year < 3000


Count = Annotated[int, Ge(0), Le(10**12)]
Epoch = Annotated[int, Ge(0), Le(MOST_EPOCHS)]
"""An epoch's number, from 1, or how many there were; 0 where nothing was trained."""
Share = Annotated[float, Ge(0), Le(1)]
"""0..1."""
Gain = Annotated[float, Ge(-1), Le(1)]
"""The difference of two shares, -1..1."""
Amount = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Line = Annotated[str, MaxLen(LONGEST_LINE), Predicate(is_line)]
Name = Annotated[str, MinLen(1), MaxLen(LONGEST_LINE), Predicate(is_line)]
Text = Annotated[str, MaxLen(LONGEST_TEXT)]
Sha256 = Annotated[str, Predicate(is_sha256)]
Moment = Annotated[str, Predicate(is_moment)]
