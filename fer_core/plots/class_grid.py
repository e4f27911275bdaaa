"""What the two kinds of 7×7 matrices share: the order of the classes, their axes, the frame, what can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.emotions import COUNT, NAMES

LABEL_ORDER: tuple[int, ...] = tuple(range(COUNT))


def checked_order(order: Sequence[int]) -> list[int]:
    """The same as a list. Raises ``ValueError`` unless each label 0..6 is there once."""
    classes = [int(label) for label in order]
    if sorted(classes) != list(LABEL_ORDER):
        raise ValueError(f"order must hold each label 0..{COUNT - 1} once, not {classes}")
    return classes


def class_axes(figure: go.Figure, classes: Sequence[int], predicted: str) -> None:
    """The classes on both axes, true from the top down. ``predicted``: the title of the axis to the right."""
    ticks: dict[str, Any] = {
        "tickvals": list(range(COUNT)),
        "ticktext": [NAMES[label] for label in classes],
        # Where room is short labels turn to the lower left; turned right, the last one would be dropped.
        "autotickangles": [0, -45],
        "ticklabeloverflow": "allow",
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
    }
    figure.update_xaxes(title_text=predicted, range=[-0.5, COUNT - 0.5], **ticks)
    figure.update_yaxes(title_text="label", ticksuffix=" ", range=[COUNT - 0.5, -0.5], **ticks)
    figure.update_layout(hovermode="closest", clickmode="event+select", showlegend=False)


def frame_cell(figure: go.Figure, classes: Sequence[int], cell: tuple[int, int] | None, colour: str) -> None:
    """A frame around the cell of (true, predicted) labels, if any."""
    if cell is None:
        return
    true, predicted = (list(classes).index(label) for label in cell)
    figure.add_shape(
        type="rect",
        x0=predicted - 0.5,
        x1=predicted + 0.5,
        y0=true - 0.5,
        y1=true + 0.5,
        line={"color": colour, "width": 3},
    )


def click_squares(
    columns: npt.ArrayLike, rows: npt.ArrayLike, customdata: Sequence[Any], texts: Sequence[str], *, picked: str
) -> go.Scatter:
    """Transparent squares over the cells: heatmaps report no clicks to Streamlit (streamlit/streamlit#8760).

    ``columns`` and ``rows``: int (49,), positions, ``picked`` the colour of a square that was clicked.
    """
    return go.Scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"symbol": "square", "size": 36, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
        # Without these Plotly would dim everything that was not clicked.
        selected={"marker": {"color": picked, "opacity": 1}},
        unselected={"marker": {"color": "rgba(0,0,0,0)", "opacity": 1}},
        customdata=customdata,
        text=texts,
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
