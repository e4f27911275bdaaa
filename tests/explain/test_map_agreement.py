"""Agreement of maps and the pointing game, against SciPy and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage, stats

from fer_core.data.dataset import write_dataset
from fer_core.data.sample import REGIONS, Appearance, draw_face, draw_sample
from fer_core.explain.map_agreement import (
    hit_by_chance,
    pointing_game,
    rank_correlation,
    rank_correlations,
    widened,
)
from fer_core.explain.regions import cut_boxes, region_boxes, region_masks


def test_rank_correlation_is_scipys_with_and_without_ties() -> None:
    rng = np.random.default_rng(0)
    maps = np.stack([rng.random((48, 48)), rng.integers(0, 5, (48, 48)), np.maximum(0, rng.normal(size=(48, 48)))])
    expected = stats.spearmanr(maps.reshape(3, -1), axis=1).statistic
    np.testing.assert_allclose(rank_correlations(maps), expected, atol=1e-12)
    assert rank_correlation(maps[0], np.exp(maps[0])) == pytest.approx(1)
    assert rank_correlation(maps[0], -maps[0]) == pytest.approx(-1)


def test_flat_maps_have_no_order_and_grids_may_differ() -> None:
    ramp = np.arange(6.0)[None].repeat(6, axis=0)
    both = rank_correlations(np.stack([ramp, np.ones((6, 6))]))
    assert both[0, 0] == 1
    assert np.isnan(both[1]).all()
    assert rank_correlation(ramp, np.arange(48.0)[None].repeat(48, axis=0)) > 0.99


def test_pointing_game() -> None:
    region = np.zeros((48, 48), bool)
    region[30:40, 10:20] = True
    maps = np.zeros((5, 48, 48))
    maps[0, 35, 15] = 1  # inside
    maps[1, 27, 15] = 1  # three pixels above
    maps[2, 26, 15] = 1  # four pixels above
    maps[3, 35, [15, 40]] = 1  # shared between inside and far away
    np.testing.assert_array_equal(pointing_game(maps, region), [1, 1, 0, 0.5, np.nan])
    np.testing.assert_array_equal(pointing_game(maps[:2], region, tolerance=0), [1, 0])
    assert hit_by_chance(region, tolerance=0) == pytest.approx(100 / 2304)
    assert hit_by_chance(region) > hit_by_chance(region, tolerance=0)


def test_widening_is_by_true_distance() -> None:
    region = np.random.default_rng(0).random((48, 48)) < 0.01
    expected = ndimage.distance_transform_edt(~region) <= 3
    np.testing.assert_array_equal(widened(region, 3), expected)
    assert not widened(np.zeros((48, 48), bool), 3).any()
    with pytest.raises(ValueError, match="a region must be"):
        widened(np.zeros((48, 48)), 3)  # type: ignore[arg-type]


def test_regions_of_a_drawn_face_lie_where_the_parts_are() -> None:
    image, boxes = draw_face({"AU12": 1.0, "AU25": 1.0}, Appearance())
    masks = region_masks(boxes)
    assert set(masks) == {*REGIONS, "any"}
    rows = {name: np.argwhere(mask)[:, 0].mean() for name, mask in masks.items()}
    assert rows["brows"] < rows["eyes"] < rows["mouth"]
    np.testing.assert_array_equal(masks["any"], masks["brows"] | masks["eyes"] | masks["mouth"])
    open_mouth, _ = draw_face({"AU12": 1.0, "AU27": 1.0}, Appearance())
    changed = np.abs(open_mouth.astype(int) - image) > 40
    assert (changed & masks["mouth"]).sum() > 20


def test_regions_by_row_of_a_dataset(home: Path) -> None:
    drawn = draw_sample(60)
    stored = drawn.regions
    dataset = write_dataset(home / "drawn", drawn.images, drawn.labels, drawn.splits, regions=stored)
    boxes = region_boxes(dataset, 7)
    assert boxes is not None
    assert boxes["mouth"] == tuple(np.clip(stored["mouth"][7], 0, 48))
    with pytest.raises(IndexError, match="has no face 60"):
        region_boxes(dataset, 60)
    (dataset.path / "regions.npz").unlink()
    assert region_boxes(dataset, 7) is None


def test_parts_outside_the_picture_are_left_out() -> None:
    assert cut_boxes({"mouth": [10, 44, 30, 55], "brows": [5, -9, 20, 0]}) == {"mouth": (10, 44, 30, 48)}
    assert not region_masks({})["any"].any()
