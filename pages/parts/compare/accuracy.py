"""Compare, first of all: how often each run is right on the faces in view, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.emotions import COUNT, PRIVATE_TEST
from fer_core.formatting import interval, percent, plain
from fer_core.leaderboard.crowd import HEADING
from fer_core.plots import accuracy_strip as plots
from fer_core.review import sentences
from fer_core.review.crowd_scores import EXPLAINED
from fer_core.runs import protocol
from fer_core.runs.ledger import looks_words
from fer_core.runs.metrics import persons_words
from fer_core.stats.metrics import Scores
from pages.parts import crowd_columns, frame, linked
from pages.parts.compare import numbers
from pages.parts.scope import LABELS_KEY, View

ABOUT = (
    "Of 100 faces, how many get their label as the answer; behind it the 95 % interval, how far chance alone moves "
    f"that. {protocol.KEPT_ASIDE} {protocol.CHOOSING}"
)
_COLUMNS = {
    # Pixels: wide enough for our longest name, which is cut off else.
    "Run": st.column_config.TextColumn(width=165),
    "Accuracy (%)": st.column_config.NumberColumn(format="%.1f"),
    "Macro F1": st.column_config.NumberColumn(format="%.3f"),
    "Macro F1 without twins": st.column_config.NumberColumn(format="%.3f"),
}


def show(view: View) -> None:
    """A strip of accuracies with their intervals, a sentence, and every figure folded below."""
    aligned = view.scope.aligned
    st.header(f"Accuracy on {aligned.split}", anchor=False, help=ABOUT)
    st.html(strip(view))
    if words := persons_words(numbers.scores(view)[0]):
        st.caption(f":material/groups: {words} Tests of pairs of runs take each face by itself.")
    if words := sentences.accuracies(view.names, aligned.right):
        st.markdown(words)
    if view.lesson:
        st.caption(f":material/school: {view.lesson}")
    figures = linked.expander("All figures, other people's labels", key="figures", icon=":material/table:")
    if figures.open:
        with figures:
            _figures(view)


def strip(view: View) -> str:
    """The strip alone, HTML."""
    clean = numbers.without_twins(view)
    lines = [
        plots.Line(
            name,
            score["accuracy"],
            score["accuracy_low"],
            score["accuracy_high"],
            f"without twins {percent(clean[at]['accuracy'])}" if clean else "",
        )
        for at, (name, score) in enumerate(zip(view.names, numbers.scores(view), strict=True))
    ]
    classes = int(view.scope.confusions[0].any(axis=1).sum())
    # What people reach was measured on FER-2013's photographs.
    people = plots.PEOPLE if view.data.record["kind"] != "sample" and classes == COUNT else None
    return plots.strip(lines, chance=1 / COUNT, people=people)


def _figures(view: View) -> None:
    aligned = view.scope.aligned
    whose = f", labels {view.query[LABELS_KEY]}" if LABELS_KEY in view.query else ""
    st.caption(f"Measured on {plain(view.data_title)}, n\u00a0=\u00a0{len(aligned):,} faces{whose}.")
    st.dataframe(
        accuracy_table(view, numbers.scores(view)),
        hide_index=True,
        height="content",
        column_config=_COLUMNS,
        alt=f"Accuracy on {aligned.split} of each run.",
    )
    st.markdown(
        "- **95 % interval**: how far chance alone moves an accuracy that is measured on so many faces (bootstrap "
        "over faces).\n"
        "- **Without twins**: without faces that also occur in Training, pixel for pixel or nearly so. A model may "
        "simply remember those.\n"
        f"- **Looks**: how often {PRIVATE_TEST} was opened for the run, by the ledger. The more there are, the "
        "more the best of them is luck.\n"
        "- **Macro F1**: precision and recall of each expression in one number, each expression counting alike; 0 "
        "to 1."
    )
    if rows := numbers.under_crowd(view):
        st.subheader(HEADING, anchor=False)
        st.caption(EXPLAINED)
        crowd_columns.show(rows, aligned.split)
    with st.container(horizontal=True, key="cards"):
        for run in view.runs:
            frame.link("run", f"Card of {run.display_name}", icon=":material/id_card:", query={"run": run.name})


def accuracy_table(view: View, values: Sequence[Scores]) -> pd.DataFrame:
    """One row a run, without twins before with them. ``values``: from :func:`pages.parts.compare.numbers.scores`."""
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
        clean = numbers.without_twins(view)
        words = [f"{percent(one['accuracy'])} ({interval(one)}) of {one['n']:,}" for one in clean]
        table.insert(1, "Without twins", words or "no face is left")
        if clean:
            table.insert(4, "Macro F1 without twins", [one["macro_f1"] for one in clean])
    return table
