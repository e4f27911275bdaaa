"""Average maps, and maps that say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.explain.average_maps import Scale, average, mean_map
from fer_core.explain.base import Faces
from fer_core.explain.blank_maps import blank, coarseness, why_blank
from fer_core.progress import Progress


def explain(images: Faces) -> tuple[np.ndarray, np.ndarray]:
    """A face's first pixel is what its map of class 2 has in its upper left cell; class 5 is marked at the right."""
    maps = np.zeros((len(images), 7, 2, 2), dtype=np.float32)
    maps[:, 2, 0, 0] = images[:, 0, 0]
    maps[:, 5, 1, 1] = 3
    return np.full((len(images), 7), 1 / 7), maps


def faces_with(*first: int) -> Faces:
    faces = np.full((len(first), 48, 48), 100, dtype=np.uint8)
    faces[:, 0, 0] = first
    return faces


def test_silent_maps_are_left_out_and_counted() -> None:
    result = average(explain, faces_with(10, 0, 30), 2, scale="none")
    assert (result.n, result.left_out) == (2, 1)
    np.testing.assert_allclose(result.mean, [[20, 0], [0, 0]])
    np.testing.assert_allclose(result.spread, [[10, 0], [0, 0]])
    assert result.mean_face[0, 0] == 20
    assert result.mean_face[5, 5] == 100
    assert result.sentence().startswith("Mean over 2 faces: maps as they are")
    assert "1 face was left out" in result.sentence()


@pytest.mark.parametrize(
    ("scale", "expected"), [("peak", [1, 0.75]), ("sum", [(4 / 6 + 1 / 2) / 2, (2 / 6 + 1 / 2) / 2]), ("none", [5, 4])]
)
def test_scales(scale: Scale, expected: list[float]) -> None:
    maps = np.array([[[4.0, 2.0], [0, 0]], [[6.0, 6.0], [0, 0]]])
    result = mean_map(maps, faces_with(1, 1), scale=scale)
    np.testing.assert_allclose(result.mean[0], expected, rtol=1e-6)


def test_classes_may_differ_by_face() -> None:
    result = average(explain, faces_with(10, 10), [2, 5])
    np.testing.assert_allclose(result.mean, [[0.5, 0], [0, 0.5]])


def test_without_classes_each_face_counts_with_what_the_model_answers() -> None:
    def answering(images: Faces) -> tuple[np.ndarray, np.ndarray]:
        probabilities, maps = explain(images)
        probabilities[np.arange(len(images)), np.where(images[:, 0, 0] > 20, 2, 5)] = 0.9
        return probabilities, maps

    result = average(answering, faces_with(10, 30, 40, 50), None)
    np.testing.assert_allclose(result.mean, [[0.75, 0], [0, 0.25]])


def test_many_faces_go_in_batches() -> None:
    reports: list[Progress] = []
    asked: list[int] = []

    def counting(images: Faces) -> tuple[np.ndarray, np.ndarray]:
        asked.append(len(images))
        return explain(images)

    result = average(counting, faces_with(*[10] * 600), 2, progress=reports.append)
    assert asked == [256, 256, 88]
    assert result.n == reports[-1].done == 600


def test_nothing_to_average() -> None:
    none = average(explain, faces_with(), 2)
    assert (none.n, none.mean.shape, none.sentence()) == (0, (2, 2), "There are no faces to average.")
    empty = average(explain, faces_with(0, 0), 2)
    assert (empty.n, empty.left_out) == (0, 2)
    assert "None of the 2 faces" in empty.sentence()
    with pytest.raises(ValueError, match="scale must be"):
        mean_map(np.ones((1, 2, 2)), faces_with(1), scale="max")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a map for each of 2 faces"):
        mean_map(np.ones((1, 2, 2)), faces_with(1, 1))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[3.0]], "a single cell (1×1)"),
        ([[0.0]], "no class maps for the head of VGG16"),
        (np.zeros((6, 6)), "finds nothing that speaks for fear"),
        (np.full((6, 6), 0.25), "the same value everywhere"),
        (np.full((6, 6), 0.25) + np.eye(6) * 1e-9, "the same value everywhere"),
    ],
)
def test_reasons_why_a_map_is_silent(values: np.ndarray, words: str) -> None:
    reason = why_blank(values, model="VGG16", emotion="fear")
    assert reason is not None
    assert words in reason
    assert "VGG16" in reason
    assert blank(np.asarray(values)[None]).tolist() == [True]


def test_maps_that_say_something() -> None:
    for values in (np.eye(6), -np.eye(6), np.eye(2) * 1e-9):
        assert why_blank(values) is None
        assert blank(values[None]).tolist() == [False]
    with pytest.raises(ValueError, match="finite"):
        why_blank([[np.nan, 1]])


def test_coarse_grids_are_told() -> None:
    assert coarseness((6, 6)) is coarseness((12, 12)) is coarseness((1, 1)) is None
    words = coarseness((3, 3))
    assert words is not None
    assert "3×3 cells, each 16×16 pixels" in words
