"""Groups of faces as one picture that can be clicked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from fer_core import emotions
from fer_core.data.dataset import Dataset
from fer_core.formatting import plural
from pages.parts.faces import data_uri, fitting
from pages.parts.rows import Rows

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLUMNS = 4
WIDTH = 480
"""Width in pixels that the picture gets on a common screen; its height follows from it."""
SHORT = {emotions.TRAINING: "Train", emotions.PUBLIC_TEST: "Public", emotions.PRIVATE_TEST: "Private"}


def clickable_groups(
    dataset: Dataset,
    groups: Sequence[Rows],
    *,
    unit: str,
    most: int,
    key: str,
    highlighted: tuple[int, ...],
    on_pick: Callable[[int, int], None],
) -> None:
    """Groups side by side on panels; a click on a face calls ``on_pick`` with the group's position and the face's row.

    ``unit`` names what a group is (``group``, ``pair``); of larger ones the first ``most`` faces are shown.
    ``highlighted``: rows to draw a frame around. Who cannot click has the number field beside it.
    """
    cut = [group[:most] for group in groups]

    def picked() -> None:
        points = st.session_state[key].selection.points
        if points:
            place, row = points[0]["customdata"][:2]
            on_pick(int(place), int(row))

    from fer_core.plots.faces import describe_sheet

    rows = np.concatenate(cut)
    figure = _figure(dataset, groups, cut, rows, unit, highlighted)
    with fitting(key, figure.layout.xaxis.range[1], figure.layout.yaxis.range[0]):
        st.plotly_chart(
            figure,
            key=key,
            on_select=picked,
            selection_mode="points",
            config={"displayModeBar": False, "scrollZoom": False},
            alt=f"{describe_sheet(len(rows), dataset.labels[rows])} They form {plural(len(groups), unit)}: "
            + "; ".join("rows " + ", ".join(map(str, group)) for group in cut)
            + ".",
        )
    larger = sum(len(group) > most for group in groups)
    if larger:
        st.caption(f"Of {plural(larger, 'larger group')} only the first {most} faces are shown.")


def _figure(
    dataset: Dataset, groups: Sequence[Rows], cut: Sequence[Rows], rows: Rows, unit: str, highlighted: tuple[int, ...]
) -> go.Figure:
    import plotly.graph_objects as go

    from fer_core.plots.groups import group_sheet

    labels = dataset.labels[rows]
    names = [emotions.NAMES[label] for label in labels]
    splits = [str(split) for split in dataset.splits[rows]]
    sheet, boxes = group_sheet(
        np.asarray(dataset.images[rows]),
        list(map(len, cut)),
        columns=COLUMNS,
        captions=[f"{SHORT[split]} {name}" for split, name in zip(splits, names, strict=True)],
        labels=labels,
    )
    sizes = [
        f"{unit} of {len(whole):,}" + (f", {len(shown)} of them here" if len(shown) < len(whole) else "")
        for shown, whole in zip(cut, groups, strict=True)
    ]
    places = np.repeat(np.arange(len(cut)), list(map(len, cut))).tolist()
    height, width = sheet.shape[:2]
    figure = go.Figure(
        go.Scatter(
            x=[(x0 + x1) / 2 for x0, _, x1, _ in boxes],
            y=[(y0 + y1) / 2 for _, y0, _, y1 in boxes],
            customdata=[
                [place, row, name, split, sizes[place]]
                for place, row, name, split in zip(places, rows.tolist(), names, splits, strict=True)
            ],
            mode="markers",
            # Seen by the mouse, not by the eye: an image reports no clicks, points do.
            marker={"symbol": "square", "size": 64, "color": "rgba(0,0,0,0)"},
            unselected={"marker": {"opacity": 0}},
            selected={"marker": {"opacity": 0}},
            hovertemplate="row %{customdata[1]:,}<br>%{customdata[2]}, %{customdata[3]}<br>%{customdata[4]}"
            "<extra></extra>",
        )
    )
    figure.add_layout_image(
        source=data_uri(sheet),
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    for index in np.flatnonzero(np.isin(rows, highlighted)):
        x0, y0, x1, y1 = boxes[index]
        for colour, line in (("#000000", 6), ("#FFFFFF", 3)):
            figure.add_shape(type="rect", x0=x0, y0=y0, x1=x1, y1=y1, line={"color": colour, "width": line})
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        height=max(100, round(WIDTH * height / width)),
        xaxis={**hidden, "range": [0, width], "constraintoward": "left"},
        yaxis={**hidden, "range": [height, 0], "scaleanchor": "x", "constraintoward": "top"},
        clickmode="event+select",
        dragmode=False,
        hovermode="closest",
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return figure
