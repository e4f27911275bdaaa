"""The answers to a round as a short text for a link: ten digits and a mark of the faces that they are about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from fer_core.emotions import COUNT

_TEXT = re.compile(rf"([0-{COUNT - 1}]{{1,99}})-([0-9a-f]{{6}})")


@dataclass(frozen=True)
class Played:
    """What a link says: the ``answers``, 0..6 each, and the ``mark`` of the faces that they were given to."""

    answers: tuple[int, ...]
    mark: str


def mark_of(fingerprint: str, rows: Sequence[int]) -> str:
    """Six hexadecimal digits that differ for other faces: of another dataset, or other rows of it."""
    text = f"{fingerprint} {' '.join(map(str, rows))}"
    return blake2b(text.encode(), digest_size=3).hexdigest()


def encode(answers: Sequence[int], mark: str) -> str:
    """The text for a link. ``answers``: 0..6 each. Raises ``ValueError`` for others."""
    text = f"{''.join(map(str, answers))}-{mark}"
    if decode(text) is None:
        raise ValueError(f"{list(answers)} with the mark {mark!r} are no answers")
    return text


def decode(text: str) -> Played | None:
    """What a link says; None where it is no such text. Whether it is about the faces at hand, its mark tells."""
    found = _TEXT.fullmatch(text)
    return None if found is None else Played(tuple(map(int, found[1])), found[2])
