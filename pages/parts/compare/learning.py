"""The Learning tab: the training histories of the runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from fer_core.formatting import duration
from fer_core.plots import history as plots
from fer_core.review import sentences
from pages.parts import linked
from pages.parts.charts import drawn
from pages.parts.compare import numbers
from pages.parts.scope import View

METRICS: dict[str, plots.Metric] = {"Accuracy": "accuracy", "Loss": "loss"}
ALONG: dict[str, plots.Along] = {"by epoch": "epoch", "by time": "time"}


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
    votes = [run.name for run in view.runs if run.is_vote]
    without = [name for name, table in tables.items() if table.empty]
    tables = {name: table for name, table in tables.items() if not table.empty}
    if tables:
        metric, axis = METRICS[quantity], ALONG[along]
        st.plotly_chart(
            drawn(plots.learning_overlay, tables, metric, along=axis),
            key="histories",
            config={"displayModeBar": False},
            alt=plots.describe_learning_overlay(tables, metric, along=axis),
        )
        st.caption(
            "Full lines: PublicTest. Dashed lines: the training faces, while learning.",
            help="Whatever faces and labels you chose above, these curves were drawn while training, with the "
            "dataset's labels.",
        )
        st.markdown(sentences.learning(numbers.learned(view)))
        table = linked.expander("As a table", key="learning_table", icon=":material/table:")
        if table.open:
            table.dataframe(
                learning_table(tables),
                hide_index=True,
                column_config={
                    "Best accuracy on PublicTest (%)": st.column_config.NumberColumn(format="%.1f"),
                    "Accuracy on training faces then (%)": st.column_config.NumberColumn(format="%.1f"),
                },
                alt="How long each run trained, and its best epoch.",
            )
    if votes:
        st.caption(f"Not in the picture, because a vote is built of trained runs: {', '.join(votes)}.")
    if brought := [run.name for run in view.runs if run.is_brought and run.name not in tables]:
        st.caption(f"Not in the picture, because no history came with them: {', '.join(brought)}.")
    if without:
        st.caption(f"Not in the picture, because no epoch is recorded: {', '.join(without)}.")


def learning_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a trained run: its length, and its best epoch on PublicTest."""
    rows = []
    for name, table in tables.items():
        best = table.iloc[int(table["val_accuracy"].to_numpy().argmax())]
        rows.append(
            {
                "Run": name,
                "Epochs": len(table),
                "Training time": duration(float(table["seconds"].sum())) if table["seconds"].any() else "not said",
                "Best epoch": int(best["epoch"]),
                "Best accuracy on PublicTest (%)": 100 * float(best["val_accuracy"]),
                "Accuracy on training faces then (%)": 100 * float(best["accuracy"]),
            }
        )
    return pd.DataFrame(rows)
