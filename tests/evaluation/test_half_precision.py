"""Half-precision storage: half the bytes, the same answers, refused where that would not hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.emotions import SPLITS
from fer_core.errors import ExportError
from fer_core.evaluation.half_precision_litert import SMALL
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
    from fer_core.evaluation.half_precision import halve_keras
    from fer_core.zoo.keras_model import load_keras

    size, before = folder.keras_path.stat().st_size, load_keras(folder.keras_path)
    parity = halve_keras(folder.keras_path, folder.keras_path, dataset)
    after = load_keras(folder.keras_path)
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
    from fer_core.evaluation.half_precision import halve_keras
    from fer_core.zoo.keras_model import load_keras

    model = load_keras(folder.keras_path)
    kernel = model.get_layer("block4_conv2").kernel
    kernel.assign(np.asarray(kernel) * 1e6)
    model.save(folder.keras_path)
    content = folder.keras_path.read_bytes()
    with pytest.raises(ExportError, match="beyond float16's range"):
        halve_keras(folder.keras_path, folder.keras_path, dataset)
    assert folder.keras_path.read_bytes() == content
    assert [path.name for path in folder.path.iterdir()] == ["model.keras"]


def test_a_model_that_half_precision_would_change_is_refused(
    folder: RunFolder, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fer_core.evaluation import half_precision

    copy = half_precision._copy

    def spoils(source, target):
        copy(source, target)
        if "layers" in target:
            bias = target["layers/dense/vars/1"]
            bias[...] = bias[()] + np.arange(7)

    monkeypatch.setattr(half_precision, "_copy", spoils)
    content = folder.keras_path.read_bytes()
    with pytest.raises(ExportError, match="changes this model too much"):
        half_precision.halve_keras(folder.keras_path, folder.keras_path, dataset)
    assert folder.keras_path.read_bytes() == content


def lived_in(folder: RunFolder) -> None:
    """Give a fresh model's batch normalisation the statistics of one that was trained: they scale each channel."""
    from fer_core.zoo.keras_model import load_keras

    model, rng = load_keras(folder.keras_path), np.random.default_rng(0)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            size = layer.moving_mean.shape
            layer.gamma.assign(rng.choice([-1, 1], size) * rng.uniform(0.2, 1.2, size))
            layer.moving_mean.assign(rng.normal(0, 0.3, size))
            layer.moving_variance.assign(rng.uniform(0.3, 4, size))
            # One channel that is switched off, and one that hardly varied.
            layer.gamma.assign(np.where(np.arange(size[0]) == 0, 0, np.asarray(layer.gamma)))
            layer.moving_variance.assign(np.where(np.arange(size[0]) == 1, 1e-9, np.asarray(layer.moving_variance)))
    # So that it is not sure of everything.
    head = model.get_layer("probabilities").kernel
    head.assign(rng.normal(0, 0.002, head.shape))
    model.save(folder.keras_path)


def test_in_half_precision_both_files_hold_the_same_network(folder: RunFolder, dataset: Dataset) -> None:
    """Converted as TensorFlow does it, VGG16's maps in LiteRT were up to 1.7 % of their maximum from Keras'."""
    from fer_core.evaluation.export import export_litert
    from fer_core.evaluation.half_precision import halve_keras
    from fer_core.zoo.keras_model import load_keras

    faces, apart = np.asarray(dataset.images), {}
    for fit in (False, True):
        lived_in(folder)
        halve_keras(folder.keras_path, folder.keras_path, dataset, fit=fit)
        apart[fit] = export_litert(load_keras(folder.keras_path), folder.tflite_path, faces, half_precision=True)
    assert apart[True].largest_difference < 1e-5
    assert apart[True].largest_map_difference < 1e-5
    assert apart[False].largest_map_difference > 1e-4, "there was nothing to mend"
    assert sorted(path.name for path in folder.path.iterdir()) == ["model.keras", "model.tflite"]


def test_fitting_the_kernels_scales_channels_and_changes_no_answer(folder: RunFolder, dataset: Dataset) -> None:
    from fer_core.evaluation.half_precision_litert import fit_kernels
    from fer_core.zoo.keras_model import load_keras

    lived_in(folder)
    before, after = load_keras(folder.keras_path), load_keras(folder.keras_path)
    large = [layer for layer in before.layers if type(layer).__name__ == "Conv2D"]
    large = [layer for layer in large if np.size(layer.weights[0]) > SMALL]
    assert fit_kernels(after) == len(large) > 3
    faces = np.asarray(dataset.images)[..., None].astype(np.float32)
    answers = [np.asarray(model(faces, training=False)) for model in (before, after)]
    assert np.abs(answers[0] - answers[1]).max() < 5e-3
    was, now = (np.asarray(one) for one in (large[-1].kernel, after.get_layer(large[-1].name).kernel))
    # Rounding moves a number near 0 by more than its share.
    scale = now[np.abs(was) > 1e-3] / was[np.abs(was) > 1e-3]
    assert 0.99 < scale.min() < scale.max() < 2.01
