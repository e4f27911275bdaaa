"""The reliability diagram's numbers by hand, by loop, against scikit-learn and against our own ECE."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve

from fer_core.emotions import COUNT
from fer_core.stats.calibration import apply_temperature, fit_temperature, reliability
from fer_core.stats.metrics import BINS, confidence_bins, expected_calibration_error

Case = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def case() -> Case:
    labels, _ = make_labels(1200, seed=8)
    return labels.astype(int), make_probabilities(labels, 0.6, seed=8)


def sure(confidences: list[float]) -> np.ndarray:
    """Rows that answer angry with these confidences."""
    rows = np.repeat((1 - np.array(confidences))[:, None] / (COUNT - 1), COUNT, axis=1)
    rows[:, 0] = confidences
    return rows


@pytest.mark.parametrize("bins", [1, 5, 10, BINS, 40])
def test_bins_add_up_to_the_ece(case: Case, bins: int) -> None:
    result = reliability(*case, bins=bins)
    filled = result.counts > 0
    gaps = np.abs(result.confidence - result.accuracy)[filled]
    assert (gaps * result.counts[filled]).sum() / result.n == pytest.approx(result.ece, abs=1e-12)
    assert result.ece == expected_calibration_error(*case, bins=bins)
    assert result.n == 1200
    assert len(result.edges) == bins + 1
    assert (result.edges[0], result.edges[-1]) == (0, 1)


def test_bins_are_scikit_learns_where_theirs_are_ours(case: Case) -> None:
    labels, probabilities = case
    confidence, right = probabilities.max(axis=1).astype(float), probabilities.argmax(axis=1) == labels
    result = reliability(labels, probabilities, bins=10)
    # Theirs are closed below and ours above, which differs only for a confidence on an edge.
    assert not np.isin(np.round(confidence * 10, 9) % 1, [0.0]).any()
    accuracy, mean = calibration_curve(right, confidence, n_bins=10)
    filled = result.counts > 0
    np.testing.assert_allclose(result.accuracy[filled], accuracy)
    np.testing.assert_allclose(result.confidence[filled], mean)


def test_by_hand() -> None:
    # Bins of a fifth. 0.4 is an edge: it belongs to the bin below it; 1.0 belongs to the last.
    result = reliability([0, 1, 0, 0, 1], sure([0.3, 0.4, 0.5, 0.9, 1.0]), bins=5)
    assert result.counts.tolist() == [0, 2, 1, 0, 2]
    np.testing.assert_allclose(result.confidence, [np.nan, 0.35, 0.5, np.nan, 0.95])
    np.testing.assert_allclose(result.accuracy, [np.nan, 0.5, 1.0, np.nan, 0.5])
    assert result.ece == pytest.approx((2 * 0.15 + 0.5 + 2 * 0.45) / 5)
    assert result.surplus == pytest.approx(3.1 / 5 - 3 / 5)
    interval = binomtest(1, 2).proportion_ci(0.95, method="wilson")
    assert (result.low[1], result.high[1]) == pytest.approx((interval.low, interval.high))
    assert result.high[2] == 1
    assert np.isnan(result.low[0])
    assert result.temperature == 1


def test_a_click_on_a_bin_can_find_its_faces(case: Case) -> None:
    _, probabilities = case
    place = confidence_bins(probabilities.max(axis=1), BINS)
    assert np.bincount(place, minlength=BINS).tolist() == reliability(*case).counts.tolist()
    assert confidence_bins([0.0, 1.0, 0.2, 0.2 + 1e-9], 5).tolist() == [0, 4, 0, 1]
    with pytest.raises(ValueError, match="one bin"):
        confidence_bins([0.5], 0)


def test_temperature_moves_faces_between_bins_but_changes_no_answer(case: Case) -> None:
    labels, probabilities = case
    sharpened = apply_temperature(probabilities, 0.5)
    before = reliability(labels, sharpened)
    temperature = fit_temperature(labels, sharpened)
    after = reliability(labels, sharpened, temperature=temperature)
    assert after.temperature == temperature
    assert after.ece == expected_calibration_error(labels, apply_temperature(sharpened, temperature))
    assert after.ece < before.ece
    assert abs(after.surplus) < abs(before.surplus)
    assert after.counts.tolist() != before.counts.tolist()
    right = [np.nansum(result.accuracy * result.counts) for result in (before, after)]
    assert right[0] == pytest.approx(right[1])


def test_refuses_other_input(case: Case) -> None:
    with pytest.raises(ValueError, match="no face"):
        reliability([], np.empty((0, COUNT)))
    with pytest.raises(ValueError, match="one bin"):
        reliability(*case, bins=0)
    with pytest.raises(ValueError, match="finite number above 0"):
        reliability(*case, temperature=0)
