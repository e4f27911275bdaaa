"""Poke the face: change it step by step and watch what the models make of it.

A state is a tuple of steps, made in that order, each on the picture that the one before left; undoing drops the last.
Nothing depends on anything but the face and the steps, so a link (:mod:`fer_core.explain.poke.links`) shows everybody
the same picture.

Moved muscles are steps, too, so that they can be linked and undone; but they act through the drawing, before all
other steps (:func:`apply_drawn`), since a photo has no muscles to move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import cv2
import numpy as np

from fer_core.data.sample.action_units import ACTION_UNITS
from fer_core.data.sample.redraw import DrawnFace
from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.base import MIDDLE, Faces, Floats, blurred, checked_face, to_grey, warped
from fer_core.explain.regions import Corners, cut_boxes


def _number(least: float, most: float, unit: str) -> Any:
    """A field that must lie in least..most; ``range`` and ``unit`` are in its metadata, for sliders."""
    return field(metadata={"range": (least, most), "unit": unit})


@dataclass(frozen=True)
class Step:
    """One change to a face. Raises ``ValueError`` when made with a value outside the field's range."""

    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if "range" not in one.metadata:
                continue
            least, most = one.metadata["range"]
            whole = one.type == "int"
            if isinstance(value, bool) or not isinstance(value, (int, float)) or (whole and value != int(value)):
                raise ValueError(
                    f"{one.name} of {self.name} must be a {'whole ' if whole else ''}number, not {value!r}"
                )
            if not least <= value <= most:
                raise ValueError(f"{one.name} of {self.name} must lie in {least:g}..{most:g}, not {value!r}")
            object.__setattr__(self, one.name, int(value) if whole else float(value))

    def change(self, pixels: Floats) -> Floats:
        """The changed picture, float32 (48, 48), of one in 0..255; it may leave that range and is cut afterwards."""
        raise NotImplementedError


@dataclass(frozen=True)
class Brightness(Step):
    """Every pixel lighter by ``amount``."""

    name: ClassVar[str] = "brightness"
    amount: float = _number(-255, 255, "grey levels")

    def change(self, pixels: Floats) -> Floats:
        return pixels + np.float32(self.amount)


@dataclass(frozen=True)
class Contrast(Step):
    """Every pixel's distance from the picture's mean times ``factor``: below 1 flatter, above 1 harder."""

    name: ClassVar[str] = "contrast"
    factor: float = _number(0, 4, "times")

    def change(self, pixels: Floats) -> Floats:
        mean = pixels.mean()
        return (mean + np.float32(self.factor) * (pixels - mean)).astype(np.float32)


@dataclass(frozen=True)
class Blur(Step):
    """Gaussian blur."""

    name: ClassVar[str] = "blur"
    sigma: float = _number(0, 12, "pixels")

    def change(self, pixels: Floats) -> Floats:
        return blurred(pixels, self.sigma)


@dataclass(frozen=True)
class Noise(Step):
    """Gaussian noise of standard deviation ``strength``; the same ``seed`` gives the same noise."""

    name: ClassVar[str] = "noise"
    strength: float = _number(0, 128, "grey levels")
    seed: int = _number(0, 2**31 - 1, "")

    def change(self, pixels: Floats) -> Floats:
        noise = np.random.default_rng(self.seed).standard_normal(pixels.shape, dtype=np.float32)
        return pixels + np.float32(self.strength) * noise


@dataclass(frozen=True)
class Rotate(Step):
    """Turned clockwise about the middle; what comes in from outside repeats the edge."""

    name: ClassVar[str] = "rotate"
    degrees: float = _number(-180, 180, "degrees")

    def change(self, pixels: Floats) -> Floats:
        return warped(pixels, cv2.getRotationMatrix2D((MIDDLE, MIDDLE), -self.degrees, 1.0))


@dataclass(frozen=True)
class Shift(Step):
    """Moved to the right by ``x`` and down by ``y``; what comes in from outside repeats the edge."""

    name: ClassVar[str] = "shift"
    x: float = _number(-24, 24, "pixels")
    y: float = _number(-24, 24, "pixels")

    def change(self, pixels: Floats) -> Floats:
        return warped(pixels, np.array([[1, 0, self.x], [0, 1, self.y]], dtype=np.float64))


@dataclass(frozen=True)
class Mirror(Step):
    """Left and right exchanged."""

    name: ClassVar[str] = "mirror"

    def change(self, pixels: Floats) -> Floats:
        return np.ascontiguousarray(pixels[:, ::-1])


@dataclass(frozen=True)
class Box(Step):
    """A rectangle painted over with one grey: pixels x0 ≤ x < x1, y0 ≤ y < y1."""

    name: ClassVar[str] = "box"
    x0: int = _number(0, IMAGE_SIZE, "pixels")
    y0: int = _number(0, IMAGE_SIZE, "pixels")
    x1: int = _number(0, IMAGE_SIZE, "pixels")
    y1: int = _number(0, IMAGE_SIZE, "pixels")
    grey: int = _number(0, 255, "grey levels")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.x0 >= self.x1 or self.y0 >= self.y1:
            raise ValueError(f"a box must have an inside, not {self.x0}..{self.x1} by {self.y0}..{self.y1}")

    def change(self, pixels: Floats) -> Floats:
        painted = pixels.copy()
        painted[self.y0 : self.y1, self.x0 : self.x1] = self.grey
        return painted


@dataclass(frozen=True)
class Brush(Step):
    """A stroke of one grey through ``points``, (x, y) in whole pixels, with round ends; one point makes a dot."""

    name: ClassVar[str] = "brush"
    grey: int = _number(0, 255, "grey levels")
    width: int = _number(1, 24, "pixels")
    points: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        points = tuple((int(x), int(y)) for x, y in self.points)
        if not points or not all(-IMAGE_SIZE <= value < 2 * IMAGE_SIZE for point in points for value in point):
            raise ValueError("a brush stroke needs one point or more, none of them far outside the picture")
        object.__setattr__(self, "points", points)

    def change(self, pixels: Floats) -> Floats:
        y, x = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE]
        painted = np.zeros(pixels.shape, dtype=np.bool_)
        for (x0, y0), (x1, y1) in zip(self.points, self.points[1:] or self.points, strict=False):
            dx, dy = x1 - x0, y1 - y0
            along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(1, dx * dx + dy * dy), 0, 1)
            painted |= np.hypot(x - x0 - along * dx, y - y0 - along * dy) <= self.width / 2
        return np.where(painted, np.float32(self.grey), pixels)


@dataclass(frozen=True)
class Muscle(Step):
    """Action unit AU``unit`` of a drawn face at an intensity of its own; 0 is at rest. Of two, the later one counts."""

    name: ClassVar[str] = "muscle"
    unit: int = _number(1, 99, "")
    intensity: float = _number(0, 1, "")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.au not in ACTION_UNITS:
            raise ValueError(f"no face has a unit {self.au}; there are {', '.join(ACTION_UNITS)}")

    @property
    def au(self) -> str:
        """The unit's name, such as ``AU12``."""
        return f"AU{self.unit}"

    def change(self, pixels: Floats) -> Floats:
        raise ValueError("only drawn faces have muscles to move: see apply_drawn")


KINDS: dict[str, type[Step]] = {
    kind.name: kind for kind in (Brightness, Contrast, Blur, Noise, Rotate, Shift, Mirror, Box, Brush, Muscle)
}
"""All steps by the name they have in links."""


def apply(face: Faces, steps: Sequence[Step]) -> Faces:
    """The face uint8 (48, 48) after all steps in their order, uint8 (48, 48); the face itself stays as it is.

    Each step's result is cut to 0..255, and rounded once at the end. Raises ``ValueError`` for another shape or dtype,
    and for a muscle.
    """
    pixels = checked_face(face).astype(np.float32)
    for step in steps:
        pixels = np.clip(step.change(pixels), 0, 255).astype(np.float32)
    return to_grey(pixels)


def apply_drawn(face: DrawnFace, steps: Sequence[Step]) -> tuple[Faces, dict[str, Corners]]:
    """A drawn face with its muscles moved, then changed by all other steps in their order: uint8 (48, 48).

    Also where ``brows``, ``eyes`` and ``mouth`` are once the muscles have moved, (x0, y0, x1, y1) in pixels.
    """
    image, regions = face.draw(moved(steps))
    return apply(image, without_muscles(steps)), cut_boxes(regions)


def moved(steps: Sequence[Step]) -> dict[str, float]:
    """Which muscles the steps move, by name, and to what intensity, 0..1."""
    return {step.au: step.intensity for step in steps if isinstance(step, Muscle)}


def without_muscles(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that any face can take."""
    return tuple(step for step in steps if not isinstance(step, Muscle))


def undo(steps: Sequence[Step]) -> tuple[Step, ...]:
    """All steps but the last."""
    return tuple(steps[:-1])
