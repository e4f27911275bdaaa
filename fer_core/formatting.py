"""Numbers as people read them, with a unit, rounded to what can be trusted; and people's own words as plain text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TypedDict

_MEANS_SOMETHING = re.compile(
    r"""[\\`*\[\]<>\#~$|@]       # code, emphasis, links, HTML, headings, formulas, tables, addresses
    | :(?=[\w/])                # colours, icons, emoji, addresses
    | &(?=[\#\w])               # HTML by name
    | (?<=www)\.                # addresses without a scheme
    | (?<![^\W_])_ | _(?![^\W_]) # emphasis; inside a word an underscore is one
    | ^\s*(?:[+-]|\d+[.)])(?=[\s-]|$)  # lists, rules""",
    re.VERBOSE | re.IGNORECASE,
)
_WIDE = 0xFEE0
"""From an ASCII sign to its wide twin."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def plain(words: str) -> str:
    """Somebody's own words as Markdown in one line that shows just these words: no format, link, picture or HTML."""
    return _MEANS_SOMETHING.sub(_escaped, _UNPRINTABLE.sub(" ", words))


def harmless(words: str) -> str:
    """Somebody's own words in one line that mean nothing in Markdown, HTML or a figure, wherever they stand there.

    Signs that would mean something are replaced by their wide twins (``＊`` for ``*``), which every place shows alike.
    """
    line = " ".join(_UNPRINTABLE.sub(" ", words).split())
    return _MEANS_SOMETHING.sub(lambda found: found[0][:-1] + chr(ord(found[0][-1]) + _WIDE), line)


def is_plain(name: str) -> bool:
    """Whether a name shows just itself wherever it stands in Markdown and in HTML, and needs no :func:`plain`."""
    return plain(f"x{name}") == f"x{name}"


def _escaped(found: re.Match[str]) -> str:
    # Of "1." at the beginning the dot is what makes a list; of "  #" the sign.
    return f"{found[0][:-1]}\\{found[0][-1]}"


def duration(seconds: float) -> str:
    """A length of time: ``45 s``, ``6 min``, ``1 h 20 min``, ``2 d 3 h``."""
    seconds = max(0, round(seconds))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def count(number: float) -> str:
    """A large count, shortened: ``812``, ``14.7 thousand``, ``23.5 million``, ``1.2 billion``."""
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e4, "thousand")):
        if number >= size:
            return f"{number / (1e3 if word == 'thousand' else size):.1f} {word}"
    return f"{number:,.0f}"


def percent(value: float, digits: int = 1) -> str:
    """A fraction 0..1 as ``61.3 %``."""
    return f"{value * 100:.{digits}f} %"


def points(difference: float, digits: int = 1) -> str:
    """A difference of two fractions in percentage points, with its sign: ``+0.8 points``, ``−1.2 points``."""
    return f"{difference * 100:+.{digits}f} points".replace("-", "−")


class _Interval(TypedDict):
    """Of all that is known of an accuracy, its interval, 0..1."""

    accuracy_low: float
    accuracy_high: float


def interval(scores: _Interval) -> str:
    """The 95 % interval of one split's accuracy, as ``59.7–62.9 %``; "unknown" for 0..1, which says nothing."""
    if (scores["accuracy_low"], scores["accuracy_high"]) == (0, 1):
        return "unknown"
    return f"{scores['accuracy_low'] * 100:.1f}–{scores['accuracy_high'] * 100:.1f} %"


def moment(iso: str) -> str:
    """A UTC time in ISO 8601 as ``2026-03-01 14:05 UTC``; an empty text for an empty one."""
    return f"{iso[:10]} {iso[11:16]} UTC" if iso else ""


def small(value: float) -> str:
    """A small number above 0 by its first two digits, written out: ``0.0039``, ``0.000031``, ``0.25``, ``12``."""
    digits = max(0, 1 - math.floor(math.log10(value)))
    return f"{value:.{digits}f}"


def plural(number: float, one: str, many: str = "") -> str:
    """``1 epoch``, ``1,200 epochs``; ``many`` where adding an s is wrong."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """Several names in a sentence: ``happy``, ``happy and sad``, ``happy, sad and fear``."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), *names[-1:]])


def ordinal(number: int) -> str:
    """A place in a row: ``1st``, ``12th``, ``1,023rd``."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
