"""The Classes tab: expression by expression, and each expression against the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from fer_core import emotions
from fer_core.formatting import percent
from fer_core.plots import classes as plots
from fer_core.plots import curves as curve_plots
from fer_core.review import sentences
from fer_core.stats.curves import areas
from fer_core.stats.metrics import ClassIntervals, interval_of
from pages.parts import linked
from pages.parts.charts import drawn
from pages.parts.compare import numbers
from pages.parts.scope import View

MEASURES: dict[str, plots.Measure] = {"F1": "f1", "Recall": "recall", "Precision": "precision"}
KINDS: dict[str, numbers.Kind] = {"ROC": "roc", "Precision and recall": "precision_recall"}
WITHOUT = " without twins"
ALL_RUNS, MEAN = "all runs", "mean of the expressions"
_PLAIN = {"displayModeBar": False}


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    measure = linked.segmented_control(
        "Measure",
        list(MEASURES),
        key="measure",
        help="Precision: of the faces called so, how many are. Recall: of the faces that are so, how many were found. "
        "F1: the harmonic mean of both.",
    )
    if is_open:
        _scores(view, measure)
        _top_two(view)
        st.subheader("Each expression against the rest", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = linked.segmented_control("Curves", list(KINDS), key="curves")
        run = view.choose_run("Runs in the picture", (ALL_RUNS,), key="curves_of")
        expression = linked.selectbox(
            "Expression",
            (MEAN, *emotions.NAMES),
            key="against",
            disabled=run != ALL_RUNS,
            help="With one run in the picture all expressions are drawn.",
        )
    if is_open:
        _curves(view, kind, run, expression)


def _scores(view: View, words: str) -> None:
    measure, entries = MEASURES[words], numbers.classes(view)
    st.plotly_chart(
        drawn(plots.class_dots, entries, measure=measure),
        key="classes",
        config=_PLAIN,
        alt=plots.describe_dots(entries, measure=measure),
    )
    st.caption("Lines are 95 % intervals (Wilson's): long where there are few faces.")
    st.markdown(sentences.classes(entries, measure))
    clean = numbers.classes_without_twins(view)
    table = linked.expander("All measures of every run", key="all_measures", icon=":material/table:")
    if table.open:
        table.dataframe(
            classes_table(entries, clean),
            hide_index=True,
            column_config={
                f"{name}{which} (%)": st.column_config.NumberColumn(format="%.1f")
                for name in MEASURES
                for which in ("", WITHOUT)
            },
            alt="Precision, recall and F1 of each expression and run, with intervals, without twins and with.",
        )


def classes_table(
    entries: Mapping[str, list[ClassIntervals]], clean: Mapping[str, list[ClassIntervals]]
) -> pd.DataFrame:
    """One row for each run and expression that has faces, then the run's mean over these.

    ``clean``: the same without twins of training faces, empty where there are none. Its columns stand first: rare
    expressions may live on twins.
    """
    rows = []
    for name, of_run in entries.items():
        there = [entry for entry in of_run if entry["support"]]
        without = {entry["emotion"]: entry for entry in clean.get(name, ()) if entry["support"]}
        for entry in there:
            row: dict[str, Any] = {
                "Run": name,
                "Expression": entry["emotion"],
            }
            if clean:
                row |= _measures(without.get(entry["emotion"]), WITHOUT)
            row |= _measures(entry) | {"Answers": entry["answered"]}
            rows.append(row)
        mean: dict[str, Any] = {"Run": name, "Expression": "mean"}
        if clean:
            mean |= _mean(list(without.values()), WITHOUT)
        mean |= _mean(there) | {"Answers": sum(entry["answered"] for entry in of_run)}
        rows.append(mean)
    return pd.DataFrame(rows)


def _measures(entry: ClassIntervals | None, which: str = "") -> dict[str, Any]:
    """Faces, and each measure with its interval, of one expression; None for one that has no faces."""
    cells: dict[str, Any] = {f"Faces{which}": entry["support"] if entry else 0}
    for words, measure in MEASURES.items():
        value, ends = (entry[measure], interval_of(entry, measure)) if entry else (None, None)
        cells[f"{words}{which} (%)"] = None if value is None else 100 * value
        cells[f"{words}{which}, 95 % interval"] = "" if ends is None else f"{100 * ends[0]:.1f}–{100 * ends[1]:.1f} %"
    return cells


def _mean(there: Sequence[ClassIntervals], which: str = "") -> dict[str, Any]:
    """The mean over the expressions that have faces, in the columns of :func:`_measures`."""
    cells: dict[str, Any] = {f"Faces{which}": sum(entry["support"] for entry in there)}
    for words, measure in MEASURES.items():
        values = [entry[measure] or 0.0 for entry in there]
        cells[f"{words}{which} (%)"] = 100 * float(np.mean(values)) if values else None
        cells[f"{words}{which}, 95 % interval"] = ""
    return cells


def _top_two(view: View) -> None:
    st.subheader("Right with the first or the second guess", anchor=False)
    rows = [
        {
            "Run": name,
            "First guess (%)": 100 * entry["accuracy"],
            "First or second guess (%)": 100 * two.value,
            "95 % interval": f"{100 * two.low:.1f}–{100 * two.high:.1f} %",
            "Gain of the second": f"{percent(two.value - entry['accuracy'])} of the faces",
        }
        for (name, two), entry in zip(numbers.top_two(view).items(), numbers.scores(view), strict=True)
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            column: st.column_config.NumberColumn(format="%.1f")
            for column in ("First guess (%)", "First or second guess (%)")
        },
        alt="Accuracy of the first guess, and of the first two, of each run.",
    )
    scores = zip(numbers.top_two(view).items(), numbers.scores(view), strict=True)
    guesses = {name: (entry["accuracy"], two.value) for (name, two), entry in scores}
    st.markdown(sentences.second_guess(guesses))


def _curves(view: View, kind_words: str, run: str, expression: str) -> None:
    kind, found = KINDS[kind_words], numbers.class_curves(view, KINDS[kind_words])
    if run == ALL_RUNS:
        label = None if expression == MEAN else emotions.index_of(expression)
        figure = drawn(curve_plots.across_models, found, kind, label=label)
        words = curve_plots.describe_across_models(found, kind, label=label)
    else:
        figure = drawn(curve_plots.by_class, found[run], kind)
        words = curve_plots.describe_by_class(found[run], kind)
    st.plotly_chart(figure, key="one-against-rest", config=_PLAIN, alt=words)
    if kind == "roc":
        area = "AUC, the area under a curve, is 0.5 for guessing and 1 for perfect; it does not notice rare classes."
    else:
        area = (
            "AP, the average precision, is the share of the expression's faces for guessing and 1 for perfect: for "
            "rare expressions it is the harder test."
        )
    st.caption(f"A curve runs through all thresholds on the probability of that one expression. {area}")
    shown = found if run == ALL_RUNS else {run: found[run]}
    called = "AUC" if kind == "roc" else "AP"
    st.markdown(
        sentences.separated(
            {name: [None if one is None else one.area for one in of_run.classes] for name, of_run in shown.items()},
            called,
        )
    )
    names = [*emotions.NAMES, "mean"]
    table = pd.DataFrame({name: areas(of_run) for name, of_run in found.items()}, index=names)
    areas_table = linked.expander("Areas as a table", key="areas", icon=":material/table:")
    if areas_table.open:
        areas_table.dataframe(
            table.rename_axis("AUC (0 to 1)" if kind == "roc" else "Average precision (0 to 1)"),
            column_config={name: st.column_config.NumberColumn(format="%.3f") for name in found},
            height="content",
            alt=words,
        )
