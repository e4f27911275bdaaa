"""Learning rates at the points that matter."""

import pytest

from fer_core.runs.recipe import Recipe
from fer_core.training.schedule import Plateau, learning_rate


def rate(recipe: Recipe, epoch: int, fraction: float, plateau: Plateau | None = None) -> float:
    return learning_rate(recipe, epoch, fraction, plateau or Plateau())


def test_cosine_rises_through_the_warm_up_and_falls_to_zero() -> None:
    recipe = Recipe("custom_cnn", epochs=11, learning_rate=1.0, warmup_epochs=1)
    assert rate(recipe, 1, 0.25) == pytest.approx(0.25)
    assert rate(recipe, 2, 0.0) == pytest.approx(1.0)
    assert rate(recipe, 7, 0.0) == pytest.approx(0.5)
    assert rate(recipe, 11, 1.0) == pytest.approx(0.0)


def test_fine_tuning_starts_a_schedule_of_its_own_at_the_smaller_rate() -> None:
    recipe = Recipe("vgg16", epochs=10, learning_rate=1.0, warmup_epochs=0, frozen_epochs=2, fine_tune_factor=0.1)
    assert rate(recipe, 1, 0.0) == pytest.approx(1.0)
    assert rate(recipe, 2, 1.0) == pytest.approx(0.0, abs=1e-9)
    assert rate(recipe, 3, 0.0) == pytest.approx(0.1)
    assert rate(recipe, 10, 1.0) == pytest.approx(0.0, abs=1e-9)


def test_plateau_halves_after_patience_and_waits_again() -> None:
    plateau = Plateau()
    recipe = Recipe("custom_cnn", learning_rate=1.0, schedule="plateau", warmup_epochs=0)
    for better in (True, False, False):
        plateau.after_epoch(better, patience=2)
    assert rate(recipe, 4, 0.0, plateau) == pytest.approx(0.5)
    plateau.after_epoch(False, patience=2)
    assert rate(recipe, 5, 0.0, plateau) == pytest.approx(0.5)
    plateau.after_epoch(False, patience=2)
    assert rate(recipe, 6, 0.0, plateau) == pytest.approx(0.25)


def test_constant_stays() -> None:
    recipe = Recipe("custom_cnn", learning_rate=0.3, schedule="constant", warmup_epochs=0, epochs=5)
    assert {rate(recipe, epoch, 0.5) for epoch in range(1, 6)} == {0.3}
