"""Compare, first of all: how often each run is right on the faces in view, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.emotions import PRIVATE_TEST
from fer_core.formatting import interval, percent, plain
from fer_core.leaderboard.crowd import HEADING
from fer_core.plots import accuracy as plots
from fer_core.review.crowd_scores import EXPLAINED
from fer_core.runs.ledger import looks_words
from fer_core.stats.metrics import Scores
from pages.parts import crowd_columns, frame
from pages.parts.charts import drawn
from pages.parts.compare import numbers
from pages.parts.scope import LABELS_KEY, View

_COLUMNS = {
    # Pixels: wide enough for our longest name, which is cut off else.
    "Run": st.column_config.TextColumn(width=165),
    "Accuracy (%)": st.column_config.NumberColumn(format="%.1f"),
    "Macro F1": st.column_config.NumberColumn(format="%.3f"),
}


def show(view: View) -> None:
    """Accuracies with their intervals, as a picture and as a table."""
    aligned = view.scope.aligned
    st.header(f"Accuracy on {aligned.split}", anchor=False)
    whose = f", labels {view.query[LABELS_KEY]}" if LABELS_KEY in view.query else ""
    st.caption(f"Measured on {plain(view.data_title)}, n\u00a0=\u00a0{len(aligned):,} faces{whose}.")
    values = numbers.scores(view)
    picture, table = st.columns([1, 2], vertical_alignment="center")
    with picture:
        st.plotly_chart(
            drawn(plots.intervals, view.names, values),
            key="accuracies",
            config={"displayModeBar": False},
            alt=plots.describe(view.names, values),
        )
    with table:
        st.dataframe(
            accuracy_table(view, values),
            hide_index=True,
            height="content",
            column_config=_COLUMNS,
            alt=f"Accuracy on {aligned.split} of each run.",
        )
    if rows := numbers.under_crowd(view):
        st.subheader(HEADING, anchor=False)
        st.caption(EXPLAINED)
        crowd_columns.show(rows, aligned.split)
    with st.expander("What these numbers mean", icon=":material/help:"):
        st.markdown(
            "- **95 % interval**: how far chance alone moves an accuracy that is measured on so many faces (bootstrap "
            "over faces).\n"
            "- **Without twins**: the same without faces that also occur in Training, pixel for pixel or nearly so. A "
            "model may simply remember those.\n"
            f"- **Looks**: how often {PRIVATE_TEST} was opened for the run, by the ledger. The more there are, the "
            "more the best of them is luck.\n"
            "- **Macro F1**: precision and recall of each expression in one number, each expression counting alike; 0 "
            "to 1.\n\n"
            "How well the stated confidence fits is under Certainty. Times and sizes are on the cards."
        )
    with st.container(horizontal=True, key="cards"):
        for run in view.runs:
            frame.link("run", f"Card of {run.name}", icon=":material/id_card:", query={"run": run.name})


def accuracy_table(view: View, values: Sequence[Scores]) -> pd.DataFrame:
    """One row a run. ``values`` as from :func:`pages.parts.compare.numbers.scores`."""
    aligned = view.scope.aligned
    table = pd.DataFrame(
        {
            "Run": view.names,
            "Accuracy (%)": [100 * entry["accuracy"] for entry in values],
            "95 % interval": [interval(entry) for entry in values],
            "Macro F1": [entry["macro_f1"] for entry in values],
        }
    )
    looks = [looks_words(run.path, aligned.fingerprint) for run in view.runs]
    if aligned.split == PRIVATE_TEST and any(looks):
        table["Looks"] = looks
    if aligned.near_duplicate is not None and aligned.near_duplicate.any():
        alone = aligned.right[:, ~aligned.near_duplicate]
        n = alone.shape[1]
        words = [f"{percent(right.mean())} of {n:,}" if n else "no face is left" for right in alone]
        table.insert(3, "Without twins", words)
    return table
