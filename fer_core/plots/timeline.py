"""The last minute of one face: seven lines, one an expression, that move to the left.

As numbers and a Vega-Lite specification, not as a Plotly figure: Streamlit makes a Plotly chart anew whenever its
numbers change (https://github.com/streamlit/streamlit/issues/8782), so that one that changes each second flashes and
forgets what was clicked. Of a Vega-Lite chart with the same specification it exchanges the numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from fer_core.emotions import COLOURS, COUNT, NAMES

AGO, EXPRESSION, PROBABILITY = "seconds", "expression", "probability"


def rolling(times_s: npt.ArrayLike, probabilities: npt.ArrayLike, *, now_s: float) -> pd.DataFrame:
    """One line a time and expression: ``seconds`` (0 is now, the past negative), ``expression``, ``probability`` (%).

    ``times_s`` float (n,), oldest first; ``probabilities`` float (n, 7), 0..1; n may be 0. ``now_s``: the right end, on
    the clock of ``times_s``. Raises ``ValueError`` for other shapes.
    """
    times, values = checked_course(times_s, probabilities)
    # Rounded, because they are sent to the browser every second.
    return pd.DataFrame(
        {
            AGO: np.repeat(np.round(times - now_s, 2), COUNT),
            EXPRESSION: np.tile(np.array(NAMES, dtype=object), len(times)),
            PROBABILITY: np.round(100 * values, 1).reshape(-1),
        }
    )


def rolling_spec(seconds: float = 60.0, height: int = 340) -> dict[str, object]:
    """How :func:`rolling` is drawn, in Vega-Lite. ``seconds``: the width. ``height`` in pixels."""
    ticks = [-seconds * share for share in (1, 0.75, 0.5, 0.25, 0)]
    return {
        "height": height,
        # Streamlit would go from SVG to a canvas by itself when the lines grow long, and make the chart anew for that.
        "usermeta": {"embedOptions": {"renderer": "canvas"}},
        "params": [{"name": "wanted", "select": {"type": "point", "fields": [EXPRESSION]}, "bind": "legend"}],
        "mark": {"type": "line", "clip": True, "strokeWidth": 2.5, "tooltip": True},
        "encoding": {
            "x": {
                "field": AGO,
                "type": "quantitative",
                "title": "seconds ago",
                "scale": {"domain": [-seconds, 0], "nice": False},
                "axis": {"values": ticks, "labelExpr": "datum.value == 0 ? 'now' : -datum.value"},
            },
            "y": {
                "field": PROBABILITY,
                "type": "quantitative",
                "title": "probability (%)",
                "scale": {"domain": [0, 100]},
                "axis": {"values": [0, 25, 50, 75, 100]},
            },
            "color": {
                "field": EXPRESSION,
                "type": "nominal",
                "scale": {"domain": list(NAMES), "range": list(COLOURS)},
                # In two rows: one is wider than a phone.
                "legend": {
                    "orient": "top",
                    "columns": 4,
                    "title": None,
                    "symbolType": "stroke",
                    "symbolStrokeWidth": 3,
                },
            },
            "opacity": {"condition": {"param": "wanted", "value": 1}, "value": 0.08},
        },
    }


def describe_rolling(
    times_s: npt.ArrayLike, probabilities: npt.ArrayLike, *, now_s: float, seconds: float = 60.0
) -> str:
    """What :func:`rolling` shows, in words."""
    times, values = checked_course(times_s, probabilities)
    if not len(times):
        return f"Probability of the seven expressions over the last {seconds:.0f} s: no numbers yet."
    latest, mean = values[-1], values.mean(axis=0)
    return (
        f"Probability of the seven expressions over the last {min(seconds, now_s - times[0]):.0f} s. Now most likely: "
        f"{NAMES[int(latest.argmax())]}, {100 * latest.max():.0f} %. Most likely on average: "
        f"{NAMES[int(mean.argmax())]}, {100 * mean.max():.0f} %."
    )


def checked_course(
    times_s: npt.ArrayLike, probabilities: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Times float64 (n,) and probabilities float64 (n, 7), n may be 0. Raises ``ValueError`` where they are not."""
    times, values = np.asarray(times_s, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if times.ndim != 1 or values.shape != (len(times), COUNT):
        raise ValueError(f"times (n,) and probabilities (n, {COUNT}) were expected, not {times.shape}, {values.shape}")
    return times, values
