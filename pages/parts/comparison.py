"""The sections of the Compare page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.plots import accuracy as accuracy_plots
from fer_core.plots import history as history_plots
from fer_core.runs.listing import ModelInfo, list_models
from fer_core.words import interval, percent
from pages.parts import frame, results, runs

LIMIT = 6
"""Runs side by side: more make the matrices too small to read."""

SHARES = {"share": "Per cent of the true class", "faces": "Faces"}
MEASURES = ("F1 (%)", "Recall (%)", "Precision (%)", "Support (faces)")


@dataclass(frozen=True)
class Evaluated:
    """A complete run and its metrics."""

    info: ModelInfo
    metrics: dict[str, Any]

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def fingerprint(self) -> str:
        return str(self.metrics["data"]["fingerprint"])

    def scores(self, split: str) -> dict[str, Any] | None:
        return self.metrics["splits"].get(split)

    def measured_on(self, split: str) -> str:
        scores = self.scores(split)
        return runs.measured_on(self.metrics["data"], scores) if scores else f"has no {split} faces"


def evaluated() -> list[Evaluated]:
    """Every complete run with its metrics, shipped first."""
    models = [(info, info.folder.metrics()) for info in list_models()]
    return [Evaluated(info, metrics) for info, metrics in models if metrics is not None]


def choose(known: list[Evaluated]) -> tuple[list[Evaluated], str, bool]:
    """Runs, split and normalisation, bound to ``?runs=``, ``?split=`` and ``?show=``."""
    by_name = {run.name: run for run in known}
    unknown = [name for name in st.query_params.get_all("runs") if name not in by_name]
    if unknown:
        st.warning(f"There is no evaluated run called {', '.join(f'“{name}”' for name in unknown)} here.")
    names = st.multiselect(
        f"Runs (up to {LIMIT})",
        list(by_name),
        default=list(by_name)[:LIMIT],
        max_selections=LIMIT,
        key="runs",
        bind="query-params",
    )
    with st.container(horizontal=True):
        split = st.segmented_control(
            "Split",
            (PRIVATE_TEST, PUBLIC_TEST),
            default=PRIVATE_TEST,
            required=True,
            key="split",
            bind="query-params",
            help="PublicTest chose the best epoch of each run and the weights of a vote, so it flatters a little. "
            "PrivateTest chose nothing.",
        )
        shown = st.segmented_control(
            "Confusion matrices show",
            list(SHARES.values()),
            default=SHARES["share"],
            required=True,
            key="show",
            bind="query-params",
        )
    return [by_name[name] for name in names], str(split or PRIVATE_TEST), shown != SHARES["faces"]


def accuracies(chosen: list[Evaluated], split: str) -> None:
    """Accuracy with its interval, as a picture and as a table; different data is said before anything else."""
    st.header(f"Accuracy on {split}", anchor=False)
    groups: dict[str, list[Evaluated]] = {}
    for run in chosen:
        groups.setdefault(run.fingerprint, []).append(run)
    if len(groups) > 1:
        lines = "\n".join(
            f"- **{runs.data_title(members[0].metrics['data'])}** (fingerprint {fingerprint[:8]}): "
            + ", ".join(run.name for run in members)
            for fingerprint, members in groups.items()
        )
        st.warning(
            "These runs were measured on different faces, so their numbers cannot be compared with each other:"
            f"\n{lines}",
            icon=":material/balance:",
        )
    measured = [(run, scores) for run in chosen if (scores := run.scores(split))]
    if measured:
        titles = [f"{run.name}<br>{runs.data_title(run.metrics['data'])}" for run, _ in measured]
        values = [scores for _, scores in measured]
        figure = accuracy_plots.intervals(titles, values)
        # Each label has three lines: run, data, n.
        figure.update_layout(height=80 + 64 * len(titles))
        st.plotly_chart(
            figure,
            key="accuracies",
            config={"displayModeBar": False},
            alt=accuracy_plots.describe([run.name + ", " + run.measured_on(split) for run, _ in measured], values),
        )
    table = accuracy_table(chosen, split)
    st.dataframe(table, hide_index=True, column_config=runs.NUMBERS, alt=f"Accuracy on {split} of each run.")
    st.caption(
        "The 95 % interval says how far chance alone moves an accuracy that is measured on so many faces (bootstrap "
        "over faces). “Without twins” leaves out faces that also occur in Training, pixel for pixel or nearly so. ECE "
        "is the expected calibration error: how far the stated probabilities are from how often they are right. "
        "Log loss is in nats. Times and sizes are on the cards."
    )
    _card_links(chosen)


def accuracy_table(chosen: list[Evaluated], split: str) -> pd.DataFrame:
    """One row a run; cells are empty where a run has no faces of that split."""
    rows = []
    for run in chosen:
        scores = run.scores(split)
        twins = (scores or {}).get("without_twins")
        rows.append(
            {
                "Run": run.name,
                "Measured on": run.measured_on(split),
                "Accuracy (%)": scores["accuracy"] * 100 if scores else None,
                "95 % interval": interval(scores) if scores else "",
                "Without twins": f"{percent(twins['accuracy'])} (n = {twins['n']:,})" if twins else "no face is left",
                "Macro F1": round(scores["macro_f1"], 3) if scores else None,
                "Log loss": round(scores["log_loss"], 3) if scores else None,
                "ECE": round(scores["ece"], 3) if scores else None,
            }
        )
    return pd.DataFrame(rows)


def _card_links(chosen: list[Evaluated]) -> None:
    with st.container(horizontal=True, key="cards"):
        for run in chosen:
            frame.link("run", f"Card of {run.name}", icon=":material/id_card:", query={"run": run.name})


def confusions(chosen: list[Evaluated], split: str, *, share: bool) -> None:
    """The matrices side by side, three in a row; each with its table."""
    st.header("What is taken for what", anchor=False)
    st.caption("Rows are the true expression, columns what the model said. A perfect model fills only the diagonal.")
    width = min(3, max(2, len(chosen)))
    for start in range(0, len(chosen), width):
        for column, run in zip(st.columns(width), chosen[start : start + width], strict=False):
            with column:
                st.markdown(f"**{run.name}**  \nmeasured on {run.measured_on(split)}")
                scores = run.scores(split)
                if scores:
                    results.confusion(scores, title=run.name, share=share, key=run.name)


def classes(chosen: list[Evaluated], split: str) -> None:
    """Scores per expression: one measure across runs, then everything in one long table."""
    st.header("Expression by expression", anchor=False)
    measure = st.segmented_control(
        "Measure",
        MEASURES,
        default=MEASURES[0],
        required=True,
        key="measure",
        bind="query-params",
        help="Precision: of the faces called so, how many are. Recall: of the faces that are so, how many were "
        "found. F1: the harmonic mean of both. Support: how many faces there are.",
    )
    tables = {run.name: runs.per_class_table(scores) for run in chosen if (scores := run.scores(split))}
    if not tables:
        st.caption(f"None of these runs has {split} faces.")
        return
    wanted = str(measure or MEASURES[0])
    wide = pd.DataFrame({name: table.set_index("Expression")[wanted] for name, table in tables.items()})
    form = "%d" if wanted == MEASURES[-1] else "%.1f"
    st.dataframe(
        wide.rename_axis(f"{wanted}, {split}"),
        column_config={name: st.column_config.NumberColumn(format=form) for name in tables},
        height="content",
        alt=f"{wanted} of each expression on {split}, one column per run.",
    )
    with st.expander("All four measures of every run", icon=":material/table:"):
        long = pd.concat([table.assign(Run=name) for name, table in tables.items()], ignore_index=True)
        st.dataframe(
            long[["Run", *long.columns.drop("Run")]],
            hide_index=True,
            column_config=runs.NUMBERS,
            alt="Precision, recall, F1 and support of each expression and run.",
        )


def histories(chosen: list[Evaluated]) -> None:
    """The learning curves of all runs in one picture."""
    trained = [run for run in chosen if not run.info.is_vote]
    votes = [run.name for run in chosen if run.info.is_vote]
    if not trained:
        return
    st.header("How they learned", anchor=False)
    quantity = st.segmented_control(
        "Curve",
        ("Accuracy", "Loss"),
        default="Accuracy",
        required=True,
        key="curve",
        bind="query-params",
    )
    frames = {run.name: run.info.folder.history() for run in trained}
    metric: history_plots.Metric = "loss" if quantity == "Loss" else "accuracy"
    st.plotly_chart(
        history_plots.overlay(frames, metric),
        key="histories",
        config={"displayModeBar": False},
        alt=history_plots.describe_overlay(frames, metric),
    )
    st.caption(
        "Full lines: PublicTest. Dashed lines: the training faces, while learning."
        + (f" Not in the picture, because a vote is built of trained runs: {', '.join(votes)}." if votes else "")
    )
