"""The Certainty tab: does confidence mean anything, and what if a run may say "I do not know"?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import pandas as pd
import streamlit as st

from fer_core.emotions import PUBLIC_TEST
from fer_core.formatting import plain, points
from fer_core.plots import curves as curve_plots
from fer_core.plots import reliability as plots
from fer_core.review import sentences
from fer_core.stats.calibration import FEWEST_TO_CALIBRATE
from pages.parts import linked
from pages.parts.charts import drawn
from pages.parts.compare import numbers
from pages.parts.scope import View

T = TypeVar("T")
ALL_RUNS = "all runs"
_PLAIN = {"displayModeBar": False}


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = view.choose_run("Runs in the diagram", (ALL_RUNS,), key="sure_of")
        warm = linked.toggle(
            "With temperature",
            key="temperature",
            help="Divide each run's logits by one number, fitted on PublicTest (Guo et al., 2017). It changes no "
            "answer, only how sure the run says it is.",
        )
    telling = tuple(info.display_name for info in view.runs if info.folder.tells_confidence)
    if is_open:
        if silent := [plain(name) for name in view.names if name not in telling]:
            st.caption(f"Only the answers of {', '.join(silent)} were brought, which do not say how sure it was.")
        if not telling:
            return
        _temperature_words(view, warm)
        _reliability(view, run if run in telling else ALL_RUNS, warm, telling)
        st.subheader("What if it may say “I do not know”?", anchor=False)
    least = linked.slider("Answer only where the confidence is at least (%)", 0, 100, 50, key="least", format="%d %%")
    if is_open:
        _abstention(view, least / 100, warm, telling)


def _temperature_words(view: View, warm: bool) -> None:
    fitted = dict(zip(view.names, view.scope.temperatures, strict=True))
    if not warm:
        st.caption("Confidence is the highest of the seven probabilities, as the run gives them.")
        return
    listed = ", ".join(f"{name} {value:.2f}" for name, value in fitted.items())
    st.caption(f"Temperatures, fitted on PublicTest: {listed}. Above 1 a run becomes less sure, below 1 surer.")
    unfitted = [name for name, value in fitted.items() if value == 1]
    if unfitted:
        st.caption(
            f"None was fitted, or it changes nothing: {', '.join(unfitted)}. It takes {FEWEST_TO_CALIBRATE} PublicTest "
            "faces to fit one."
        )
    if view.scope.aligned.split == PUBLIC_TEST:
        st.caption("The temperatures were fitted on these very faces, so they look a little better here than they are.")


def _reliability(view: View, run: str, warm: bool, telling: tuple[str, ...]) -> None:
    bare, with_it = (_of(telling, numbers.reliability(view, with_temperature=on)) for on in (False, True))
    found = with_it if warm else bare
    shown = found if run == ALL_RUNS else {run: found[run]}
    st.plotly_chart(
        drawn(plots.diagram, shown, order=view.names),
        key="reliability",
        config=_PLAIN,
        alt=plots.describe_diagram(shown),
    )
    st.caption(
        "On the dotted line a run is right as often as it says; below it, it is too sure.",
        help="Faces are sorted by confidence into 15 bins; under the diagram is how many each has. ECE, the expected "
        "calibration error, is the mean distance from the line, weighted by faces.",
    )
    st.markdown(sentences.certainty(shown))
    table = pd.DataFrame(
        [
            {
                "Run": name,
                "ECE (%)": 100 * bare[name].ece,
                "Confidence less accuracy": points(bare[name].surplus),
                "Temperature": temperature,
                "ECE with it (%)": 100 * with_it[name].ece,
                "Confidence less accuracy with it": points(with_it[name].surplus),
            }
            for name, temperature in zip(view.names, view.scope.temperatures, strict=True)
            if name in telling
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "ECE (%)": st.column_config.NumberColumn(format="%.1f"),
            "ECE with it (%)": st.column_config.NumberColumn(format="%.1f"),
            "Temperature": st.column_config.NumberColumn(format="%.2f"),
        },
        alt="Expected calibration error of each run, without and with its temperature.",
    )


def _of(names: tuple[str, ...], figures: Mapping[str, T]) -> dict[str, T]:
    return {name: figures[name] for name in names}


def _abstention(view: View, least: float, warm: bool, telling: tuple[str, ...]) -> None:
    lines = _of(telling, numbers.risk_coverage(view, with_temperature=warm))
    operating_points = _of(telling, numbers.answered(view, least, with_temperature=warm))
    table = pd.DataFrame(
        [
            {
                "Run": name,
                "Coverage (%)": 100 * operating_point.coverage,
                "Faces answered": operating_point.answered,
                "Accuracy (%)": None if operating_point.accuracy is None else 100 * operating_point.accuracy,
                "95 % interval": ""
                if operating_point.low is None or operating_point.high is None
                else f"{100 * operating_point.low:.1f}–{100 * operating_point.high:.1f} %",
                "AURC": lines[name].aurc,
            }
            for name, operating_point in operating_points.items()
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "Coverage (%)": st.column_config.NumberColumn(format="%.1f"),
            "Faces answered": st.column_config.NumberColumn(format="localized"),
            "Accuracy (%)": st.column_config.NumberColumn(format="%.1f"),
            "AURC": st.column_config.NumberColumn(format="%.3f"),
        },
        alt="Coverage and accuracy of each run at this least confidence.",
    )
    unanswered = [name for name, operating_point in operating_points.items() if operating_point.accuracy is None]
    if unanswered:
        st.caption(f"Never so sure: {', '.join(unanswered)}. Move the slider to the left.")
    st.plotly_chart(
        drawn(curve_plots.risk_coverage, lines, operating_points, order=view.names),
        key="risk-coverage",
        config=_PLAIN,
        alt=curve_plots.describe_risk_coverage(lines, operating_points),
    )
    st.caption(
        "Coverage is the share of faces that a run answers; the marks are where the slider stands. A threshold chosen "
        "here flatters: choose it on PublicTest and read PrivateTest.",
        help="Each line starts with the surest faces and ends where all are answered. AURC is the mean share of wrong "
        "answers along a line, 0 to 1: lower is better.",
    )
    st.markdown(sentences.abstention(operating_points, least))
