"""The leaderboard as a picture: one dot a system, group under group, with chance and people as lines through all."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from fer_core.emotions import COUNT
from fer_core.plots.style import ACCENT, MUTED, RUN_COLOURS, blank

SYMBOLS = ("circle", "diamond", "x-thin-open", "line-ns-open")
"""One a group: groups differ in shape, not in colour alone."""

LABEL = 26
"""Letters in a line of a system's name: on a phone the dots need room, too."""
CHANCE = 1 / COUNT
"""What guessing reaches, where each class is as likely."""
END = 96
"""Per cent at which the axis ends: at its right the accuracies stand in a column, which no line crosses."""
VALUE = "accuracy"
"""What the annotations of that column are called."""
_LINE, _ROW = 0.5, 28
"""A further line of a name takes half a row, and a row so many pixels."""


@dataclass(frozen=True)
class Dot:
    """One system: accuracy 0..1, where it may lie (low, high) or None, and whether to stress it as ours."""

    name: str
    accuracy: float
    span: tuple[float, float] | None = None
    ours: bool = False


def system_dots(groups: Mapping[str, Sequence[Dot]], people: Dot | None = None) -> go.Figure:
    """All groups, the first on top; under each heading its systems in their order. Accuracies in per cent.

    Chance is a dotted line through all groups, and so are ``people``, with their span as a band.
    """
    figure = blank(100)
    ticks: dict[float, str] = {}
    row = 0.0
    for number, (heading, systems) in enumerate(groups.items()):
        # Beside the picture, as the names are: in it, the line of chance would cross it out.
        ticks[row] = f'<span style="font-size:1.2em"><b>{heading}</b></span>'
        figure.add_hline(y=row, line={"color": MUTED, "width": 1}, opacity=0.4, layer="below")
        row += 1
        for system in systems:
            lines = textwrap.wrap(system.name, LABEL)
            row += _LINE * (len(lines) - 1) / 2
            ticks[row] = "<br>".join([f"<b>{line}</b>" if system.ours else line for line in lines])
            figure.add_trace(_trace(system, row, SYMBOLS[number % len(SYMBOLS)]))
            figure.add_annotation(
                x=1,
                xref="paper",
                xanchor="right",
                y=row,
                text=f"<b>{100 * system.accuracy:.1f}</b>" if system.ours else f"{100 * system.accuracy:.1f}",
                showarrow=False,
                name=VALUE,
            )
            row += 1 + _LINE * (len(lines) - 1) / 2
        row += 0.3
    _mark(figure, CHANCE, "chance", None)
    if people is not None:
        _mark(figure, people.accuracy, "people", people.span)
    figure.update_yaxes(
        tickvals=list(ticks), ticktext=list(ticks.values()), range=[row - 0.5, -0.8], showgrid=False, zeroline=False
    )
    figure.update_xaxes(title_text="accuracy (%)", side="bottom", range=[10, END], zeroline=False)
    figure.update_layout(height=90 + round(_ROW * row), showlegend=False, margin={"t": 36})
    return figure


def _mark(figure: go.Figure, accuracy: float, word: str, span: tuple[float, float] | None) -> None:
    """A dotted line through all rows, named on top."""
    at = 100 * accuracy
    figure.add_vline(x=at, line={"color": MUTED, "width": 2, "dash": "dot"}, layer="below")
    if span is not None:
        figure.add_vrect(x0=100 * span[0], x1=100 * span[1], fillcolor=MUTED, opacity=0.15, line_width=0, layer="below")
    figure.add_annotation(x=at, y=1, yref="paper", yanchor="bottom", text=f"{word} {at:.0f} %", showarrow=False)


def _trace(system: Dot, row: float, symbol: str) -> go.Scatter:
    colour = ACCENT if system.ours else RUN_COLOURS[0]
    value = 100 * system.accuracy
    low, high = (100 * system.span[0], 100 * system.span[1]) if system.span else (value, value)
    span = f", {low:.1f} to {high:.1f} %" if system.span else ""
    return go.Scatter(
        x=[value],
        y=[row],
        mode="markers",
        marker={
            "symbol": symbol,
            "size": 12 if system.ours else 9,
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
            "width": 5,
            "visible": system.span is not None,
        },
        hovertemplate=f"{system.name}: {value:.1f} %{span}<extra></extra>",
        cliponaxis=False,
    )


def describe(groups: Mapping[str, Sequence[Dot]], people: Dot | None = None) -> str:
    """What :func:`system_dots` shows, in words."""
    parts = [
        f"{heading}: " + ", ".join(f"{system.name} {100 * system.accuracy:.1f} %" for system in systems)
        for heading, systems in groups.items()
    ]
    marks = f"chance {100 * CHANCE:.0f} %" + (f", people {100 * people.accuracy:.0f} %" if people else "")
    return f"Accuracy of each system, group by group; for comparison {marks}. {'. '.join(parts)}."
