"""Occlusion and what it shares with the other methods, on models made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.explain.base import BLUR_SIGMA, Faces, ask, at_face_size, blurred, filling
from fer_core.explain.occlusion import covered, occlusion, patches
from fer_core.progress import Progress

BOX = (slice(30, 40), slice(12, 36))
"""The only part of a face that :func:`mouth_model` looks at."""


def mouth_model(images: Faces) -> np.ndarray:
    """Class 3 is the mean light of BOX, class 4 the rest up to 1; the other classes are 0."""
    result = np.zeros((len(images), 7), dtype=np.float32)
    result[:, 3] = images[:, *BOX].mean(axis=(1, 2)) / 255
    result[:, 4] = 1 - result[:, 3]
    return result


@pytest.fixture
def face() -> Faces:
    pixels = np.full((48, 48), 50, dtype=np.uint8)
    pixels[BOX] = 200
    return pixels


def test_the_fall_is_where_the_model_looks_and_nowhere_else(face: Faces) -> None:
    result = occlusion(mouth_model, face, patch=4, stride=4, fill=0)
    assert result.maps.shape == (1, 7, 48, 48)
    assert result.maps.dtype == np.float32
    inside = np.zeros((48, 48), bool)
    inside[BOX] = True
    touched = np.zeros((48, 48), bool)
    touched[28:40, 12:36] = True  # patches of 4 that overlap the box
    happy = result.maps[0, 3]
    assert (happy[inside] > 0).all()
    assert (happy[~touched] == 0).all()
    # A patch that lies wholly in the box takes 16 of its 240 pixels from 200 to 0.
    assert happy[34, 20] == pytest.approx(16 * 200 / 240 / 255, rel=1e-5)
    np.testing.assert_allclose(result.maps[0, 4], -happy, atol=1e-6)
    assert (result.maps[0, [0, 1, 2, 5, 6]] == 0).all()


@pytest.mark.parametrize(("patch", "stride"), [(8, 4), (7, 3), (5, 5), (10, 7), (48, 1), (1, 1)])
def test_a_pixels_value_is_the_mean_over_the_patches_that_cover_it(patch: int, stride: int, face: Faces) -> None:
    result = occlusion(mouth_model, face, patch=patch, stride=stride)
    boxes = patches(patch, stride)
    np.testing.assert_array_equal(result.boxes, boxes)
    total, times = np.zeros((48, 48)), np.zeros((48, 48))
    for (x0, y0, x1, y1), drop in zip(boxes, result.drops[0, :, 3], strict=True):
        total[y0:y1, x0:x1] += drop
        times[y0:y1, x0:x1] += 1
    assert (times > 0).all()
    np.testing.assert_allclose(result.maps[0, 3], total / times, atol=1e-6)


def test_many_faces_give_what_each_gives_alone(face: Faces) -> None:
    faces = np.stack([face, 255 - face])
    both = occlusion(mouth_model, faces, fill="blur")
    for number, one in enumerate(faces):
        np.testing.assert_array_equal(both.maps[number], occlusion(mouth_model, one, fill="blur").maps[0])
    np.testing.assert_array_equal(both.probabilities, mouth_model(faces))


def test_fillings(face: Faces) -> None:
    assert (filling(face, "mean") == np.float32(face.mean())).all()
    assert (filling(face, 7) == 7).all()
    np.testing.assert_array_equal(filling(face, "blur")[0], blurred(face, BLUR_SIGMA))
    assert np.ptp(filling(face, "blur")) < np.ptp(face)
    for wrong in ("black", 256, -1, True, 1.5):
        with pytest.raises(ValueError, match="fill must be"):
            filling(face, wrong)  # type: ignore[arg-type]


def test_covering_leaves_the_face_itself_alone(face: Faces) -> None:
    before = face.copy()
    variants = covered(face, np.array([[0, 0, 2, 3]]), np.full((48, 48), 9, np.uint8))
    np.testing.assert_array_equal(face, before)
    assert (variants[0, :3, :2] == 9).all()
    assert (variants[0] != face).sum() == 6


@pytest.mark.parametrize(("patch", "stride"), [(0, 1), (49, 1), (8, 9), (8, 0)])
def test_patches_outside_the_face_are_refused(patch: int, stride: int, face: Faces) -> None:
    with pytest.raises(ValueError, match="patch must be"):
        occlusion(mouth_model, face, patch=patch, stride=stride)


def test_progress_counts_every_variant(face: Faces) -> None:
    reports: list[Progress] = []
    occlusion(mouth_model, np.stack([face, face]), patch=2, stride=2, progress=reports.append)
    assert (reports[-1].done, reports[-1].total) == (2 * 577, 2 * 577)
    assert [report.done for report in reports] == sorted(report.done for report in reports)


def test_a_model_that_answers_nonsense_is_refused(face: Faces) -> None:
    with pytest.raises(ValueError, match="the model must answer"):
        ask(lambda images: np.zeros((len(images), 6)), face[np.newaxis])
    with pytest.raises(ValueError, match="the model must answer"):
        ask(lambda images: np.full((len(images), 7), np.nan), face[np.newaxis])


def test_maps_grow_to_the_face_by_interpolation() -> None:
    assert at_face_size(np.array([[[0.0, 1.0]]]))[0, 0, 0] == 0
    grown = at_face_size(np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert grown.shape == (1, 48, 48)
    assert (np.diff(grown[0], axis=1) >= 0).all()
    assert grown[0, 10, 23] == pytest.approx(0.5, abs=0.03)
    with pytest.raises(ValueError, match="finite"):
        at_face_size(np.array([[np.nan]]))
