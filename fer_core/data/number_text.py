"""The numbers in a cell of text: parted by blanks or commas, in brackets or not, whole or not."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from fer_core.data.pixel_values import PixelError

_BRACKETS = str.maketrans({"[": " ", "]": " ", "(": " ", ")": " ", ";": " "})


def numbers_in(text: str) -> npt.NDArray[np.float64]:
    """The numbers in a cell, float64 (n,). Raises ``PixelError`` for what is no number."""
    text = text.translate(_BRACKETS).strip()
    if "," in text:
        # "0,5 0,25" has decimal commas; "70, 80" and "70,80" have commas between.
        text = text.replace(",", "." if re.match(r"\d+,\d+\s+\d", text) else " ")
    tokens = text.split()
    try:
        values = np.fromstring(text, np.float64, sep=" ")
    except ValueError:
        # NumPy 2.4 on; before, it returned the values up to the oddity.
        values = np.empty(0)
    if len(values) == len(tokens) and np.isfinite(values).all() and "+" not in text:
        return values
    return numbers_of(tokens)


def numbers_of(cells: list[str]) -> npt.NDArray[np.float64]:
    """The number that each cell is, float64 (n,). Raises ``PixelError`` that names the first that is none."""
    if "..." in cells or "…" in cells:
        raise PixelError(
            "the pixels were shortened to “...” by whoever wrote them as text, so most are lost. Write the table anew, "
            "with image.tolist()"
        )
    try:
        values = np.array([float(cell.replace(",", ".")) for cell in cells], np.float64)
    except ValueError:
        position, cell = next((i, cell) for i, cell in enumerate(cells, start=1) if not _is_number(cell))
        shown = repr(cell.strip()[:30])
        raise PixelError(f"pixel {position:,} is {shown}, which is not a number", shown) from None
    if not np.isfinite(values).all():
        raise PixelError(f"pixel {int(np.flatnonzero(~np.isfinite(values))[0]) + 1:,} is no finite number")
    return values


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
