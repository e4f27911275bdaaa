"""What a model said about one face over a whole video: seven lines, one an expression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.emotions import COUNT, EMOTIONS, NAMES
from fer_core.formatting import duration
from fer_core.plots.style import blank
from fer_core.plots.timeline import checked_course

MINUTES_FROM_S = 180.0
"""Videos at least so long have an axis in minutes."""


def timeline(times_s: npt.ArrayLike, probabilities: npt.ArrayLike, *, seconds: float, height: int = 300) -> go.Figure:
    """``times_s`` float (n,), rising; ``probabilities`` float (n, 7), 0..1; n may be 0. ``seconds``: of the video.

    Lines break where the face was away. ``height`` in pixels. Raises ``ValueError`` for other shapes.
    """
    times, values = checked_course(times_s, probabilities)
    per_unit, unit = (60.0, "min") if seconds >= MINUTES_FROM_S else (1.0, "s")
    at = _gaps(times)
    # A point without a value breaks a line.
    xs = np.insert(times, at, times[at - 1] if len(at) else []) / per_unit
    broken = np.insert(100 * values, at, np.nan, axis=0)
    figure = blank(height)
    for emotion in EMOTIONS:
        figure.add_trace(
            go.Scatter(
                x=np.round(xs, 4),
                y=np.round(broken[:, emotion.index], 1),
                mode="lines" if len(times) > 1 else "markers",
                name=emotion.name,
                line={"color": emotion.colour, "width": 2.5},
                connectgaps=False,
                hovertemplate=f"{emotion.name}: %{{y:.0f}} %<extra></extra>",
            )
        )
    figure.update_xaxes(range=[0, seconds / per_unit], title_text=f"time in the video ({unit})", zeroline=False)
    figure.update_yaxes(range=[0, 100], title_text="probability (%)", tickvals=[0, 25, 50, 75, 100])
    figure.update_layout(showlegend=True, hovermode="x unified")
    return figure


def describe_timeline(times_s: npt.ArrayLike, probabilities: npt.ArrayLike, *, seconds: float) -> str:
    """What :func:`timeline` shows, in words."""
    times, values = checked_course(times_s, probabilities)
    what = f"Probability of the seven expressions over the {duration(seconds)} of the video"
    if not len(times):
        return f"{what}: the face was never read."
    likeliest = np.bincount(values.argmax(axis=1), minlength=COUNT)
    parts = [
        f"{NAMES[label]} in {100 * likeliest[label] / len(times):.0f} %"
        for label in np.argsort(-likeliest, kind="stable")
        if likeliest[label]
    ]
    return (
        f"{what}, the face being there from {times[0]:.1f} to {times[-1]:.1f} s. Most likely in {len(times):,} "
        f"samples: {', '.join(parts)}."
    )


def _gaps(times: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Positions before which the face was away: steps over three times the usual one, and over half a second."""
    steps = np.diff(times)
    if not len(steps):
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(steps > max(0.5, 3 * float(np.median(steps)))) + 1
