"""Label doubt, against cases worked out by hand and against cleanlab, which its authors wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from made_up_faces import make_labels, make_probabilities

from fer_core.runs.folder import RunFolder
from fer_core.runs.predictions import probabilities_of
from fer_core.stats.label_doubt import label_doubt
from fer_core.stats.label_issues import (
    against,
    class_thresholds,
    confident_joint,
    flags,
    label_issues,
    normalised_margin,
)

SHIPPED = RunFolder(Path(__file__).parents[2] / "models" / "custom_cnn")


def random_case(seed: int, n: int = 500) -> tuple[Any, Any]:
    labels, _ = make_labels(n, seed=seed)
    values = make_probabilities(labels, 0.65, seed=seed).astype(np.float64)
    generator = np.random.default_rng(seed)
    noisy = np.where(generator.random(n) < 0.15, generator.integers(0, 7, n), labels)
    return noisy.astype(np.int64), values / values.sum(axis=1, keepdims=True)


def rare_case(seed: int) -> tuple[Any, Any]:
    """Few faces, classes with one face or none, and models that contradict whole classes."""
    generator = np.random.default_rng(seed)
    labels = generator.choice([0, 1, 3, 4, 6], size=40, p=[0.5, 0.05, 0.2, 0.2, 0.05])
    values = generator.dirichlet(np.full(7, 0.2), size=40)
    return labels, values


def real_case() -> tuple[Any, Any]:
    frame = SHIPPED.predictions()
    assert frame is not None
    values = probabilities_of(frame).astype(np.float64)
    return frame["label"].to_numpy().astype(np.int64), values / values.sum(axis=1, keepdims=True)


CASES = [*(random_case(seed) for seed in range(6)), *(rare_case(seed) for seed in range(30)), real_case()]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_thresholds_joint_and_scores_equal_cleanlab(case: tuple[Any, Any]) -> None:
    labels, values = case
    np.testing.assert_allclose(class_thresholds(labels, values), get_confident_thresholds(labels, values), rtol=1e-12)
    raw = compute_confident_joint(labels, values, calibrate=False)
    np.testing.assert_array_equal(confident_joint(labels, values, calibrate=False), raw)
    joint, theirs = confident_joint(labels, values), compute_confident_joint(labels, values)
    np.testing.assert_array_equal(joint.sum(axis=1), np.bincount(labels, minlength=7))
    # Which of two equal counts gets the face that rounding leaves over is chance in cleanlab (an unstable sort).
    np.testing.assert_array_equal(np.sort(joint, axis=1), np.sort(theirs, axis=1))
    distinct = [len(np.unique(row[row > 0])) == np.count_nonzero(row) for row in raw]
    np.testing.assert_array_equal(joint[distinct], theirs[distinct])
    np.testing.assert_allclose(
        normalised_margin(labels, values), get_label_quality_scores(labels, values, method="normalized_margin")
    )


@pytest.mark.filterwarnings("ignore:May not flag all label issues")
@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_flags_equal_cleanlab(case: tuple[Any, Any]) -> None:
    labels, values = case
    joint = confident_joint(labels, values)
    expected = find_label_issues(labels, values, n_jobs=1, confident_joint=joint)
    np.testing.assert_array_equal(flags(labels, values), expected)


def two_class_case() -> tuple[list[int], list[list[float]]]:
    """Angry and disgust alone. Thresholds: 0.7 for angry (mean of 0.9, 0.9, 0.3), 0.75 for disgust (0.9, 0.6)."""
    angry = [0.9, 0.9, 0.3, 0.1, 0.4]
    return [0, 0, 0, 1, 1], [[p, 1 - p, 0, 0, 0, 0, 0] for p in angry]


def test_by_hand() -> None:
    labels, values = two_class_case()
    thresholds = class_thresholds(labels, values)
    np.testing.assert_allclose(thresholds[:2], [0.7, 0.75])
    assert (thresholds[2:] == 2).all()
    # The third face (0.3 angry, 0.7 disgust) and the fifth (0.6 disgust) reach no threshold.
    raw = confident_joint(labels, values, calibrate=False)
    assert raw[:2, :2].tolist() == [[2, 0], [0, 1]]
    # Three faces are labelled angry, two disgust; a class without a face counts none.
    assert confident_joint(labels, values)[:2, :2].tolist() == [[3, 0], [0, 2]]
    assert confident_joint(labels, values)[2:].sum() == 0
    assert not flags(labels, values).any()
    # The label has 0.3, the best other 0.7: (0.3 - 0.7 + 1) / 2.
    np.testing.assert_allclose(normalised_margin(labels, values), [0.9, 0.9, 0.3, 0.9, 0.6])


def test_a_planted_wrong_label_is_flagged_and_named() -> None:
    labels = np.repeat(np.arange(7), 20)
    values = np.full((140, 7), 0.02)
    values[np.arange(140), labels] = 0.88
    labels[5] = 3
    found = label_issues(labels, values[np.newaxis])
    assert np.flatnonzero(found.flagged).tolist() == [5]
    assert found.suggested[5] == 0
    assert found.score.argmax() == 5
    np.testing.assert_array_equal(found.score, label_doubt(labels, values[np.newaxis]))
    assert found.against.tolist() == [int(i == 5) for i in range(140)]
    assert found.suggested.dtype == np.int8


def test_against_counts_models_and_their_common_answer() -> None:
    answers = np.array([[0, 1, 2, 2], [0, 1, 3, 3], [1, 1, 3, 4]])
    values = np.full((3, 4, 7), 0.05)
    np.put_along_axis(values, answers[..., np.newaxis], 0.7, axis=2)
    found = against([0, 1, 0, 2], values)
    assert found.count.tolist() == [1, 0, 3, 2]
    assert found.together.tolist() == [1, 0, 2, 1]
    # Of the equals 3 and 4, the lower.
    assert found.answer.tolist() == [1, -1, 3, 3]


def test_temperatures_come_before_the_mean() -> None:
    sure = np.array([[0.97, 0.005, 0.005, 0.005, 0.005, 0.005, 0.005]])
    other = np.array([[0.1, 0.6, 0.06, 0.06, 0.06, 0.06, 0.06]])
    both = np.stack([sure, other])
    assert label_issues([1], both).suggested[0] == 0
    cooled = label_issues([1], both, temperatures=[20.0, 1.0])
    assert cooled.suggested[0] == 1
    assert cooled.score[0] < label_issues([1], both).score[0] - 0.1
    np.testing.assert_allclose(
        label_issues([1], both, temperatures=[1, 1]).score, label_issues([1], both).score, atol=1e-6
    )


def test_scores_rank_planted_errors_high_and_stay_in_range() -> None:
    labels, _ = make_labels(2000, seed=4)
    values = np.stack([make_probabilities(labels, 0.7, seed=seed) for seed in range(3)])
    generator = np.random.default_rng(5)
    planted = generator.random(2000) < 0.05
    noisy = np.where(planted, (labels + generator.integers(1, 7, 2000)) % 7, labels)
    found = label_issues(noisy, values)
    assert found.score.min() >= 0
    assert found.score.max() <= 1
    assert np.median(found.score[planted]) > np.quantile(found.score[~planted], 0.85)
    assert found.flagged[planted].mean() > 4 * found.flagged[~planted].mean()
    assert (found.suggested[found.flagged] != noisy[found.flagged]).all()
    assert (found.together <= found.against).all()


@pytest.mark.parametrize(
    ("labels", "values", "message"),
    [
        ([0], np.full((1, 7), 1 / 7), "models, faces"),
        ([7], np.full((1, 1, 7), 1 / 7), "whole numbers in 0..6"),
        ([0, 1], np.full((1, 1, 7), 1 / 7), "must be"),
        ([0], np.full((2, 1, 7), 0.9), "add up to 1"),
        ([], np.full((2, 0, 7), 0.9), "no face"),
    ],
)
def test_bad_input_is_refused(labels: Any, values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        label_issues(labels, values)


def test_one_temperature_a_model() -> None:
    with pytest.raises(ValueError, match="2 models need 2 temperatures"):
        label_issues([0], np.full((2, 1, 7), 1 / 7), temperatures=[1.0])


def test_flags_of_the_shipped_predictions_equal_cleanlab_from_start_to_end() -> None:
    labels, values = real_case()
    expected = find_label_issues(labels, values, n_jobs=1)
    np.testing.assert_array_equal(flags(labels, values), expected)
    assert 0.05 < expected.mean() < 0.5
