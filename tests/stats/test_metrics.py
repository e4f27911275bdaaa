"""Scores against hand-computed cases and scikit-learn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities
from scipy.stats import binomtest
from sklearn import metrics as sk

from fer_core.emotions import COUNT, NAMES
from fer_core.stats.intervals import bootstrap_gain, bootstrap_interval
from fer_core.stats.metrics import confusion_matrix, expected_calibration_error, log_loss, per_class, score


def one_hot(labels: list[int], confidence: float = 1.0) -> np.ndarray:
    rest = (1 - confidence) / (COUNT - 1)
    return np.where(np.eye(COUNT)[labels] == 1, confidence, rest)


@pytest.fixture(scope="module")
def case() -> tuple[np.ndarray, np.ndarray]:
    labels, _ = make_labels(600, seed=1)
    return labels.astype(int), make_probabilities(labels, 0.6, seed=1).astype(float)


def test_equals_scikit_learn(case: tuple[np.ndarray, np.ndarray]) -> None:
    labels, probabilities = case
    predicted = probabilities.argmax(axis=1)
    scores = score(labels, probabilities)
    assert scores["n"] == 600
    assert scores["accuracy"] == pytest.approx(sk.accuracy_score(labels, predicted))
    assert scores["macro_f1"] == pytest.approx(sk.f1_score(labels, predicted, average="macro"))
    normalised = probabilities / probabilities.sum(axis=1, keepdims=True)
    assert scores["log_loss"] == pytest.approx(sk.log_loss(labels, normalised), rel=1e-5)
    assert scores["confusion"] == sk.confusion_matrix(labels, predicted, labels=range(COUNT)).tolist()
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        labels, predicted, labels=range(COUNT), zero_division=0
    )
    for index, entry in enumerate(scores["per_class"]):
        assert entry["emotion"] == NAMES[index]
        assert entry["precision"] == pytest.approx(precision[index])
        assert entry["recall"] == pytest.approx(recall[index])
        assert entry["f1"] == pytest.approx(f1[index])
        assert entry["support"] == support[index]


def test_is_plain_json(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores = score(*case)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_by_hand() -> None:
    labels = [0, 0, 3, 4]
    scores = score(labels, one_hot([0, 3, 3, 3], 0.7))
    assert scores["accuracy"] == 0.5
    assert scores["confusion"][0] == [1, 0, 0, 1, 0, 0, 0]
    angry, happy, sad, fear = (scores["per_class"][index] for index in (0, 3, 4, 2))
    assert (angry["precision"], angry["recall"]) == (1.0, 0.5)
    assert angry["f1"] == pytest.approx(2 / 3)
    assert (happy["precision"], happy["recall"], happy["f1"]) == (1 / 3, 1.0, 0.5)
    assert (sad["precision"], sad["recall"], sad["f1"]) == (0.0, 0.0, 0.0)
    assert (fear["precision"], fear["recall"], fear["f1"], fear["support"]) == (0.0, None, None, 0)
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 0.5 + 0.0) / 3)
    assert scores["log_loss"] == pytest.approx(-(2 * np.log(0.7) + 2 * np.log(0.05)) / 4)
    assert scores["ece"] == pytest.approx(0.2)


def test_a_probability_of_zero_costs_a_finite_amount() -> None:
    assert log_loss([0], one_hot([1])) == pytest.approx(-np.log(1e-7))
    assert log_loss([1], one_hot([1])) == 0


def test_rows_of_the_confusion_matrix_are_true_classes() -> None:
    assert confusion_matrix([2], [4])[2, 4] == 1
    assert confusion_matrix([], []).sum() == 0
    with pytest.raises(ValueError, match=r"0\.\.6"):
        confusion_matrix([7], [0])
    with pytest.raises(ValueError, match="equal length"):
        confusion_matrix([1, 2], [0])


def test_per_class_wants_seven_by_seven() -> None:
    with pytest.raises(ValueError, match="7×7"):
        per_class(np.zeros((3, 3)))


def test_calibration_error_by_hand_and_by_loop(case: tuple[np.ndarray, np.ndarray]) -> None:
    # Ten answers at 0.8 of which six are right: off by 0.2, wherever the bin edges are.
    assert expected_calibration_error([0] * 6 + [1] * 4, one_hot([0] * 10, 0.8)) == pytest.approx(0.2)
    # A confidence of exactly 1 belongs to the last bin.
    assert expected_calibration_error([0], one_hot([0], 1.0)) == 0
    labels, probabilities = case
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    expected = 0.0
    for lower in np.arange(15) / 15:
        inside = (confidence > lower) & (confidence <= lower + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert expected_calibration_error(labels, probabilities) == pytest.approx(expected)


def test_interval_equals_a_bootstrap_with_indices() -> None:
    generator = np.random.default_rng(3)
    correct = generator.random(400) < 0.65
    low, high = bootstrap_interval(correct, resamples=20_000)
    drawn = correct[generator.integers(0, 400, size=(20_000, 400))].mean(axis=1)
    assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.004)
    assert low < correct.mean() < high


def test_interval_is_repeatable_and_covers() -> None:
    correct = np.arange(100) < 60
    assert bootstrap_interval(correct, seed=5) == bootstrap_interval(correct, seed=5)
    assert bootstrap_interval(correct, seed=5) != bootstrap_interval(correct, seed=6, resamples=50)
    generator = np.random.default_rng(0)
    hits = 0
    for seed in range(200):
        low, high = bootstrap_interval(generator.random(500) < 0.6, resamples=500, seed=seed)
        hits += low <= 0.6 <= high
    assert 180 <= hits <= 199


@pytest.mark.parametrize(
    ("labels", "probabilities", "words"),
    [
        ([], np.empty((0, 7)), "no face"),
        ([0], np.full((1, 6), 1 / 6), r"\(n, 7\)"),
        ([7], one_hot([0]), "whole numbers"),
        ([0.5], one_hot([0]), "whole numbers"),
        ([0], 2 * one_hot([0]), "add up to 1"),
        ([0], np.full((1, 7), np.nan), "finite"),
    ],
)
def test_refuses_what_cannot_be_scored(labels: list[int], probabilities: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        score(labels, probabilities)


def test_an_accuracy_of_0_or_100_per_cent_of_a_few_faces_is_not_known_exactly() -> None:
    for n in (1, 10, 500):
        low, high = bootstrap_interval([True] * n)
        expected = binomtest(n, n).proportion_ci(0.95, method="wilson")
        assert (low, high) == pytest.approx((expected.low, 1.0))
        assert low < high
        assert bootstrap_interval([False] * n) == pytest.approx((0.0, 1 - low))


def test_a_gain_that_no_face_or_every_face_shows_is_not_known_exactly() -> None:
    one, other = [True] * 10, [False] * 10
    low = bootstrap_interval(one)[0]
    assert bootstrap_gain(one, one) == pytest.approx((low - 1, 1 - low))
    assert bootstrap_gain(other, one) == pytest.approx((low, 1.0))
    assert bootstrap_gain(one, other) == pytest.approx((-1.0, -low))


@pytest.mark.parametrize("bad", [{"resamples": 0}, {"level": 1.0}])
def test_interval_refuses_nonsense(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="resamples"):
        bootstrap_interval([True, False], **bad)
