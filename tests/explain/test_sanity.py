"""The sanity check on models made by hand, whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.explain.baselines import edge_map, random_maps
from fer_core.explain.sanity import HEAD_IGNORED, SENTENCES, judge_maps, run_check
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

    def stages(self):
        return [("head", self.forget_head), ("features", self.forget_features)]


def test_a_method_that_ignores_the_weights_is_found_out() -> None:
    model = ByHand()
    result = run_check(lambda: edge_map(FACE), model.stages(), model.restore)
    assert np.allclose(result.correlations, 1)
    assert result.verdict == "no"
    assert "the same picture for an untrained model" in result.sentences[0]


def test_a_map_made_of_weights_falls_apart_and_the_weights_come_back() -> None:
    model = ByHand()
    before = model.class_map()
    result = run_check(model.class_map, model.stages(), model.restore, draws=8)
    assert result.verdict == "passes"
    assert abs(result.means[-1]) < 0.4
    assert result.correlations.shape == (2, 8)
    assert np.array_equal(model.class_map(), before)


def test_weights_come_back_when_a_map_fails() -> None:
    model = ByHand()
    before, calls = model.class_map(), []

    def fails_later():
        calls.append(1)
        if len(calls) > 2:
            raise RuntimeError("no memory")
        return model.class_map()

    with pytest.raises(RuntimeError, match="no memory"):
        run_check(fails_later, model.stages(), model.restore)
    assert np.array_equal(model.class_map(), before)


def test_a_map_that_shows_the_features_only_is_told_from_one_that_knows_the_class() -> None:
    model = ByHand()
    result = run_check(lambda: model.features.sum(axis=0), model.stages(), model.restore)
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
    result = run_check(model.class_map, model.stages(), model.restore, draws=4)
    figure = curve(result)
    edges, dots, line = figure.data
    assert line.y[0] == 1
    assert np.allclose(line.y[1:], result.means)
    assert list(line.x) == ["nothing", "head", "+ features"]
    assert len(dots.y) == 8
    assert set(edges.y) == {1.0}
    assert f"features {result.means[1]:.2f}" in describe(result)
