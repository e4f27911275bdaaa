"""The leaderboard as a picture: one dot a system, group under group, each group with a look of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from fer_core.plots.style import ACCENT, RUN_COLOURS, blank

SYMBOLS = ("circle", "diamond", "x-thin-open", "line-ns-open")
"""One a group: groups differ in shape, not in colour alone."""

LABEL = 24
"""Letters in a line of a system's name: on a phone the dots need room, too."""


@dataclass(frozen=True)
class Dot:
    """One system: accuracy 0..1, where it may lie (low, high) or None, and whether to stress it as ours."""

    name: str
    accuracy: float
    span: tuple[float, float] | None = None
    ours: bool = False


def system_dots(groups: Mapping[str, Sequence[Dot]]) -> go.Figure:
    """All groups, the first on top; under each heading its systems in their order. Accuracies in per cent."""
    figure = blank(100)
    ticks: dict[float, str] = {}
    row = 0.0
    for number, (heading, systems) in enumerate(groups.items()):
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=row, text=f"<b>{heading}</b>", showarrow=False, yanchor="middle"
        )
        # A heading may be broken into two lines, so it takes the room of two.
        row += 1
        for system in systems:
            lines = textwrap.wrap(system.name, LABEL)
            ticks[row] = "<br>".join([f"<b>{line}</b>" if system.ours else line for line in lines])
            figure.add_trace(_trace(system, row, SYMBOLS[number % len(SYMBOLS)]))
            row += 1
        row += 0.3
    figure.update_yaxes(
        tickvals=list(ticks), ticktext=list(ticks.values()), range=[row - 0.5, -0.6], showgrid=False, zeroline=False
    )
    figure.update_xaxes(title_text="accuracy (%)", side="bottom")
    figure.update_layout(height=80 + round(40 * row), showlegend=False)
    return figure


def _trace(system: Dot, row: float, symbol: str) -> go.Scatter:
    colour = ACCENT if system.ours else RUN_COLOURS[0]
    value = 100 * system.accuracy
    low, high = (100 * system.span[0], 100 * system.span[1]) if system.span else (value, value)
    span = f", {low:.1f} to {high:.1f} %" if system.span else ""
    return go.Scatter(
        x=[value],
        y=[row],
        mode="markers+text",
        marker={
            "symbol": symbol,
            "size": 13 if system.ours else 10,
            "color": colour,
            "line": {"width": 2, "color": colour},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - value],
            "arrayminus": [value - low],
            "color": colour,
            "thickness": 2,
            "width": 6,
            "visible": system.span is not None,
        },
        text=[f"{value:.1f} %"],
        textposition="top center",
        hovertemplate=f"{system.name}: {value:.1f} %{span}<extra></extra>",
        cliponaxis=False,
    )


def describe(groups: Mapping[str, Sequence[Dot]]) -> str:
    """What :func:`system_dots` shows, in words."""
    parts = [
        f"{heading}: " + ", ".join(f"{system.name} {100 * system.accuracy:.1f} %" for system in systems)
        for heading, systems in groups.items()
    ]
    return f"Accuracy of each system, group by group. {'. '.join(parts)}."
