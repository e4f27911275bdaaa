"""The Matrices tab: which expression each run takes for which, side by side; each cell leads to its faces."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fer_core import emotions
from fer_core.formatting import plural
from fer_core.plots import confusion as plots
from fer_core.plots.style import DARK_SCALE, LIGHT_SCALE
from fer_core.review import sentences
from pages.parts import frame, linked, links_to_explain
from pages.parts import links_to_mistakes as links
from pages.parts.charts import drawn
from pages.parts.compare import numbers
from pages.parts.scope import View

SHOWN: dict[str, plots.Normalise] = {
    "Per cent of the true class": "row",
    "Per cent of the answers": "column",
    "Faces": "none",
}
LABEL_ORDER, BY_CONFUSION = "as the labels", "by confusion"
AT_FIRST = 2
"""Matrices shown unless more are asked for: side by side, and drawn at once."""

Counts = npt.NDArray[np.int64]


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    # The picture leads, and what it needs is chosen below it.
    picture = st.container()
    fold = st.expander("Cells and runs", icon=":material/tune:")
    with fold, st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        words = linked.segmented_control(
            "Cells show",
            list(SHOWN),
            key="show",
            help="Of the true class: the diagonal is recall. Of the answers: the diagonal is precision.",
        )
        diagonal = not linked.toggle(
            "Mistakes alone", key="mistakes_alone", help="Leave the diagonal, the right answers, empty."
        )
        least = linked.slider(
            "Confidence from (%)",
            0,
            95,
            0,
            5,
            key="sure",
            width=180,
            help="Count only answers that the run gives with at least this probability.",
        )
        order_words = linked.segmented_control(
            "Order of the expressions",
            (LABEL_ORDER, BY_CONFUSION),
            key="order",
            help="By confusion: expressions that these runs, taken together, confuse the most are neighbours.",
        )
    with fold:
        names = _which(view)
    if is_open:
        counts = dict(zip(view.names, numbers.confusions_above(view, least / 100), strict=True))
        order = plots.LABEL_ORDER
        if order_words == BY_CONFUSION:
            order = plots.order_by_confusion(view.scope.confusions.sum(axis=0))
        with picture:
            _side_by_side(view, {name: counts[name] for name in names}, SHOWN[words], order, diagonal, least)
        _pairs(view, names, least)
    with st.expander("One cell of every run", icon=":material/grid_on:"):
        _one_cell(view, is_open, least)


def _which(view: View) -> tuple[str, ...]:
    """The runs whose matrices are shown, in the order of the view: of more than two those chosen, or the first two."""
    if len(view.names) <= AT_FIRST:
        return view.names
    first = view.names[:AT_FIRST]
    folders = list(view.shows)
    chosen = linked.runs(
        "Matrices of", folders, view.shows, default=folders[:AT_FIRST], key="matrices", placeholder=" and ".join(first)
    )
    # None are left, too, where the runs that were chosen here are no longer those above.
    return tuple(name for folder, name in view.shows.items() if folder in chosen) or first


def _side_by_side(
    view: View,
    counts: Mapping[str, Counts],
    shown: plots.Normalise,
    order: tuple[int, ...],
    diagonal: bool,
    least: int,
) -> None:
    dark = st.context.theme.type == "dark"
    names = list(counts)
    most = 100.0 if diagonal else _most(counts, shown)
    _legend(most)
    width = min(3, max(2, len(names)))
    for start in range(0, len(names), width):
        for column, name in zip(st.columns(width), names[start : start + width], strict=False):
            with column:
                sure = f", {plural(int(counts[name].sum()), 'answer')} from {least} %" if least else ""
                st.markdown(f"**{name}**{sure}")
                event = st.plotly_chart(
                    drawn(
                        plots.matrix,
                        counts[name],
                        normalise=shown,
                        order=order,
                        dark=dark,
                        diagonal=diagonal,
                        most=most,
                        height=380,
                    ),
                    key=f"confusion-{view.folder_of(name)}",
                    on_select="rerun",
                    selection_mode="points",
                    config={"displayModeBar": False},
                    alt=plots.describe(counts[name], name),
                )
                if (hit := links.clicked(event)) is not None:
                    links.open_faces(links.cell(view, hit[0], hit[1], name, least=least))
    st.markdown(sentences.matrices(counts))
    tables = linked.expander("As tables", key="matrix_tables", icon=":material/table:")
    if tables.open:
        with tables:
            for name in names:
                st.markdown(f"**{name}**")
                st.dataframe(
                    matrix_table(counts[name], shown, order),
                    hide_index=True,
                    height="content",
                    column_config=None if shown == "none" else _NUMBERS,
                    alt=f"The confusion matrix of {name}: rows true, columns predicted, {_UNITS[shown]}.",
                )


_UNITS = {"row": "per cent of the true class", "column": "per cent of the answers", "none": "faces"}
_NUMBERS = {name: st.column_config.NumberColumn(format="%.1f") for name in emotions.NAMES}


def _most(counts: Mapping[str, Counts], shown: plots.Normalise) -> float:
    """Where the colours of mistakes alone end: the largest share of all matrices, rounded up to tens of per cent."""
    shares = [plots.percentages(of_run, "column" if shown == "column" else "row") for of_run in counts.values()]
    beside = ~np.eye(emotions.COUNT, dtype=bool)
    return max(10.0, 10.0 * ceil(max(float(np.nan_to_num(one[beside]).max()) for one in shares) / 10))


def matrix_table(counts: np.ndarray, shown: plots.Normalise, order: tuple[int, ...]) -> pd.DataFrame:
    """A confusion matrix as a table, rows true: faces, or per cent of the row or column."""
    values = counts if shown == "none" else plots.percentages(counts, shown)
    names = [emotions.NAMES[label] for label in order]
    table = pd.DataFrame(values[np.ix_(order, order)], columns=names)
    table.insert(0, "true ↓  predicted →", names)
    return table


def _legend(most: float) -> None:
    """How to read them, and their one colour scale. Where cells show faces colours still are shares of the class."""
    scale = DARK_SCALE if st.context.theme.type == "dark" else LIGHT_SCALE
    stops = ", ".join(f"{colour} {100 * place:.0f}%" for place, colour in scale)
    st.html(
        '<div style="font-size:0.85rem;display:flex;align-items:center;gap:0.5em;flex-wrap:wrap">'
        "<span>Row: label. Column: answer. <b>Click a cell for its faces.</b></span>"
        '<span style="display:inline-flex;align-items:center;gap:0.5em;white-space:nowrap">0 %'
        f'<span style="width:6em;height:0.9em;border:1px solid #7F7F8F;background:linear-gradient(90deg, {stops})">'
        f"</span>{most:.0f} %</span></div>"
    )


def _pairs(view: View, names: tuple[str, ...], least: int) -> None:
    """The most confused pairs as a list, each a link to its faces."""
    who = "one of the shown runs" if len(names) > 1 else names[0]
    st.subheader("Most confused", anchor=False, help=f"The label → what {who} takes it for, and on how many faces.")
    found = sentences.confused_pairs(numbers.taken_for(view, names, least / 100))
    if not found:
        st.caption("No face is taken for another expression.")
    with st.container(horizontal=True, gap="small", key="pairs"):
        for pair in found:
            query = links.cell(view, pair.true, pair.said, runs=names, least=least)
            frame.link(links.MISTAKES, pair.short, icon=":material/face:", query=query)


def _one_cell(view: View, is_open: bool, least: int) -> None:
    """The way to a cell without a mouse, and the same cell of all runs."""
    with st.container(horizontal=True):
        true = linked.selectbox("True expression", emotions.NAMES, emotions.index_of("fear"), key="cell_true")
        predicted = linked.selectbox("Taken for", emotions.NAMES, emotions.index_of("sad"), key="cell_said")
    if not is_open:
        return
    cell = emotions.index_of(true), emotions.index_of(predicted)
    of_class = int((view.scope.aligned.labels == cell[0]).sum())
    with st.container(horizontal=True, key="cell-links"):
        for name, counts in zip(view.names, numbers.confusions_above(view, least / 100), strict=True):
            links.link_with_count(name, int(counts[cell]), links.cell(view, *cell, name, least=least))
        if len(view.names) > 1:
            faces = int(numbers.taken_for(view, view.names, least / 100)[cell])
            links.link_with_count("One run at least", faces, links.cell(view, *cell, least=least))
        if view.dataset is not None:
            links_to_explain.averages("Average maps of the cell", links.cell(view, *cell, least=least))
    st.caption(f"Of {of_class:,} faces labelled {true}, so many are taken for {predicted}.")
