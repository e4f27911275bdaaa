"""Splits drawn for faces without any: seeded, of each class about as many, near duplicates on one side."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from data_sources import Faces

from fer_core import emotions
from fer_core.data import splitting
from fer_core.data.dataset import load_dataset
from fer_core.data.imported_faces import UNSTATED
from fer_core.data.splitting import draw_splits, families
from fer_core.data.writer import DatasetWriter

FACES = Faces(each=10)
LABELS = FACES.labels


def shares(splits: list[str], labels: np.ndarray) -> dict[tuple[int, str], int]:
    return Counter(zip(labels.tolist(), splits, strict=True))


def test_each_class_gives_a_tenth_to_each_test_split() -> None:
    splits, note = draw_splits(FACES.images, LABELS, seed=2013)
    counts = shares(splits, LABELS)
    for label in range(7):
        assert [counts[label, split] for split in emotions.SPLITS] == [24, 3, 3]
    assert "seed 2013" in note
    assert "210 faces" in note


def test_a_seed_draws_the_same_and_another_one_something_else() -> None:
    first = draw_splits(FACES.images, LABELS, seed=1).splits
    assert draw_splits(FACES.images, LABELS, seed=1).splits == first
    assert draw_splits(FACES.images, LABELS, seed=2).splits != first


def test_copies_changed_a_little_and_mirrored_ones_stay_together() -> None:
    """A face of training, cut a little differently in the test, is what makes scores too good."""
    smooth = np.stack([cv2.GaussianBlur(image, (0, 0), 3) for image in FACES.images])
    smooth = np.stack([cv2.equalizeHist(image) for image in smooth])
    mirrored = smooth[:, :, ::-1]
    brighter = np.clip(smooth.astype(int) + 9, 0, 255).astype(np.uint8)
    images = np.concatenate([smooth, mirrored, brighter, smooth])
    splits = np.array(draw_splits(images, np.tile(LABELS, 4), seed=3).splits).reshape(4, -1)
    assert (splits == splits[0]).all()
    assert set(splits[0]) == set(emotions.SPLITS)


def test_of_very_many_only_the_same_are_found_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MOST_COMPARED", 3)
    splits, note = draw_splits(np.concatenate([FACES.images] * 2), np.tile(LABELS, 2), seed=3)
    assert splits[:210] == splits[210:]
    assert "The very same" in note


def test_a_chain_of_pairs_is_one_family(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [([4, 5, 6, 0], [5, 6, 0, 1]), ([1], [2])]
    monkeypatch.setattr(
        splitting, "pairs_above", lambda *_: iter([(np.array(a), np.array(b), None, None) for a, b in pairs])
    )
    assert families(FACES.images[:8]).tolist() == [0, 0, 0, 3, 0, 0, 0, 7]


@pytest.mark.parametrize(("each", "have"), [(1, {"Training"}), (2, set(emotions.SPLITS)), (3, set(emotions.SPLITS))])
def test_few_faces_a_class_keep_one_for_training(each: int, have: set[str]) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(7), each)
    splits = draw_splits(rng.integers(0, 256, (7 * each, 48, 48), dtype=np.uint8), labels, seed=1).splits
    assert set(splits) == have
    assert {label for label, split in zip(labels, splits, strict=True) if split == emotions.TRAINING} == set(range(7))


def test_a_class_of_copies_of_one_face_stays_whole() -> None:
    images = np.repeat(FACES.images[:1], 20, axis=0)
    assert set(draw_splits(images, np.zeros(20, np.int8), seed=1).splits) == {emotions.TRAINING}


def test_other_shares_leave_out_a_split() -> None:
    splits, note = draw_splits(FACES.images, LABELS, seed=1, held_out={emotions.PUBLIC_TEST: 1 / 9})
    assert emotions.PRIVATE_TEST not in splits
    assert "11 % PublicTest" in note


def test_the_writer_draws_only_what_is_not_stated(tmp_path: Path) -> None:
    stated = [split if split == emotions.PRIVATE_TEST else UNSTATED for split in FACES.splits]
    with DatasetWriter(tmp_path / "out", kind="csv", source="made up") as writer:
        writer.add(FACES.images, LABELS, stated)
        writer.draw_unstated(lambda images, labels: draw_splits(images, labels, seed=5))
    dataset = load_dataset(tmp_path / "out")
    known = np.array(FACES.splits) == emotions.PRIVATE_TEST
    assert (dataset.splits[known] == emotions.PRIVATE_TEST).all()
    assert dataset.info.split_size(emotions.PRIVATE_TEST) == 70 + 14
    assert any("drawn with seed 5" in note for note in dataset.info.notes)


def test_faces_without_a_split_are_never_written(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="no split"),
        DatasetWriter(tmp_path / "out", kind="csv", source="made up") as writer,
    ):
        writer.add(FACES.images, LABELS, [UNSTATED] * len(LABELS))
    assert not (tmp_path / "out").exists()
