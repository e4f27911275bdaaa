"""RISE on models whose best map is known."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.explain.base import Faces
from fer_core.explain.rise import masks, rise
from fer_core.progress import Progress

BOX = (slice(28, 42), slice(12, 36))


@pytest.fixture
def face() -> Faces:
    return np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)


def looks_at_box(face: Faces):  # type: ignore[no-untyped-def]
    """A model that answers 1 where BOX is as in ``face``, and less the more it differs."""

    def predict(images: Faces) -> np.ndarray:
        result = np.zeros((len(images), 7), dtype=np.float32)
        change = np.abs(images[:, *BOX].astype(float) - face[BOX]).mean(axis=(1, 2)) / 128
        result[:, 2] = 1 - change
        result[:, 6] = change
        return result

    return predict


def test_masks_are_the_same_for_a_seed_and_have_the_asked_light() -> None:
    some = masks(0, 512, p=0.3, seed=4)
    assert some.shape == (512, 48, 48)
    assert some.min() >= 0
    assert some.max() <= 1
    assert some.mean() == pytest.approx(0.3, abs=0.01)
    # No pixel gets more light than another, or the map would show the masks.
    assert np.abs(masks(0, 8000, p=0.3).mean(axis=0) - 0.3).max() < 0.024
    np.testing.assert_array_equal(some, masks(0, 512, p=0.3, seed=4))
    assert (some != masks(0, 512, p=0.3, seed=5)).any()
    assert (some != masks(512, 1024, p=0.3, seed=4)).any()


def test_neighbouring_pixels_share_a_mask() -> None:
    steps = np.abs(np.diff(masks(0, 100), axis=2))
    assert steps.max() <= 1 / 7 + 1e-6  # a cell is 7 pixels wide


def test_the_map_is_high_where_the_model_looks(face: Faces) -> None:
    result = rise(looks_at_box(face), face, n=1500)
    assert result.maps.shape == result.standard_error.shape == (7, 48, 48)
    inside = np.zeros((48, 48), bool)
    inside[BOX] = True
    far = np.zeros((48, 48), bool)
    far[:18] = True
    assert result.maps[2][inside].mean() > 8 * np.abs(result.maps[2][far]).mean()
    assert inside[np.unravel_index(result.maps[2].argmax(), (48, 48))]
    np.testing.assert_allclose(result.maps[6], -result.maps[2], atol=1e-5)
    assert result.probabilities[2] == 1
    assert result.reliability[2] > 0.9
    assert "were enough" in result.enough(2)
    # Classes that never move have flat maps, of which nothing can be said.
    assert result.reliability[0] == 0
    assert "no more than noise" in result.enough(0)


def test_the_map_plus_the_average_is_the_papers_estimate(face: Faces) -> None:
    predict = looks_at_box(face)
    result = rise(predict, face, n=400, fill=0)
    shown = masks(0, 400)
    answers = predict(np.rint(shown * face).astype(np.uint8))
    paper = np.tensordot(answers, shown, (0, 0)) / shown.sum(axis=0)
    np.testing.assert_allclose(result.maps + result.average[:, None, None], paper, atol=1e-4)


def test_the_standard_error_is_the_spread_over_seeds(face: Faces) -> None:
    predict = looks_at_box(face)
    runs = [rise(predict, face, n=200, seed=seed) for seed in range(40)]
    seen = np.std([run.maps[2] for run in runs], axis=0, ddof=1)
    estimated = np.mean([run.standard_error[2] for run in runs], axis=0)
    assert estimated.mean() == pytest.approx(seen.mean(), rel=0.18)


def test_the_error_halves_with_four_times_the_masks(face: Faces) -> None:
    few, many = (rise(looks_at_box(face), face, n=n).standard_error[2].mean() for n in (300, 1200))
    assert few / many == pytest.approx(2, rel=0.1)


def test_too_few_masks_are_told_with_a_number_to_try(face: Faces) -> None:
    noise = np.random.default_rng(0)

    def noisy(images: Faces) -> np.ndarray:
        answers = looks_at_box(face)(images)
        answers[:, 2] += noise.normal(0, 0.15, len(images))
        return answers

    few = rise(noisy, face, n=60)
    assert 0 < few.reliability[2] < 0.8
    assert "were too few" in few.enough(2)
    assert "Try about" in few.enough(2)


def test_progress_and_calls(face: Faces) -> None:
    reports: list[Progress] = []
    rise(looks_at_box(face), face, n=700, progress=reports.append)
    assert (reports[-1].done, reports[-1].total, reports[-1].unit) == (700, 700, "masks")


@pytest.mark.parametrize("wrong", [{"n": 1}, {"grid": 1}, {"p": 0.0}, {"p": 1.0}])
def test_other_ranges_are_refused(wrong: dict[str, float], face: Faces) -> None:
    with pytest.raises(ValueError, match="n must be"):
        rise(looks_at_box(face), face, **wrong)  # type: ignore[arg-type]
