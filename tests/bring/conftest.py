"""A dataset of noise for answers to be about."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_faces import make_noise

from fer_core.data.dataset import Dataset, load_dataset


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noise") / "noise"
    make_noise(folder)
    return folder


@pytest.fixture
def data(noise: Path) -> Dataset:
    return load_dataset(noise)
