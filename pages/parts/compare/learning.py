"""The Learning tab: the training histories of the runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from fer_core.formatting import duration, listed, plain
from fer_core.plots import history as plots
from fer_core.review import sentences
from pages.parts import linked
from pages.parts.charts import drawn
from pages.parts.compare import numbers
from pages.parts.runs import data_title
from pages.parts.scope import View

METRICS: dict[str, plots.Metric] = {"Accuracy": "accuracy", "Loss": "loss"}
ALONG: dict[str, plots.Along] = {"by epoch": "epoch", "by time": "time"}
BEST, BEST_OWN = "Best accuracy on PublicTest (%)", "Best accuracy on PublicTest or own faces (%)"


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    with st.container(horizontal=True):
        quantity = linked.segmented_control("Curve", list(METRICS), key="curve")
        along = linked.segmented_control(
            "Aligned",
            list(ALONG),
            key="along",
            help="By time: since each run's own start, pauses not counted, on the machine that trained it.",
        )
    if not is_open:
        return
    tables = numbers.histories(view)
    votes = [run.display_name for run in view.runs if run.is_vote]
    without = [name for name, table in tables.items() if table.empty]
    tables = {name: table for name, table in tables.items() if not table.empty}
    own = [run.display_name for run in view.runs if run.is_brought and run.display_name in tables]
    metric, axis = METRICS[quantity], ALONG[along]
    # A history from elsewhere need not say how long its epochs took: all of them would stand at the beginning.
    untimed = [name for name, table in tables.items() if axis == "time" and not table["seconds"].any()]
    shown = {name: table for name, table in tables.items() if name not in untimed}
    if shown:
        st.plotly_chart(
            drawn(plots.learning_overlay, shown, metric, along=axis, own=own, order=view.names),
            key="histories",
            config={"displayModeBar": False},
            alt=plots.describe_learning_overlay(shown, metric, along=axis, own=own),
        )
        st.caption(
            "Full lines: PublicTest. Dashed lines: the training faces, while learning." + _learned_from(view),
            help="Whatever faces and labels you chose above, these curves were drawn while training, with the "
            "dataset's labels.",
        )
    if untimed:
        st.caption(f"Not in the picture by time, because their epochs' time is not told: {', '.join(untimed)}.")
    if own:
        st.caption(
            f"Trained elsewhere, on other faces: {', '.join(own)}. Full lines of these are faces of their own in place "
            "of PublicTest."
        )
    if tables:
        st.markdown(sentences.learning(numbers.learned(view)))
        table = linked.expander("As a table", key="learning_table", icon=":material/table:")
        if table.open:
            best = BEST_OWN if own else BEST
            table.dataframe(
                learning_table(tables, best),
                hide_index=True,
                column_config={
                    best: st.column_config.NumberColumn(format="%.1f"),
                    "Accuracy on training faces then (%)": st.column_config.NumberColumn(format="%.1f"),
                },
                alt="How long each run trained, and its best epoch.",
            )
    if votes:
        st.caption(f"Not in the picture, because a vote is built of trained runs: {', '.join(votes)}.")
    if brought := [run.display_name for run in view.runs if run.is_brought and run.display_name not in tables]:
        st.caption(f"Not in the picture, because no history came with them: {', '.join(brought)}.")
    if without:
        st.caption(f"Not in the picture, because no epoch is recorded: {', '.join(without)}.")


def _learned_from(view: View) -> str:
    """Which data the curves are about, where these are not those in view."""
    there = [run.data for run in view.runs if run.data is not None and not run.is_vote and not run.is_brought]
    titles = {data_title(data): None for data in there if data["fingerprint"] != view.data.fingerprint}
    return f" Both are of {plain(listed(list(titles)))}, which the runs learned from." if titles else ""


def learning_table(tables: Mapping[str, pd.DataFrame], best_column: str) -> pd.DataFrame:
    """One row a run with a history: its length, and its best epoch on faces that it did not learn from."""
    rows = []
    for name, table in tables.items():
        best = table.iloc[int(table["val_accuracy"].to_numpy().argmax())]
        rows.append(
            {
                "Run": name,
                "Epochs": len(table),
                "Training time": duration(float(table["seconds"].sum())) if table["seconds"].any() else "not said",
                "Best epoch": int(best["epoch"]),
                best_column: 100 * float(best["val_accuracy"]),
                "Accuracy on training faces then (%)": 100 * float(best["accuracy"]),
            }
        )
    return pd.DataFrame(rows)
