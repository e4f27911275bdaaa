"""Half-precision storage: half the bytes, the same answers, refused where that would not hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.emotions import SPLITS
from fer_core.errors import ExportError
from fer_core.evaluation.half import SMALL
from fer_core.runs.folder import RunFolder
from fer_core.zoo.registry import get

pytestmark = pytest.mark.slow


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (90, 48, 48), dtype=np.uint8)
    write_dataset(tmp_path / "data", images, np.arange(90) % 7, np.repeat(SPLITS, 30), title="Noise", source="test")
    return load_dataset(tmp_path / "data")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    get("custom_cnn").build().save(folder.keras_path)
    return folder


def test_a_halved_model_is_half_the_size_and_answers_the_same(folder: RunFolder, dataset: Dataset) -> None:
    from fer_core.evaluation.export import load_keras
    from fer_core.evaluation.half import halve_keras

    size, before = folder.keras_path.stat().st_size, load_keras(folder)
    parity = halve_keras(folder, dataset)
    after = load_keras(folder)
    assert folder.keras_path.stat().st_size < 0.6 * size
    assert parity.faces == 30
    assert 0 < parity.largest_difference < 5e-3
    sizes = [np.size(weight) for weight in before.weights if weight.numpy().ndim >= 2]
    assert min(sizes) <= SMALL < max(sizes)
    for old, new in zip(before.weights, after.weights, strict=True):
        assert new.dtype == "float32"
        values = old.numpy()
        exact = values if values.ndim < 2 or values.size <= SMALL else values.astype(np.float16)
        assert np.array_equal(new.numpy(), exact), old.path
    assert [path.name for path in folder.path.iterdir()] == ["model.keras"]


def test_a_kernel_beyond_half_precision_is_refused_and_the_file_stays(folder: RunFolder, dataset: Dataset) -> None:
    from fer_core.evaluation.export import load_keras
    from fer_core.evaluation.half import halve_keras

    model = load_keras(folder)
    kernel = model.get_layer("block4_conv2").kernel
    kernel.assign(np.asarray(kernel) * 1e6)
    model.save(folder.keras_path)
    content = folder.keras_path.read_bytes()
    with pytest.raises(ExportError, match="beyond float16's range"):
        halve_keras(folder, dataset)
    assert folder.keras_path.read_bytes() == content
    assert [path.name for path in folder.path.iterdir()] == ["model.keras"]


def test_a_model_that_half_precision_would_change_is_refused(
    folder: RunFolder, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fer_core.evaluation import half

    copy = half._copy

    def spoils(source, target):
        copy(source, target)
        if "layers" in target:
            bias = target["layers/dense/vars/1"]
            bias[...] = bias[()] + np.arange(7)

    monkeypatch.setattr(half, "_copy", spoils)
    content = folder.keras_path.read_bytes()
    with pytest.raises(ExportError, match="changes this model too much"):
        half.halve_keras(folder, dataset)
    assert folder.keras_path.read_bytes() == content
