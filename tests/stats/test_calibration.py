"""Temperature scaling: the fit against SciPy, what it keeps, and what is stored of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import make_run, make_vote
from made_up_faces import make_labels, make_probabilities
from scipy.optimize import minimize_scalar

from fer_core.emotions import COUNT
from fer_core.evaluation.scores import temperature_scores
from fer_core.runs.metrics import temperature_lines
from fer_core.stats.calibration import FEWEST_TO_CALIBRATE, TEMPERATURES, apply_temperature, fit_temperature
from fer_core.stats.metrics import expected_calibration_error, log_loss


def drawn(n: int, temperature: float, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from softmax(z), and softmax(z · temperature): a model that is too sure by that factor."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, (n, COUNT))

    def softmax(values: np.ndarray) -> np.ndarray:
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    truth = softmax(logits)
    labels = (truth.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1).clip(max=COUNT - 1)
    return labels, softmax(logits * temperature).astype(np.float32)


@pytest.mark.parametrize("truth", [0.5, 1.0, 2.0])
def test_finds_the_temperature_that_the_labels_were_drawn_at(truth: float) -> None:
    labels, probabilities = drawn(40_000, truth)
    assert fit_temperature(labels, probabilities) == pytest.approx(truth, rel=0.03)


def test_finds_the_minimum_that_scipy_finds() -> None:
    labels, _ = make_labels(600, seed=1)
    probabilities = make_probabilities(labels, 0.6, seed=1)
    # The log loss clips; mixing with the uniform distribution keeps every probability clear of that.
    probabilities = (0.99 * probabilities + 0.01 / COUNT).astype(np.float32)

    def loss(temperature: float) -> float:
        return log_loss(labels, apply_temperature(probabilities, temperature))

    best = minimize_scalar(loss, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-6})
    found = fit_temperature(labels, probabilities)
    assert found == pytest.approx(best.x, rel=1e-3)
    assert loss(found) < min(loss(found * 1.02), loss(found / 1.02))


def test_calibration_lowers_log_loss_and_ece_of_an_overconfident_model_and_changes_no_answer() -> None:
    labels, probabilities = drawn(5000, 2.5)
    after = apply_temperature(probabilities, fit_temperature(labels, probabilities))
    assert after.dtype == np.float32
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-6)
    assert log_loss(labels, after) < log_loss(labels, probabilities) - 0.1
    assert expected_calibration_error(labels, after) < 0.3 * expected_calibration_error(labels, probabilities)
    np.testing.assert_array_equal(after.argmax(axis=1), probabilities.argmax(axis=1))


def test_by_hand() -> None:
    row = np.array([[0.64, 0.16, 0.04, 0.04, 0.04, 0.04, 0.04]])
    # At temperature 2 each probability becomes its root, over the sum of the roots.
    roots = np.array([0.8, 0.4, 0.2, 0.2, 0.2, 0.2, 0.2])
    np.testing.assert_allclose(apply_temperature(row, 2.0)[0], roots / roots.sum(), atol=1e-7)
    np.testing.assert_array_equal(apply_temperature(row, 1.0), row.astype(np.float32))
    assert apply_temperature(np.empty((0, COUNT)), 2.0).shape == (0, COUNT)


def test_a_probability_of_zero_stays_finite() -> None:
    sure = np.eye(COUNT, dtype=np.float32)[[0, 1, 2, 3]]
    found = apply_temperature(sure, 3.0)
    assert np.isfinite(found).all()
    assert found.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert 1 < fit_temperature([0, 1, 2, 4], sure) < TEMPERATURES[1]


def test_the_temperature_stays_within_bounds() -> None:
    confident = np.full((4, COUNT), 0.05, dtype=np.float32)
    confident[np.arange(4), np.arange(4)] = 0.7
    assert fit_temperature(np.arange(4), confident) == TEMPERATURES[0], "always right: no temperature is too low"
    assert fit_temperature(np.arange(1, 5), confident) == TEMPERATURES[1], "always wrong: none is too high"
    assert fit_temperature([0, 1], np.full((2, COUNT), 1 / COUNT)) == TEMPERATURES[1], "knows nothing: any will do"


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_other_temperatures(temperature: float) -> None:
    with pytest.raises(ValueError, match="finite number above 0"):
        apply_temperature(np.full((1, COUNT), 1 / COUNT), temperature)


def test_refuses_other_shapes_and_no_face() -> None:
    with pytest.raises(ValueError, match=r"\(n, 7\)"):
        apply_temperature(np.ones(COUNT) / COUNT, 2.0)
    with pytest.raises(ValueError, match="no face"):
        fit_temperature(np.empty(0, dtype=int), np.empty((0, COUNT)))


def test_what_is_stored_is_fitted_on_public_test_alone(tmp_path: Path) -> None:
    labels, splits = make_labels(3 * FEWEST_TO_CALIBRATE)
    frame = make_run(tmp_path / "run", labels=labels, splits=splits).predictions()
    assert frame is not None
    stored = temperature_scores(frame)
    assert stored is not None
    assert stored == json.loads(json.dumps(stored, allow_nan=False))
    assert stored["fitted_on"] == "PublicTest"
    assert list(stored["splits"]) == ["PublicTest", "PrivateTest"]
    public = stored["splits"]["PublicTest"]
    assert public["log_loss_after"] <= public["log_loss_before"]
    part = frame[frame["split"] == "PrivateTest"]
    probabilities = part[[f"p{label}" for label in range(COUNT)]].to_numpy()
    after = apply_temperature(probabilities, stored["value"])
    private = stored["splits"]["PrivateTest"]
    assert private["ece_before"] == expected_calibration_error(part["label"].to_numpy(), probabilities)
    assert private["log_loss_after"] == log_loss(part["label"].to_numpy(), after)

    changed = pd.DataFrame(frame)
    changed.loc[changed["split"] == "PrivateTest", "label"] = 0
    assert (temperature_scores(changed) or {})["value"] == stored["value"], "PrivateTest must not decide anything"


def test_without_public_test_faces_there_is_no_temperature(tmp_path: Path) -> None:
    labels, splits = make_labels()
    splits[splits == "PublicTest"] = "Training"
    frame = make_run(tmp_path / "run", labels=labels, splits=splits).predictions()
    assert frame is not None
    assert temperature_scores(frame) is None


def test_no_temperature_is_fitted_from_fewer_than_200_faces(tmp_path: Path) -> None:
    labels, splits = make_labels(900)
    splits[:] = "PublicTest"
    frame = make_run(tmp_path / "run", labels=labels, splits=splits).predictions()
    assert frame is not None
    assert FEWEST_TO_CALIBRATE == 200
    assert temperature_scores(frame[:200]) is not None
    assert temperature_scores(frame[:199]) is None


def test_the_card_and_the_command_say_how_few_faces_gave_no_temperature(tmp_path: Path) -> None:
    metrics = make_vote(tmp_path / "vote", [make_run(tmp_path / name) for name in ("a", "b")]).metrics()
    assert metrics is not None
    assert metrics["temperature"] is None
    [line] = temperature_lines(metrics)
    assert "at least 200 faces of PublicTest" in line
    assert "have 140" in line
