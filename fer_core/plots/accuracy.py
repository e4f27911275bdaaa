"""Accuracies with their intervals: a dot and a whisker a run."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from fer_core.plots.style import ACCENT, blank, error_bars
from fer_core.stats.metrics import Accuracy


def intervals(titles: Sequence[str], scores: Sequence[Accuracy], *, height: int | None = None) -> go.Figure:
    """One line a run, the first on top: accuracy and its 95 % interval, in per cent. ``height`` in pixels.

    ``scores``: SCORES of ``metrics.json``, of which ``accuracy``, ``accuracy_low``, ``accuracy_high`` and
    ``n`` are used. Raises ``ValueError`` where the two lists differ in length. Titles may repeat.
    """
    if len(titles) != len(scores):
        raise ValueError(f"{len(titles)} titles for {len(scores)} scores")
    accuracies = [100 * entry["accuracy"] for entry in scores]
    lows = [100 * entry["accuracy_low"] for entry in scores]
    highs = [100 * entry["accuracy_high"] for entry in scores]
    figure = blank(height or 90 + 44 * max(1, len(titles)))
    figure.add_trace(
        go.Scatter(
            x=accuracies,
            y=list(range(len(titles))),
            mode="markers+text",
            marker={"size": 11, "color": ACCENT},
            error_x=error_bars(accuracies, lows, highs, ACCENT),
            text=[f"{value:.1f} %" for value in accuracies],
            textposition="top center",
            customdata=[
                f"{title}: {value:.1f} %, 95 % interval {low:.1f} to {high:.1f} %, n = {entry['n']:,} faces"
                for title, value, low, high, entry in zip(titles, accuracies, lows, highs, scores, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    labels = [f"{title}<br>n = {entry['n']:,}" for title, entry in zip(titles, scores, strict=True)]
    figure.update_yaxes(
        tickvals=list(range(len(titles))),
        ticktext=labels,
        range=[len(titles) - 0.4, -0.75],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(title_text="accuracy (%)")
    return figure


def describe(titles: Sequence[str], scores: Sequence[Accuracy]) -> str:
    """What :func:`intervals` shows, in words."""
    parts = [
        f"{title} {100 * entry['accuracy']:.1f} %, 95 % interval {100 * entry['accuracy_low']:.1f} to "
        f"{100 * entry['accuracy_high']:.1f} %, {entry['n']:,} faces"
        for title, entry in zip(titles, scores, strict=True)
    ]
    return f"Accuracy with its interval. {'; '.join(parts) or 'No run'}."
