"""The reliability diagram: how often a model is right, by how sure it is, above a histogram of how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_core.plots.style import MUTED, apply_style, places, run_colour, run_dash, run_symbol

if TYPE_CHECKING:
    from fer_core.stats.calibration import Reliability


def diagram(results: Mapping[str, Reliability], *, order: Sequence[str] = (), height: int = 460) -> go.Figure:
    """Accuracy by confidence, in per cent, with 95 % intervals; below it the faces in each bin.

    ``results``: title to :func:`fer_core.stats.calibration.reliability`; one model, several, or one with and
    without its temperature; up to six, all with the same bins. A point lies at its bin's mean confidence; empty bins
    have none. On the dotted line confidence and accuracy agree; below it a model is too sure. A single model's
    histogram is bars, several are outlines. ``order``: as in :func:`fer_core.plots.style.places`.

    ``customdata`` of points and bars is the bin's number from 0, for
    :func:`fer_core.stats.metrics.confidence_bins`. Raises ``ValueError`` for no model or other bins.
    """
    edges = _edges(results)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.05)
    apply_style(figure, height)
    figure.add_shape(
        type="line", x0=0, y0=0, x1=100, y1=100, line={"color": MUTED, "width": 1, "dash": "dot"}, layer="below"
    )
    for position, (title, result) in zip(places(results, order), results.items(), strict=True):
        figure.add_trace(_points(title, result, position), row=1, col=1)
        counts = _bars(title, result, position) if len(results) == 1 else _outline(title, result, position)
        figure.add_trace(counts, row=2, col=1)
    figure.update_xaxes(range=[0, 101], zeroline=False)
    figure.update_xaxes(title_text=f"confidence (%), in {len(edges) - 1} bins", row=2, col=1)
    figure.update_yaxes(title_text="accuracy (%)", range=[0, 102], zeroline=False, row=1, col=1)
    figure.update_yaxes(title_text="faces", rangemode="tozero", nticks=4, row=2, col=1)
    figure.update_layout(showlegend=True, bargap=0.08, hovermode="closest", clickmode="event")
    return figure


def describe_diagram(results: Mapping[str, Reliability]) -> str:
    """What :func:`diagram` shows, in words: each model's ECE, which way it errs, and its widest gap."""
    _edges(results)
    return f"Accuracy by confidence. {'. '.join(_words(title, result) for title, result in results.items())}."


def _words(title: str, result: Reliability) -> str:
    start = f"{title}, {result.n:,} faces: expected calibration error {100 * result.ece:.1f} %"
    if result.temperature != 1:
        start += f" at a temperature of {result.temperature:.2f}"
    points = 100 * result.surplus
    side = "too sure" if points > 0 else "not sure enough"
    start += f"; on average {side} by {abs(points):.1f} points" if abs(points) >= 0.05 else "; on average neither way"
    gaps = result.confidence - result.accuracy
    # Weighted as in the ECE: a gap of a bin with three faces is no finding.
    widest = int(np.nanargmax(np.abs(gaps) * result.counts))
    return (
        f"{start}. The gap weighs most between {100 * result.edges[widest]:.0f} and "
        f"{100 * result.edges[widest + 1]:.0f} % confidence: {100 * result.accuracy[widest]:.1f} % right at "
        f"{100 * result.confidence[widest]:.1f} % mean confidence, {result.counts[widest]:,} faces"
    )


def _points(title: str, result: Reliability, position: int) -> go.Scatter:
    filled = np.flatnonzero(result.counts)
    accuracy, low, high = (100 * values[filled] for values in (result.accuracy, result.low, result.high))
    words = [
        f"{title}<br>{100 * result.edges[bin]:.0f} to {100 * result.edges[bin + 1]:.0f} % sure, "
        f"{result.counts[bin]:,} faces<br>mean confidence {100 * result.confidence[bin]:.1f} %"
        f"<br>right {100 * result.accuracy[bin]:.1f} % "
        f"({100 * result.low[bin]:.1f} to {100 * result.high[bin]:.1f} %)"
        for bin in filled
    ]
    colour = run_colour(position)
    return go.Scatter(
        x=100 * result.confidence[filled],
        y=accuracy,
        mode="lines+markers",
        name=f"{title} · ECE {100 * result.ece:.1f} %",
        line={"color": colour, "width": 2, "dash": run_dash(position)},
        marker={"color": colour, "size": 8, "symbol": run_symbol(position)},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": high - accuracy,
            "arrayminus": accuracy - low,
            "color": colour,
            "thickness": 1.5,
            "width": 4,
        },
        legendgroup=title,
        customdata=filled,
        text=words,
        hovertemplate="%{text}<extra></extra>",
    )


def _bars(title: str, result: Reliability, position: int) -> go.Bar:
    return go.Bar(
        x=50 * (result.edges[:-1] + result.edges[1:]),
        y=result.counts,
        width=95 * np.diff(result.edges),
        marker_color=run_colour(position),
        name=title,
        legendgroup=title,
        showlegend=False,
        customdata=np.arange(len(result.counts)),
        text=_shares(result),
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )


def _outline(title: str, result: Reliability, position: int) -> go.Scatter:
    return go.Scatter(
        x=100 * result.edges,
        # A step runs from its point to the next edge; the last height ends the last one.
        y=[*result.counts, result.counts[-1]],
        mode="lines",
        line={"shape": "hv", "color": run_colour(position), "width": 2, "dash": run_dash(position)},
        name=title,
        legendgroup=title,
        showlegend=False,
        text=[f"{title}<br>{words}" for words in (*_shares(result), _shares(result)[-1])],
        hovertemplate="%{text}<extra></extra>",
    )


def _shares(result: Reliability) -> list[str]:
    return [
        f"{100 * low:.0f} to {100 * high:.0f} % sure: {count:,} of {result.n:,} faces"
        for low, high, count in zip(result.edges[:-1], result.edges[1:], result.counts, strict=True)
    ]


def _edges(results: Mapping[str, Reliability]) -> npt.NDArray[np.float64]:
    if not results:
        raise ValueError("a reliability diagram needs at least one model")
    first, *others = (result.edges for result in results.values())
    if any(not np.array_equal(first, edges) for edges in others):
        raise ValueError("all models of a reliability diagram must have the same bins")
    return first
