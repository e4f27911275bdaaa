"""Deletion and insertion curves of one map of one face, beside those of orders that know nothing of the model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.emotions import NAMES
from fer_core.explain.faithfulness import CENTRE, EDGES, Faithfulness
from fer_core.explain.trust import ComparedArea, Judgement
from fer_core.plots.style import ACCENT, MUTED

HEIGHT = 270
_SIDES = ("deletion", "insertion")


def faithfulness_curves(
    faithfulness: Faithfulness, name: str, judged: Judgement, *, face: int = 0, height: int = HEIGHT
) -> go.Figure:
    """Probability (%) of the judged class while the map called ``name`` of one face is deleted, and inserted.

    The map is the thick line, each random order a thin one, the round blob in the middle dashed, the face's edges
    dotted. ``height`` in pixels. Raises ``KeyError`` for an unknown map, ``IndexError`` for an unknown face.
    """
    share = 100 * faithfulness.curves.fractions
    traces = []
    for axis, which in (("", "deletion"), ("2", "insertion")):
        # (k, s + 1): the class's probability along the way, for each order.
        values = 100 * getattr(faithfulness.curves, which)[face, :, :, judged.label]
        lines = [_chance(share, values[-faithfulness.orders :])]
        for baseline, words, dash in ((CENTRE, "round blob", "dash"), (EDGES, "face's edges", "dot")):
            lines.append(_line(share, values[faithfulness.index(baseline)], words, {"color": MUTED, "dash": dash}))
        lines.append(_line(share, values[faithfulness.index(name)], "this map", {"color": ACCENT, "width": 3}))
        traces += [{**line, "xaxis": f"x{axis}", "yaxis": f"y{axis}", "showlegend": not axis} for line in lines]
    across = {"range": [0, 100], "zeroline": False, "fixedrange": True}
    up = {"range": [0, 102], "zeroline": False, "fixedrange": True}
    # All at once: subplots, traces and axes added one by one take four times as long, and a page has several of these.
    return go.Figure(
        data=traces,
        layout={
            "height": height,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0},
            "dragmode": False,
            "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
            "hovermode": "closest",
            "xaxis": {**across, "domain": [0, 0.47], "title": {"text": "% of the face deleted"}},
            "xaxis2": {**across, "domain": [0.53, 1], "anchor": "y2", "title": {"text": "% of the face put back"}},
            "yaxis": {**up, "title": {"text": f"{NAMES[judged.label]} (%)"}},
            "yaxis2": {**up, "anchor": "x2", "matches": "y", "showticklabels": False},
        },
    )


def describe(judged: Judgement) -> str:
    """What the curves show, for those who cannot see them."""
    name = NAMES[judged.label]
    deletion, insertion = (in_words(getattr(judged, which)) for which in _SIDES)
    return f"Deletion and insertion curves of the map of {name}. Deletion: {deletion}. Insertion: {insertion}."


def in_words(figure: ComparedArea) -> str:
    """The area of one curve beside its baselines: all 0..1, the mean probability on the way."""
    # Of few orders the range may reach beyond what an area can be.
    low, high = max(0.0, figure.low), min(1.0, figure.high)
    return (
        f"area {figure.area:.2f}; random orders {low:.2f} to {high:.2f}, round blob {figure.centre:.2f}, "
        f"edges {figure.edges:.2f}"
    )


def _line(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.floating], name: str, line: dict[str, object]
) -> dict[str, object]:
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": line,
        "name": name,
        "legendgroup": name,
        "hovertemplate": f"{name}: %{{y:.1f}} % after %{{x:.0f}} % of the face<extra></extra>",
    }


def _chance(x: npt.NDArray[np.float64], orders: npt.NDArray[np.floating]) -> dict[str, object]:
    """All random orders as one trace, with gaps between them."""
    n = len(orders)
    gap = np.full((n, 1), np.nan)
    every = np.hstack([np.tile(x, (n, 1)), gap]).ravel()
    thin = {"color": MUTED, "width": 1}
    return {**_line(every, np.hstack([orders, gap]).ravel(), f"{n} random orders", thin), "opacity": 0.6}
