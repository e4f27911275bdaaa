"""Networks of all shapes become one flat model that answers as they did, with class maps where the head allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.bring.messages import Build
from fer_core.errors import ModelError
from fer_core.inference.predictor import Predictor
from fer_core.runs.folder import RunFolder

pytestmark = pytest.mark.slow

CLASSES = {
    5: ("angry", "happy", "neutral", "sad", "surprise"),
    6: ("angry", "fear", "happy", "neutral", "sad", "surprise"),
    7: ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
    8: ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
}
FACES = np.random.default_rng(0).integers(0, 256, (24, 48, 48)).astype(np.uint8)


def body() -> list[Any]:
    from keras import layers

    return [
        layers.RandomFlip(),
        layers.Conv2D(6, 3, strides=4, activation="relu"),
        layers.BatchNormalization(),
    ]


def network(word: str) -> Any:
    """An untrained network as people build them, by a word for it."""
    import keras
    from keras import layers

    start = layers.Input((60, 60, 3), name="picture")
    if word == "nested":
        backbone = keras.Sequential([layers.Input((60, 60, 3)), *body()], name="backbone")
        again = keras.Sequential([layers.Input((15, 15, 6)), layers.Conv2D(4, 1, name="conv2d")], name="twin")
        x = again(backbone(start, training=False))
        answer = layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(x))
        # An output with a name made the process that asked it end early.
        return keras.Model({"picture": start}, {"emotion": answer})
    heads = {
        "all convolutions": [layers.Conv2D(7, 3), layers.GlobalAveragePooling2D(), layers.Activation("softmax")],
        "softmax apart": [layers.GlobalMaxPooling2D(), layers.Dense(8), layers.Softmax()],
        "logits": [layers.Flatten(), layers.Dense(9, activation="relu"), layers.Dropout(0.5), layers.Dense(6)],
        "sigmoids": [layers.Flatten(), layers.Dense(6, activation="sigmoid")],
        # A layer within that is called as our last one: it could not be brought.
        "gelu": [
            layers.GlobalAveragePooling2D(),
            layers.Dense(9, activation="gelu", name="probabilities"),
            layers.Dense(5, "softmax"),
        ],
        "recurrent": [layers.Reshape((-1, 6)), layers.LSTM(6), layers.Dense(7, activation="softmax")],
    }
    return keras.Sequential([start, *body(), *heads[word]])


def built(word: str, folder: Path) -> Any:
    from fer_core.bring.build import build
    from fer_core.bring.kinds import Kind
    from fer_core.bring.network import KerasNetwork
    from fer_core.bring.opening import Opened
    from fer_core.bring.trial import kind_of_answers

    network(word).save(folder / "m.keras")
    opened = KerasNetwork(folder / "m.keras")
    pictures = np.random.default_rng(1).uniform(size=(20, 60, 60, 3)).astype(np.float32)
    output = kind_of_answers(opened(pictures), linear=opened.linear)
    wanted = Build(scale="torch", output=output, classes=list(CLASSES[opened.count]), title="T")
    return build(Opened(Kind.KERAS, "3", opened), wanted, FACES, folder / "out", lambda words: None)


@pytest.mark.parametrize("word", ["nested", "all convolutions", "softmax apart", "logits", "sigmoids", "gelu"])
def test_the_adapted_model_answers_as_the_network_did(word: str, tmp_path: Path) -> None:
    """Build itself compares what the network says with what Keras and LiteRT say of the same faces."""
    result = built(word, tmp_path)
    assert result["parity"]["largest_difference"] < 1e-4
    predictor = Predictor(tmp_path / "out" / "model.tflite")
    assert predictor.has_maps is result["maps"] is (word not in ("sigmoids", "gelu"))
    assert bool(result["why_no_maps"]) is not result["maps"]
    assert ("sigmoids" in result["why_no_maps"]) is (word == "sigmoids"), "it named a layer of ours, Log"
    assert predictor.explain(FACES)[1].shape == (24, 7, *predictor.map_grid)
    description = RunFolder(tmp_path / "out").description()
    assert description.map_grid == (predictor.map_grid if result["maps"] else (0, 0))
    # What is within a model within the model is a layer like any other.
    assert [row.type for row in description.layers].count("Conv2D") == {"nested": 2, "all convolutions": 2}.get(word, 1)
    assert description.layers[-1].name == "probabilities"


def test_a_network_that_litert_cannot_run_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="probabilities instead") as refused:
        built("recurrent", tmp_path)
    assert len(str(refused.value)) < 500
