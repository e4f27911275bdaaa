"""What all figures share: transparent backgrounds, margins, colours. The classes' own are in ``fer_core/emotions.py``.

Text and grid lines have no colour of their own, so that they take the theme's, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import plotly.graph_objects as go

ACCENT = "#6C67D6"
"""Indigo between the light and the dark theme's accent: 3:1 or better on both backgrounds."""

RUN_COLOURS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377")
"""One a run, in order, then again from the first: Tol's "bright" scheme, safe for colour-blind people
(https://sronpersonalpages.nl/~pault/). Never used for a class."""

RUN_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
RUN_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
"""One a run, as its colour, so that runs can be told apart without it."""

SELECTED = "#B100CD"
"""What is chosen or stands out: a violet far from every class's colour, which means that class and nothing else."""
PICKED = "rgba(177,0,205,0.35)"
"""The same, laid over what was clicked."""
MUTED = "#7F7F8F"
"""Reference lines and means: 3:1 or better on both themes' backgrounds."""

LABEL_SHARE = 0.08
"""How far apart labels beside lines stand at least, as a share of the axis."""

Scale = tuple[tuple[float, str], ...]
LIGHT_SCALE: Scale = ((0.0, "#F3F3FB"), (0.5, "#8F8BDB"), (1.0, "#2A2677"))
DARK_SCALE: Scale = ((0.0, "#23232E"), (0.5, "#6A66BC"), (1.0, "#C9C6FA"))
"""The one sequential scale, least to most, for each theme: the least is near the background."""


def places(shown: Iterable[str], order: Sequence[str] = ()) -> list[int]:
    """The position of each of ``shown`` in its comparison, so that a run keeps its colour where others are not shown.

    ``order``: all runs of the comparison; without it the shown ones are all.
    """
    shown = list(shown)
    everyone = list(order) or shown
    return [everyone.index(name) for name in shown]


def run_colour(position: int) -> str:
    """The colour of the run at that position of a comparison."""
    return RUN_COLOURS[position % len(RUN_COLOURS)]


def run_dash(position: int) -> str:
    """The dash of that run's lines, where dashes do not already tell splits apart."""
    return RUN_DASHES[position % len(RUN_DASHES)]


def run_symbol(position: int) -> str:
    """The marker of that run."""
    return RUN_SYMBOLS[position % len(RUN_SYMBOLS)]


def apart(values: Sequence[float], least: float) -> list[float]:
    """``values``, in their order, moved so that no two are nearer than ``least``: places of labels beside lines.

    Values that are too near each other are spread about their mean.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    groups: list[list[int]] = []
    middles: list[float] = []
    for at in order:
        groups.append([at])
        middles.append(values[at])
        while len(groups) > 1 and middles[-1] - middles[-2] < least * (len(groups[-1]) + len(groups[-2])) / 2:
            groups[-2:] = [groups[-2] + groups[-1]]
            middles[-2:] = [sum(values[one] for one in groups[-1]) / len(groups[-1])]
    placed = [0.0] * len(values)
    for group, middle in zip(groups, middles, strict=True):
        for position, at in enumerate(group):
            placed[at] = middle + least * (position - (len(group) - 1) / 2)
    return placed


def error_bars(
    values: Sequence[float], lows: Sequence[float], highs: Sequence[float], colour: str
) -> dict[str, object]:
    """Plotly's ``error_x`` or ``error_y`` for intervals ``lows``..``highs`` around ``values``."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for high, value in zip(highs, values, strict=True)],
        "arrayminus": [value - low for low, value in zip(lows, values, strict=True)],
        "color": colour,
        "thickness": 2,
        "width": 4,
    }


def blank(height: int, title: str = "") -> go.Figure:
    """An empty figure. ``height`` in pixels."""
    figure = go.Figure()
    apply_style(figure, height, title)
    return figure


def apply_style(figure: go.Figure, height: int, title: str = "") -> None:
    """Give a figure the shared look. ``height`` in pixels; the width is the page's."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 48 if title else 24, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0},
        dragmode=False,
    )
    if title:
        figure.update_layout(title={"text": title, "font": {"size": 15}})


def scale_colour(scale: Scale, value: float) -> tuple[float, float, float]:
    """The colour of ``value`` (0..1) on a scale, as red, green and blue 0..255."""
    value = min(max(value, 0.0), 1.0)
    for (low, first), (high, second) in pairwise(scale):
        if value <= high:
            share = (value - low) / (high - low)
            start, end = rgb(first), rgb(second)
            return (
                start[0] + share * (end[0] - start[0]),
                start[1] + share * (end[1] - start[1]),
                start[2] + share * (end[2] - start[2]),
            )
    return rgb(scale[-1][1])


def readable_on(colour: Sequence[float]) -> str:
    """Black or white, whichever has more contrast on ``colour`` (red, green, blue, 0..255).

    Contrast is WCAG 2.2's ratio of relative luminances; the better of the two is never below 4.5:1.
    """
    luminance = relative_luminance(colour)
    return "#000000" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "#FFFFFF"


def relative_luminance(colour: Sequence[float]) -> float:
    """WCAG's relative luminance, 0 (black) to 1 (white), of red, green and blue 0..255."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def rgb(colour: str) -> tuple[float, float, float]:
    """``#RRGGBB`` as red, green and blue, 0..255."""
    return float(int(colour[1:3], 16)), float(int(colour[3:5], 16)), float(int(colour[5:7], 16))
