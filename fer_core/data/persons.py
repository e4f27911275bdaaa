"""Whose face is whose, where the files' names tell: CK+, JAFFE, KDEF, and names such as ``subject12`` or ``Actor_03``.

Only whether two faces are of one person is told on, as numbers: names of persons go no further than here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

_RULES = (
    # CK+: S005_001_00000011.png
    re.compile(r"(?:^|/)(S\d{3})_\d{3}_\d{8}(?=\D|$)"),
    # JAFFE: KA.AN1.39.tiff
    re.compile(r"(?:^|/)([A-Z]{2})\.(?:AN|DI|FE|HA|NE|SA|SU)\d+\.\d+(?=\D|$)"),
    # KDEF: AF01ANS.JPG; the first letter is the session, and the same person comes to both
    re.compile(r"(?:^|/)[AB]([FM]\d{2})(?:AF|AN|DI|HA|NE|SA|SU)(?:S|HL|HR|FL|FR)(?=\W|$)"),
    # In the name of the file or of a folder around it
    re.compile(
        r"(?:^|[^a-z])(?:subject|subj|person|participant|actor|actress|speaker)[-_ ]?(\d+)(?!\d)", re.IGNORECASE
    ),
)
_FACES_EACH = 2.0
"""Faces of each person, on average, below which a number in a name is rather the face's own."""


def persons_of(dataset: Dataset, rows: npt.ArrayLike) -> npt.NDArray[np.int64] | None:
    """A number for each of these faces, int64 (n,) from 0, the same for faces of one person; None where nothing tells.

    ``rows``: int (n,). Raises ``DataError`` for a damaged dataset.
    """
    names = dataset.column("source_name").to_pylist()
    return persons_in([str(names[row]) for row in np.asarray(rows).tolist()])


def persons_in(names: Sequence[str]) -> npt.NDArray[np.int64] | None:
    """:func:`persons_of` from the names themselves: by the first rule that fits every one of them.

    None where no rule does, all are of one person, or hardly any person has a second face.
    """
    for rule in _RULES:
        found = _found_by(rule, names)
        if not found:
            continue
        _, numbers = np.unique(np.array(found, dtype=np.str_), return_inverse=True)
        persons = int(numbers.max()) + 1
        if 1 < persons <= len(names) / _FACES_EACH:
            return numbers.astype(np.int64)
    return None


def _found_by(rule: re.Pattern[str], names: Sequence[str]) -> list[str]:
    """Who each name names; empty where one names nobody, which most datasets' first name does."""
    found = []
    for name in names:
        match = rule.search(name.replace("\\", "/"))
        if match is None:
            return []
        found.append(match[1].lower().lstrip("0"))
    return found
