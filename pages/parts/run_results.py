"""Pictures of one run's results, each with its table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.plots import confusion as confusion_plots
from fer_core.plots import history as history_plots
from fer_core.runs.contracts import SplitScores
from pages.parts import runs
from pages.parts.charts import drawn


def show_matrix(counts: Sequence[Sequence[int]], *, title: str, share: bool, key: str, height: int = 420) -> None:
    """The picture of a confusion matrix; ``share`` shows per cent of the true class instead of faces."""
    dark = st.context.theme.type == "dark"
    st.plotly_chart(
        drawn(confusion_plots.matrix, counts, normalise="row" if share else "none", dark=dark, height=height),
        key=f"confusion-{key}",
        config={"displayModeBar": False},
        alt=confusion_plots.describe(counts, title),
    )


def show_per_class(scores: SplitScores) -> None:
    """Precision, recall, F1 and support of each expression, and their mean."""
    st.dataframe(
        runs.per_class_table(scores),
        hide_index=True,
        height="content",
        column_config=runs.NUMBERS,
        alt="Precision, recall, F1 and support of each expression.",
    )


def show_learning_curves(table: pd.DataFrame, best_epoch: int | None, *, own: bool = False) -> None:
    """Loss and accuracy over epochs; the kept epoch is marked. ``table`` as in ``history.csv``; ``own``: of a run that
    was trained elsewhere, on faces of its own.
    """
    if table.empty:
        st.caption("No epoch has finished yet.")
        return
    st.plotly_chart(
        drawn(history_plots.learning_curves, table, best_epoch=best_epoch, own=own),
        key="history",
        config={"displayModeBar": False},
        alt=history_plots.describe_learning_curves(table, best_epoch=best_epoch, own=own),
    )
