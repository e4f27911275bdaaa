"""What the faults of the data cost each model: accuracy with and without the faulty faces."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from fer_core.data.audit import Audit
from fer_core.data.dataset import Dataset
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.audit_cost import FACES, Cost, is_there, lesson, run_costs
from fer_core.formatting import plural, points
from fer_core.runs.folder import RunFolder
from pages.parts import frame, linked, messages, runs
from pages.parts.charts import drawn
from pages.parts.dataset_extras import read_audit_time
from pages.parts.scope import LIMIT

SPLIT = "measured"
"""Name in the address: the split."""

Costs = dict[str, tuple[Cost, ...]]


def show(dataset: Dataset, audit: Audit) -> None:
    """A sentence, a figure and a table over every run that was measured on these data."""
    costs = _costs(dataset, audit)
    if not costs:
        st.info(
            "No model was measured on these faces yet. Train one on them: it is evaluated by itself, and appears here "
            "with its accuracy with and without the faulty faces.",
            icon=":material/info:",
        )
        frame.link("train", "Train a model on these faces", icon=":material/model_training:")
        return
    splits = [split for split in (PRIVATE_TEST, PUBLIC_TEST) if any(split in found for found in costs.values())]
    split = linked.segmented_control("Measured on", splits, key=SPLIT)
    here = {name: found[split] for name, found in costs.items() if split in found}
    st.markdown(lesson(here, split))
    if not is_there(here):
        return
    _figure(dict(list(here.items())[:LIMIT]))
    if len(here) > LIMIT:
        st.caption(f"The figure shows the first {LIMIT} of {plural(len(here), 'run')}, the table all of them.")
    _table(here, split)


def _costs(dataset: Dataset, audit: Audit) -> dict[str, Costs]:
    """The costs of every run measured on these data, by what people read; a damaged one is told on the page."""
    audited = read_audit_time(dataset)
    found = {}
    for run in runs.usable():
        try:
            costs = _costs_of(str(run.path), run.folder.state_key(), dataset.info.fingerprint, audited, audit)
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
            continue
        if costs:
            found[run.display_name] = costs
    return found


@st.cache_data(show_spinner=False, max_entries=100)
def _costs_of(path: str, sealed: tuple[int, ...], fingerprint: str, audited: int, _audit: Audit) -> Costs | None:
    """None for a run that was not evaluated, or on other data. A run evaluated anew has another seal."""
    run = RunFolder(Path(path))
    return None if run.evaluation(fingerprint) is None else run_costs(run, _audit)


def _figure(costs: dict[str, tuple[Cost, ...]]) -> None:
    from fer_core.plots.audit_cost import cost_dots, describe_costs

    st.plotly_chart(
        drawn(cost_dots, costs), key="audit-costs", config={"displayModeBar": False}, alt=describe_costs(costs)
    )


def _table(costs: dict[str, tuple[Cost, ...]], split: str) -> None:
    rows = [_row(name, cost) for name, entries in costs.items() for cost in entries]
    per_cent = st.column_config.NumberColumn(format="%.1f")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Accuracy (%)": per_cent,
            "Faces (n)": st.column_config.NumberColumn(format="localized"),
            "Left out (n)": st.column_config.NumberColumn(format="localized"),
            "Right on those left out (%)": per_cent,
        },
        alt=f"Accuracy on {split} of {plural(len(costs), 'run')} with and without faulty faces, with 95 % intervals.",
    )
    st.caption(
        "Difference: accuracy on these faces less accuracy on all faces, in percentage points, with its 95 % bootstrap "
        "interval. Twins are faces with a duplicate in Training, mirrored ones included."
    )


def _row(name: str, cost: Cost) -> dict[str, object]:
    known = cost.accuracy is not None and cost.low is not None and cost.high is not None
    return {
        "Run": name,
        "Faces": FACES[cost.faces],
        "Accuracy (%)": 100 * cost.accuracy if cost.accuracy is not None else None,
        "95 % interval": f"{100 * (cost.low or 0):.1f}–{100 * (cost.high or 0):.1f} %" if known else "no face left",
        "Faces (n)": cost.n,
        "Difference": _difference(cost),
        "Left out (n)": cost.left_out,
        "Right on those left out (%)": 100 * cost.left_out_right / cost.left_out if cost.left_out else None,
    }


def _difference(cost: Cost) -> str:
    if cost.difference is None or cost.difference_low is None or cost.difference_high is None:
        return "–"
    # Rounded first, and zero added, so that nothing is called −0.0.
    difference, low, high = (
        round(value, 3) + 0 for value in (cost.difference, cost.difference_low, cost.difference_high)
    )
    ends = " to ".join(f"{100 * end:+.1f}".replace("-", "−") for end in (low, high))
    return f"{points(difference)} ({ends})"
