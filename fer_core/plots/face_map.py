"""The map of faces: a point a face, placed by what a model sees, coloured by label, answer or error. Drawn by WebGL."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.emotions import COLOURS, COUNT, NAMES
from fer_core.plots.style import MUTED, SELECTED, blank

Colouring = Literal["label", "answer", "error"]


def face_map(
    places: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int8],
    answers: npt.NDArray[np.int8],
    *,
    by: Colouring,
    height: int = 560,
) -> go.Figure:
    """``places`` float (n, 2); ``rows`` int (n,), the faces' numbers, which are the points' ``customdata``.

    ``labels``, ``answers``: int (n,), 0..6. A trace for each class, or one for right and one for wrong answers, so that
    a click in the legend hides it. ``height`` in pixels. Raises ``ValueError`` for another colouring.
    """
    if by == "error":
        wrong = labels != answers
        groups = [("right", ~wrong, MUTED), ("wrong", wrong, SELECTED)]
    elif by in ("label", "answer"):
        of = labels if by == "label" else answers
        groups = [(NAMES[label], of == label, COLOURS[label]) for label in range(COUNT)]
    else:
        raise ValueError(f"by must be label, answer or error, not {by!r}")
    figure = blank(height)
    names = np.array(NAMES)
    for name, here, colour in groups:
        if not here.any():
            continue
        figure.add_trace(
            go.Scattergl(
                x=places[here, 0],
                y=places[here, 1],
                mode="markers",
                name=name,
                marker={"size": 5, "color": colour, "opacity": 0.75},
                customdata=rows[here],
                text=np.char.add(np.char.add(names[labels[here]], ", answered "), names[answers[here]]),
                hovertemplate="row %{customdata}: labelled %{text}<extra></extra>",
            )
        )
    plain = {"showticklabels": False, "showgrid": False, "zeroline": False, "title_text": ""}
    figure.update_xaxes(**plain)
    figure.update_yaxes(**plain, scaleanchor="x")
    figure.update_layout(dragmode="lasso", hovermode="closest", showlegend=True, uirevision="map")
    return figure


def describe(labels: npt.NDArray[np.int8], answers: npt.NDArray[np.int8], name: str) -> str:
    """What it shows, for those who cannot see it."""
    wrong = int((labels != answers).sum())
    return f"Map of {len(labels):,} faces as {name} sees them, each a point; {wrong:,} of them answered wrong."
