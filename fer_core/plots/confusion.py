"""The confusion matrix, clickable: which class is taken for which."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.emotions import COUNT, NAMES
from fer_core.plots.style import DARK_SCALE, LIGHT_SCALE, Scale, blank, readable_on, scale_colour

Normalise = Literal["none", "row", "column"]

_UNITS = {"none": "faces", "row": "% of the true class", "column": "% of the predicted class"}


def matrix(
    counts: npt.ArrayLike,
    *,
    normalise: Normalise = "none",
    title: str = "",
    dark: bool = False,
    height: int = 420,
    selected: tuple[int, int] | None = None,
) -> go.Figure:
    """A 7×7 confusion matrix with a number in each cell. ``counts``: int (7, 7), rows true.

    ``normalise``: ``none`` shows faces, ``row`` per cent of the true class (the diagonal is recall),
    ``column`` per cent of the predicted class (the diagonal is precision). Colours always follow per cent of
    the true class in the first two cases, so that rare classes can be read too. ``dark`` picks the scale for
    a dark page. ``selected``: (true, predicted) of a cell to frame.

    Heatmaps report no clicks to Streamlit (streamlit/streamlit#8760), so the last trace is a scatter of
    transparent squares, whose ``customdata`` is [true, predicted, faces, per cent]. Raises ``ValueError`` for
    another shape or an unknown ``normalise``.
    """
    numbers = _checked(counts)
    if normalise not in _UNITS:
        raise ValueError(f"normalise must be one of {', '.join(_UNITS)}, not {normalise!r}")
    percent = percentages(numbers, "column" if normalise == "column" else "row")
    shown = numbers if normalise == "none" else percent
    scale = DARK_SCALE if dark else LIGHT_SCALE
    figure = blank(height, title)
    figure.add_trace(
        go.Heatmap(
            z=np.nan_to_num(percent),
            x=list(range(COUNT)),
            y=list(range(COUNT)),
            zmin=0,
            zmax=100,
            colorscale=[list(stop) for stop in scale],
            showscale=False,
            xgap=2,
            ygap=2,
            hoverinfo="skip",
        )
    )
    # All at once: added one by one, 49 annotations take 0.2 s.
    figure.update_layout(annotations=_numbers(shown, np.nan_to_num(percent) / 100, scale))
    figure.add_trace(_click_targets(numbers, percent, _UNITS["column" if normalise == "column" else "row"]))
    if selected is not None:
        true, predicted = selected
        figure.add_shape(
            type="rect",
            x0=predicted - 0.5,
            x1=predicted + 0.5,
            y0=true - 0.5,
            y1=true + 0.5,
            line={"color": "#E69F00", "width": 3},
        )
    ticks = {
        "tickvals": list(range(COUNT)),
        "ticktext": list(NAMES),
        # Where room is short labels turn to the lower left; turned right, the last one would be dropped.
        "autotickangles": [0, -45],
        "ticklabeloverflow": "allow",
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
    }
    figure.update_xaxes(title_text=f"predicted ({_UNITS[normalise]})", range=[-0.5, COUNT - 0.5], **ticks)
    figure.update_yaxes(title_text="true", ticksuffix=" ", range=[COUNT - 0.5, -0.5], **ticks)
    figure.update_layout(hovermode="closest", clickmode="event+select", showlegend=False)
    return figure


def describe(counts: npt.ArrayLike, title: str = "") -> str:
    """What the matrix shows, for those who cannot see it: faces, share of right answers, the worst mix-up."""
    numbers = _checked(counts)
    faces = int(numbers.sum())
    start = f"Confusion matrix{f' of {title}' if title else ''}, {faces:,} {'face' if faces == 1 else 'faces'}"
    if not faces:
        return f"{start}."
    right = int(np.trace(numbers))
    words = f"{start}, {100 * right / faces:.1f} % right"
    wrong = numbers.copy()
    np.fill_diagonal(wrong, 0)
    if not wrong.any():
        return f"{words}; nothing is confused."
    true, predicted = np.unravel_index(int(wrong.argmax()), wrong.shape)
    n = int(wrong[true, predicted])
    noun = "face" if n == 1 else "faces"
    return f"{words}; most confused: {NAMES[true]} taken for {NAMES[predicted]}, {n:,} {noun}."


def percentages(counts: npt.ArrayLike, of: Literal["row", "column"]) -> npt.NDArray[np.float64]:
    """Per cent of each row's (or column's) sum, float (7, 7); NaN where that sum is zero."""
    numbers = _checked(counts)
    totals = numbers.sum(axis=1 if of == "row" else 0, keepdims=True)
    return np.divide(100.0 * numbers, totals, out=np.full((COUNT, COUNT), np.nan), where=totals > 0)


def _numbers(
    shown: npt.NDArray[np.int64] | npt.NDArray[np.float64], shares: npt.NDArray[np.float64], scale: Scale
) -> list[dict[str, Any]]:
    """The number in each cell as an annotation, black or white by the cell's colour (``shares``, 0..1)."""
    return [
        {
            "x": predicted,
            "y": true,
            "text": _cell(float(shown[true, predicted])),
            "showarrow": False,
            "font": {"color": readable_on(scale_colour(scale, float(shares[true, predicted]))), "size": 13},
        }
        for true, predicted in np.ndindex(COUNT, COUNT)
    ]


def _click_targets(counts: npt.NDArray[np.int64], percent: npt.NDArray[np.float64], unit: str) -> go.Scatter:
    true, predicted = (axis.ravel() for axis in np.indices((COUNT, COUNT)))
    words = [
        f"<b>{NAMES[t]}</b> taken for <b>{NAMES[p]}</b>" if t != p else f"<b>{NAMES[t]}</b>, recognised"
        for t, p in zip(true, predicted, strict=True)
    ]
    shares = ["–" if np.isnan(value) else f"{value:.1f}" for value in percent.ravel()]
    customdata = [
        [int(t), int(p), int(n), None if np.isnan(share) else float(share)]
        for t, p, n, share in zip(true, predicted, counts.ravel(), percent.ravel(), strict=True)
    ]
    return go.Scatter(
        x=predicted,
        y=true,
        mode="markers",
        marker={"symbol": "square", "size": 36, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
        # Without these Plotly would dim everything that was not clicked.
        selected={"marker": {"color": "rgba(230,159,0,0.35)", "opacity": 1}},
        unselected={"marker": {"color": "rgba(0,0,0,0)", "opacity": 1}},
        customdata=customdata,
        text=[
            f"{what}<br>{n:,} faces, {share} {unit}"
            for what, n, share in zip(words, counts.ravel(), shares, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _cell(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:,.0f}"


def _checked(counts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    numbers = np.asarray(counts, dtype=np.int64)
    if numbers.shape != (COUNT, COUNT) or numbers.min() < 0:
        raise ValueError(f"a {COUNT}×{COUNT} matrix of counts was expected, not shape {numbers.shape}")
    return numbers
