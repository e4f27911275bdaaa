"""Abstention by hand, by loop over every threshold, and against scikit-learn's accuracy of the faces answered."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score

from fer_core.emotions import COUNT
from fer_core.stats.risk_coverage import Answered, at_threshold, risk_coverage, threshold_for

Case = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module", params=["smooth", "tied"])
def case(request: pytest.FixtureRequest) -> Case:
    labels, _ = make_labels(700, seed=3)
    probabilities = make_probabilities(labels, 0.6, seed=3)
    if request.param == "tied":
        rounded = np.round(probabilities * 10) + 1
        probabilities = (rounded / rounded.sum(axis=1, keepdims=True)).astype(np.float32)
    return labels.astype(int), probabilities


def angry(confidences: list[float]) -> np.ndarray:
    rows = np.repeat((1 - np.array(confidences))[:, None] / (COUNT - 1), COUNT, axis=1)
    rows[:, 0] = confidences
    return rows


def test_aurc_is_the_mean_risk_over_every_faces_threshold(case: Case) -> None:
    labels, probabilities = case
    confidence, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != labels
    risks = [wrong[confidence >= threshold].mean() for threshold in confidence]
    curve = risk_coverage(labels, probabilities)
    assert curve.aurc == pytest.approx(np.mean(risks), abs=1e-12)
    # The best order: the right answers first. Geifman, Uziel and El-Yaniv approximate its area so.
    r = wrong.mean()
    assert curve.best == pytest.approx(r + (1 - r) * np.log(1 - r), abs=0.002)
    assert curve.best < curve.aurc
    assert curve.n == 700


def test_every_point_of_the_curve_is_a_threshold(case: Case) -> None:
    labels, probabilities = case
    curve = risk_coverage(labels, probabilities, points=50)
    assert len(curve.coverage) <= 50
    assert (np.diff(curve.coverage) > 0).all()
    assert curve.coverage[-1] == 1
    for coverage, risk, threshold in zip(curve.coverage, curve.risk, curve.threshold, strict=True):
        answered = at_threshold(labels, probabilities, threshold)
        assert answered.coverage == coverage
        assert answered.accuracy == pytest.approx(1 - risk)
    full = risk_coverage(labels, probabilities, points=10_000)
    assert full.aurc == curve.aurc, "thinning does not change the area"
    assert len(full.coverage) == len(np.unique(probabilities.max(axis=1)))


def test_aurc_by_hand() -> None:
    # Right, wrong, right, wrong, from the surest on: risks 0, 1/2, 1/3, 1/2.
    labels, probabilities = [0, 1, 0, 1], angry([0.9, 0.8, 0.7, 0.6])
    curve = risk_coverage(labels, probabilities)
    np.testing.assert_allclose(curve.risk, [0, 1 / 2, 1 / 3, 1 / 2])
    np.testing.assert_allclose(curve.coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curve.threshold, [0.9, 0.8, 0.7, 0.6])
    assert curve.aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert curve.best == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)


def test_faces_of_equal_confidence_are_answered_together() -> None:
    labels, probabilities = [0, 1, 0], angry([0.8, 0.8, 0.5])
    curve = risk_coverage(labels, probabilities)
    np.testing.assert_allclose(curve.coverage, [2 / 3, 1])
    np.testing.assert_allclose(curve.risk, [1 / 2, 1 / 3])
    assert curve.aurc == pytest.approx((2 * 1 / 2 + 1 / 3) / 3)
    order = [1, 0, 2]
    assert risk_coverage(np.array(labels)[order], probabilities[order]).aurc == curve.aurc


def test_order_decides_the_area_not_the_number_of_errors() -> None:
    good = risk_coverage([0, 0, 0, 1], angry([0.9, 0.8, 0.7, 0.6]))
    bad = risk_coverage([1, 0, 0, 0], angry([0.9, 0.8, 0.7, 0.6]))
    assert good.aurc == good.best == bad.best
    assert bad.aurc > bad.best
    perfect = risk_coverage([0, 0], angry([0.9, 0.8]))
    assert perfect.aurc == perfect.best == 0


@pytest.mark.parametrize("least", [0.0, 0.3, 0.55, 0.9])
def test_answers_above_a_threshold(case: Case, least: float) -> None:
    labels, probabilities = case
    chosen = probabilities.max(axis=1) >= least
    result = at_threshold(labels, probabilities, least)
    assert (result.answered, result.n) == (chosen.sum(), 700)
    assert result.coverage == pytest.approx(chosen.mean())
    if not chosen.any():
        assert result == Answered(least, 0, 0, 700, 0.0, None, None, None)
        return
    predicted = probabilities.argmax(axis=1)
    assert result.accuracy == pytest.approx(accuracy_score(labels[chosen], predicted[chosen]))
    interval = binomtest(result.right, result.answered).proportion_ci(0.95, method="wilson")
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))


def test_answers_nothing_above_all_confidences() -> None:
    assert at_threshold([0, 1], angry([0.9, 0.8]), 1.0) == Answered(1.0, 0, 0, 2, 0.0, None, None, None)
    just = at_threshold([0, 1], angry([0.9, 0.8]), 0.9)
    assert (just.answered, just.right) == (1, 1), "a confidence at the threshold is enough"


@pytest.mark.parametrize("wanted", [0.0, 0.62, 0.7, 0.8])
def test_the_threshold_for_an_accuracy_answers_the_most_faces(case: Case, wanted: float) -> None:
    labels, probabilities = case
    found = threshold_for(labels, probabilities, wanted)
    everything = [at_threshold(labels, probabilities, least) for least in np.unique(probabilities.max(axis=1))]
    enough = [one for one in everything if one.accuracy is not None and one.accuracy >= wanted]
    if not enough:
        assert found is None
        return
    assert found == max(enough, key=lambda one: one.answered)
    assert at_threshold(labels, probabilities, found.least_confidence) == found


def test_the_threshold_for_an_accuracy_by_hand() -> None:
    # From the surest on: 1/1, 1/2, 2/3, 3/4, 3/5.
    labels, probabilities = [0, 1, 0, 0, 1], angry([0.9, 0.8, 0.7, 0.6, 0.5])
    for wanted, answered in ((0.0, 5), (0.6, 5), (0.61, 4), (0.75, 4), (0.76, 1), (1.0, 1)):
        found = threshold_for(labels, probabilities, wanted)
        assert found is not None
        assert found.answered == answered
    assert threshold_for([1, 1], angry([0.9, 0.8]), 0.1) is None
    ten = threshold_for([0] * 9 + [1], angry([0.9] * 10), 0.9)
    assert ten is not None
    assert ten.accuracy == 0.9


def test_a_confidence_a_hair_above_one_is_one() -> None:
    rows = angry([1.0, 0.5])
    rows[0, 0] = np.nextafter(np.float32(1), np.float32(2))
    assert risk_coverage([0, 0], rows).threshold[0] == 1
    assert at_threshold([0, 0], rows, 1.0).answered == 1


def test_refuses_other_input(case: Case) -> None:
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"0\.\.1"):
            at_threshold(*case, bad)
        with pytest.raises(ValueError, match=r"0\.\.1"):
            threshold_for(*case, bad)
    with pytest.raises(ValueError, match="points"):
        risk_coverage(*case, points=1)
    with pytest.raises(ValueError, match="no face"):
        risk_coverage([], np.empty((0, COUNT)))
