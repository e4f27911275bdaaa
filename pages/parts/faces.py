"""Faces on a page: the contact sheet that can be clicked, one face large, its facts."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from fer_core import emotions
from fer_core.data.dataset import Dataset
from fer_core.formatting import ordinal
from pages.parts.charts import drawn, jpeg
from pages.parts.rows import Rows

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHEET_WIDTH = 500
"""Width in pixels that a contact sheet gets on a common screen; its height follows from it."""


def label_words(label: int) -> str:
    """``😊 happy``."""
    emotion = emotions.EMOTIONS[label]
    return f"{emotion.icon} {emotion.name}"


def label_text(dataset: Dataset, words: str) -> str:
    """``labelled happy``; where nobody labelled the faces, what stands for labels by what it is."""
    return f"labelled {words}" if dataset.info.labelled else f"answered with {words}"


def clickable_sheet(
    dataset: Dataset,
    rows: Rows,
    *,
    columns: int,
    key: str,
    highlighted: int | None,
    on_pick: Callable[[int], None],
) -> None:
    """One picture of many faces, left to right, then down; a click on one calls ``on_pick`` with its row.

    One picture, because a browser asks for each ``st.image`` on its own and 400 of them take seconds. ``highlighted``
    is the row to draw a frame around. Who cannot click has the number field beside it.
    """

    def picked() -> None:
        points = st.session_state[key].selection.points
        if points:
            on_pick(int(points[0]["customdata"][0]))

    from fer_core.plots.faces import cell_box, describe_sheet

    shown = dataset.labels[rows]
    alt = f"{describe_sheet(len(rows), shown)} Rows {_spans(rows)}."
    at = np.flatnonzero(rows == highlighted)
    if len(at):
        alt += f" The {ordinal(int(at[0]) + 1)} face, row {highlighted}, has a frame."
    uri, size = _sheet_picture(
        (str(dataset.path), dataset.info.fingerprint),
        tuple(map(int, rows)),
        tuple(map(int, shown)),
        columns,
        dataset,
    )
    # As wide as a full sheet, so that faces keep their size on the last page.
    full_width = cell_box(columns - 1, columns, scale=1, labels=True)[2]
    figure = drawn(
        _figure,
        uri,
        size,
        [cell_box(index, columns, scale=1, labels=True) for index in range(len(rows))],
        [
            [int(row), f"row {row:,}<br>{emotions.NAMES[label]}, {dataset.splits[row]}"]
            for row, label in zip(rows, shown, strict=True)
        ],
        hover="%{customdata[1]}",
        target=round(0.8 * SHEET_WIDTH / columns),
        full_width=full_width,
        highlighted=at.tolist(),
    )
    with fitting(key, max(size[0], full_width), size[1]):
        st.plotly_chart(
            figure,
            key=key,
            on_select=picked,
            selection_mode="points",
            config={"displayModeBar": False, "scrollZoom": False},
            alt=alt,
        )


def fitting(key: str, wide: int, high: int) -> DeltaGenerator:
    """A block that on a phone is as high as a picture of ``wide`` × ``high`` pixels as wide as the page.

    For a figure, which keeps its height where it becomes narrower: half of it would be an empty band.
    """
    block = st.container(key=f"{key}-fits")
    block.html(
        f"<style>@media (max-width: 640px) {{ .st-key-{key}-fits {{ aspect-ratio: {wide} / {high}; min-height: 0; "
        "overflow: hidden; flex: none } }</style>"
    )
    return block


def sheet_figure(
    sheet: npt.NDArray[np.uint8],
    boxes: Sequence[tuple[int, int, int, int]],
    data: Sequence[Sequence[int | str]],
    *,
    hover: str,
    target: int,
    full_width: int,
    highlighted: Iterable[int] = (),
) -> go.Figure:
    """A sheet of faces whose faces can be clicked.

    ``sheet``: uint8 (H, W) or (H, W, 3). ``boxes``: where each face is, (x0, y0, x1, y1) in the sheet's pixels.
    ``data``: of each face, what a click reports as its ``customdata`` and ``hover``, Plotly's template, can name.
    ``target``: how large, in pixels of the screen, the area of a face is that takes a click. ``full_width``: the width
    of a sheet whose lines are full, in its own pixels. ``highlighted``: positions of the faces to draw a frame around.
    """
    size = (sheet.shape[1], sheet.shape[0])
    return drawn(
        _figure,
        data_uri(sheet),
        size,
        boxes,
        data,
        hover=hover,
        target=target,
        full_width=full_width,
        highlighted=list(highlighted),
    )


def _figure(
    uri: str,
    size: tuple[int, int],
    boxes: Sequence[tuple[int, int, int, int]],
    data: Sequence[Sequence[int | str]],
    *,
    hover: str,
    target: int,
    full_width: int,
    highlighted: Iterable[int],
) -> go.Figure:
    import plotly.graph_objects as go

    sheet_width, height = size
    figure = go.Figure(
        go.Scatter(
            x=[(x0 + x1) / 2 for x0, _, x1, _ in boxes],
            y=[(y0 + y1) / 2 for _, y0, _, y1 in boxes],
            customdata=[list(values) for values in data],
            mode="markers",
            # Seen by the mouse, not by the eye: an image reports no clicks, points do.
            marker={"symbol": "square", "size": target, "color": "rgba(0,0,0,0)"},
            unselected={"marker": {"opacity": 0}},
            selected={"marker": {"opacity": 0}},
            hovertemplate=f"{hover}<extra></extra>",
        )
    )
    figure.add_layout_image(
        source=uri,
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=sheet_width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    for index in highlighted:
        x0, y0, x1, y1 = boxes[index]
        for colour, line in (("#000000", 6), ("#FFFFFF", 3)):
            figure.add_shape(type="rect", x0=x0, y0=y0, x1=x1, y1=y1, line={"color": colour, "width": line})
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        height=max(80, round(SHEET_WIDTH * height / full_width)),
        xaxis={**hidden, "range": [0, max(sheet_width, full_width)], "constraintoward": "left"},
        yaxis={**hidden, "range": [height, 0], "scaleanchor": "x", "constraintoward": "top"},
        clickmode="event+select",
        dragmode=False,
        hovermode="closest",
        hoverlabel={"align": "left"},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return figure


@st.cache_data(show_spinner=False, max_entries=64)
def _sheet_picture(
    key: tuple[str, str],
    rows: tuple[int, ...],
    labels: tuple[int, ...],
    columns: int,
    _dataset: Dataset,
) -> tuple[str, tuple[int, int]]:
    """The sheet as a ``data:`` address, and its width and height. Keyed by the dataset's path and fingerprint."""
    from fer_core.plots.faces import contact_sheet

    images = np.asarray(_dataset.images[list(rows)])
    sheet = contact_sheet(images, columns, scale=1, labels=labels)
    return data_uri(sheet), (sheet.shape[1], sheet.shape[0])


def class_legend(what: str = "the label") -> None:
    """Which colour means which class. ``what``: what the colours tell."""
    parts = " ".join(
        f'<span style="white-space:nowrap;margin-right:0.9em"><span style="color:{emotion.colour}">■</span> '
        f"{emotion.name}</span>"
        for emotion in emotions.EMOTIONS
    )
    st.html(f'<div style="font-size:0.85rem">Frame colour, {what}: {parts}</div>')


def data_uri(image: npt.NDArray[np.uint8]) -> str:
    """A picture, uint8 (H, W) or (H, W, 3 or 4), as a ``data:`` address."""
    buffer = io.BytesIO()
    # Twice as fast as the usual level, and hardly larger: photographs do not shrink.
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def enlarged(face: npt.NDArray[np.uint8], side: int = 336) -> npt.NDArray[np.uint8]:
    """A face of 48×48 pixels, uint8, with each pixel repeated, so that one sees what the model gets."""
    return np.kron(face, np.ones((side // face.shape[0],) * 2, dtype=np.uint8))


def large(dataset: Dataset, row: int, side: int = 336) -> None:
    """One face, seven times as large, pixel by pixel, or ``side`` pixels, a multiple of 48."""
    label, split = int(dataset.labels[row]), str(dataset.splits[row])
    st.image(
        _large(str(dataset.path), dataset.info.fingerprint, row, side, dataset),
        caption=f"Row {row:,}, {label_text(dataset, label_words(label))}",
        alt=f"Face in row {row} of {split}, {label_text(dataset, emotions.NAMES[label])}, 48×48 grey pixels, enlarged.",
    )


@st.cache_data(show_spinner=False, max_entries=200)
def _large(path: str, fingerprint: str, row: int, side: int, _dataset: Dataset) -> bytes:
    return jpeg(enlarged(np.asarray(_dataset.images[row]), side))


def facts(dataset: Dataset, row: int) -> None:
    """What is known about one face, as a table, and its exact duplicates."""
    face = np.asarray(dataset.images[row])
    table = _faces_table(str(dataset.path), dataset.info.fingerprint)
    sha1 = str(table["sha1"].iat[row])
    known = {
        "Row": f"{row:,}",
        "Split": str(dataset.splits[row]),
        "Label" if dataset.info.labelled else "Models' answer": label_words(int(dataset.labels[row])),
        "Source": str(table["source_name"].iat[row]),
        "Darkest / mean / lightest": f"{face.min()} / {face.mean():.1f} / {face.max()} (0 black, 255 white)",
        # Two halves: 40 digits in a row would not fit beside a contact sheet.
        "SHA-1 of the pixels": f"`{sha1[:20]}` `{sha1[20:]}`",
    }
    # Names of source files are shown as they are, not read as Markdown.
    known["Source"] = "`" + known["Source"].replace("`", "'") + "`"
    st.table(known, border="horizontal", hide_header=True, alt=f"Facts about the face in row {row}.")
    same = np.flatnonzero((table["sha1"] == sha1).to_numpy())
    same = same[same != row]
    if not len(same):
        st.caption("No other face has exactly the same pixels.")
        return
    listed = ", ".join(
        f"row {other:,} ({dataset.splits[other]}, {emotions.NAMES[dataset.labels[other]]})" for other in same[:20]
    )
    more = f" and {len(same) - 20:,} more" if len(same) > 20 else ""
    st.warning(f"Exactly the same pixels: {listed}{more}.", icon=":material/content_copy:")


def _spans(rows: Rows) -> str:
    """``0 to 95``, or the first few numbers where there are gaps."""
    if len(rows) > 1 and bool((np.diff(rows) == 1).all()):
        return f"{rows[0]} to {rows[-1]}"
    return ", ".join(map(str, rows[:12])) + (" and so on" if len(rows) > 12 else "")


@st.cache_resource(show_spinner=False, max_entries=4)
def _faces_table(path: str, fingerprint: str) -> pd.DataFrame:
    """``faces.parquet`` in memory, keyed by path and fingerprint. Nobody writes to it."""
    from fer_core.data.dataset import load_dataset

    return load_dataset(path, unlabelled=True).faces()
