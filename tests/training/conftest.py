"""Fixtures of several files here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.dataset import write_dataset
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Recipe


@pytest.fixture
def folder(home: Path) -> RunFolder:
    """A run folder that holds a recipe of four epochs and nothing else."""
    result = RunFolder(home / "runs" / "a-run")
    result.path.mkdir(parents=True)
    write_json(result.recipe_path, Recipe("custom_cnn", epochs=4).to_dict())
    return result


@pytest.fixture
def data(home: Path) -> Path:
    """A dataset of 21 faces of noise, one of each class and split."""
    images = np.random.default_rng(0).integers(0, 256, (21, 48, 48), dtype=np.uint8)
    splits = ["Training"] * 7 + ["PublicTest"] * 7 + ["PrivateTest"] * 7
    write_dataset(home / "datasets" / "few", images, np.arange(21) % 7, splits)
    return home / "datasets" / "few"
