"""One-vs-rest curves, per-class intervals and top-2 accuracy against scikit-learn, SciPy, statsmodels and by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities
from scipy.stats import binomtest
from sklearn import metrics as sk
from statsmodels.stats.proportion import proportion_confint

from fer_core.emotions import COUNT
from fer_core.stats.curves import POINTS, areas, precision_recall, roc
from fer_core.stats.intervals import wilson_interval
from fer_core.stats.metrics import MEASURES, confusion_matrix, per_class, per_class_intervals, share_interval, top_k

Case = tuple[np.ndarray, np.ndarray]


def normalised(rows: np.ndarray) -> np.ndarray:
    return rows / rows.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module", params=["smooth", "tied", "small"])
def case(request: pytest.FixtureRequest) -> Case:
    n = 90 if request.param == "small" else 1500
    labels, _ = make_labels(n, seed=4)
    probabilities = make_probabilities(labels, 0.6, seed=4)
    if request.param == "tied":
        # Few different values: most faces share theirs with others, right and wrong ones alike.
        probabilities = normalised(np.round(probabilities * 8) + 1).astype(np.float32)
        assert len(np.unique(probabilities[:, 3])) < 60
    return labels.astype(int), probabilities


# --- ROC


def test_auc_is_scikit_learns(case: Case) -> None:
    labels, probabilities = case
    curves = roc(labels, probabilities)
    for label, curve in enumerate(curves.classes):
        assert curve is not None
        assert curve.area == pytest.approx(sk.roc_auc_score(labels == label, probabilities[:, label]), abs=1e-12)
        assert (curve.faces, curve.others) == ((labels == label).sum(), (labels != label).sum())
        assert curve.chance == 0.5
    assert curves.macro is not None
    expected = sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    assert curves.macro.area == pytest.approx(expected, abs=1e-12)
    assert areas(curves) == (*(curve.area for curve in curves.classes if curve), curves.macro.area)


def test_the_whole_roc_curve_is_scikit_learns(case: Case) -> None:
    labels, probabilities = case
    for label, curve in enumerate(roc(labels, probabilities, points=10_000).classes):
        assert curve is not None
        rates = sk.roc_curve(labels == label, probabilities[:, label], drop_intermediate=False)
        for ours, theirs in zip((curve.x, curve.y, curve.threshold), rates, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_a_thinned_roc_curve_keeps_ends_and_shape(case: Case) -> None:
    labels, probabilities = case
    whole, thin = roc(labels, probabilities, points=10_000), roc(labels, probabilities)
    for full, few in zip((*whole.classes, whole.macro), (*thin.classes, thin.macro), strict=True):
        assert full is not None
        assert few is not None
        assert few.area == full.area, "the area is that of the whole curve"
        assert len(few.x) <= POINTS
        assert (few.x[0], few.y[0], few.x[-1], few.y[-1]) == (0, 0, 1, 1)
        assert (np.diff(few.x) >= 0).all()
        assert (np.diff(few.y) >= 0).all()
        assert np.trapezoid(few.y, few.x) == pytest.approx(few.area, abs=0.002)
    points = {(x, y) for curve in whole.classes if curve for x, y in zip(curve.x, curve.y, strict=True)}
    assert all((x, y) in points for curve in thin.classes if curve for x, y in zip(curve.x, curve.y, strict=True))


def test_the_mean_roc_curve_is_the_mean_of_recalls_at_equal_false_alarms(case: Case) -> None:
    labels, probabilities = case
    curves = roc(labels, probabilities)
    assert curves.macro is not None
    assert curves.macro.threshold is None
    assert curves.macro.x[1] == 0
    for at in (1, 30, 99, 150, POINTS - 1):
        rate = curves.macro.x[at]
        recalls = []
        for label in range(COUNT):
            false_alarms, recall, _ = sk.roc_curve(labels == label, probabilities[:, label])
            here = recall[false_alarms == rate]
            recalls.append(here.max() if len(here) else np.interp(rate, false_alarms, recall))
        assert curves.macro.y[at] == pytest.approx(np.mean(recalls), abs=1e-9)


# --- precision and recall


def test_average_precision_is_scikit_learns(case: Case) -> None:
    labels, probabilities = case
    curves = precision_recall(labels, probabilities)
    expected = [sk.average_precision_score(labels == label, probabilities[:, label]) for label in range(COUNT)]
    assert areas(curves) == pytest.approx((*expected, np.mean(expected)), abs=1e-12)
    assert [curve.chance for curve in curves.classes if curve] == pytest.approx(np.bincount(labels) / len(labels))


def test_the_whole_precision_recall_curve_is_scikit_learns(case: Case) -> None:
    labels, probabilities = case
    for label, curve in enumerate(precision_recall(labels, probabilities, points=10_000).classes):
        assert curve is not None
        assert curve.threshold is not None
        precision, recall, threshold = sk.precision_recall_curve(labels == label, probabilities[:, label])
        # Theirs runs the other way, and has points at which recall stays; ours keeps the first of each recall.
        theirs: dict[float, tuple[float, float]] = {}
        for r, p, least in zip(recall[:-1][::-1], precision[:-1][::-1], threshold[::-1], strict=True):
            theirs.setdefault(round(r, 12), (p, least))
        theirs.pop(0.0, None)
        np.testing.assert_allclose(curve.x[1:], list(theirs), atol=1e-9)
        np.testing.assert_allclose(curve.y[1:], [p for p, _ in theirs.values()], atol=1e-6)
        np.testing.assert_allclose(curve.threshold[1:], [least for _, least in theirs.values()], rtol=1e-6)
        assert (curve.x[0], curve.y[0]) == (0, curve.y[1])


@pytest.mark.parametrize("points", [10, 37, POINTS])
def test_steps_drawn_have_exactly_the_area_shown(case: Case, points: int) -> None:
    curves = precision_recall(*case, points=points)
    for curve in (*curves.classes, curves.macro):
        assert curve is not None
        assert len(curve.x) <= points
        assert (curve.x[0], curve.x[-1]) == (0, 1)
        assert (np.diff(curve.x) > 0).all()
        assert (np.diff(curve.x) * curve.y[1:]).sum() == pytest.approx(curve.area, abs=1e-12)
        assert curve.y.min() >= 0
        assert curve.y.max() <= 1 + 1e-12


def four_faces() -> Case:
    """Angry at 0.8, 0.5, 0.5 and 0.2; the first and one of the tied faces are angry."""
    probabilities = np.zeros((4, COUNT))
    probabilities[:, 0] = [0.8, 0.5, 0.5, 0.2]
    probabilities[:, 3] = 1 - probabilities[:, 0]
    return np.array([0, 0, 3, 3]), probabilities


def test_curves_by_hand() -> None:
    curves = roc(*four_faces())
    curve = curves.classes[0]
    assert curve is not None
    np.testing.assert_allclose(curve.x, [0, 0, 0.5, 1])
    np.testing.assert_allclose(curve.y, [0, 0.5, 1, 1])
    # Of four pairs of an angry and another face three are in order and one is tied.
    assert curve.area == pytest.approx(3.5 / 4)
    steps = precision_recall(*four_faces())
    step = steps.classes[0]
    assert step is not None
    np.testing.assert_allclose(step.x, [0, 0.5, 1])
    np.testing.assert_allclose(step.y, [1, 1, 2 / 3])
    assert step.area == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert step.threshold is not None
    np.testing.assert_allclose(step.threshold, [np.inf, 0.8, 0.5])


def test_a_class_without_faces_has_no_curve() -> None:
    for curves in (roc(*four_faces()), precision_recall(*four_faces())):
        assert [label for label, curve in enumerate(curves.classes) if curve is None] == [1, 2, 4, 5, 6]
        there = [curve.area for curve in curves.classes if curve]
        assert curves.macro is not None
        assert curves.macro.area == pytest.approx(np.mean(there))
        assert areas(curves)[1] is None


def test_a_class_without_other_faces_has_a_precision_but_no_roc_curve() -> None:
    labels, probabilities = np.zeros(4, dtype=int), four_faces()[1]
    nothing = roc(labels, probabilities)
    assert nothing.classes == (None,) * COUNT
    assert nothing.macro is None
    assert areas(nothing) == (None,) * (COUNT + 1)
    only = precision_recall(labels, probabilities)
    assert only.macro is not None
    assert only.macro.area == 1


def test_curves_refuse_other_input() -> None:
    with pytest.raises(ValueError, match="no face"):
        roc([], np.empty((0, COUNT)))
    with pytest.raises(ValueError, match="points"):
        precision_recall(*four_faces(), points=9)


# --- intervals


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_is_scipys_and_statsmodels(level: float) -> None:
    pairs = [(0, 1), (1, 1), (0, 7), (7, 7), (3, 8), (28, 55), (2443, 3589)]
    low, high = wilson_interval(*zip(*pairs, strict=True), level=level)
    for index, (right, n) in enumerate(pairs):
        theirs = binomtest(right, n).proportion_ci(level, method="wilson")
        assert (low[index], high[index]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
        other = proportion_confint(right, n, alpha=1 - level, method="wilson")
        assert (low[index], high[index]) == pytest.approx(other, abs=1e-12)


def test_wilson_knows_its_limits() -> None:
    low, high = wilson_interval([0, 5, 0], [5, 5, 0])
    assert low[0] == 0
    assert high[1] == 1
    assert np.isnan([low[2], high[2]]).all()
    for bad in ((2, 1), (-1, 3)):
        with pytest.raises(ValueError, match="between 0 and n"):
            wilson_interval(*bad)
    with pytest.raises(ValueError, match="level"):
        wilson_interval(1, 2, level=1)
    with pytest.raises(ValueError, match="no faces"):
        share_interval(0, 0)


def test_per_class_is_scikit_learns_with_intervals_around_it(case: Case) -> None:
    labels, probabilities = case
    predicted = probabilities.argmax(axis=1)
    counts = confusion_matrix(labels, predicted)
    entries = per_class_intervals(counts)
    expected = sk.precision_recall_fscore_support(labels, predicted, labels=range(COUNT), zero_division=0)
    for measure, values in zip((*MEASURES, "support"), expected, strict=True):
        assert [entry[measure] for entry in entries] == pytest.approx(values.tolist())
    for label, entry in enumerate(entries):
        right = counts[label, label]
        for measure, of in (("recall", counts[label].sum()), ("precision", counts[:, label].sum())):
            theirs = binomtest(int(right), int(of)).proportion_ci(0.95, method="wilson")
            assert (entry[f"{measure}_low"], entry[f"{measure}_high"]) == pytest.approx((theirs.low, theirs.high))
        assert entry["answered"] == counts[:, label].sum()
        assert entry["f1_low"] < entry["f1"] < entry["f1_high"]
    assert json.loads(json.dumps(entries, allow_nan=False)) == entries


def test_intervals_agree_with_the_bootstrap_where_classes_are_large() -> None:
    labels, _ = make_labels(6000, seed=9)
    counts = confusion_matrix(labels, make_probabilities(labels, 0.65, seed=9).argmax(axis=1))
    # Drawing all faces anew with replacement is one draw of the 49 cells.
    drawn = np.random.default_rng(0).multinomial(counts.sum(), counts.ravel() / counts.sum(), size=4000)
    tables = drawn.reshape(-1, COUNT, COUNT)
    right, support, answered = np.einsum("bii->bi", tables), tables.sum(axis=2), tables.sum(axis=1)
    shares = {"recall": right / support, "precision": right / answered, "f1": 2 * right / (support + answered)}
    for label, entry in enumerate(per_class_intervals(counts)):
        if entry["support"] < 400:
            continue
        for measure, values in shares.items():
            low, high = np.quantile(values[:, label], [0.025, 0.975])
            assert (entry[f"{measure}_low"], entry[f"{measure}_high"]) == pytest.approx((low, high), abs=0.006)


def test_f1_interval_covers_for_a_rare_class() -> None:
    # 50 faces of the class, found with 0.6, and false alarms about as many as hits: the true F1 is known.
    generator, truth = np.random.default_rng(1), 2 * 0.6 * 50 / (50 + 0.6 * 50 + 20)
    hits = 0
    for _ in range(400):
        found, alarms = generator.binomial(generator.poisson(50), 0.6), generator.poisson(20)
        missed = generator.poisson(20)
        table = np.zeros((COUNT, COUNT), dtype=int)
        table[1, 1], table[1, 0], table[0, 1] = found, missed, alarms
        entry = per_class_intervals(table)[1]
        hits += entry["f1_low"] <= truth <= entry["f1_high"]
    assert 366 <= hits <= 396, "about 380 of 400"


def test_intervals_at_the_ends_keep_a_width_and_nothing_known_is_none() -> None:
    table = np.zeros((COUNT, COUNT), dtype=int)
    table[1, 0] = 5  # disgust: five faces, none found, never answered
    table[3, 3] = 4  # happy: all found
    angry, disgust, happy, fear = (per_class_intervals(table)[label] for label in (0, 1, 3, 2))
    assert (disgust["recall"], disgust["recall_low"]) == (0, 0)
    assert 0.3 < disgust["recall_high"] < 0.5
    assert (disgust["precision"], disgust["precision_low"], disgust["precision_high"]) == (0.0, None, None)
    assert (happy["recall"], happy["recall_high"]) == (1, 1)
    assert 0.4 < happy["f1_low"] < 1
    assert [angry["recall_low"], angry["f1_low"], angry["f1_high"]] == [None] * 3
    assert (angry["precision"], angry["precision_low"]) == (0, 0)
    assert angry["precision_high"] == disgust["recall_high"]
    assert [fear[f"{measure}_{end}"] for measure in MEASURES for end in ("low", "high")] == [None] * 6
    plain = [{key: entry[key] for key in per_class(table)[0]} for entry in per_class_intervals(table)]
    assert plain == per_class(table)


def test_top_two_is_scikit_learns() -> None:
    labels, _ = make_labels(800, seed=6)
    probabilities = make_probabilities(labels, 0.5, seed=6)
    for k in (1, 2, 3, 6, 7):
        result = top_k(labels.astype(int), probabilities, k=k)
        expected = 1.0 if k == COUNT else sk.top_k_accuracy_score(labels, probabilities, k=k, labels=range(COUNT))
        assert result.value == pytest.approx(expected)
        assert (result.right, result.n) == (round(800 * expected), 800)
        interval = binomtest(result.right, 800).proportion_ci(0.95, method="wilson")
        assert (result.low, result.high) == pytest.approx((interval.low, interval.high))


def test_top_two_by_hand_where_probabilities_tie() -> None:
    rows = np.array([[0.4, 0.2, 0.2, 0.2, 0, 0, 0]] * 4)
    # The likeliest two are angry and, of the three tied, disgust: the lowest label.
    assert [top_k([label], rows[:1]).right for label in range(5)] == [1, 1, 0, 0, 0]
    assert top_k([0, 1, 2, 3], rows, k=4).value == 1
    assert top_k([1, 1, 0, 0], np.full((4, COUNT), 1 / COUNT), k=1).value == 0.5
    for k in (0, 8):
        with pytest.raises(ValueError, match="k must be"):
            top_k([0], rows[:1], k=k)
