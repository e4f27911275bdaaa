"""The Compare page's views: their numbers against the core's, and where their cells and sets lead."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
from edited_runs import edit_metrics, measured_on, reseal_evaluation
from factories import make_run

from fer_core.data.info import read_info
from fer_core.emotions import NAMES
from fer_core.evaluation.aligned_predictions import AlignedPredictions, align
from fer_core.runs.embeddings import write_embeddings
from fer_core.runs.folder import RunFolder
from fer_core.stats import agreement, calibration, paired_tests
from fer_core.stats.metrics import expected_calibration_error, per_class_intervals, top_k
from fer_core.stats.risk_coverage import at_threshold
from pages.parts.links_to_mistakes import written

FEAR, SAD = 2, 4


@pytest.fixture
def runs(home: Path) -> list[RunFolder]:
    """Three runs, the first on top of the list."""
    return [
        make_run(home / "runs" / name, accuracy=accuracy, seed=seed, created=f"2026-01-0{9 - seed}T00:00:00+00:00")
        for seed, (name, accuracy) in enumerate([("first", 0.8), ("second", 0.6), ("third", 0.3)])
    ]


@pytest.fixture
def aligned(runs: list[RunFolder]) -> AlignedPredictions:
    return align(runs, "PrivateTest")


def table_of(app, column: str) -> pd.DataFrame:
    return next(element.value for element in app.dataframe if column in element.value.columns)


def alt_of(app, words: str) -> str:
    return next(chart.proto.alt for chart in app.get("plotly_chart") if words in chart.proto.alt)


def links_of(app) -> dict[str, dict[str, list[str]]]:
    """The links to Mistakes: label to query."""
    return {
        link.proto.label: parse_qs(link.proto.query_string)
        for link in app.get("page_link")
        if link.proto.page == "mistakes" and not link.proto.disabled
    }


# --- Matrices


def test_matrices_by_row_by_column_and_in_faces(open_app, runs, aligned):
    counts = np.zeros((7, 7))
    np.add.at(counts, (aligned.labels, aligned.predicted[0]), 1)
    for show, expected in (
        ("Per cent of the true class", 100 * counts / counts.sum(axis=1, keepdims=True)),
        ("Per cent of the answers", 100 * counts / counts.sum(axis=0, keepdims=True)),
        ("Faces", counts),
    ):
        app = open_app("compare", show=show, matrix_tables="true")
        table = table_of(app, "true ↓  predicted →")
        np.testing.assert_allclose(table.iloc[:, 1:].to_numpy(dtype=float), expected)


def matrices_of(app) -> list[str]:
    """The runs whose confusion matrices are on the page."""
    words = "Confusion matrix of "
    alts = [chart.proto.alt for chart in app.get("plotly_chart")]
    return [alt.removeprefix(words).split(",")[0] for alt in alts if alt.startswith(words)]


def test_two_matrices_at_first_and_others_on_demand(open_app, runs):
    app = open_app("compare")
    assert matrices_of(app) == ["first", "second"]
    app.multiselect(key="matrices").set_value(["third", "first"]).run()
    assert matrices_of(app) == ["first", "third"]
    assert matrices_of(open_app("compare", matrices="third")) == ["third"]
    # One run fewer, and there is nothing to choose.
    app = open_app("compare", runs=["second", "third"])
    assert matrices_of(app) == ["second", "third"]
    assert not [widget for widget in app.multiselect if widget.key == "matrices"]


def test_no_matrix_chosen_shows_the_first_two(open_app, home, runs):
    for seed, name in ((4, "fourth"), (5, "fifth")):
        make_run(home / "runs" / name, seed=seed, created=f"2026-01-0{9 - seed}T00:00:00+00:00")
    app = open_app("compare")
    app.multiselect(key="compare.runs").set_value(["third", "fourth", "fifth"]).run()
    assert matrices_of(app) == ["third", "fourth"]
    app.multiselect(key="matrices").set_value(["fifth"]).run()
    assert matrices_of(app) == ["fifth"]
    app.multiselect(key="matrices").set_value([]).run()
    assert matrices_of(app) == ["third", "fourth"]


def test_one_order_for_all_matrices(open_app, runs, aligned):
    app = open_app("compare", order="by confusion", matrices=["first", "second", "third"], matrix_tables="true")
    tables = [element.value for element in app.dataframe if "true ↓  predicted →" in element.value.columns]
    assert len(tables) == 3
    order = list(tables[0].columns[1:])
    assert order != sorted(order)
    assert all(list(table.columns[1:]) == order and list(table.iloc[:, 0]) == order for table in tables)
    # The made-up runs mostly take disgust for angry and angry for sad.
    assert abs(order.index("disgust") - order.index("angry")) == 1


def test_a_cell_leads_to_its_faces_without_a_mouse(open_app, runs):
    aligned = align(runs, "PublicTest")
    app = open_app("compare", runs=["first", "second"], cell_true="angry", cell_said="sad", split="PublicTest")
    of_class = aligned.labels == 0
    faces = int((of_class & (aligned.predicted[1] == SAD)).sum())
    links = links_of(app)
    query = links[f"second: {faces} faces"]
    # Every link names the data it is about, too.
    assert query.pop("data") == ["made_up"]
    assert query == {
        "true": ["angry"],
        "said": ["sad"],
        "by": ["second"],
        "runs": ["first", "second"],
        "split": ["PublicTest"],
    }
    either = int((of_class & (aligned.predicted[:2] == SAD).any(axis=0)).sum())
    # Any run: as Mistakes has it where the link does not say.
    assert "by" not in links[f"One run at least: {either} faces"]


def test_mistakes_alone_from_a_confidence_upward_lead_to_just_those(open_app, runs, aligned):
    app = open_app("compare", runs=["first", "second"], mistakes_alone="true", sure="60", matrix_tables="true")
    sure = aligned.probabilities[:2].max(axis=2) >= 0.6
    counts = np.zeros((7, 7))
    np.add.at(counts, (aligned.labels[sure[0]], aligned.predicted[0][sure[0]]), 1)
    table = table_of(app, "true ↓  predicted →").iloc[:, 1:].to_numpy(dtype=float)
    totals = counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(table, np.divide(100 * counts, totals, out=np.full((7, 7), np.nan), where=totals > 0))
    assert f"{int(sure[0].sum())} answers from 60 %" in " ".join(element.value for element in app.markdown)
    # The list counts faces that one of the shown runs takes so, and leads to them.
    taken = {label: query for label, query in links_of(app).items() if " → " in label}
    assert 0 < len(taken) <= 10
    label, query = next(iter(taken.items()))
    true, said = (NAMES.index(word) for word in label.split(":")[0].split(" → "))
    one = sure & (aligned.predicted[:2] == said) & (aligned.labels == true)
    assert label.endswith(f": {int(one.any(axis=0).sum())}")
    assert query["confidence"] == ["60", "100"]
    assert "by" not in query


# --- Difference


def test_the_verdict_is_the_cores(open_app, runs, aligned):
    app = open_app("compare", view="Difference", a="third", b="first", difference_table="true")
    expected = paired_tests.compare(aligned.labels, aligned.predicted[2], aligned.predicted[0])
    assert expected.verdict("third", "first") in [element.value for element in app.subheader]
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["McNemar's exact test"] == paired_tests.p_words(expected.test.p)
    assert metrics["Accuracy, B minus A"] == f"+{100 * expected.accuracy.value:.1f} points"
    assert metrics["Macro F1, B minus A"] == f"+{expected.macro_f1.value:.3f}"
    table = table_of(app, "B minus A (points)").set_index(["True", "Taken for"])
    assert len(table) == 49
    assert table.loc[("fear", "sad"), "B minus A (points)"] == pytest.approx(expected.matrix.points[FEAR, SAD])
    assert table.loc[("fear", "sad"), "Only A says so (faces)"] == expected.matrix.n10[FEAR, SAD]
    assert table["More than chance explains"].sum() == expected.matrix.significant.sum() > 0
    assert alt_of(app, "Difference matrix").startswith("Difference matrix, first minus third")


def test_swapping_turns_the_difference_round(open_app, runs):
    app = open_app("compare", view="Difference", difference_table="true")
    before = table_of(app, "B minus A (points)").set_index(["True", "Taken for"])["B minus A (points)"]
    next(button for button in app.button if button.label == "Swap A and B").click().run()
    assert (app.selectbox(key="a").value, app.selectbox(key="b").value) == ("second", "first")
    after = table_of(app, "B minus A (points)").set_index(["True", "Taken for"])["B minus A (points)"]
    pd.testing.assert_series_equal(before, -after, check_index_type=False, check_like=True)


def test_a_run_is_not_compared_with_itself(open_app, runs):
    app = open_app("compare", view="Difference", a="second", b="second")
    assert not app.exception
    assert "same run" in app.info[0].value


def test_the_faces_behind_a_difference(open_app, runs, aligned):
    app = open_app("compare", view="Difference", diff_true="happy", diff_said="happy")
    here, right = aligned.labels == 3, aligned.right
    only_second = int((here & right[1] & ~right[0]).sum())
    links = links_of(app)
    assert only_second
    query = next(query for label, query in links.items() if label.startswith("Only second says so"))
    assert f"Only second says so: {only_second} face" in " ".join(links)
    assert (query["set"], query["true"]) == (["only second is right"], ["happy"])
    # The set's words are about these two runs, so only they are in view there.
    assert query["runs"] == ["first", "second"]


def test_a_chosen_run_that_is_taken_out_is_replaced(open_app, runs):
    app = open_app("compare", view="Difference", a="third", b="first")
    app.multiselect(key="compare.runs").set_value(["first", "second"]).run()
    assert not app.exception
    assert {app.selectbox(key="a").value, app.selectbox(key="b").value} <= {"first", "second"}


# --- Agreement


def test_the_sets_and_their_links(open_app, runs, aligned):
    app = open_app("compare", view="Agreement")
    sets = agreement.lattice(aligned.right)
    table = table_of(app, "Set").set_index("Set")
    assert table["Faces"].sum() == len(aligned)
    for part in sets:
        assert table.loc[agreement.set_words(part.code, aligned.names), "Faces"] == part.count
    query = links_of(app)[f"Only first is right: {sets[0b001].count} faces"]
    assert query["set"] == ["only first is right"]
    assert query["runs"] == ["first", "second", "third"]
    wrong = next(query for label, query in links_of(app).items() if label.startswith("All are wrong"))
    assert wrong["set"] == ["all are wrong"]


def test_any_set_can_be_opened_without_a_mouse(open_app, runs, aligned):
    app = open_app("compare", view="Agreement", which="only first is wrong")
    part = agreement.lattice(aligned.right)[0b110]
    link = next(query for label, query in links_of(app).items() if label.startswith("Open it"))
    assert link["set"] == ["only first is wrong"]
    assert any(label.startswith(f"Open it: {part.count} face") for label in links_of(app))


def test_of_more_than_four_runs_four_are_chosen(open_app, home):
    for number in range(6):
        make_run(home / "runs" / f"run{number}", seed=number, created=f"2026-01-0{9 - number}T00:00:00+00:00")
    app = open_app("compare", view="Agreement")
    assert app.multiselect(key="sets").value == ["run0", "run1", "run2", "run3"]
    assert len(table_of(app, "Set")) == 16
    app.multiselect(key="sets").set_value(["run5", "run4"]).run()
    query = next(query for label, query in links_of(app).items() if label.startswith("Both are wrong"))
    assert query["runs"] == ["run4", "run5"]
    assert len(table_of(app, "Cohen's kappa")) == 15
    app.multiselect(key="sets").set_value([]).run()
    assert not app.exception
    assert "at least one run" in app.info[0].value
    # Where the runs change under it, the choice falls back on those that are there.
    app.multiselect(key="sets").set_value(["run5", "run0"]).run()
    app.multiselect(key="compare.runs").set_value(["run0", "run1", "run2", "run3", "run4"]).run()
    assert not app.exception
    assert "run5" not in app.multiselect(key="sets").value


def test_agreement_of_every_two(open_app, runs, aligned):
    table = table_of(open_app("compare", view="Agreement"), "Cohen's kappa")
    rates, kappas = agreement.agreement_rates(aligned.predicted), agreement.kappas(aligned.predicted)
    assert table["Same answer (%)"].tolist() == pytest.approx([100 * rates[0, 1], 100 * rates[0, 2], 100 * rates[1, 2]])
    assert table["Cohen's kappa"].tolist() == pytest.approx([kappas[0, 1], kappas[0, 2], kappas[1, 2]])
    same_error = (aligned.predicted[0] == aligned.predicted[1]) & ~aligned.right[0]
    assert table["Same error (%)"][0] == pytest.approx(100 * same_error.mean())


# --- Map


def test_the_map_shows_each_face_in_view_and_says_who_has_none(open_app, runs, aligned):
    app = open_app("compare", view="Map", map_of="second")
    assert not app.exception
    assert any("There is no map of second" in info.value for info in app.info)
    rows = np.flatnonzero(aligned_splits := np.isin(np.arange(420), align(runs, "PublicTest").rows))
    rows = np.sort(np.concatenate([rows, aligned.rows]))
    splits = np.where(aligned_splits[rows], "PublicTest", "PrivateTest")
    faces = np.random.default_rng(0).normal(size=(len(rows), 8)).astype(np.float32)
    none = np.zeros((0, 8), dtype=np.float32)

    def write(evaluation):
        write_embeddings(evaluation.embeddings_path, rows, splits, faces, [], none, fingerprint=evaluation.fingerprint)

    reseal_evaluation(runs[1], write)
    app = open_app("compare", view="Map", map_of="second")
    assert not app.exception
    assert f"Map of {len(aligned)} faces as second sees them" in alt_of(app, "Map of")
    assert any("lies most by itself" in element.value for element in app.markdown)


def test_faces_of_a_loop_have_a_link():
    assert written([12, 40, 41, 42, 44]) == "12,40-42,44"
    assert written([]) == ""


# --- Classes


def test_classes_with_intervals_and_two_guesses(open_app, runs, aligned):
    app = open_app("compare", view="Classes", measure="Recall", all_measures="true")
    assert "Recall of each expression" in alt_of(app, "of each expression with its")
    table = table_of(app, "F1 (%)").set_index(["Run", "Expression"])
    confusion = np.zeros((7, 7), dtype=int)
    np.add.at(confusion, (aligned.labels, aligned.predicted[1]), 1)
    entry = per_class_intervals(confusion)[FEAR]
    assert table.loc[("second", "fear"), "Recall (%)"] == pytest.approx(100 * entry["recall"])
    low, high = 100 * entry["recall_low"], 100 * entry["recall_high"]
    assert table.loc[("second", "fear"), "Recall, 95 % interval"] == f"{low:.1f}–{high:.1f} %"
    mean = table.loc[("second", "mean"), "Recall (%)"]
    assert mean == pytest.approx(table.loc["second"]["Recall (%)"].iloc[:7].mean())
    assert not any("without twins" in column for column in table_of(app, "F1 (%)").columns)
    guesses = table_of(app, "First or second guess (%)")
    expected = top_k(aligned.labels, aligned.probabilities[2], k=2)
    assert guesses["First or second guess (%)"][2] == pytest.approx(100 * expected.value)


def test_curves_of_one_run_or_of_all(open_app, runs):
    app = open_app("compare", view="Classes", curves="Precision and recall", against="fear")
    assert "fear against the rest. first " in alt_of(app, "average precisions")
    app = open_app("compare", view="Classes", curves_of="second")
    assert "each expression against the rest. angry " in alt_of(app, "ROC curves")


# --- Certainty


@pytest.fixture
def tempered(runs: list[RunFolder]) -> float:
    """The first run has a temperature."""
    stored = {"value": 0.5, "fitted_on": "PublicTest", "splits": {}}
    edit_metrics(runs[0], lambda metrics: metrics.update(temperature=stored))
    return 0.5


def test_each_run_has_its_own_temperature(open_app, runs, aligned, tempered):
    app = open_app("compare", view="Certainty")
    table = table_of(app, "ECE with it (%)").set_index("Run")
    plain = 100 * expected_calibration_error(aligned.labels, aligned.probabilities[0])
    with_it = 100 * expected_calibration_error(
        aligned.labels, calibration.apply_temperature(aligned.probabilities[0], tempered)
    )
    assert table.loc["first", "ECE (%)"] == pytest.approx(plain)
    assert table.loc["first", "ECE with it (%)"] == pytest.approx(with_it)
    assert with_it != pytest.approx(plain)
    assert table.loc["second", "ECE (%)"] == table.loc["second", "ECE with it (%)"]
    assert f"first, {len(aligned)} faces: expected calibration error {plain:.1f} %" in alt_of(app, "by confidence")
    warm = open_app("compare", view="Certainty", temperature="true")
    assert f"expected calibration error {with_it:.1f} % at a temperature of 0.50" in alt_of(warm, "by confidence")
    assert any("None was fitted, or it changes nothing: second, third" in caption.value for caption in warm.caption)


def test_the_slider_says_coverage_and_accuracy(open_app, runs, aligned, tempered):
    for query, probabilities in (
        ({}, aligned.probabilities[0]),
        ({"temperature": "true"}, calibration.apply_temperature(aligned.probabilities[0], tempered)),
    ):
        app = open_app("compare", view="Certainty", least="60", **query)
        expected = at_threshold(aligned.labels, probabilities, 0.6)
        row = table_of(app, "Coverage (%)").set_index("Run").loc["first"]
        assert row["Coverage (%)"] == pytest.approx(100 * expected.coverage)
        assert row["Accuracy (%)"] == pytest.approx(100 * expected.accuracy)
        assert row["Faces answered"] == expected.answered
    assert "AURC" in alt_of(app, "share of faces answered")


def test_a_threshold_that_no_face_reaches(open_app, runs):
    app = open_app("compare", view="Certainty", least="100")
    assert not app.exception
    assert table_of(app, "Coverage (%)")["Faces answered"].tolist() == [0, 0, 0]
    assert any("Never so sure: first, second, third" in caption.value for caption in app.caption)


def test_one_run_in_the_diagram(open_app, runs):
    words = alt_of(open_app("compare", view="Certainty", sure_of="third"), "by confidence")
    assert "third, " in words
    assert "first, " not in words


def test_curves_of_other_data_say_so(open_app, home, sample):
    run = make_run(home / "runs" / "net", data={"kind": "csv", "title": "FER-2013"})
    other = measured_on(make_run(home / "models" / "net", data=dict(read_info(sample).record())))
    other.path.rename(run.path / "evaluations" / other.path.name)
    app = open_app("compare", data="sample", view="Learning")
    assert not app.exception
    assert any("FER-2013, which the runs learned from" in caption.value for caption in app.caption)
