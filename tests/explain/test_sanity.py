"""The sanity check on models made by hand, whose answers are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from fer_core.explain.baselines import edge_map, random_maps
from fer_core.explain.sanity import HEAD_IGNORED, SENTENCES, Sanity, judge_maps
from fer_core.plots.sanity import curve, describe

FACE = np.random.default_rng(5).integers(0, 256, (48, 48)).astype(np.uint8)


class ByHand:
    """Five random feature maps and one weight each: a class map is their weighted sum, cut at zero."""

    def __init__(self) -> None:
        self.trained = (random_maps(5, seed=3), np.array([1.0, -0.6, 0.8, -0.2, 0.5]))
        self.restore()

    def restore(self) -> None:
        self.features, self.head = (part.copy() for part in self.trained)

    def forget_head(self, rng: np.random.Generator) -> None:
        self.head = rng.normal(size=5)

    def forget_features(self, rng: np.random.Generator) -> None:
        self.features = random_maps(5, seed=int(rng.integers(1, 1 << 30)))

    def class_map(self):
        return np.maximum(0, np.einsum("k,khw->hw", self.head, self.features))


def check(model: ByHand, explain: Callable[[], npt.ArrayLike], draws: int = 3) -> Sanity:
    """Judge the maps of ``explain`` as the model forgets, stage by stage, in each draw anew."""
    real = np.asarray(explain(), dtype=np.float64)
    stages = [("head", model.forget_head), ("features", model.forget_features)]
    maps = np.zeros((len(stages), draws, *real.shape))
    for number in range(draws):
        model.restore()
        rng = np.random.default_rng([0, number])
        for step, (_, forget) in enumerate(stages):
            forget(rng)
            maps[step, number] = explain()
    return judge_maps(real, [name for name, _ in stages], maps)


def test_a_method_that_ignores_the_weights_is_found_out() -> None:
    model = ByHand()
    result = check(model, lambda: edge_map(FACE))
    assert np.allclose(result.correlations, 1)
    assert result.verdict == "no"
    assert "the same picture for an untrained model" in result.sentences[0]


def test_a_map_made_of_weights_falls_apart() -> None:
    model = ByHand()
    result = check(model, model.class_map, draws=8)
    assert result.verdict == "passes"
    assert abs(result.means[-1]) < 0.4
    assert result.correlations.shape == (2, 8)


def test_a_map_that_shows_the_features_only_is_told_from_one_that_knows_the_class() -> None:
    model = ByHand()
    result = check(model, lambda: model.features.sum(axis=0))
    assert np.allclose(result.correlations[0], 1)
    assert result.verdict == "passes"
    assert HEAD_IGNORED in result.sentences


def test_half_of_the_picture_stays() -> None:
    rng = np.random.default_rng(0)
    real = random_maps(1, seed=1)[0]
    maps = np.stack([real + 0.5 * random_maps(2, seed=int(rng.integers(1000))) for _ in range(3)])
    result = judge_maps(real, ["a", "b", "c"], maps)
    assert 0.5 < result.means[-1] < 0.95
    assert result.verdict == "care"


def test_flat_maps_count_as_nothing_left_and_a_flat_real_map_cannot_be_tested() -> None:
    real = random_maps(1, seed=1)[0]
    result = judge_maps(real, ["head"], np.zeros((1, 2, 6, 6)))
    assert (result.means.tolist(), result.verdict, result.flat) == ([0.0], "passes", 2)
    assert "2 of 2 maps" in result.sentences[-1]
    flat = judge_maps(np.zeros((6, 6)), ["head"], np.zeros((1, 2, 6, 6)))
    assert flat.verdict == "untestable"
    assert flat.sentences == (SENTENCES["untestable"],)
    assert np.isnan(flat.means).all()


def test_unrelated_maps_of_few_cells_agree_more_by_luck() -> None:
    coarse, fine = (
        judge_maps(
            random_maps(1, grid=grid, seed=9)[0][:: 48 // grid[0], :: 48 // grid[1]], ["a"], np.ones((1, 1, *grid))
        )
        for grid in ((3, 3), (24, 24))
    )
    assert coarse.unrelated > fine.unrelated > 0


@pytest.mark.parametrize("maps", [np.ones((2, 1, 6, 6)), np.ones((1, 6, 6)), np.ones((1, 0, 6, 6))])
def test_other_shapes_are_refused(maps) -> None:
    with pytest.raises(ValueError, match="maps must be"):
        judge_maps(np.ones((6, 6)), ["head"], maps)


def test_the_curve_begins_at_one_and_is_told_in_words() -> None:
    model = ByHand()
    result = check(model, model.class_map, draws=4)
    figure = curve(result)
    edges, dots, line = figure.data
    assert line.y[0] == 1
    assert np.allclose(line.y[1:], result.means)
    assert list(line.x) == ["nothing", "head", "+ features"]
    assert len(dots.y) == 8
    assert set(edges.y) == {1.0}
    assert f"features {result.means[1]:.2f}" in describe(result)
