"""Files that TensorFlow's converter quantised, from the file to the run. It writes them here, which takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import model_files as files
import numpy as np
import numpy.typing as npt
import pytest

from fer_core.bring.importing import bring_model
from fer_core.bring.litert_file import read_litert
from fer_core.bring.messages import Build
from fer_core.bring.naming import free_run
from fer_core.bring.network import LitertNetwork
from fer_core.bring.orders import Order
from fer_core.bring.reading import read_keras
from fer_core.cli import main
from fer_core.data.dataset import write_dataset
from fer_core.emotions import NAMES
from fer_core.inference.models import load_model
from fer_core.runs.card import card_of
from fer_core.runs.listing import list_models

pytestmark = pytest.mark.slow

FACES = np.random.default_rng(0).integers(0, 256, (96, 48, 48)).astype(np.uint8)


def quantised(model: Any, pictures: npt.NDArray[np.float32], path: Path, kind: str = "") -> Path:
    """``path``, written as TensorFlow's documentation tells; without ``kind`` only the weights are whole numbers."""
    import tensorflow as tf

    model.export(path.with_suffix(""), format="tf_saved_model", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path.with_suffix("")))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind:
        converter.representative_dataset = lambda: ([one[None]] for one in pictures)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, kind)
    path.write_bytes(converter.convert())
    return path


def spot_model(folder: Path) -> Any:
    import keras

    (folder / "scratch").mkdir()
    source = files.write_spot_model(folder / "m.h5", NAMES, channels=1)
    return keras.models.load_model(read_keras(source, folder / "scratch").clean, compile=False)


@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_a_file_in_whole_numbers_is_brought_like_any_other(kind: str, tmp_path: Path, home: Path) -> None:
    """It was refused: the file with numbers in float32 was asked for, which not everybody has."""
    from ai_edge_litert.interpreter import Interpreter

    images, labels, splits = files.spot_faces()
    spots = write_dataset(tmp_path / "spots", images, labels, splits, title="Spots")
    pictures = (images[:100, ..., None] / 255).astype(np.float32)
    source = quantised(spot_model(tmp_path), pictures, tmp_path / "net.tflite", kind)

    brought = bring_model(source, spots, free_run(None, source))
    adapter = brought.record["adapter"]
    assert (adapter["scale"], adapter["output"], adapter["maps"]) == ("unit", "probabilities", False)
    assert adapter["step"] == pytest.approx(1 / 256)
    assert brought.record["evidence"]["chosen_by"] == "evidence"
    assert brought.metrics is not None
    assert brought.metrics["splits"]["PublicTest"]["accuracy"] > 0.6
    info = list_models()[0]
    assert (info.name, info.problem) == ("net", "")
    assert "computes in whole numbers, so its probabilities come in steps of 0.0039" in card_of(info.folder)

    # As whoever made the file asks it, with NumPy's arithmetic around LiteRT.
    interpreter = Interpreter(model_path=str(source))
    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert given["dtype"] == np.dtype(kind)
    limits = np.iinfo(kind)
    (scale, zero), (out_scale, out_zero) = given["quantization"], answer["quantization"]
    expected = []
    for picture in pictures[:40]:
        whole = np.clip(np.round(picture / np.float32(scale)) + zero, limits.min, limits.max)
        interpreter.set_tensor(given["index"], whole[None].astype(kind))
        interpreter.invoke()
        expected.append((interpreter.get_tensor(answer["index"])[0].astype(np.float32) - out_zero) * out_scale)
    expected = np.array(expected) / np.sum(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(load_model("net").predict(images[:40]), expected, atol=1e-5)


def test_the_command_says_that_answers_come_in_steps(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels, splits = files.spot_faces()
    spots = write_dataset(tmp_path / "spots", images, labels, splits, title="Spots")
    pictures = (images[:100, ..., None] / 255).astype(np.float32)
    source = quantised(spot_model(tmp_path), pictures, tmp_path / "net.tflite", "int8")
    assert main(["models", "import", str(source), "--data", str(spots.path)]) == 0
    assert "steps of 0.0039" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["int8", ""])
def test_a_last_digit_of_a_pixel_is_no_defect_of_this_program(kind: str, tmp_path: Path) -> None:
    """Resized faces differ in it between Keras and LiteRT, and a quantised network makes a step of that now and then.

    So files with quantised weights were refused where they take pictures of another size.
    """
    import keras
    from keras import layers

    from fer_core.bring.build_litert import build_litert

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            layers.Input((112, 112, 3)),
            layers.Conv2D(32, 3, strides=4, activation="relu"),
            layers.Conv2D(64, 3, strides=4, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(7, activation="softmax", kernel_initializer=keras.initializers.RandomNormal(stddev=4)),
        ]
    )
    pictures = np.random.default_rng(1).uniform(-1, 1, (30, 112, 112, 3)).astype(np.float32)
    network = LitertNetwork(read_litert(quantised(model, pictures, tmp_path / "net.tflite", kind)), tmp_path)
    wanted = Build(scale="signed", output="probabilities", classes=list(NAMES), title="T")
    built = build_litert(network, wanted, Order("", NAMES), FACES, tmp_path)
    assert built["parity"]["largest_difference"] < 1e-5
    assert bool(built["step"]) is (kind == "int8")
