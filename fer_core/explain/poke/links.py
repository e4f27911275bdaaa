"""Changes to a face as a short text for an address, and as JSON.

>>> steps = (Brightness(30), Rotate(-10), Box(12, 30, 36, 42, 127))
>>> to_text(steps)
'brightness_30~rotate_-10~box_12_30_36_42_127'
>>> from_text(to_text(steps)) == steps
True
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from fer_core.errors import ExplainError
from fer_core.explain.poke.steps import KINDS, Step
from fer_core.value_types import JsonObject

MOST_STEPS = 60
LONGEST_TEXT = 6000
"""Characters. Servers and browsers take addresses of 8,000."""
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{0,20})?(?:e[+-]?[0-9]{1,3})?")
BETWEEN_STEPS, BETWEEN_VALUES, BETWEEN_COORDINATES = "~", "_", "."
"""Characters that an address carries as they are."""


def to_text(steps: Sequence[Step]) -> str:
    """The steps as a text for an address, letters, digits and ``_ ~ . -`` only; empty for no steps.

    Raises ``ExplainError`` for more than :data:`MOST_STEPS` steps or :data:`LONGEST_TEXT` characters.
    """
    text = BETWEEN_STEPS.join(
        BETWEEN_VALUES.join([step.name, *(_value_text(getattr(step, one.name)) for one in fields(step))])
        for step in steps
    )
    _check_size(len(steps), text)
    return text


def from_text(text: str) -> tuple[Step, ...]:
    """The steps of a link. Raises ``ExplainError`` for anything that :func:`to_text` never writes."""
    parts = text.split(BETWEEN_STEPS) if text else []
    _check_size(len(parts), text)
    return tuple(_step_of(part) for part in parts)


def to_json(steps: Sequence[Step]) -> list[JsonObject]:
    """The steps as objects of plain values, for example ``{"step": "rotate", "degrees": -10.0}``."""
    return [{"step": step.name} | {one.name: getattr(step, one.name) for one in fields(step)} for step in steps]


def from_json(values: Sequence[JsonObject]) -> tuple[Step, ...]:
    """The steps of :func:`to_json`, also after a journey through JSON. Raises ``ExplainError`` for anything else."""
    steps = []
    for value in values:
        known: dict[str, Any] = dict(value)
        kind = KINDS.get(str(known.pop("step", "")))
        try:
            if kind is None:
                raise ValueError(f"there is no such step; there are {', '.join(KINDS)}")
            steps.append(kind(**known))
        except (TypeError, ValueError, OverflowError) as error:
            raise ExplainError(f"{dict(value)} is not a change to a face: {error}.") from error
    return tuple(steps)


def _value_text(value: float | tuple[tuple[int, int], ...]) -> str:
    if isinstance(value, tuple):
        return BETWEEN_COORDINATES.join(str(number) for point in value for number in point)
    return str(int(value)) if value == int(value) else repr(value)


def _step_of(part: str) -> Step:
    name, *values = part.split(BETWEEN_VALUES)
    kind = KINDS.get(name)
    try:
        if kind is None:
            raise ValueError(f"there is no step {name[:40]!r}; there are {', '.join(KINDS)}")
        wanted = [one.name for one in fields(kind)]
        if len(values) != len(wanted):
            raise ValueError(f"{name} takes {len(wanted)} values ({', '.join(wanted) or 'none'}), not {len(values)}")
        return kind(**{key: _value_of(key, value) for key, value in zip(wanted, values, strict=True)})
    except ValueError as error:
        raise ExplainError(f"This link has a change to the face that is none, {part[:60]!r}: {error}.") from error


def _value_of(key: str, text: str) -> float | tuple[tuple[int, int], ...]:
    if key == "points":
        numbers = text.split(BETWEEN_COORDINATES)
        if not all(_WHOLE.fullmatch(number) for number in numbers) or len(numbers) % 2:
            raise ValueError("points are pairs of whole numbers, such as 3.4.10.12")
        return tuple(zip(map(int, numbers[::2]), map(int, numbers[1::2]), strict=True))
    # Digits that Python reads and no link of ours has, such as Arabic ones, spaces or thousands of them, are refused.
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{key} is not a finite number")
    return value


def _check_size(steps: int, text: str) -> None:
    if steps > MOST_STEPS or len(text) > LONGEST_TEXT:
        raise ExplainError(
            f"A link carries at most {MOST_STEPS} changes and {LONGEST_TEXT:,} characters, not {steps} and "
            f"{len(text):,}. Undo some changes, or paint with fewer strokes."
        )
