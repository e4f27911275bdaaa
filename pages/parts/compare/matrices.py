"""The Matrices tab: which expression each run takes for which, side by side; each cell leads to its faces."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core import emotions
from fer_core.plots import confusion as plots
from fer_core.plots.style import DARK_SCALE, LIGHT_SCALE
from pages.parts import linked, links_to_explain
from pages.parts import links_to_mistakes as links
from pages.parts.charts import drawn
from pages.parts.scope import View

SHOWN: dict[str, plots.Normalise] = {
    "Per cent of the true class": "row",
    "Per cent of the answers": "column",
    "Faces": "none",
}
LABEL_ORDER, BY_CONFUSION = "as the labels", "by confusion"
AT_FIRST = 2
"""Matrices shown unless more are asked for: side by side, and drawn at once."""


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    with st.container(horizontal=True):
        words = linked.segmented_control(
            "Cells show",
            list(SHOWN),
            key="show",
            help="Of the true class: the diagonal is recall. Of the answers: the diagonal is precision.",
        )
        order_words = linked.segmented_control(
            "Order of the expressions",
            (LABEL_ORDER, BY_CONFUSION),
            key="order",
            help="By confusion: expressions that these runs, taken together, confuse the most are neighbours.",
        )
    names = _which(view)
    shown = SHOWN[words]
    order = plots.LABEL_ORDER
    if is_open:
        if order_words == BY_CONFUSION:
            order = plots.order_by_confusion(view.scope.confusions.sum(axis=0))
        st.caption(
            "Rows are the true expression, columns what the model said. A perfect model fills only the diagonal. "
            "**Click a cell to see its faces.**"
        )
        _scale(shown)
        _side_by_side(view, names, shown, order)
    _one_cell(view, is_open)


def _which(view: View) -> tuple[str, ...]:
    """The runs whose matrices are shown, in the order of the view: of more than two those chosen, or the first two."""
    if len(view.names) <= AT_FIRST:
        return view.names
    first = view.names[:AT_FIRST]
    chosen = linked.several(
        st.multiselect, "Matrices of", view.names, default=first, key="matrices", placeholder=" and ".join(first)
    )
    # None are left, too, where the runs that were chosen here are no longer those above.
    return tuple(name for name in view.names if name in chosen) or first


def _side_by_side(view: View, names: tuple[str, ...], shown: plots.Normalise, order: tuple[int, ...]) -> None:
    dark = st.context.theme.type == "dark"
    width = min(3, max(2, len(names)))
    for start in range(0, len(names), width):
        for column, name in zip(st.columns(width), names[start : start + width], strict=False):
            counts = view.scope.confusions[view.names.index(name)]
            with column:
                st.markdown(f"**{name}**")
                event = st.plotly_chart(
                    drawn(plots.matrix, counts, normalise=shown, order=order, dark=dark),
                    key=f"confusion-{name}",
                    on_select="rerun",
                    selection_mode="points",
                    config={"displayModeBar": False},
                    alt=plots.describe(counts, name),
                )
                if (hit := links.clicked(event)) is not None:
                    links.open_faces(links.cell(view, hit[0], hit[1], name))
                with st.expander("As a table", icon=":material/table:"):
                    st.dataframe(
                        matrix_table(counts, shown, order),
                        hide_index=True,
                        column_config=None if shown == "none" else _NUMBERS,
                        alt=f"The confusion matrix of {name}: rows true, columns predicted, {_UNITS[shown]}.",
                    )


_UNITS = {"row": "per cent of the true class", "column": "per cent of the answers", "none": "faces"}
_NUMBERS = {name: st.column_config.NumberColumn(format="%.1f") for name in emotions.NAMES}


def matrix_table(counts: np.ndarray, shown: plots.Normalise, order: tuple[int, ...]) -> pd.DataFrame:
    """A confusion matrix as a table, rows true: faces, or per cent of the row or column."""
    values = counts if shown == "none" else plots.percentages(counts, shown)
    names = [emotions.NAMES[label] for label in order]
    table = pd.DataFrame(values[np.ix_(order, order)], columns=names)
    table.insert(0, "true ↓  predicted →", names)
    return table


def _scale(shown: plots.Normalise) -> None:
    """The one colour scale of all matrices. Where cells show faces their colours still are shares of the true class."""
    scale = DARK_SCALE if st.context.theme.type == "dark" else LIGHT_SCALE
    stops = ", ".join(f"{colour} {100 * place:.0f}%" for place, colour in scale)
    unit = _UNITS["row" if shown == "none" else shown]
    st.html(
        '<div style="font-size:0.85rem;display:flex;align-items:center;gap:0.5em;flex-wrap:wrap">Colour: 0 %'
        f'<span style="width:9em;height:0.9em;border:1px solid #7F7F8F;background:linear-gradient(90deg, {stops})">'
        f"</span>100 %, {unit}</div>"
    )


def _one_cell(view: View, is_open: bool) -> None:
    """The way to a cell without a mouse, and the same cell of all runs."""
    if is_open:
        st.subheader("One cell, all runs", anchor=False)
    with st.container(horizontal=True):
        true = linked.selectbox("True expression", emotions.NAMES, emotions.index_of("fear"), key="cell_true")
        predicted = linked.selectbox("Taken for", emotions.NAMES, emotions.index_of("sad"), key="cell_said")
    if not is_open:
        return
    cell = emotions.index_of(true), emotions.index_of(predicted)
    aligned = view.scope.aligned
    here = aligned.labels == cell[0]
    with st.container(horizontal=True, key="cell-links"):
        for name, counts in zip(view.names, view.scope.confusions, strict=True):
            links.link_with_count(name, int(counts[cell]), links.cell(view, *cell, name))
        if len(view.names) > 1:
            faces = int((here & (aligned.predicted == cell[1]).any(axis=0)).sum())
            links.link_with_count("One run at least", faces, links.cell(view, *cell))
        if view.dataset is not None:
            links_to_explain.averages("Average maps of the cell", links.cell(view, *cell))
    st.caption(f"Of {int(here.sum()):,} faces labelled {true}, so many are taken for {predicted}.")
