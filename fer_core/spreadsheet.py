"""Tables that people open in a spreadsheet: text in them is never taken for a formula.

A spreadsheet computes what begins with ``=``, ``+``, ``-`` or ``@``, and such a formula may send data away or start a
program. A run, a file or a note may well be called so. Therefore a text like that gets an apostrophe in front, as OWASP
advises (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay numbers, and :func:`plain` gives back the
very text that :func:`cell` was given.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Any

# Full-width signs too, which Japanese and Chinese spreadsheets take for the others.
_SIGNS = "=+\\-@＝＋－＠"
# Blanks that spreadsheets cut off before they look: tabs and line ends are not among them, those end a cell for some.
_BLANKS = r"[^\S\t\r\n]|[\x00-\x08\x0e-\x1f\ufeff\u200b]"
# Where a cell begins: at the start, and, for a spreadsheet that cuts lines elsewhere than at commas, behind its marks.
_START = r"(?:\A|(?<=[;\t\r\n]))"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TO_MEND = re.compile(rf"{_START}(?='*(?:{_BLANKS})*[{_SIGNS}])|\A(?='*[\t\r\n])")
_TO_UNDO = re.compile(rf"{_START}'(?='*(?:{_BLANKS})*[{_SIGNS}])|\A'(?='*[\t\r\n])")


def cell(value: Any) -> Any:
    """What to write for ``value``: a text that a spreadsheet would compute gets an apostrophe, all else stays."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return _TO_MEND.sub("'", value)


def plain(text: str) -> str:
    """The text that :func:`cell` made ``text`` from."""
    return _TO_UNDO.sub("", text)


class SpreadsheetWriter:
    """A :func:`csv.writer` whose every cell, headers included, is made harmless by :func:`cell`."""

    def __init__(self, file: Any, **options: Any) -> None:
        """``file``: open for text with ``newline=""``. ``options``: those of :func:`csv.writer`."""
        self._writer = csv.writer(file, **options)

    def writerow(self, row: Iterable[Any], /) -> None:
        """Write one line."""
        self._writer.writerow([cell(value) for value in row])

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write many lines."""
        for row in rows:
            self.writerow(row)
