"""The Compare page over made-up runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import make_run, make_vote

from fer_core.data.audit import Twins
from fer_core.runs.folder import RunFolder


@pytest.fixture
def two_runs(home: Path) -> tuple[RunFolder, RunFolder]:
    twin = np.zeros(420, dtype=bool)
    twin[::11] = True
    twins = Twins(exact=twin, near=twin)
    return (
        make_run(home / "runs" / "strong", accuracy=0.9, seed=1, twins=twins, created="2026-01-03T00:00:00+00:00"),
        make_run(home / "runs" / "weak", accuracy=0.3, seed=2, created="2026-01-02T00:00:00+00:00"),
    )


def _table(app, column: str) -> pd.DataFrame:
    return next(element.value for element in app.dataframe if column in element.value.columns)


def test_without_runs_it_says_what_to_do(open_app):
    app = open_app("compare")
    assert not app.exception
    assert "Train a model" in app.info[0].value
    assert not app.dataframe


def test_accuracy_has_interval_n_and_twins(open_app, two_runs):
    app = open_app("compare")
    assert not app.exception
    table = _table(app, "95 % interval")
    assert list(table["Run"]) == ["strong", "weak"]
    scores = two_runs[0].metrics()["splits"]["PrivateTest"]
    assert table["Accuracy (%)"][0] == pytest.approx(scores["accuracy"] * 100)
    low, high = scores["accuracy_low"] * 100, scores["accuracy_high"] * 100
    assert table["95 % interval"][0] == f"{low:.1f}–{high:.1f} %"
    assert table["Measured on"][0] == f"the drawn sample, n\u00a0=\u00a0{scores['n']}"
    clean = scores["without_twins"]
    assert clean["n"] < scores["n"]
    assert table["Without twins"][0] == f"{clean['accuracy'] * 100:.1f} % (n = {clean['n']})"
    assert table["Without twins"][1] == "no face is left"


def test_split_and_runs_come_from_the_url(open_app, two_runs):
    app = open_app("compare", split="PublicTest", runs="weak")
    table = _table(app, "95 % interval")
    assert list(table["Run"]) == ["weak"]
    expected = two_runs[1].metrics()["splits"]["PublicTest"]["accuracy"] * 100
    assert table["Accuracy (%)"][0] == pytest.approx(expected)


def test_bad_query_values_are_said_and_ignored(open_app, two_runs):
    app = open_app("compare", split="Nowhere", runs="gone", show="nonsense", measure="x", curve="y")
    assert not app.exception
    assert "gone" in app.warning[0].value
    assert len(_table(app, "95 % interval")) == 2


def test_different_data_is_never_compared_silently(open_app, home, two_runs):
    other = {"fingerprint": "1" * 64, "kind": "csv", "title": "FER-2013"}
    make_run(home / "runs" / "elsewhere", data=other, created="2026-01-01T00:00:00+00:00")
    app = open_app("compare")
    warning = app.warning[0].value
    assert "different faces" in warning
    assert "FER-2013** (fingerprint 11111111): elsewhere" in warning
    assert "the drawn sample** (fingerprint 00000000): strong, weak" in warning
    assert _table(app, "95 % interval")["Measured on"][2].startswith("FER-2013, n")


def test_the_same_data_gives_no_warning(open_app, two_runs):
    assert not open_app("compare").warning


def test_confusion_matrices_are_also_tables(open_app, two_runs):
    app = open_app("compare", show="Faces")
    tables = [e.value for e in app.dataframe if "angry" in e.value.columns]
    assert len(tables) == 2
    counts = two_runs[0].metrics()["splits"]["PrivateTest"]["confusion"]
    assert tables[0].iloc[:, 1:].to_numpy().tolist() == counts


def test_scores_per_expression_end_with_their_mean(open_app, two_runs):
    app = open_app("compare", measure="Recall (%)")
    table = next(e.value for e in app.dataframe if list(e.value.columns) == ["strong", "weak"])
    assert list(table.index)[-1] == "mean"
    rows = two_runs[0].metrics()["splits"]["PrivateTest"]["per_class"]
    recalls = [row["recall"] * 100 for row in rows if row["recall"] is not None]
    assert table["strong"].iloc[-1] == pytest.approx(sum(recalls) / len(recalls))


def test_seven_runs_open_with_six(open_app, home):
    for number in range(7):
        make_run(home / "runs" / f"run{number}", seed=number)
    app = open_app("compare")
    assert not app.exception
    assert len(_table(app, "95 % interval")) == 6


def test_no_run_chosen(open_app, two_runs):
    app = open_app("compare")
    app.multiselect(key="runs").set_value([]).run()
    assert not app.exception
    assert "at least one" in app.info[0].value


def test_a_run_without_private_faces(open_app, home):
    from factories import make_labels

    labels, splits = make_labels()
    splits[splits == "PrivateTest"] = "Training"
    make_run(home / "runs" / "public-only", labels=labels, splits=splits)
    app = open_app("compare")
    assert not app.exception
    assert _table(app, "95 % interval")["Measured on"][0] == "has no PrivateTest faces"


def test_a_vote_is_compared_but_has_no_curve(open_app, home, two_runs):
    vote = make_vote(home / "runs" / "both", two_runs)
    app = open_app("compare")
    assert not app.exception
    table = _table(app, "95 % interval").set_index("Run")
    accuracy = vote.metrics()["splits"]["PrivateTest"]["accuracy"]
    assert table.loc["both", "Accuracy (%)"] == pytest.approx(accuracy * 100)
    [curves] = [chart.proto.alt for chart in app.get("plotly_chart") if "over epochs" in chart.proto.alt]
    assert "strong:" in curves
    assert "both" not in curves
    assert any("built of trained runs: both" in caption.value for caption in app.caption)
    app = open_app("compare", runs="both")
    assert not app.exception
    assert "How they learned" not in [header.value for header in app.header]
