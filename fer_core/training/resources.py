"""Will it fit? Memory and disk are estimated before a training starts."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from fer_core.data.info import read_info
from fer_core.emotions import COUNT, NAMES, PUBLIC_TEST, TRAINING
from fer_core.formatting import listed
from fer_core.memory import free_memory
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.training.crowd_labels import lacking_votes
from fer_core.zoo.backend import TENSORFLOW, not_installed
from fer_core.zoo.describe import description
from fer_core.zoo.registry import get

FRAMEWORK_BYTES = 1.0e9
"""Resident size of a process that has loaded TensorFlow and built a small model, measured on Linux."""

BYTES_A_FACE = 100
"""Labels, splits and the order of an epoch; pixels stay on disk."""

ACTIVATION_COPIES = 2.0
"""Activations are kept for the backward pass; gradients and scratch space roughly double them."""


def use_fast_kernels() -> None:
    """Have TensorFlow use oneDNN's kernels, unless the environment says otherwise. Before TensorFlow is loaded.

    By itself it does so only on processors with AVX-512. With AVX2 alone they train ``tiny`` and the custom CNN 1.7
    to 1.8 times as fast (float32, by CPU time).
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def estimate_memory(recipe: Recipe, training_faces: int) -> float:
    """Bytes a training is expected to need at its peak, from the layer table. An estimate, on the high side."""
    table = description(recipe.architecture)
    size = recipe.input_size or get(recipe.architecture).default_input_size
    # Weights, gradients, two moments of Adam, and the float32 twin for checkpoints.
    weights = table.parameters * 4 * 5
    values = sum(math.prod(row.output_shape) for row in table.layers if row.type != "Dropout")
    activations = values * (size / table.input_size) ** 2 * 4 * recipe.batch_size * ACTIVATION_COPIES
    # A run that another library trains is evaluated by a second process, while the first one waits.
    processes = 1 if recipe.backend == TENSORFLOW else 2
    return processes * FRAMEWORK_BYTES + weights + activations + training_faces * BYTES_A_FACE


def lacking_for_training(counts: Mapping[str, Sequence[int]]) -> str:
    """What faces lack to be trained on, in a sentence; empty where nothing is missing.

    ``counts``: seven numbers of faces by split, as in ``dataset.json``. A test set of some classes is fine to measure
    on, and not to learn from.
    """
    training = counts.get(TRAINING, (0,) * COUNT)
    missing = [name for name, n in zip(NAMES, training, strict=True) if not n]
    wanted = []
    if not any(training):
        wanted.append(f"{TRAINING} faces")
    elif missing:
        wanted.append(f"{TRAINING} faces of {listed(missing)}, which no model could learn otherwise")
    if not any(counts.get(PUBLIC_TEST, ())):
        wanted.append(f"{PUBLIC_TEST} faces, on which the best epoch is chosen")
    if not wanted:
        return ""
    return f"To train on these data, they need {'; and '.join(wanted)}. Without, models can only be measured."


def check_resources(recipe: Recipe, data: Path) -> list[str]:
    """What stands in the way of a training, one sentence each; empty if nothing does.

    Raises ``DataError`` if ``data`` is not a dataset folder, ``RecipeError`` for an unknown architecture.
    """
    problems = []
    info = read_info(data)
    faces = info.split_size(TRAINING)
    if lacking := lacking_for_training(info.counts):
        problems.append(lacking)
    if recipe.labels == "crowd" and (lacking := lacking_votes(data)):
        problems.append(lacking)
    if missing := not_installed(recipe.backend) or not_installed(TENSORFLOW):
        problems.append(missing)
    needed, free = estimate_memory(recipe, faces), free_memory()
    if needed > free:
        problems.append(
            f"This recipe needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free. "
            "Choose a smaller batch size, a smaller input size, or close other programs."
        )
    # model.keras, model.tflite, the resume state with Adam's two moments, and temporary copies.
    wanted = description(recipe.architecture).parameters * 4 * 8 + 50e6
    runs = settings().runs_dir
    # Nothing is made here: this is asked by a page that only looks, on a read-only disk, too.
    room = shutil.disk_usage(next(path for path in (runs, *runs.parents) if path.exists())).free
    if wanted > room:
        problems.append(
            f"A run folder needs about {wanted / 1e6:.0f} MB of disk and {room / 1e6:.0f} MB are free. Delete "
            "files or old runs first."
        )
    return problems
