"""Accuracy on faces made worse: one small picture a corruption, one line a run; all on one scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.corruptions.kinds import CORRUPTIONS, SEVERITIES
from fer_core.corruptions.robustness import Robustness
from fer_core.plots.style import MUTED, blank, error_bars, run_colour, run_dash, run_symbol

UNTOUCHED = "as is"
"""What stands on the axis where the face is as it is."""
APART = 0.08
"""How far the lines of neighbouring runs are moved apart, in severities, so that their whiskers can be told apart."""


def severity_curves(
    name: str,
    runs: Mapping[str, Robustness],
    *,
    highlighted: tuple[str, int] | None = None,
    guessing: float | None = None,
    height: int = 250,
) -> go.Figure:
    """Accuracy (%) of each run by the strength of one corruption, with 95 % intervals.

    ``name``: of :data:`fer_core.corruptions.kinds.CORRUPTIONS`, measured by all ``runs`` (title to result, on the
    same faces). Each line starts at the untouched faces, at whose accuracy a thin line goes on. ``highlighted``: run
    and severity with a ring around them. ``guessing``: accuracy 0..1 of always giving one answer, a dotted line. The
    ``customdata`` of a point is [run, name, severity], severity 0 for the untouched faces.
    """
    corruption = CORRUPTIONS[name]
    figure = blank(height, corruption.title)
    if guessing is not None:
        figure.add_hline(y=100 * guessing, line={"color": MUTED, "width": 1, "dash": "dot"})
    for position, (title, found) in enumerate(runs.items()):
        values, lows, highs = _line(found, name)
        colour = run_colour(position)
        # About the middle of the group, so that the group as a whole stays where its strength is.
        x = [severity + APART * (position - (len(runs) - 1) / 2) for severity in (0, *SEVERITIES)]
        figure.add_shape(
            type="line", x0=0, x1=5.3, y0=values[0], y1=values[0], line={"color": colour, "width": 1}, opacity=0.5
        )
        chosen = [highlighted == (title, severity) for severity in (0, *SEVERITIES)]
        figure.add_trace(
            go.Scatter(
                x=x,
                y=values,
                mode="lines+markers",
                name=title,
                line={"color": colour, "width": 2, "dash": run_dash(position)},
                marker={
                    "symbol": run_symbol(position),
                    "size": [14 if one else 8 for one in chosen],
                    "color": colour,
                    "line": {"color": MUTED, "width": [3 if one else 0 for one in chosen]},
                },
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 1}},
                error_y=error_bars(values, lows, highs, colour),
                customdata=[[title, name, severity] for severity in (0, *SEVERITIES)],
                text=[
                    f"{title}<br>{_words(name, severity)}<br>{value:.1f} % right ({low:.1f} to {high:.1f} %), "
                    f"n = {len(found.labels):,}"
                    for severity, value, low, high in zip((0, *SEVERITIES), values, lows, highs, strict=True)
                ],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    figure.update_xaxes(
        title_text=corruption.axis,
        tickvals=[0, *SEVERITIES],
        ticktext=[UNTOUCHED, *(f"{strength:g}" for strength in corruption.strengths)],
        range=[-0.4, 5.4],
        zeroline=False,
        showgrid=False,
    )
    figure.update_yaxes(title_text="accuracy (%)", range=[0, _top(runs)], zeroline=False)
    figure.update_layout(showlegend=False, hovermode="closest", clickmode="event+select")
    return figure


def describe_severity_curves(name: str, runs: Mapping[str, Robustness]) -> str:
    """What :func:`severity_curves` shows, in words."""
    corruption = CORRUPTIONS[name]
    parts = []
    for title, found in runs.items():
        values = _line(found, name)[0]
        by_strength = ", ".join(
            f"{value:.1f} % at {strength:g}" for value, strength in zip(values[1:], corruption.strengths, strict=True)
        )
        parts.append(f"{title}: {values[0]:.1f} % untouched, {by_strength}")
    return f"{corruption.title}, accuracy by {corruption.axis}. {'; '.join(parts) or 'No run'}."


def guessing_of(labels: npt.NDArray[np.integer]) -> float:
    """The accuracy 0..1 of always giving the most frequent of these labels, whole numbers (n,), n ≥ 1."""
    return float(np.bincount(labels).max() / len(labels))


def _top(runs: Mapping[str, Robustness]) -> float:
    """Where the axis of accuracy ends, in per cent: the same for each corruption, since they lie side by side."""
    ends = [100 * max(found.clean_interval()[2], float(found.accuracy()[2].max())) for found in runs.values()]
    return max([10.0, *ends]) * 1.04


def _line(found: Robustness, name: str) -> tuple[list[float], list[float], list[float]]:
    """Accuracies and the ends of their intervals, in per cent: untouched, then severities 1 to 5."""
    row = found.names.index(name)
    values, lows, highs = (
        [100 * clean, *(100 * worse[row]).tolist()]
        for clean, worse in zip(found.clean_interval(), found.accuracy(), strict=True)
    )
    return values, lows, highs


def _words(name: str, severity: int) -> str:
    corruption = CORRUPTIONS[name]
    return "untouched" if not severity else f"{corruption.title}: {corruption.strength(severity)}"
