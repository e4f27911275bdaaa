"""Runs under three sets of labels, side by side: the table of Compare and of the Leaderboard."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.review.crowd_scores import LABELS, WORDS, Share, share_text


def show(rows: Sequence[tuple[str, dict[str, Share]]], split: str) -> None:
    """One row a run: its name, and its shares by :data:`~fer_core.review.crowd_scores.LABELS`."""
    table = pd.DataFrame(
        [{"Run": name} | {WORDS[column]: share_text(shares.get(column)) for column in LABELS} for name, shares in rows]
    )
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={"Run": st.column_config.TextColumn(width=165)},
        alt=f"Accuracy of each run on {split} under FER-2013's labels, under the crowd's, and where the crowd agrees.",
    )
