"""Augmentation does what it says, and only that."""

from dataclasses import replace

import numpy as np
import pytest

from fer_core.runs.recipe import Augmentation, Recipe
from fer_core.training.augmentation import Batches, augment, class_weights, mixup


@pytest.fixture
def faces() -> np.ndarray:
    rng = np.random.default_rng(0)
    smooth = rng.integers(0, 256, (8, 6, 6), dtype=np.uint8)
    return np.kron(smooth, np.ones((8, 8), dtype=np.uint8)).astype(np.uint8)


def test_nothing_switched_on_changes_nothing(faces: np.ndarray) -> None:
    assert np.array_equal(augment(faces, Augmentation(), np.random.default_rng(0)), faces)


def test_flip_gives_the_face_or_its_exact_mirror_image(faces: np.ndarray) -> None:
    result = augment(faces, Augmentation(flip=True), np.random.default_rng(1))
    kinds = [
        "same" if np.array_equal(new, old) else "mirror" if np.array_equal(new, old[:, ::-1]) else "other"
        for new, old in zip(result, faces, strict=True)
    ]
    assert set(kinds) == {"same", "mirror"}


def test_shift_moves_by_no_more_than_it_may(faces: np.ndarray) -> None:
    spot = np.zeros((64, 48, 48), dtype=np.uint8)
    spot[:, 22:26, 22:26] = 255
    result = augment(spot, Augmentation(shift=0.1), np.random.default_rng(2)).astype(float)
    grid = np.arange(48)
    centre_x = (result.sum(1) * grid).sum(1) / result.sum((1, 2))
    offsets = centre_x - 23.5
    assert np.abs(offsets).max() <= 4.9
    assert np.abs(offsets).max() > 3
    assert np.sign(offsets).min() == -1


def test_rotation_keeps_the_centre_in_place() -> None:
    spot = np.zeros((16, 48, 48), dtype=np.uint8)
    spot[:, 23:25, 23:25] = 255
    result = augment(spot, Augmentation(rotation=45), np.random.default_rng(3))
    assert (result[:, 23:25, 23:25].mean((1, 2)) > 150).all()


def test_the_faces_given_are_left_as_they_are(faces: np.ndarray) -> None:
    before = faces.copy()
    everything = Augmentation(flip=True, shift=0.1, rotation=10, zoom=0.1, erasing=1.0)
    result = augment(faces, everything, np.random.default_rng(4))
    assert np.array_equal(faces, before)
    assert result.dtype == np.uint8
    assert result.shape == faces.shape


def test_erasing_leaves_a_rectangle_of_noise_and_no_more() -> None:
    grey = np.full((50, 48, 48), 128, dtype=np.uint8)
    result = augment(grey, Augmentation(erasing=1.0), np.random.default_rng(5))
    share = (result != 128).mean((1, 2))
    assert (share > 0.01).all()
    assert (share <= 0.27).all()


def test_mixup_keeps_targets_adding_up_to_one() -> None:
    rng = np.random.default_rng(6)
    images = rng.random((8, 48, 48, 1), dtype=np.float32)
    targets = np.eye(7, dtype=np.float32)[rng.integers(0, 7, 8)]
    mixed, soft, weights = mixup(images, targets, np.ones(8, dtype=np.float32), 0.4, rng)
    assert np.allclose(soft.sum(1), 1)
    assert (soft.max(1) >= 0.5 - 1e-6).all()
    assert not np.allclose(mixed, images)
    assert np.allclose(weights, 1)


def test_class_weights_average_to_one_over_the_faces() -> None:
    labels = np.repeat(np.arange(7), [400, 40, 400, 700, 480, 320, 500]).astype(np.int8)
    assert np.allclose(class_weights(labels, "none"), 1)
    balanced = class_weights(labels, "balanced")
    assert balanced[labels].mean() == pytest.approx(1)
    # Balanced means that every class weighs the same in all.
    assert np.allclose(balanced * np.bincount(labels), balanced[0] * 400)
    assert balanced[1] > class_weights(labels, "sqrt")[1] > 1


def make_batches(recipe: Recipe) -> Batches:
    rng = np.random.default_rng(7)
    return Batches(rng.integers(0, 256, (50, 48, 48), dtype=np.uint8), (np.arange(50) % 7).astype(np.int8), recipe)


def test_the_same_epoch_gives_the_same_batches_and_another_epoch_others() -> None:
    recipe = Recipe("custom_cnn", batch_size=16, seed=3, augmentation=Augmentation(flip=True, shift=0.1, mixup=0.2))
    first = list(make_batches(recipe).epoch(2))
    again = list(make_batches(recipe).epoch(2))
    assert len(first) == 3
    for one, two in zip(first, again, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    other = list(make_batches(recipe).epoch(3))
    assert not np.array_equal(first[0][0], other[0][0])


def test_batches_have_one_size_smoothed_targets_and_grey_values() -> None:
    batches = make_batches(Recipe("custom_cnn", batch_size=16, label_smoothing=0.1))
    seen = 0
    for images, targets, weights in batches.epoch(1):
        assert images.shape == (16, 48, 48, 1)
        assert images.dtype == np.float32
        assert images.max() > 1
        assert np.allclose(targets.sum(1), 1)
        assert np.allclose(targets.max(1), 0.9 + 0.1 / 7)
        assert np.allclose(weights, 1)
        seen += len(images)
    assert seen == len(batches) * 16 == 48


def test_teachers_answers_are_mixed_into_the_labels_face_by_face() -> None:
    plain = make_batches(Recipe("custom_cnn", batch_size=16, label_smoothing=0.0, soft_weight=0.25))
    # Teachers who always say the class after the label.
    soft = np.eye(7, dtype=np.float32)[(plain.labels + 1) % 7]
    for one, two in zip(plain.epoch(1), replace(plain, soft=soft).epoch(1), strict=True):
        labels = one[1].argmax(axis=1)
        assert np.allclose(two[1][np.arange(16), labels], 0.75)
        assert np.allclose(two[1][np.arange(16), (labels + 1) % 7], 0.25)


def test_the_crowds_shares_stand_in_place_of_the_labels_and_are_smoothed_like_them() -> None:
    plain = make_batches(Recipe("custom_cnn", batch_size=16, label_smoothing=0.07))
    # Votes of three to one for the class after the label.
    shares = 0.25 * np.eye(7, dtype=np.float32)[plain.labels] + 0.75 * np.eye(7, dtype=np.float32)[plain.labels - 6]
    for one, two in zip(plain.epoch(1), replace(plain, shares=shares).epoch(1), strict=True):
        assert np.array_equal(one[0], two[0]), "the same faces in the same order"
        labels = one[1].argmax(axis=1)
        assert np.allclose(two[1][np.arange(16), labels], 0.01 + 0.93 * 0.25)
        assert np.allclose(two[1][np.arange(16), labels - 6], 0.01 + 0.93 * 0.75)


def test_a_batch_larger_than_the_dataset_is_the_dataset() -> None:
    batches = make_batches(Recipe("custom_cnn", batch_size=512))
    assert len(batches) == 1
    assert len(next(iter(batches.epoch(1)))[0]) == 50


def test_balanced_sampling_shows_every_class_equally_often_and_no_face_twice_too_soon() -> None:
    labels = np.repeat(np.array([0, 1, 3], dtype=np.int8), [50, 7, 3])
    images = np.arange(60, dtype=np.uint8)[:, None, None] * np.ones((1, 48, 48), dtype=np.uint8)
    recipe = Recipe("custom_cnn", sampling="balanced", batch_size=10, label_smoothing=0)
    batches = list(Batches(images, labels, recipe).epoch(1))
    targets = np.concatenate([batch[1] for batch in batches])
    assert targets.sum(axis=0).tolist() == [20, 20, 0, 20, 0, 0, 0]
    seen = np.bincount(np.concatenate([batch[0][:, 0, 0, 0] for batch in batches]).astype(int), minlength=60)
    assert seen[:50].max() == 1
    assert seen[50:57].min() == 2
    assert seen[57:].tolist().count(7) >= 1
    assert seen[57:].min() == 6
