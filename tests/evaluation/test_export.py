"""Export: the LiteRT file agrees with Keras, or it is not written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.errors import ExportError, RunError
from fer_core.inference.predictor import Predictor
from fer_core.zoo.registry import get

pytestmark = pytest.mark.slow

FACES = np.random.default_rng(0).integers(0, 256, (70, 48, 48), dtype=np.uint8)


def test_the_exported_custom_cnn_gives_the_same_probabilities_and_maps_for_any_batch(tmp_path: Path) -> None:
    from fer_core.evaluation.export import export_litert

    model = get("custom_cnn").build()
    parity = export_litert(model, tmp_path / "model.tflite", FACES)
    assert parity.faces == 70
    assert parity.largest_difference < 1e-4
    assert parity.largest_map_difference < 1e-4
    predictor = Predictor(tmp_path / "model.tflite")
    assert predictor.map_grid == (6, 6)
    one_by_one = np.concatenate([predictor.predict(FACES[index : index + 1]) for index in range(5)])
    assert np.allclose(one_by_one, predictor.predict(FACES)[:5], atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]


def test_half_precision_is_half_the_size_and_still_agrees(tmp_path: Path) -> None:
    from fer_core.evaluation.export import export_litert

    model = get("custom_cnn").build()
    export_litert(model, tmp_path / "full.tflite", FACES)
    parity = export_litert(model, tmp_path / "half.tflite", FACES, half_precision=True)
    assert 0 < parity.largest_difference < 5e-3
    sizes = [(tmp_path / name).stat().st_size for name in ("half.tflite", "full.tflite")]
    assert sizes[0] < 0.55 * sizes[1]


@pytest.mark.parametrize("wrong", ["other weights", "not a number"])
def test_a_file_that_disagrees_is_refused_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    from fer_core.evaluation import export
    from fer_core.zoo.class_maps import with_class_maps

    model, other = get("custom_cnn").build(), get("custom_cnn").build()
    kernel = other.get_layer("probabilities").kernel
    kernel.assign(
        np.full(kernel.shape, np.nan) if wrong == "not a number" else np.asarray(kernel) + 1e-2 * FACES[0, :1, :7]
    )
    convert = export.convert
    monkeypatch.setattr(
        export,
        "convert",
        lambda _, path, half_precision: convert(with_class_maps(other), path, half_precision=half_precision),
    )
    target = tmp_path / "model.tflite"
    target.write_bytes(b"the old one")
    with pytest.raises(ExportError, match=r"disagrees with model\.keras"):
        export.export_litert(model, target, FACES)
    assert target.read_bytes() == b"the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]


def test_a_run_without_a_model_or_with_a_broken_one_says_so(tmp_path: Path) -> None:
    from fer_core.zoo.keras_model import load_keras

    with pytest.raises(RunError, match="no epoch of this training has ended"):
        load_keras(tmp_path / "model.keras")
    (tmp_path / "model.keras").write_bytes(b"not a zip")
    with pytest.raises(RunError, match="cannot be read"):
        load_keras(tmp_path / "model.keras")
