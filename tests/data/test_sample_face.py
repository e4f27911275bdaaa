"""One drawn face: what a unit moves, and where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core.data.sample import Appearance, draw_face, draw_sample
from fer_core.data.sample.appearance import appearances_of, draw_appearances

LOOKS = appearances_of(draw_appearances(12, np.random.default_rng(7)))


def clean(look: Appearance) -> Appearance:
    """Without what hides a face: glasses, fringe, blur."""
    return replace(look, glasses=0.0, hair_style=0.0, blur=0.3)


def change(units: dict[str, float], look: Appearance) -> NDArray[np.float64]:
    """How much each pixel changes when these units go from rest to full."""
    rest, _ = draw_face({}, look)
    moved, _ = draw_face(units, look)
    return np.abs(moved.astype(float) - rest.astype(float))


def inside(box: NDArray[np.int16], margin: int = 0) -> NDArray[np.bool_]:
    mask = np.zeros((48, 48), bool)
    x0, y0, x1, y1 = (int(value) for value in box)
    mask[max(0, y0 - margin) : y1 + margin, max(0, x0 - margin) : x1 + margin] = True
    return mask


@pytest.mark.parametrize(
    ("units", "region"),
    [
        ({"AU25": 1.0, "AU20": 1.0}, "mouth"),
        ({"AU24": 1.0, "AU15": 1.0}, "mouth"),
        ({"AU5": 1.0}, "eyes"),
        ({"AU43": 1.0}, "eyes"),
        ({"AU62": 1.0}, "eyes"),
        ({"AU1": 1.0, "AU2": 1.0}, "brows"),
        ({"AU4": 1.0}, "brows"),
    ],
)
def test_a_unit_changes_its_own_region_and_little_else(units: dict[str, float], region: str) -> None:
    for look in map(clean, LOOKS):
        changed = change(units, look)
        boxes = draw_face({}, look)[1], draw_face(units, look)[1]
        around = inside(boxes[0][region], 3) | inside(boxes[1][region], 3)
        assert changed.max() > 10
        assert changed[around].sum() > 0.75 * changed.sum()


def test_units_at_rest_change_nothing_and_the_grain_stays() -> None:
    for look in LOOKS:
        zeros = {"AU12": 0.0, "AU26": 0.0}
        np.testing.assert_array_equal(draw_face(zeros, look)[0], draw_face({}, look)[0])
        # Far above the mouth not one pixel may move with it, the grain included.
        assert change({"AU15": 1.0}, look)[:12].max() == 0


def test_regions_lie_where_they_should() -> None:
    drawn = draw_sample(n=300, seed=5)
    for boxes in drawn.regions.values():
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= 48).all()
        assert (boxes[:, 2] - boxes[:, 0] >= 6).all()
        assert (boxes[:, 3] - boxes[:, 1] >= 2).all()
    middle = {name: (boxes[:, 1] + boxes[:, 3]) / 2 for name, boxes in drawn.regions.items()}
    assert (middle["brows"] < middle["eyes"]).all()
    assert (middle["eyes"] < middle["mouth"]).all()


def test_eyes_are_darker_than_the_cheeks_below_them() -> None:
    look = Appearance(grain=0)
    image, regions = draw_face({}, look)
    x0, y0, x1, y1 = (int(value) for value in regions["eyes"])
    assert np.percentile(image[y0:y1, x0:x1], 5) < 0.5 * np.median(image[y1 + 2 : y1 + 5, x0:x1])


def test_the_mouth_box_follows_the_mouth() -> None:
    look = Appearance()
    boxes = {
        name: draw_face(units, look)[1]["mouth"]
        for name, units in {"rest": {}, "smile": {"AU12": 1.0}, "gape": {"AU25": 1.0, "AU27": 1.0}}.items()
    }
    assert boxes["smile"][2] - boxes["smile"][0] > boxes["rest"][2] - boxes["rest"][0]
    assert boxes["gape"][3] > boxes["rest"][3] + 5


def test_light_from_the_left_lights_the_left() -> None:
    left, _ = draw_face({}, Appearance(light_x=-1.0, grain=0))
    right, _ = draw_face({}, Appearance(light_x=1.0, grain=0))
    cheek = np.s_[22:32, 10:18]
    assert left[cheek].mean() > right[cheek].mean() + 15


@pytest.mark.parametrize(
    "look",
    [
        Appearance(yaw=28, pitch=14, roll=20, scale=27, shift_x=2.5, shift_y=2),
        Appearance(yaw=-28, pitch=-14, roll=-20, scale=20, shift_x=-2.5, shift_y=-2),
        Appearance(blur=0, grain=0, contrast=0.5, hair_style=5, beard=1, moustache=1, glasses=2),
    ],
)
def test_extreme_looks_still_give_a_face_with_regions(look: Appearance) -> None:
    image, regions = draw_face({"AU1": 1.0, "AU2": 1.0, "AU27": 1.0}, look)
    assert image.std() > 5
    for x0, y0, x1, y1 in regions.values():
        assert 0 <= x0 < x1 <= 48
        assert 0 <= y0 < y1 <= 48


@pytest.mark.parametrize(
    ("units", "message"),
    [({"AU99": 0.5}, "AU99"), ({"AU12": 1.5}, "AU12"), ({"AU12": -0.1}, "AU12"), ({"AU12": float("nan")}, "AU12")],
)
def test_impossible_units_are_refused(units: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_face(units, Appearance())
