"""The last minute of one face: seven lines, one an expression, that move to the left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.emotions import COUNT, EMOTIONS, NAMES
from fer_core.plots.style import blank


def rolling(
    times_s: npt.ArrayLike, probabilities: npt.ArrayLike, *, now_s: float, seconds: float = 60.0, height: int = 260
) -> go.Figure:
    """``times_s`` float (n,), oldest first; ``probabilities`` float (n, 7), 0..1; n may be 0.

    ``now_s``: the right end, on the clock of ``times_s``. ``seconds``: the width. ``height`` in pixels. Raises
    ``ValueError`` for other shapes.
    """
    times, values = _checked(times_s, probabilities)
    # Rounded, because the figure is sent to the browser every second.
    ago = np.round(times - now_s, 2).tolist()
    figure = blank(height)
    for emotion in EMOTIONS:
        figure.add_trace(
            go.Scatter(
                x=ago,
                y=np.round(100 * values[:, emotion.index], 1).tolist(),
                mode="lines",
                name=emotion.name,
                line={"color": emotion.colour, "width": 2.5},
                hovertemplate=f"{emotion.name}: %{{y:.0f}} %<extra></extra>",
            )
        )
    figure.update_xaxes(
        range=[-seconds, 0], title_text="seconds ago", tickvals=_ticks(seconds), ticktext=_words(seconds)
    )
    figure.update_yaxes(range=[0, 100], title_text="probability (%)", tickvals=[0, 25, 50, 75, 100])
    # The same through all updates: a line that was switched off in the legend stays off.
    figure.update_layout(showlegend=True, hovermode="x unified", uirevision="timeline")
    return figure


def describe_rolling(
    times_s: npt.ArrayLike, probabilities: npt.ArrayLike, *, now_s: float, seconds: float = 60.0
) -> str:
    """What :func:`rolling` shows, in words."""
    times, values = _checked(times_s, probabilities)
    if not len(times):
        return f"Probability of the seven expressions over the last {seconds:.0f} s: no numbers yet."
    latest, mean = values[-1], values.mean(axis=0)
    return (
        f"Probability of the seven expressions over the last {min(seconds, now_s - times[0]):.0f} s. Now most likely: "
        f"{NAMES[int(latest.argmax())]}, {100 * latest.max():.0f} %. Most likely on average: "
        f"{NAMES[int(mean.argmax())]}, {100 * mean.max():.0f} %."
    )


def _checked(times_s: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[npt.NDArray, npt.NDArray]:
    times, values = np.asarray(times_s, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if times.ndim != 1 or values.shape != (len(times), COUNT):
        raise ValueError(f"times (n,) and probabilities (n, {COUNT}) were expected, not {times.shape}, {values.shape}")
    return times, values


def _ticks(seconds: float) -> list[float]:
    return [-seconds * share for share in (1, 0.75, 0.5, 0.25, 0)]


def _words(seconds: float) -> list[str]:
    return [f"{-tick:g}" if tick else "now" for tick in _ticks(seconds)]
