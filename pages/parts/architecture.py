"""An architecture as people see it: figures, diagram, layer table."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from fer_core.formatting import count
from fer_core.zoo.diagram import COLUMN, layer_groups, svg

if TYPE_CHECKING:
    from fer_core.zoo.describe import Description

READABLE = 0.8
"""Of its own size the diagram is never drawn smaller: on a phone it is pushed aside instead."""


def figures(description: Description) -> str:
    """One sentence: layers, parameters, multiply-adds, size of the class maps."""
    height, width = description.map_grid
    return (
        f"{len(description.layers)} layers, **{count(description.parameters)} parameters** "
        f"({count(description.trainable_parameters)} trainable), "
        f"**{count(description.multiply_adds)} multiply-adds** for one face, worked on at "
        f"{description.input_size}×{description.input_size} pixels. "
        + (f"Its class maps have {height}×{width} cells." if height else "There are no class maps for its head.")
    )


def show(description: Description, *, key: str) -> None:
    """Figures, then diagram and layer table in tabs. ``key`` tells two of them on one page apart."""
    st.markdown(figures(description))
    diagram, table = st.tabs(["Diagram", f"Layer table ({len(description.layers)})"], key=f"{key}-tabs")
    with diagram:
        st.html(_diagram(description, dark=st.context.theme.type == "dark"))
    with table:
        st.dataframe(
            layer_table(description),
            hide_index=True,
            height=420,
            alt=f"Layers of {description.title} with type, output shape, parameters and multiply-adds.",
        )


def _diagram(description: Description, *, dark: bool) -> str:
    """HTML: as wide as the page, and not too small to read."""
    least = round(READABLE * COLUMN * len(layer_groups(description)))
    picture = base64.b64encode(svg(description, dark=dark).encode()).decode("ascii")
    alt = (
        f"Diagram of {description.title}, from the 48×48 face to seven probabilities: "
        f"{len(description.layers)} layers. The layer table lists the same."
    )
    return (
        # What can be pushed aside must be reachable by keys.
        '<div class="fer-diagram" tabindex="0" role="region" aria-label="Diagram" style="overflow-x:auto">'
        f'<img src="data:image/svg+xml;base64,{picture}" alt="{html.escape(alt)}" '
        f'style="display:block;width:100%;min-width:{least}px"></div>'
    )


def layer_table(description: Description) -> pd.DataFrame:
    """One row a layer: Layer, Type, Output shape, Parameters, Multiply-adds, Reads from."""
    return pd.DataFrame(
        {
            "Layer": [row.name for row in description.layers],
            "Type": [row.type for row in description.layers],
            "Output shape": [" × ".join(str(size) for size in row.output_shape) for row in description.layers],
            "Parameters": [row.parameters for row in description.layers],
            "Multiply-adds": [row.multiply_adds for row in description.layers],
            "Reads from": [", ".join(row.inputs) for row in description.layers],
        }
    )
