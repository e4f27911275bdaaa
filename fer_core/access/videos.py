"""How long a video may be that is read, and how large one that is played, by who is there."""

from __future__ import annotations

import math

VISITORS_S = 600.0
"""Seconds of a visitor's video: they keep two cores busy for about as long."""
PLAYED_MB, VISITORS_PLAYED_MB = 120, 25
"""Megabytes of a video that is played on the page. What is played lies in memory as long as somebody looks at the page,
and in no books.
"""


def most_seconds(*, owner: bool) -> float:
    """The longest video that is read, in seconds; without end for an owner."""
    return math.inf if owner else VISITORS_S


def most_played(*, owner: bool) -> int:
    """The largest video that is played on the page, in megabytes (10⁶ bytes)."""
    return PLAYED_MB if owner else VISITORS_PLAYED_MB
