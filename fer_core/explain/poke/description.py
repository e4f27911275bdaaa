"""Changes to a face, and what they did to an answer, in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.data.sample.action_units import WORDS
from fer_core.emotions import COUNT, NAMES
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
from fer_core.formatting import percent, plural

QUIET = 0.005
"""Change of a probability below which nothing is said to have changed: it would not show in whole per cents."""


def step_words(step: Step) -> str:
    """``brightness +30 grey levels``, ``box 24×12 pixels at 12 across, 30 down, painted grey 127``."""
    match step:
        case Brightness(amount=amount):
            return f"brightness {_signed(amount)} grey levels"
        case Contrast(factor=factor):
            return f"contrast times {factor:g}"
        case Blur(sigma=sigma):
            return f"blur of {sigma:g} pixels"
        case Noise(strength=strength, seed=seed):
            return f"noise of {strength:g} grey levels, number {seed}"
        case Rotate(degrees=degrees):
            return f"turned by {abs(degrees):g}° {'clockwise' if degrees >= 0 else 'anticlockwise'}"
        case Shift(x=x, y=y):
            return f"moved by {_signed(x)} pixels to the right and {_signed(y)} down"
        case Mirror():
            return "mirrored"
        case Box(x0=x0, y0=y0, x1=x1, y1=y1, grey=grey):
            return f"box {x1 - x0}×{y1 - y0} pixels at {x0} across, {y0} down, painted {_grey(grey)}"
        case Brush(grey=grey, width=width, points=points):
            return f"stroke {plural(width, 'pixel')} wide through {plural(len(points), 'point')}, {_grey(grey)}"
        case Muscle(intensity=intensity):
            return f"{WORDS[step.au].lower()} ({step.au}) at {percent(intensity, 0)}"
    raise TypeError(f"there are no words for {step!r}")


def changes_mind(before: npt.ArrayLike, after: npt.ArrayLike) -> bool:
    """Whether the likeliest of seven probabilities is another one."""
    return int(np.argmax(_seven(before))) != int(np.argmax(_seven(after)))


def answer_words(name: str, before: npt.ArrayLike, after: npt.ArrayLike) -> str:
    """``resnet50 changes its mind: fear 61 % → surprise 48 %``, or that it stays and how sure it is now."""
    first, second = _seven(before), _seven(after)
    was, now = int(first.argmax()), int(second.argmax())
    if was != now:
        return (
            f"{name} changes its mind: {NAMES[was]} {percent(first[was], 0)} → {NAMES[now]} {percent(second[now], 0)}"
        )
    if abs(second[was] - first[was]) < QUIET:
        return f"{name} stays with {NAMES[was]}, {percent(first[was], 0)}"
    return f"{name} stays with {NAMES[was]}: {percent(first[was], 0)} → {percent(second[was], 0)}"


def _seven(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    row = np.asarray(values, dtype=np.float64)
    if row.shape != (COUNT,):
        raise ValueError(f"{COUNT} probabilities were expected, not shape {row.shape}")
    return row


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"


def _grey(grey: int) -> str:
    return {0: "black", 255: "white"}.get(grey, f"grey {grey} of 255")
