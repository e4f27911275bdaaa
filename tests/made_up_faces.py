"""Faces of noise, labels for them, and answers with a given accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, PRIVATE_TEST, SPLITS

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset


CLASS_SHARES = np.array([0.14, 0.04, 0.14, 0.25, 0.17, 0.11, 0.15])
NEIGHBOURS = np.array([4, 0, 4, 6, 2, 2, 4])
"""The class that each class is most often taken for."""


def make_labels(n: int = 420, *, seed: int = 0) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.str_]]:
    """Labels int8 (n,) with every class, and splits str (n,): a third each of the three splits."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(COUNT, size=n, p=CLASS_SHARES)
    labels[: 3 * COUNT] = np.tile(np.arange(COUNT), 3)
    return labels.astype(np.int8), np.array([SPLITS[(i // COUNT) % 3] for i in range(n)], dtype="<U11")


def make_noise(folder: str | Path, *, kind: str = "folder") -> Dataset:
    """420 faces of noise, labelled and split as :func:`make_labels` does; of kind ``sample`` no split is sealed."""
    from fer_core.data.dataset import write_dataset

    labels, splits = make_labels(seed=2013)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    return write_dataset(folder, images, labels, splits, title="Noise", kind=kind)


def make_probabilities(labels: npt.NDArray[Any], accuracy: float, *, seed: int = 0) -> npt.NDArray[np.float32]:
    """Probabilities float32 (n, 7) whose answers are right with probability ``accuracy``.

    Half of the wrong answers name the class's neighbour, the others any class.
    """
    generator = np.random.default_rng(seed)
    labels = np.asarray(labels, dtype=np.int64)
    n = len(labels)
    anything = (labels + generator.integers(1, COUNT, size=n)) % COUNT
    wrong = np.where(generator.random(n) < 0.5, NEIGHBOURS[labels], anything)
    answers = np.where(generator.random(n) < accuracy, labels, wrong)
    values = generator.gamma(1.0, 0.15, size=(n, COUNT))
    values[np.arange(n), answers] = values.max(axis=1) + generator.uniform(0.1, 1.5, size=n)
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)


def make_test_set(folder: str | Path, *, split: str = PRIVATE_TEST, labels: Sequence[int] = (3, 5)) -> Dataset:
    """Somebody's own test set: 40 faces of noise, all of one split and of some classes only."""
    from fer_core.data.dataset import write_dataset

    images = np.random.default_rng(1).integers(0, 256, (40, 48, 48), dtype=np.uint8)
    return write_dataset(folder, images, np.resize(labels, 40), [split] * 40, title="Mine")


def some_other_faces() -> tuple[np.ndarray, list[str], np.ndarray, np.ndarray]:
    """Rows, splits, labels and probabilities of 300 faces."""
    rows = np.arange(300)
    return rows, ["PublicTest"] * 300, rows % 7, np.full((300, 7), 1 / 7)
