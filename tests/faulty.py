"""A small dataset with one of each thing that an audit looks for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.data.dataset import Dataset, write_dataset

Images = npt.NDArray[np.uint8]


def smooth(n: int, seed: int = 0) -> Images:
    """Images with large soft shapes, as faces have them, and no two alike: uint8 (n, 48, 48)."""
    noise = np.random.default_rng(seed).normal(size=(n, 48, 48))
    soft = np.stack([cv2.GaussianBlur(image, (0, 0), 4) for image in noise])
    soft -= soft.min(axis=(1, 2), keepdims=True)
    return (200 * soft / soft.max(axis=(1, 2), keepdims=True) + 20).astype(np.uint8)


def noisy(image: Images, amount: float, seed: int) -> Images:
    noise = np.random.default_rng(seed).normal(scale=amount, size=image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def faulty_dataset(folder: Path) -> Dataset:
    """Seven Training faces, three of PublicTest, five of PrivateTest; labels count up from 0 to 6 again and again."""
    images = smooth(15)
    images[1] = images[0]  # equal Training faces with different labels
    images[7] = images[3]  # exact twin in Training
    images[8] = (images[4] * 0.5 + 60).astype(np.uint8)  # near twin: darker, less contrast
    images[10] = noisy(images[5][:, ::-1], 4, seed=1)  # near twin, mirrored
    images[11] = images[12]  # equal PrivateTest faces, neither of them in Training
    images[6] = images[13] = 0  # constant, and exact twins
    images[14] = 255  # nearly constant
    images[14, :8, :16] = images[2, :8, :16]
    splits = ["Training"] * 7 + ["PublicTest"] * 3 + ["PrivateTest"] * 5
    return write_dataset(folder, images, np.arange(15) % 7, splits)
