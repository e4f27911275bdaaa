"""What a file tells of its last layer: whether anything keeps its answers within 0..1."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.tools import flatbuffer_utils
from factories import TINY_MODEL

from fer_core.bring.expected import expected
from fer_core.bring.last_layer import keras_is_linear, litert_is_linear
from fer_core.bring.messages import Build
from fer_core.bring.orders import Order
from fer_core.emotions import NAMES


def test_a_litert_graph_is_linear_where_it_ends_in_sums() -> None:
    model = flatbuffer_utils.read_model(str(TINY_MODEL / "model.tflite"))
    graph = model.subgraphs[0]
    graph.outputs = [index for index in graph.outputs if len(graph.tensors[int(index)].shape) == 2]
    assert not litert_is_linear(model)
    (softmax,) = (one for one in graph.operators if int(graph.outputs[0]) in one.outputs)
    graph.outputs = softmax.inputs
    assert litert_is_linear(model)


@pytest.mark.slow
def test_a_keras_model_is_linear_where_it_ends_in_sums() -> None:
    import keras
    from keras import layers

    def ends(*last: object) -> bool:
        return keras_is_linear(keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(7, 3), *last]))

    pool = layers.GlobalAveragePooling2D
    assert ends(pool())
    assert ends(layers.Flatten(), layers.Dense(7), layers.Activation("linear"))
    assert ends(keras.Sequential([layers.Input((6, 6, 7)), pool(), layers.Dense(7)]))
    assert not ends(layers.Activation("sigmoid"), pool())
    assert not ends(layers.Flatten(), layers.Dense(7, activation="sigmoid"))
    assert not ends(layers.Flatten(), layers.Dense(7), layers.Softmax())
    assert not ends(pool(), layers.BatchNormalization())
    given = layers.Input((8, 8, 1))
    within = keras.Sequential([layers.Input((8, 8, 1)), pool(), layers.Dense(7)], name="within")
    assert keras_is_linear(keras.Model(given, within(given)))


def test_what_is_compared_is_the_kind_of_answers_that_was_found() -> None:
    """Of fewer faces small logits looked like shares by themselves, and the file was refused as a defect of ours."""
    logits = np.random.default_rng(0).uniform(0.1, 0.9, (40, 7)).astype(np.float32)

    class Saying:
        height = width = 48
        channels, count, linear, step = 1, 7, False, 0.0

        def __call__(self, pictures: np.ndarray) -> np.ndarray:
            return logits[pictures[:, 0, 0, 0].astype(int)]

    faces = np.tile(np.arange(40, dtype=np.uint8)[:, None, None], (1, 48, 48))
    wanted = Build(scale="raw", output="logits", classes=list(NAMES), title="T")
    said, comparable = expected(Saying(), lambda faces: faces, wanted, Order("", NAMES), faces)
    assert comparable.all()
    np.testing.assert_allclose(said, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), atol=1e-6)
