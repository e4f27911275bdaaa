"""Changing the changes: what a slider, a box that is dragged or a stroke does to the steps made so far.

A slider has one value, so it changes the step of its kind where that stands; only the first move appends one. That
keeps links short, and what was painted later stays painted later. Boxes and strokes are appended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.poke.steps import (
    Blur,
    Box,
    Brightness,
    Brush,
    Contrast,
    Mirror,
    Muscle,
    Noise,
    Rotate,
    Shift,
    Step,
)

Steps = tuple[Step, ...]
Kind = TypeVar("Kind", bound=Step)

MOST_POINTS = 48
"""Points that a stroke keeps, so that links stay short: enough for a scribble over a whole face."""
THIN = 0.75
"""Pixels by which a thinned stroke may leave the drawn one: not seen under a brush 2 pixels wide or more."""


def found(steps: Sequence[Step], kind: type[Kind]) -> Kind | None:
    """The last step of a kind, or None."""
    return next((step for step in reversed(steps) if isinstance(step, kind)), None)


def set_step(steps: Sequence[Step], step: Step) -> Steps:
    """The steps with this one in the place of the last of its kind (of its unit, for a muscle), or at their end.

    A step that changes nothing (:func:`is_idle`) takes its place away.
    """
    places = [at for at, one in enumerate(steps) if _same_kind(one, step)]
    if not places:
        return (*steps,) if is_idle(step) else (*steps, step)
    at = places[-1]
    return (*steps[:at], *(() if is_idle(step) else (step,)), *steps[at + 1 :])


def toggle_mirror(steps: Sequence[Step]) -> Steps:
    """Mirrored, or mirrored no longer."""
    return tuple(one for one in steps if not isinstance(one, Mirror)) if found(steps, Mirror) else (*steps, Mirror())


def set_muscles(steps: Sequence[Step], wanted: Mapping[str, float], own: Mapping[str, float]) -> Steps:
    """The steps with muscles at the intensities ``wanted``, 0..1, by name; others stay as they are.

    ``own``: the face's own intensities. A muscle that is wanted as it is in the face needs no step.
    """
    changed: Steps = tuple(steps)
    for name, intensity in wanted.items():
        step = Muscle(int(name.removeprefix("AU")), intensity)
        if abs(intensity - own[name]) > 1e-9:
            changed = set_step(changed, step)
        else:
            changed = tuple(one for one in changed if not _same_kind(one, step))
    return changed


def is_idle(step: Step) -> bool:
    """Whether a slider's step leaves every picture as it is."""
    match step:
        case Brightness(amount=0) | Contrast(factor=1) | Blur(sigma=0) | Noise(strength=0) | Rotate(degrees=0):
            return True
        case Shift(x=0, y=0):
            return True
    return False


def replaced(steps: Sequence[Step], at: int, step: Step) -> Steps:
    """The steps with another one at a place. Raises ``IndexError`` where there is none."""
    if not 0 <= at < len(steps):
        raise IndexError(f"there is no step {at} of {len(steps)}")
    return (*steps[:at], step, *steps[at + 1 :])


def removed(steps: Sequence[Step], at: int) -> Steps:
    """The steps without the one at a place. Raises ``IndexError`` where there is none."""
    if not 0 <= at < len(steps):
        raise IndexError(f"there is no step {at} of {len(steps)}")
    return (*steps[:at], *steps[at + 1 :])


def boxes(steps: Sequence[Step]) -> dict[int, Box]:
    """The painted boxes by their place among the steps."""
    return {at: step for at, step in enumerate(steps) if isinstance(step, Box)}


def placed_box(x: int, y: int, width: int, height: int, grey: int) -> Box:
    """A box of that size with its upper left corner at (x, y), moved as far as needed to lie inside the picture."""
    width, height = (min(IMAGE_SIZE, max(1, side)) for side in (width, height))
    x, y = (min(IMAGE_SIZE - side, max(0, at)) for at, side in ((x, width), (y, height)))
    return Box(x, y, x + width, y + height, grey)


def box_between(one: tuple[int, int], other: tuple[int, int], grey: int) -> Box:
    """The box that two pixels span, both inside it; what lies outside the picture is cut off."""
    (x0, x1), (y0, y1) = (
        sorted(min(IMAGE_SIZE - 1, max(0, value)) for value in pair) for pair in zip(one, other, strict=True)
    )
    return Box(x0, y0, x1 + 1, y1 + 1, grey)


def stroke(points: Sequence[tuple[int, int]], grey: int, width: int) -> Brush:
    """A brush stroke through (x, y) in whole pixels, thinned out. Raises ``ValueError`` as :class:`Brush` does."""
    within = [
        (min(2 * IMAGE_SIZE - 1, max(-IMAGE_SIZE, x)), min(2 * IMAGE_SIZE - 1, max(-IMAGE_SIZE, y))) for x, y in points
    ]
    tolerance, points_left = THIN, thinned(within, THIN)
    while len(points_left) > MOST_POINTS:
        tolerance *= 1.5
        points_left = thinned(within, tolerance)
    return Brush(grey, width, tuple(points_left))


def thinned(points: Sequence[tuple[int, int]], tolerance: float) -> list[tuple[int, int]]:
    """As few of the points as keep the line within ``tolerance`` pixels of each of them.

    Ramer, "An iterative procedure for the polygonal approximation of plane curves", 1972, and Douglas and Peucker,
    1973. The first and the last point stay.
    """
    if len(points) < 3:
        return list(dict.fromkeys(points))
    keep = {0, len(points) - 1}
    open_spans = [(0, len(points) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        away = [(_distance(points[at], points[first], points[last]), at) for at in range(first + 1, last)]
        furthest, at = max(away, default=(0.0, first))
        if furthest > tolerance:
            keep.add(at)
            open_spans += [(first, at), (at, last)]
    return [points[at] for at in sorted(keep)]


def _distance(point: tuple[int, int], start: tuple[int, int], end: tuple[int, int]) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    x, y = point[0] - start[0], point[1] - start[1]
    along = min(1.0, max(0.0, (x * dx + y * dy) / max(1, dx * dx + dy * dy)))
    return float(((x - along * dx) ** 2 + (y - along * dy) ** 2) ** 0.5)


def _same_kind(one: Step, other: Step) -> bool:
    if type(one) is not type(other):
        return False
    return not isinstance(one, Muscle) or (isinstance(other, Muscle) and one.unit == other.unit)
