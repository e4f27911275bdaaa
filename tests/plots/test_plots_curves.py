"""Figures of curves, reliability, abstention and intervals; the order that keeps confused classes together."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities

from fer_core.emotions import COLOURS, COUNT, NAMES
from fer_core.plots import classes, confusion, curves, style
from fer_core.plots import reliability as diagrams
from fer_core.stats.calibration import reliability
from fer_core.stats.curves import precision_recall, roc
from fer_core.stats.metrics import confusion_matrix, per_class_intervals
from fer_core.stats.risk_coverage import at_threshold, risk_coverage

LABELS, _ = make_labels(600, seed=5)
LABELS = LABELS.astype(int)
MODELS = {title: make_probabilities(LABELS, 0.7 - 0.1 * seed, seed=seed) for seed, title in enumerate("abc")}
TABLES = {title: per_class_intervals(confusion_matrix(LABELS, rows.argmax(axis=1))) for title, rows in MODELS.items()}
RESULTS = {title: reliability(LABELS, rows) for title, rows in MODELS.items()}
RISKS = {title: risk_coverage(LABELS, rows) for title, rows in MODELS.items()}


def without_class(label: int) -> tuple[np.ndarray, np.ndarray]:
    keep = np.not_equal(LABELS, label)
    return LABELS[keep], MODELS["a"][keep]


def test_every_figure_takes_the_theme_and_is_json() -> None:
    one = roc(LABELS, MODELS["a"])
    for figure in (
        curves.by_class(one, "roc"),
        curves.across_models({"a": one}, "roc"),
        curves.risk_coverage(RISKS),
        diagrams.diagram(RESULTS),
        classes.class_dots(TABLES),
    ):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.font.color is None
        text = figure.to_json()
        assert "NaN" not in text
        assert "Infinity" not in text


# --- ROC, precision and recall


@pytest.mark.parametrize("kind", ["roc", "precision_recall"])
def test_curves_of_the_classes(kind: str) -> None:
    curve_data = (roc if kind == "roc" else precision_recall)(LABELS, MODELS["a"])
    figure = curves.by_class(curve_data, kind)  # type: ignore[arg-type]
    *lines, mean = figure.data
    assert [line.line.color for line in lines] == list(COLOURS)
    assert mean.line.dash == "dash"
    short = "AUC" if kind == "roc" else "AP"
    for name, line, curve in zip(NAMES, lines, curve_data.classes, strict=True):
        assert curve is not None
        assert line.name == f"{name} · {short} {curve.area:.3f}"
        np.testing.assert_allclose(line.x, 100 * curve.x)
        np.testing.assert_allclose(line.y, 100 * curve.y)
        assert line.line.shape == ("linear" if kind == "roc" else "vh")
        assert line.text[0] == "no face"
        assert len(line.text) == len(line.x)
    words = curves.describe_by_class(curve_data, kind)  # type: ignore[arg-type]
    assert f"happy {curve_data.classes[3].area:.3f}" in words  # type: ignore[union-attr]
    assert words.endswith(f"mean of the classes {curve_data.macro.area:.3f}.")  # type: ignore[union-attr]


def test_a_class_without_faces_has_no_line() -> None:
    curve_data = roc(*without_class(1))
    figure = curves.by_class(curve_data, "roc")
    assert len(figure.data) == COUNT
    assert not [trace for trace in figure.data if trace.name.startswith("disgust")]
    assert "disgust: nothing to measure" in curves.describe_by_class(curve_data, "roc")
    assert not curves.across_models({"a": curve_data}, "roc", label=1).data


def test_curves_of_models_differ_in_colour_and_dash() -> None:
    curve_data = {title: precision_recall(LABELS, rows) for title, rows in MODELS.items()}
    figure = curves.across_models(curve_data, "precision_recall", label=4)
    assert [line.line.color for line in figure.data] == list(style.RUN_COLOURS[:3])
    assert len({line.line.dash for line in figure.data}) == 3
    for line, one in zip(figure.data, curve_data.values(), strict=True):
        np.testing.assert_allclose(line.y, 100 * one.classes[4].y)  # type: ignore[union-attr]
    assert figure.layout.shapes[0].y0 == pytest.approx(100 * np.mean(LABELS == 4)), "what guessing gets"
    mean = curves.across_models(curve_data, "precision_recall").data[2]
    np.testing.assert_allclose(mean.y, 100 * curve_data["c"].macro.y)  # type: ignore[union-attr]
    words = curves.describe_across_models(curve_data, "precision_recall", label=4)
    assert f"sad against the rest. a {curve_data['a'].classes[4].area:.3f}; b " in words  # type: ignore[union-attr]
    assert curves.describe_across_models({}, "roc").endswith("No model.")
    with pytest.raises(ValueError, match="kind"):
        curves.across_models(curve_data, "pr")  # type: ignore[arg-type]


def test_a_model_keeps_its_colour_where_another_has_no_curve() -> None:
    curve_data = {"a": roc(*without_class(1)), "b": roc(LABELS, MODELS["b"])}
    [line] = curves.across_models(curve_data, "roc", label=1).data
    assert line.line.color == style.run_colour(1)


# --- abstention


def test_risk_coverage_with_the_sliders_point() -> None:
    operating_points = {title: at_threshold(LABELS, rows, 0.5) for title, rows in MODELS.items()}
    figure = curves.risk_coverage(RISKS, operating_points)
    lines, dots = figure.data[:3], figure.data[3:]
    for title, line, dot in zip(MODELS, lines, dots, strict=True):
        operating_point, curve = operating_points[title], RISKS[title]
        np.testing.assert_allclose(line.x, 100 * curve.coverage)
        np.testing.assert_allclose(line.y, 100 * curve.risk)
        np.testing.assert_allclose(line.customdata, curve.threshold)
        assert line.name == f"{title} · AURC {curve.aurc:.3f}"
        assert dot.x[0] == pytest.approx(100 * operating_point.coverage)
        assert dot.y[0] + dot.error_y.array[0] == pytest.approx(100 * (1 - operating_point.low))
        assert dot.y[0] - dot.error_y.arrayminus[0] == pytest.approx(100 * (1 - operating_point.high))
        assert dot.customdata[0] == 0.5
        assert dot.marker.color == line.line.color
    top = figure.layout.yaxis.range[1]
    assert top >= max(dot.y[0] + dot.error_y.array[0] for dot in dots)
    words = curves.describe_risk_coverage(RISKS, operating_points)
    assert f"a: {100 * RISKS['a'].risk[-1]:.1f} % wrong when it answers all 600 faces, AURC" in words
    assert f"it answers {operating_points['a'].answered} of 600 faces" in words


def test_no_answer_has_no_mark() -> None:
    operating_points = {"a": at_threshold(LABELS, MODELS["a"], 1.0)}
    assert operating_points["a"].answered == 0
    assert len(curves.risk_coverage(RISKS, operating_points).data) == 3
    assert (
        curves.describe_answered(operating_points["a"])
        == "with a least confidence of 100 % it answers none of the 600 faces"
    )
    with pytest.raises(ValueError, match="no curve: d"):
        curves.risk_coverage(RISKS, {"d": operating_points["a"]})


def test_risk_of_a_model_without_errors_can_be_drawn() -> None:
    perfect = risk_coverage([0, 3], np.eye(COUNT)[[0, 3]])
    low, high = curves.risk_coverage({"perfect": perfect}).layout.yaxis.range
    assert low < high
    assert not curves.risk_coverage({}).data
    assert curves.describe_risk_coverage({}).endswith("No model.")


# --- reliability


def test_reliability_of_one_model() -> None:
    result = RESULTS["a"]
    figure = diagrams.diagram({"a": result})
    points, bars = figure.data
    filled = np.flatnonzero(result.counts)
    assert 0 < len(filled) < len(result.counts)
    np.testing.assert_array_equal(points.customdata, filled)
    np.testing.assert_allclose(points.x, 100 * result.confidence[filled])
    np.testing.assert_allclose(points.y, 100 * result.accuracy[filled])
    np.testing.assert_allclose(points.y + points.error_y.array, 100 * result.high[filled])
    np.testing.assert_allclose(points.y - points.error_y.arrayminus, 100 * result.low[filled])
    assert points.name == f"a · ECE {100 * result.ece:.1f} %"
    assert bars.type == "bar"
    np.testing.assert_array_equal(bars.y, result.counts)
    np.testing.assert_array_equal(bars.customdata, np.arange(len(result.counts)))
    assert figure.layout.xaxis.matches or figure.layout.xaxis2.matches, "both panels share their confidence axis"
    [diagonal] = figure.layout.shapes
    assert (diagonal.x0, diagonal.y0, diagonal.x1, diagonal.y1) == (0, 0, 100, 100)


def test_reliability_of_several_models_has_outlines() -> None:
    figure = diagrams.diagram(RESULTS)
    assert {trace.type for trace in figure.data} == {"scatter"}
    outlines = [trace for trace in figure.data if trace.line.shape == "hv"]
    for outline, result in zip(outlines, RESULTS.values(), strict=True):
        assert list(outline.y) == [*result.counts, result.counts[-1]]
        np.testing.assert_allclose(outline.x, 100 * result.edges)
    assert len([trace for trace in figure.data if trace.showlegend is not False]) == 3


def test_reliability_in_words() -> None:
    sure = np.full((10, COUNT), 0.1 / 6)
    sure[:, 0] = 0.9
    words = diagrams.describe_diagram({"x": reliability([0] * 6 + [1] * 4, sure, bins=10)})
    assert words == (
        "Accuracy by confidence. x, 10 faces: expected calibration error 30.0 %; on average too sure by 30.0 points. "
        "The gap weighs most between 80 and 90 % confidence: 60.0 % right at 90.0 % mean confidence, 10 faces."
    )
    shy = diagrams.describe_diagram({"x": reliability([0] * 10, sure, temperature=1.5)})
    assert "not sure enough by" in shy
    assert "at a temperature of 1.50" in shy


def test_reliability_refuses_other_bins_and_nothing() -> None:
    with pytest.raises(ValueError, match="at least one model"):
        diagrams.diagram({})
    with pytest.raises(ValueError, match="same bins"):
        diagrams.diagram({"a": RESULTS["a"], "b": reliability(LABELS, MODELS["b"], bins=10)})


# --- per class


@pytest.mark.parametrize("measure", ["precision", "recall", "f1"])
def test_a_dot_and_an_interval_a_class_and_model(measure: str) -> None:
    figure = classes.class_dots(TABLES, measure=measure)  # type: ignore[arg-type]
    rows: list[set[float]] = [set() for _ in range(COUNT)]
    for position, (trace, entries) in enumerate(zip(figure.data, TABLES.values(), strict=True)):
        assert trace.marker.color == style.run_colour(position)
        assert trace.marker.symbol == style.run_symbol(position)
        for place, label in enumerate(trace.customdata):
            entry = entries[label]
            assert trace.x[place] == pytest.approx(100 * entry[measure])
            assert trace.x[place] + trace.error_x.array[place] == pytest.approx(100 * entry[f"{measure}_high"])
            assert trace.x[place] - trace.error_x.arrayminus[place] == pytest.approx(100 * entry[f"{measure}_low"])
            assert abs(trace.y[place] - label) < 0.5, "within its class's row"
            rows[label].add(round(trace.y[place], 6))
    assert [len(row) for row in rows] == [3] * COUNT, "models do not lie on one another"
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "the first class is on top"
    assert figure.layout.yaxis.ticktext[3] == f"happy<br>n = {(LABELS == 3).sum()}"
    entry = TABLES["b"][3]
    expected = f"{100 * entry[measure]:.1f} % ({100 * entry[f'{measure}_low']:.1f} to"
    assert f"happy {expected}" in classes.describe_dots(TABLES, measure=measure)  # type: ignore[arg-type]


def test_classes_without_faces_or_answers_have_no_dot() -> None:
    table = np.zeros((COUNT, COUNT), dtype=int)
    table[1, 0], table[0, 0] = 5, 5
    entries = {"x": per_class_intervals(table)}
    [recall] = classes.class_dots(entries, measure="recall").data
    assert list(recall.customdata) == [0, 1]
    [precision] = classes.class_dots(entries, measure="precision").data
    assert list(precision.customdata) == [0]
    words = classes.describe_dots(entries, measure="precision")
    assert "disgust is never answered" in words
    assert "fear has no faces" in classes.describe_dots(entries)
    assert classes.describe_dots({}).endswith("No model.")


def test_answers_with_a_class_that_has_no_face_say_nothing_about_its_precision() -> None:
    table = np.zeros((COUNT, COUNT), dtype=int)
    table[3, 3], table[3, 1] = 5, 4
    entries = {"x": per_class_intervals(table)}
    assert entries["x"][1]["precision"] == 0
    [precision] = classes.class_dots(entries, measure="precision").data
    assert list(precision.customdata) == [3]
    assert "disgust has no faces" in classes.describe_dots(entries, measure="precision")


def test_supports_that_differ_are_not_written_beside_the_class() -> None:
    other = {"a": TABLES["a"], "b": per_class_intervals(np.eye(COUNT, dtype=int))}
    assert list(classes.class_dots(other).layout.yaxis.ticktext) == list(NAMES)
    with pytest.raises(ValueError, match="measure"):
        classes.class_dots(TABLES, measure="support")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="7 classes"):
        classes.class_dots({"a": TABLES["a"][:3]})


# --- order of a confusion matrix


def neighbours(counts: np.ndarray, order: tuple[int, ...]) -> float:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return sum(shares[a, b] + shares[b, a] for a, b in pairwise(order))


def test_the_order_is_the_best_of_all() -> None:
    for seed in range(3):
        counts = np.random.default_rng(seed).integers(0, 60, size=(COUNT, COUNT))
        found = confusion.order_by_confusion(counts)
        assert sorted(found) == list(range(COUNT))
        best = max(neighbours(counts, order) for order in permutations(range(COUNT)))
        assert neighbours(counts, found) == pytest.approx(best, abs=1e-8)
        assert confusion.order_by_confusion(counts) == found


def test_confused_classes_become_neighbours() -> None:
    counts = np.eye(COUNT, dtype=int) * 500
    counts[0, 6] = counts[6, 3] = counts[3, 1] = 100
    counts[1, 1], counts[1, 5] = 8, 6  # a rare class counts like a frequent one
    order = confusion.order_by_confusion(counts)
    pairs = {frozenset(pair) for pair in pairwise(order)}
    assert {frozenset(pair) for pair in [(0, 6), (6, 3), (3, 1), (1, 5)]} <= pairs


def test_without_confusion_the_order_is_that_of_the_labels() -> None:
    assert confusion.order_by_confusion(np.eye(COUNT)) == confusion.LABEL_ORDER
    assert confusion.order_by_confusion(np.zeros((COUNT, COUNT))) == confusion.LABEL_ORDER
    uniform = np.ones((COUNT, COUNT), dtype=int)
    assert confusion.order_by_confusion(uniform) == confusion.LABEL_ORDER, "all alike"
    with pytest.raises(ValueError, match="7×7"):
        confusion.order_by_confusion(np.zeros((6, 6)))


@pytest.mark.parametrize("normalise", ["none", "row", "column"])
def test_a_matrix_in_another_order_shows_the_same_cells(normalise: str) -> None:
    counts, order = np.arange(49).reshape(COUNT, COUNT), (6, 0, 3, 5, 1, 2, 4)
    plain = confusion.matrix(counts, normalise=normalise)  # type: ignore[arg-type]
    figure = confusion.matrix(counts, normalise=normalise, order=order, selected=(2, 4))  # type: ignore[arg-type]
    assert list(figure.layout.xaxis.ticktext) == list(figure.layout.yaxis.ticktext) == [NAMES[label] for label in order]
    texts = {(note.y, note.x): note.text for note in figure.layout.annotations}
    expected = {(note.y, note.x): note.text for note in plain.layout.annotations}
    hover = dict(zip(((row[0], row[1]) for row in plain.data[-1].customdata), plain.data[-1].text, strict=True))
    targets = figure.data[-1]
    assert len(targets.customdata) == 49
    for x, y, row, words in zip(targets.x, targets.y, targets.customdata, targets.text, strict=True):
        true, predicted, faces, _ = row
        assert (order[y], order[x]) == (true, predicted), "a click reports labels, not places"
        assert faces == counts[true, predicted]
        assert texts[(y, x)] == expected[(true, predicted)]
        assert figure.data[0].z[y][x] == plain.data[0].z[true][predicted]
        assert words == hover[(true, predicted)]
    [frame] = figure.layout.shapes
    assert (frame.y0 + 0.5, frame.x0 + 0.5) == (order.index(2), order.index(4))


def test_a_matrix_refuses_an_order_that_is_none() -> None:
    for bad in ((0, 1, 2), (0, 0, 1, 2, 3, 4, 5)):
        with pytest.raises(ValueError, match="order must hold"):
            confusion.matrix(np.eye(COUNT), order=bad)


def test_references_are_visible_on_both_themes() -> None:
    for background in ("#FFFFFF", "#F7F7FA", "#16161C", "#1B1B23"):
        levels = sorted(style.relative_luminance(style.rgb(colour)) + 0.05 for colour in (style.MUTED, background))
        assert levels[1] / levels[0] >= 3
    assert len(set(style.RUN_DASHES)) == len(set(style.RUN_SYMBOLS)) == len(style.RUN_COLOURS)
