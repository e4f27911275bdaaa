"""The Agreement tab: who is right on which faces, and how much the runs agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.plots import agreement as plots
from fer_core.plots.style import run_colour
from fer_core.stats.agreement import MOST_MODELS, Set, agreement_rates, kappas, lattice, set_words
from pages.parts import linked
from pages.parts import links_to_mistakes as links
from pages.parts.charts import drawn
from pages.parts.compare import numbers
from pages.parts.scope import View

ORDERS: dict[str, plots.Order] = {"largest set first": "size", "most runs right first": "models"}


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    names = _which(view)
    words = linked.segmented_control("Sets", list(ORDERS), key="sorted")
    if not names:
        if is_open:
            st.info("Choose at least one run for the sets.", icon=":material/info:")
        return
    positions = [view.names.index(name) for name in names]
    sets = lattice(view.scope.aligned.right[positions])
    if is_open:
        st.caption(
            "Each column is a set of faces: those on which exactly the runs with a filled dot are right. "
            "**Click a column to see its faces.**"
        )
        _picture(view, sets, names, ORDERS[words])
        _shortcuts(view, sets, names)
    _one_set(view, sets, names, is_open)
    if is_open:
        _table(sets, names)
        _pairs(view)


def _which(view: View) -> tuple[str, ...]:
    """The runs of the sets: all, or of more than four those chosen; in the order of the view."""
    if len(view.names) <= MOST_MODELS:
        return view.names
    chosen = linked.runs(
        f"Runs in the sets (up to {MOST_MODELS})",
        list(view.shows),
        view.shows,
        default=list(view.shows)[:MOST_MODELS],
        max_selections=MOST_MODELS,
        key="sets",
    )
    return tuple(name for folder, name in view.shows.items() if folder in chosen)


def _picture(view: View, sets: Sequence[Set], names: tuple[str, ...], order: plots.Order) -> None:
    counts = [part.count for part in sets]
    event = st.plotly_chart(
        drawn(
            plots.lattice,
            counts,
            names,
            order=order,
            colours=[run_colour(view.names.index(name)) for name in names],
            dark=st.context.theme.type == "dark",
        ),
        key="lattice",
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        alt=plots.describe(counts, names),
    )
    if (hit := links.clicked(event)) is not None:
        links.open_faces(links.agreement_set(view, hit[0], names))
    st.markdown(plots.describe(counts, names))


def _shortcuts(view: View, sets: Sequence[Set], names: tuple[str, ...]) -> None:
    """The hardest faces, and those that one run alone gets right."""
    if len(names) < 2:
        return
    codes = [0, *(1 << position for position in range(len(names)))]
    with st.container(horizontal=True, key="set-links"):
        for code in codes:
            words = set_words(code, names)
            links.link_with_count(
                words[0].upper() + words[1:], sets[code].count, links.agreement_set(view, code, names)
            )


def _one_set(view: View, sets: Sequence[Set], names: tuple[str, ...], is_open: bool) -> None:
    """The way to any set without a mouse."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        folders = [view.folder_of(name) for name in names]
        shows = {set_words(part.code, folders): set_words(part.code, names) for part in sets}
        words = linked.run("Any set", list(shows), shows, key="which")
        chosen = next(part for part in sets if set_words(part.code, folders) == words)
        if is_open:
            links.link_with_count("Open it", chosen.count, links.agreement_set(view, chosen.code, names))


def _table(sets: Sequence[Set], names: tuple[str, ...]) -> None:
    total = max(1, sum(part.count for part in sets))
    table = pd.DataFrame(
        {
            "Set": [set_words(part.code, names) for part in sets],
            "Faces": [part.count for part in sets],
            "Share (%)": [100 * part.count / total for part in sets],
        }
    ).sort_values("Faces", ascending=False, kind="stable")
    with st.expander("As a table", icon=":material/table:"):
        st.dataframe(
            table,
            hide_index=True,
            height="content",
            column_config={
                "Faces": st.column_config.NumberColumn(format="localized"),
                "Share (%)": st.column_config.NumberColumn(format="%.1f"),
            },
            alt="How many faces each set has.",
        )


def _pairs(view: View) -> None:
    """Agreement of every two runs of the view, whether they are right or not."""
    if len(view.names) < 2:
        return
    st.subheader("How often two runs say the same", anchor=False)
    st.dataframe(
        pairs_table(view),
        hide_index=True,
        column_config={
            "Same answer (%)": st.column_config.NumberColumn(format="%.1f"),
            "Cohen's kappa": st.column_config.NumberColumn(format="%.3f"),
            "Both wrong (%)": st.column_config.NumberColumn(format="%.1f"),
            "Same error (%)": st.column_config.NumberColumn(format="%.1f"),
        },
        alt="Agreement of every two runs.",
    )
    st.caption(
        "Of all faces in view, right or wrong. Cohen's kappa is the agreement beyond what two runs would reach by "
        "chance that name the expressions as often as these do: 1 is full agreement, 0 none beyond chance. Same error: "
        f"both are wrong with the same answer; there, look at the label. {numbers.looks(view, view.names)}"
    )


def pairs_table(view: View) -> pd.DataFrame:
    """One row for every two runs."""
    aligned = view.scope.aligned
    rates, kappa = agreement_rates(aligned.predicted), kappas(aligned.predicted)
    rows = []
    for a, b in combinations(range(len(view.names)), 2):
        wrong = ~aligned.right[a] & ~aligned.right[b]
        rows.append(
            {
                "Run": view.names[a],
                "Other run": view.names[b],
                "Same answer (%)": 100 * rates[a, b],
                "Cohen's kappa": kappa[a, b],
                "Both wrong (%)": 100 * wrong.mean(),
                "Same error (%)": 100 * np.mean(wrong & (aligned.predicted[a] == aligned.predicted[b])),
            }
        )
    return pd.DataFrame(rows)
