"""The sanity check as a curve: how alike a map stays while the model forgets. See :mod:`fer_core.explain.sanity`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from fer_core.plots.style import ACCENT, MUTED, blank

if TYPE_CHECKING:
    from fer_core.explain.sanity import Sanity


def curve(result: Sanity, *, height: int = 320) -> go.Figure:
    """Rank correlation with the real map by how much of the model is random, from 1 at "nothing".

    A line for the mean over draws, a dot a draw, a dotted line at 1 for a picture of the edges, which knows nothing of
    the model, and a band of what unrelated maps reach 19 times out of 20. ``height`` in pixels.
    """
    names = ["nothing", *(name if not step else f"+ {name}" for step, name in enumerate(result.steps))]
    figure = blank(height)
    figure.add_trace(
        go.Scatter(
            x=names,
            y=[1.0] * len(names),
            mode="lines",
            name="the face's edges, whatever the model",
            line={"color": MUTED, "width": 2, "dash": "dot"},
            hoverinfo="skip",
        )
    )
    draws = result.correlations.shape[1]
    figure.add_trace(
        go.Scatter(
            x=np.repeat(names[1:], draws),
            y=np.nan_to_num(result.correlations).ravel(),
            mode="markers",
            name=f"each of {draws} draws",
            marker={"color": ACCENT, "size": 6, "opacity": 0.5},
            hovertemplate="%{y:.2f}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=names,
            y=[1.0, *result.means],
            mode="lines+markers",
            name="this method, mean",
            line={"color": ACCENT, "width": 3},
            hovertemplate="random: %{x}<br>rank correlation %{y:.2f}<extra></extra>",
        )
    )
    if np.isfinite(result.unrelated):
        figure.add_hrect(y0=-1.05, y1=result.unrelated, fillcolor=MUTED, opacity=0.12, line_width=0, layer="below")
    figure.update_xaxes(title_text="random weights in …")
    figure.update_yaxes(title_text="rank correlation", range=[-1.05, 1.1], zeroline=True)
    return figure


def describe(result: Sanity) -> str:
    """What :func:`curve` shows, in words."""
    steps = ", ".join(f"{name} {mean:.2f}" for name, mean in zip(result.steps, result.means, strict=True))
    return (
        "Line chart: rank correlation with the real map, 1 with nothing random, then with random weights in ever more "
        f"of the model: {steps}. Unrelated maps stay below {result.unrelated:.2f} 19 times out of 20."
    )
