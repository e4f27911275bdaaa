"""Trials of a sweep: their choices beside their accuracy as parallel coordinates, and their curves in one panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from fer_core.plots.style import ACCENT, MUTED, apply_style, blank


@dataclass(frozen=True)
class Axis:
    """One choice: what it is called, its values as text in order, and for each trial which of them it has."""

    label: str
    values: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Curve:
    """One trial: its run's name, and its PublicTest accuracy (0..1) after each epoch, from the first on."""

    run: str
    accuracies: tuple[float, ...]


SCALES = {
    False: [[0.0, "#A5A5B5"], [0.5, "#8F8BDB"], [1.0, ACCENT]],
    True: [[0.0, "#6E6E80"], [0.5, "#8F8BDB"], [1.0, "#C9C7FF"]],
}
"""From grey to the accent, by whether the page is dark: no line of Plotly's can be thicker than another, so the better
has the more contrast."""


def parallel(axes: Sequence[Axis], accuracies: Sequence[float], height: int = 320, *, dark: bool = False) -> go.Figure:
    """One line a trial, from choice to choice to its PublicTest accuracy (0..1), the bluer the better.

    Values of a choice stand at equal distances, in their order. ``height`` in pixels; ``dark``: the page's theme.
    """
    percents = [100 * accuracy for accuracy in accuracies]
    low, high = min(percents), max(percents)
    room = max(0.5, 0.02 * (high - low))
    dimensions = [
        {
            "label": axis.label,
            "values": axis.places,
            "tickvals": list(range(len(axis.values))),
            "ticktext": axis.values,
            "range": [-0.3, len(axis.values) - 0.7],
        }
        for axis in axes
    ]
    dimensions.append(
        {"label": "PublicTest (%)", "values": percents, "range": [low - room, high + room], "tickformat": ".1f"}
    )
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": percents, "colorscale": SCALES[dark], "cmin": low - room, "cmax": high + room},
            unselected={"line": {"color": MUTED, "opacity": 0.15}},
            labelfont={"size": 14},
            tickfont={"size": 12},
            # The ends of the axes, which the ticks tell, too.
            rangefont={"color": "rgba(0,0,0,0)"},
        )
    )
    apply_style(figure, height)
    figure.update_layout(margin={"l": 64, "r": 64, "t": 56, "b": 24})
    return figure


def describe_parallel(axes: Sequence[Axis], accuracies: Sequence[float]) -> str:
    """What :func:`parallel` shows, in words."""
    best = max(range(len(accuracies)), key=lambda at: accuracies[at])
    chosen = ", ".join(f"{axis.label} {axis.values[axis.places[best]]}" for axis in axes)
    over = ", ".join(axis.label for axis in axes) or "no choice"
    low, high = 100 * min(accuracies), 100 * max(accuracies)
    return (
        f"{len(accuracies)} trials as lines over {over} and PublicTest accuracy, from {low:.1f} to {high:.1f} %. "
        f"The best has {chosen}."
    )


def curves(trials: Sequence[Curve], best: str, height: int = 320) -> go.Figure:
    """PublicTest accuracy by epoch, one line a trial; that of the run ``best`` stands out. ``height`` in pixels."""
    figure = blank(height)
    # The best last, so that it lies above the others.
    for curve in sorted(trials, key=lambda curve: curve.run == best):
        stands_out = curve.run == best
        figure.add_trace(
            go.Scatter(
                x=list(range(1, len(curve.accuracies) + 1)),
                y=[100 * accuracy for accuracy in curve.accuracies],
                mode="lines+markers",
                name=curve.run,
                line={"color": ACCENT if stands_out else MUTED, "width": 3 if stands_out else 1},
                marker={"size": 6 if stands_out else 4},
                opacity=1.0 if stands_out else 0.6,
                showlegend=False,
                hovertemplate=f"{curve.run}<br>epoch %{{x}}: %{{y:.1f}} %<extra></extra>",
            )
        )
    figure.update_xaxes(title="epoch", dtick=1 if max(len(curve.accuracies) for curve in trials) <= 12 else None)
    figure.update_yaxes(title="PublicTest accuracy (%)")
    return figure


def describe_curves(trials: Sequence[Curve], best: str) -> str:
    """What :func:`curves` shows, in words."""
    one = next(curve for curve in trials if curve.run == best)
    return (
        f"PublicTest accuracy of {len(trials)} trials by epoch. The best, {best}, went from "
        f"{100 * one.accuracies[0]:.1f} to {100 * max(one.accuracies):.1f} % in {len(one.accuracies)} epochs."
    )
