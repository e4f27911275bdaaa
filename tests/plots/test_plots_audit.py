"""The audit's figures: groups of faces in one picture, and accuracy with and without faulty faces."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from faulty import faulty_dataset, smooth

from fer_core.data.audit import audit_dataset
from fer_core.evaluation.audit_cost import audit_costs
from fer_core.plots.audit_cost import cost_dots, describe_costs
from fer_core.plots.faces import BACKGROUND
from fer_core.plots.groups import group_sheet


def sheet(sizes: list[int], columns: int) -> tuple[np.ndarray, list[tuple[int, int, int, int]], np.ndarray]:
    images = smooth(sum(sizes))
    picture, boxes = group_sheet(
        images,
        sizes,
        columns=columns,
        captions=["Train happy"] * len(images),
        labels=np.zeros(len(images), int),
        scale=1,
    )
    return picture, boxes, images


def lines(boxes: list[tuple[int, int, int, int]]) -> list[int]:
    """How many faces stand on each line."""
    return np.unique([box[1] for box in boxes], return_counts=True)[1].tolist()


def test_each_face_is_in_its_box() -> None:
    picture, boxes, images = sheet([2, 3, 1], 4)
    for face, (x0, y0, x1, y1) in zip(images, boxes, strict=True):
        np.testing.assert_array_equal(picture[y0:y1, x0:x1, :3], np.repeat(face[..., np.newaxis], 3, axis=2))
    assert (picture[..., 3] == 0).any(), "nothing is drawn beside a short line"


def test_groups_stay_together_where_they_fit() -> None:
    assert lines(sheet([2, 2, 3, 2, 1], 4)[1]) == [4, 3, 3]
    assert lines(sheet([1, 9, 1], 4)[1]) == [1, 4, 4, 2]


def test_panels_of_one_group_touch_and_those_of_two_do_not() -> None:
    picture, boxes, _ = sheet([2, 2], 4)
    gaps = [(left[2] + right[0]) // 2 for left, right in pairwise(boxes)]
    alpha = picture[boxes[0][1], gaps, 3].tolist()
    assert alpha == [255, 0, 255]
    assert picture[boxes[0][1], gaps[0], :3].tolist() == [BACKGROUND] * 3


def test_a_sheet_is_always_as_wide_as_its_columns() -> None:
    assert sheet([1], 4)[0].shape[1] == sheet([4], 4)[0].shape[1]


@pytest.mark.parametrize("sizes", [[], [0, 2], [3]])
def test_groups_that_are_not_the_faces_are_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot be groups"):
        group_sheet(smooth(2), sizes, columns=4, captions=["a", "b"], labels=[0, 1])


def test_costs_as_dots(tmp_path: Path) -> None:
    audit = audit_dataset(faulty_dataset(tmp_path / "d"))
    right = np.array([True, False, True, True, False])
    costs = {"one": audit_costs(np.arange(10, 15), right, audit), "two": audit_costs(np.arange(10, 15), ~right, audit)}
    figure = cost_dots(costs)
    assert [trace.name for trace in figure.data] == ["one", "two"]
    # Without all faults no face is left, so there are five dots and not six.
    assert np.asarray(figure.data[0].x).tolist() == pytest.approx([60, 50, 100 / 3, 200 / 3, 200 / 3])
    assert list(figure.layout.yaxis.ticktext)[2] == "without exact and near twins<br>n = 3"
    text = describe_costs(costs)
    assert "one: all faces: 60.0 %" in text
    assert "without all of these: no face is left" in text


def test_costs_of_different_choices_are_refused(tmp_path: Path) -> None:
    audit = audit_dataset(faulty_dataset(tmp_path / "d"))
    costs = audit_costs(np.arange(10, 15), np.ones(5, bool), audit)
    with pytest.raises(ValueError, match="same choices"):
        cost_dots({"one": costs, "two": costs[1:]})
    with pytest.raises(ValueError, match="at least one"):
        describe_costs({})
