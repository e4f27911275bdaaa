"""Folds of the Training faces: near duplicates together, equally many, always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_core.data.dataset import write_dataset
from fer_core.data.folds import folds_of


def test_near_duplicates_are_in_one_fold_and_folds_are_equally_large(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (90, 48, 48), dtype=np.uint8)
    images[60:80] = images[:20]  # the very same
    images[80:] = np.clip(images[20:30].astype(int) + 3, 0, 255)  # nearly
    images[85:] = images[85:, :, ::-1]  # and mirrored
    splits = np.array(["Training"] * 90)
    dataset = write_dataset(tmp_path / "data", images, np.arange(90) % 7, splits, title="Noise")
    folds = folds_of(dataset, 3)
    assert np.bincount(folds, minlength=4).tolist() == [0, 30, 30, 30]
    assert (folds[60:80] == folds[:20]).all()
    assert (folds[80:] == folds[20:30]).all()
    assert np.array_equal(folds_of(dataset, 3), folds)
    assert np.bincount(folds_of(dataset, 2)).tolist() == [0, 45, 45]
