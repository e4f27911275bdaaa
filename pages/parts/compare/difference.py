"""The Difference tab: is run B really better than run A, and where?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core import emotions
from fer_core.formatting import plural, points
from fer_core.plots import difference as plots
from fer_core.review import sentences
from fer_core.stats.intervals import RESAMPLES
from fer_core.stats.paired_tests import Comparison, Difference, p_words
from pages.parts import linked
from pages.parts import links_to_mistakes as links
from pages.parts.charts import drawn
from pages.parts.compare import numbers
from pages.parts.scope import View


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    if len(view.names) < 2:
        if is_open:
            st.info("A difference needs two runs. Choose another one at the top.", icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = view.choose_run("A", key="a", help="What B is compared with.")
        second = view.choose_run("B", index=1, key="b")
        st.button("Swap A and B", icon=":material/swap_horiz:", on_click=_swap)
    a, b = view.names.index(first), view.names.index(second)
    compared = None
    if is_open and a == b:
        st.info("A and B are the same run. Choose two different ones.", icon=":material/info:")
    elif is_open:
        compared = numbers.comparison(view, a, b)
        _verdict(compared, first, second, numbers.looks(view, (first, second)))
        _matrix(view, compared, first, second)
    _one_cell(view, compared, a, b)


def _swap() -> None:
    st.session_state["a"], st.session_state["b"] = st.session_state["b"], st.session_state["a"]


def _verdict(compared: Comparison, a: str, b: str, looks: str) -> None:
    st.subheader(compared.verdict(a, b), anchor=False)
    test = compared.test
    with st.container(horizontal=True, key="verdict"):
        st.metric(
            "Accuracy, B minus A",
            points(compared.accuracy.value),
            help="In percentage points of the faces in view.",
            border=True,
        )
        st.metric(
            "McNemar's exact test",
            p_words(test.p),
            help="How probable so uneven a split, or a more uneven one, would be if both runs were equally good. It "
            "looks only at faces that one of them gets right and the other wrong.",
            border=True,
        )
        st.metric(
            "Macro F1, B minus A",
            f"{compared.macro_f1.value:+.3f}".replace("-", "−"),
            help="Each expression counts alike, however rare it is. F1 goes from 0 to 1.",
            border=True,
        )
    st.caption(
        f"95 % intervals of {RESAMPLES:,} paired resamples of the {plural(compared.n, 'face')}: accuracy "
        f"{_span(compared.accuracy, 100, 1)} points, macro F1 {_span(compared.macro_f1, 1, 3)}. Only {a} is right on "
        f"{plural(test.n10, 'face')}, only {b} on {test.n01:,}. Training either again, with another seed, would move "
        f"its accuracy, too. {looks}"
    )


def _span(difference: Difference, factor: float, digits: int) -> str:
    low, high = (f"{factor * end:+.{digits}f}".replace("-", "−") for end in (difference.low, difference.high))
    return f"{low} to {high}"


def _matrix(view: View, compared: Comparison, a: str, b: str) -> None:
    found = compared.matrix
    st.subheader("Where they differ", anchor=False)
    st.caption(
        f"{b} minus {a}, in percentage points of the true class. Orange, +: {b} says it more often; blue, −: less "
        "often. **Click a cell to see the faces that one of the two takes so.**",
        help="A cell has a colour only where chance is excluded: McNemar's exact test of the cell, Holm's correction "
        "over all cells, 5 %.",
    )
    event = st.plotly_chart(
        drawn(
            plots.difference_matrix,
            found.points,
            found.significant,
            low=found.low,
            high=found.high,
            adjusted=found.adjusted,
            support=found.support,
            names=(a, b),
            dark=st.context.theme.type == "dark",
            height=480,
        ),
        key="difference",
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        alt=plots.describe(found.points, found.significant, (a, b)),
    )
    if (hit := links.clicked(event)) is not None:
        links.open_faces(links.cell(view, hit[0], hit[1], runs=(a, b)))
    st.markdown(sentences.difference(found.points, found.significant, (a, b)))
    table = linked.expander("As a table", key="difference_table", icon=":material/table:")
    if table.open:
        table.dataframe(
            difference_table(compared),
            hide_index=True,
            column_config={
                "B minus A (points)": st.column_config.NumberColumn(format="%+.1f"),
                "p after Holm": st.column_config.NumberColumn(format="%.4f"),
            },
            alt=plots.describe(found.points, found.significant, (a, b)),
        )


def difference_table(compared: Comparison) -> pd.DataFrame:
    """One row a cell that has faces, the largest difference first."""
    found = compared.matrix
    rows = [
        {
            "True": emotions.NAMES[true],
            "Taken for": emotions.NAMES[predicted],
            "B minus A (points)": float(found.points[true, predicted]),
            "95 % interval": f"{found.low[true, predicted]:+.1f} to {found.high[true, predicted]:+.1f}".replace(
                "-", "−"
            ),
            "Only A says so (faces)": int(found.n10[true, predicted]),
            "Only B says so (faces)": int(found.n01[true, predicted]),
            "p after Holm": float(found.adjusted[true, predicted]),
            "More than chance explains": bool(found.significant[true, predicted]),
        }
        for true, predicted in np.ndindex(found.points.shape)
        if found.support[true]
    ]
    return pd.DataFrame(rows).sort_values("B minus A (points)", key=abs, ascending=False, ignore_index=True)


def _one_cell(view: View, compared: Comparison | None, a: int, b: int) -> None:
    """The way to a cell without a mouse, and whose answers they are."""
    if compared is not None:
        st.subheader("The faces behind one cell", anchor=False)
    with st.container(horizontal=True):
        true = linked.selectbox("True expression", emotions.NAMES, emotions.index_of("fear"), key="diff_true")
        predicted = linked.selectbox("Taken for", emotions.NAMES, emotions.index_of("sad"), key="diff_said")
    if compared is None:
        return
    cell = emotions.index_of(true), emotions.index_of(predicted)
    aligned, pair = view.scope.aligned, (view.names[a], view.names[b])
    here = aligned.labels == cell[0]
    says = [here & (aligned.predicted[at] == cell[1]) for at in (a, b)]
    with st.container(horizontal=True, key="difference-links"):
        for name, of_run in zip(pair, says, strict=True):
            links.link_with_count(f"{name} says so", int(of_run.sum()), links.cell(view, *cell, name, pair))
        links.link_with_count(
            "One of the two says so", int((says[0] | says[1]).sum()), links.cell(view, *cell, runs=pair)
        )
        if cell[0] == cell[1]:
            # Who is right where is a set of its own, so here the faces that tell the two apart have an address.
            for code, name in ((1, pair[0]), (2, pair[1])):
                only = int(compared.matrix.n10[cell] if code == 1 else compared.matrix.n01[cell])
                links.link_with_count(f"Only {name} says so", only, links.agreement_set(view, code, pair, cell[0]))
