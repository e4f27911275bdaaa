"""Augmentation and batches: NumPy and OpenCV, outside the model, the same on every Keras backend.

Everything random is drawn from a generator seeded by (seed, epoch, batch), so a resumed run sees the very batches
it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.data.face_rows import Images
from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.runs.recipe import Augmentation, Recipe

Batch = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]


def augment(images: npt.NDArray[np.uint8], settings: Augmentation, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Change each face at random: flip, shift, rotation, zoom, erasing. Mixup needs labels, see :func:`mixup`.

    ``images`` uint8 (B, 48, 48), left as they are; returns a new array of the same shape and dtype. Pixels that
    come from outside the face mirror its edge.
    """
    count = len(images)
    half = (IMAGE_SIZE - 1) / 2
    mirrored = np.where(rng.random(count) < 0.5, -1.0, 1.0) if settings.flip else np.ones(count)
    angle = np.deg2rad(rng.uniform(-settings.rotation, settings.rotation, count))
    zoom = rng.uniform(1 - settings.zoom, 1 + settings.zoom, count)
    shift = rng.uniform(-settings.shift, settings.shift, (count, 2)) * IMAGE_SIZE
    matrices = np.empty((count, 2, 3))
    matrices[:, 0, 0] = np.cos(angle) * zoom * mirrored
    matrices[:, 0, 1] = -np.sin(angle) * zoom
    matrices[:, 1, 0] = np.sin(angle) * zoom * mirrored
    matrices[:, 1, 1] = np.cos(angle) * zoom
    # Turn and zoom about the face's centre, then shift.
    matrices[:, :, 2] = half - matrices[:, :, :2] @ np.array([half, half]) + shift
    result = np.empty_like(images)
    for index in range(count):
        cv2.warpAffine(
            images[index],
            matrices[index],
            (IMAGE_SIZE, IMAGE_SIZE),
            dst=result[index],
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    if settings.erasing:
        _erase(result, settings.erasing, rng)
    return result


def _erase(images: npt.NDArray[np.uint8], probability: float, rng: np.random.Generator) -> None:
    """Random erasing in place: 2 to 25 % of the area, aspect 0.3 to 3.3, filled with noise."""
    for index in np.flatnonzero(rng.random(len(images)) < probability):
        area = rng.uniform(0.02, 0.25) * IMAGE_SIZE**2
        aspect = np.exp(rng.uniform(np.log(0.3), np.log(3.3)))
        height = min(IMAGE_SIZE, max(1, round(np.sqrt(area * aspect))))
        width = min(IMAGE_SIZE, max(1, round(np.sqrt(area / aspect))))
        top = rng.integers(0, IMAGE_SIZE - height + 1)
        left = rng.integers(0, IMAGE_SIZE - width + 1)
        noise = rng.integers(0, 256, (height, width), dtype=np.uint8)
        images[index, top : top + height, left : left + width] = noise


def mixup(
    images: npt.NDArray[np.float32],
    targets: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float32],
    alpha: float,
    rng: np.random.Generator,
) -> Batch:
    """Blend each face, its target and its weight with another's of the batch.

    ``images``: float32 (B, 48, 48, 1), ``targets``: float32 (B, 7), ``weights``: float32 (B,); returns the three as new
    arrays of the same shapes and dtypes. The share of the face itself is drawn from Beta(``alpha``, ``alpha``), and is
    at least a half, for each on its own. Raises ``ValueError`` unless ``alpha`` is above 0.
    """
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    other = rng.permutation(len(images))
    pixels = share[:, None, None, None]
    return (
        images * pixels + images[other] * (1 - pixels),
        targets * share[:, None] + targets[other] * (1 - share[:, None]),
        weights * share + weights[other] * (1 - share),
    )


def class_weights(labels: npt.NDArray[np.int8], kind: str) -> npt.NDArray[np.float32]:
    """Weights of the classes, float32 (7,), whose mean over the faces is 1.

    ``labels``: int8 (n,), n ≥ 1. ``kind``: ``none``, all equal; ``balanced``, by inverse frequency; ``sqrt``, by the
    square root of that. Raises ``KeyError`` for another.
    """
    counts = np.maximum(np.bincount(labels, minlength=COUNT), 1)
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[kind]
    weights = (counts.sum() / (COUNT * counts)) ** power
    return (weights / weights[labels].mean()).astype(np.float32)


@dataclass(frozen=True)
class Batches:
    """Training batches of one dataset under one recipe.

    ``images`` uint8 (n, 48, 48), of which each batch is gathered when its turn comes, and ``labels`` int8 (n,) are the
    Training faces; ``soft`` float32 (n, 7) is what the recipe's teachers say of them, ``shares`` float32 (n, 7) what
    the crowd says, which then stands in place of the labels. Each epoch shuffles anew; faces that do not fill a last
    batch wait for another epoch, so every batch has the same size.
    """

    images: Images
    labels: npt.NDArray[np.int8]
    recipe: Recipe
    soft: npt.NDArray[np.float32] | None = None
    shares: npt.NDArray[np.float32] | None = None

    @property
    def batch_size(self) -> int:
        return min(self.recipe.batch_size, len(self.labels))

    def __len__(self) -> int:
        """Batches an epoch."""
        return len(self.labels) // self.batch_size

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of epoch ``epoch`` (from 1), prepared two ahead in a thread.

        Yields images float32 (b, 48, 48, 1) in 0..255, targets float32 (b, 7) with label smoothing, teachers and
        mixup applied, and sample weights float32 (b,).
        """
        weights = class_weights(self.labels, self.recipe.class_weights)
        order = self._order(np.random.default_rng([self.recipe.seed, epoch]))
        with ThreadPoolExecutor(max_workers=1) as pool:
            ahead = [pool.submit(self._batch, epoch, step, order, weights) for step in range(min(2, len(self)))]
            for step in range(len(self)):
                batch = ahead.pop(0).result()
                if step + 2 < len(self):
                    ahead.append(pool.submit(self._batch, epoch, step + 2, order, weights))
                yield batch

    def _order(self, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """The faces of an epoch, int (n,): each once, or, balanced, all classes equally often."""
        count = len(self.labels)
        if self.recipe.sampling == "shuffled":
            return rng.permutation(count)
        present = np.unique(self.labels)
        parts = []
        for place, label in enumerate(present):
            rows = np.flatnonzero(self.labels == label)
            wanted = count // len(present) + (place < count % len(present))
            # Whole shuffled rounds, so that no face of a class comes twice before another came once.
            rounds = -(-wanted // len(rows))
            parts.append(np.concatenate([rng.permutation(rows) for _ in range(rounds)])[:wanted])
        return rng.permutation(np.concatenate(parts))

    def _batch(self, epoch: int, step: int, order: npt.NDArray[np.int64], weights: npt.NDArray[np.float32]) -> Batch:
        rng = np.random.default_rng([self.recipe.seed, epoch, step])
        # Sorted rows read a memory-mapped file in one direction; order within a batch does not matter.
        rows = np.sort(order[step * self.batch_size : (step + 1) * self.batch_size])
        pixels = self.images[rows]
        if self.recipe.augmentation.active:
            pixels = augment(pixels, self.recipe.augmentation, rng)
        images = pixels[..., None].astype(np.float32)
        smoothing = self.recipe.label_smoothing
        targets = np.full((len(rows), COUNT), smoothing / COUNT, dtype=np.float32)
        if self.shares is None:
            targets[np.arange(len(rows)), self.labels[rows]] += 1 - smoothing
        else:
            targets += np.float32(1 - smoothing) * self.shares[rows]
        if self.soft is not None:
            share = np.float32(self.recipe.soft_weight)
            targets = (1 - share) * targets + share * self.soft[rows]
        sample_weights = weights[self.labels[rows]]
        if self.recipe.augmentation.mixup:
            return mixup(images, targets, sample_weights, self.recipe.augmentation.mixup, rng)
        return images, targets, sample_weights
