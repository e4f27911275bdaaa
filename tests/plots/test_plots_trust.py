"""Maps on faces, their legend, and the curves of deletion and insertion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fer_core.emotions import index_of
from fer_core.explain.base import Faces
from fer_core.explain.faithfulness import Faithfulness, measure_maps
from fer_core.explain.trust import judge
from fer_core.plots import trust
from fer_core.plots.maps import LEGEND_SIZE, colour_scale, map_on_face

SAD = index_of("sad")


@pytest.fixture(scope="module")
def faithfulness() -> Faithfulness:
    """A model that says sad as strongly as the upper left quarter is light, and a map that marks just that."""
    face = np.full((1, 48, 48), 20, dtype=np.uint8)
    face[0, :24, :24] = 220

    def predict(images: Faces) -> npt.NDArray[np.float32]:
        sad = images[:, :24, :24].mean(axis=(1, 2)) / 255
        result = np.repeat((1 - sad)[:, np.newaxis] / 6, 7, axis=1)
        result[:, SAD] = sad
        return result.astype(np.float32)

    right_map = np.zeros((1, 6, 6))
    right_map[0, :3, :3] = 1
    return measure_maps(predict, face, {"sad": right_map}, orders=5, steps=4)


def test_curves_show_what_was_measured(faithfulness: Faithfulness) -> None:
    judged = judge(faithfulness, "sad", SAD)
    figure = trust.faithfulness_curves(faithfulness, "sad", judged)
    mine = [trace for trace in figure.data if trace.name == "this map"]
    assert len(mine) == 2
    np.testing.assert_allclose(mine[0].y, 100 * faithfulness.curves.deletion[0, 0, :, SAD])
    np.testing.assert_allclose(mine[1].y, 100 * faithfulness.curves.insertion[0, 0, :, SAD])
    random = next(trace for trace in figure.data if trace.name == "5 random orders")
    assert int(np.isnan(random.y).sum()) == 5  # a gap after each
    assert sum(bool(trace.showlegend) for trace in figure.data) == 4


def test_a_map_that_is_right_is_described_with_all_areas(faithfulness: Faithfulness) -> None:
    judged = judge(faithfulness, "sad", SAD)
    assert judged.deletion.area < judged.deletion.low
    words = trust.describe(judged)
    assert words.startswith("Deletion and insertion curves of the map of sad. Deletion: area 0.")
    assert f"area {judged.insertion.area:.2f}" in words
    assert "-" not in words.split("random orders")[1]  # no area is below 0


def test_an_unknown_map_is_refused(faithfulness: Faithfulness) -> None:
    with pytest.raises(KeyError):
        trust.faithfulness_curves(faithfulness, "happy", judge(faithfulness, "sad", SAD))


def test_blocks_show_cells_and_smooth_blends_them() -> None:
    face = np.zeros((48, 48), dtype=np.uint8)
    class_map = np.array([[0.0, 1.0], [0.0, 0.0]])
    blocks = map_on_face(face, class_map, smooth=False, size=96)
    assert len(np.unique(blocks[:40, :, 0])) == 2
    assert len(np.unique(map_on_face(face, class_map, size=96)[:40, :, 0])) > 10


def test_top_sets_the_scale_of_both_ways_to_draw() -> None:
    face = np.full((48, 48), 90, dtype=np.uint8)
    class_map = np.full((2, 2), 0.5)
    for smooth in (True, False):
        half_scale = map_on_face(face, class_map, top=1.0, smooth=smooth, size=48)
        full = map_on_face(face, class_map, smooth=smooth, size=48)
        assert full.mean() > half_scale.mean() + 20
    np.testing.assert_array_equal(map_on_face(face, np.zeros((2, 2)), size=48), np.repeat(face[..., None], 3, axis=2))


def test_legend_runs_from_grey_to_colour() -> None:
    bar = colour_scale()
    assert bar.shape == (*LEGEND_SIZE, 3)
    assert np.ptp(bar[7, 0].astype(int)) <= 2
    assert np.ptp(bar[7, -1].astype(int)) > 40
    assert np.ptp(colour_scale(0.0).astype(int)) == 0
