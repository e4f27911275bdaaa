"""Our closed-form class maps against tf-keras-vis' Grad-CAM, and against the logit they explain."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.errors import ExportError
from fer_core.settings import PROJECT_ROOT
from fer_core.zoo.registry import get, names

pytestmark = pytest.mark.slow

SHIPPED = {path.parent.name for path in (PROJECT_ROOT / "models").glob("*/model.keras")}
"""The architectures whose trained models are compared in the same way, by ``tests/explain/test_shipped_maps.py``."""
FACES = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 1)).astype(np.float32)


def shaken(name: str):
    """An untrained model whose weights are random everywhere, so that every class has something to show."""
    model = get(name).build(input_size=96 if get(name).transfer else 0)
    rng = np.random.default_rng(1)
    kernel = model.get_layer("probabilities").kernel
    kernel.assign(rng.normal(size=kernel.shape) * 0.3)
    return model


@pytest.mark.parametrize("name", sorted({*names()} - SHIPPED))
def test_our_maps_equal_tf_keras_vis(name: str) -> None:
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    from fer_core.zoo.class_maps import feature_tensor, map_grid, with_class_maps

    model = shaken(name)
    probabilities, maps = with_class_maps(model).predict_on_batch(FACES)
    assert maps.shape == (4, 7, *map_grid(model))
    assert map_grid(model) == (6, 6)
    assert maps.min() >= 0
    assert np.allclose(probabilities, model.predict_on_batch(FACES), atol=1e-6)
    layer = feature_tensor(model)._keras_history.operation.name
    gradcam = Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)
    compared = 0
    for label in range(7):
        theirs = gradcam(
            CategoricalScore([label] * len(FACES)),
            FACES,
            penultimate_layer=layer,
            # Else it walks back to the last convolution, before normalisation and ReLU.
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        for ours, reference in zip(maps[:, label], np.asarray(theirs), strict=True):
            if reference.max() <= 0:
                assert ours.max() == 0
                continue
            # Same up to a constant: tf-keras-vis divides by the number of cells.
            assert np.allclose(ours / ours.max(), reference / reference.max(), atol=1e-4)
            compared += 1
    assert compared >= 7, "nearly all maps are empty: the comparison says nothing"


def test_mean_of_the_uncut_map_plus_bias_is_the_logit() -> None:
    import keras

    model = shaken("custom_cnn")
    features = keras.Model(model.input, model.get_layer("average").input).predict_on_batch(FACES)
    kernel, bias = (np.asarray(value) for value in model.get_layer("probabilities").get_weights())
    logits = (features @ kernel).mean(axis=(1, 2)) + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.allclose(expected, model.predict_on_batch(FACES), atol=1e-5)


def test_a_model_with_an_unknown_head_is_refused_by_name() -> None:
    import keras

    from fer_core.zoo.class_maps import with_class_maps

    inputs = keras.Input((48, 48, 1))
    pooled = keras.layers.Dense(9, activation="gelu")(keras.layers.GlobalAveragePooling2D()(inputs))
    with pytest.raises(ExportError, match="gelu"):
        with_class_maps(keras.Model(inputs, keras.layers.Dense(7)(pooled), name="odd"))
    tiny = keras.layers.GlobalMaxPooling2D()(keras.layers.MaxPooling2D(48)(inputs))
    with pytest.raises(ExportError, match="1×1 cells"):
        with_class_maps(keras.Model(inputs, keras.layers.Dense(7)(tiny), name="odd"))
    with pytest.raises(ExportError, match="odd ends in GlobalAveragePooling2D"):
        with_class_maps(keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs), name="odd"))


def heads():
    """Heads as other people build them, by a word for each."""
    from keras import layers

    return {
        "two hidden": [
            layers.Flatten(name="squash"),
            layers.Dense(12, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(9),
            layers.LeakyReLU(negative_slope=0.1),
            layers.Dense(7, activation="softmax"),
        ],
        "none hidden": [layers.Flatten(), layers.BatchNormalization(), layers.Dense(7, activation="softmax")],
        "average": [
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(10, activation="elu"),
            layers.Dense(10, activation="tanh"),
            layers.Dense(7, activation="softmax"),
        ],
    }


@pytest.mark.parametrize("word", ["two hidden", "none hidden", "average"])
def test_maps_of_other_peoples_heads_are_grad_cam(word: str) -> None:
    """Against gradients taken by TensorFlow."""
    import keras
    import tensorflow as tf

    from fer_core.zoo.class_maps import feature_tensor, with_class_maps

    convolution = keras.layers.Conv2D(5, 3, strides=8, activation="relu")
    model = keras.Sequential([keras.layers.Input((48, 48, 1)), convolution, *heads()[word]])
    model = keras.Model(model.inputs[0], model.outputs[0])
    generator = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(
            np.abs(generator.normal(size=weight.shape))
            if "variance" in weight.name
            else generator.normal(size=weight.shape) * 0.3
        )
    _, maps = with_class_maps(model).predict_on_batch(FACES / 255)
    features = feature_tensor(model)
    last = model.layers[-1]
    logits = keras.Model(model.inputs, [features, last.input])
    tail = keras.Model(features, last.input)
    values, _ = logits.predict_on_batch(FACES / 255)
    at = tf.convert_to_tensor(values)
    for label in range(7):
        with tf.GradientTape() as tape:
            tape.watch(at)
            answer = (tf.matmul(tail(at, training=False), last.kernel) + last.bias)[:, label]
        slopes = tape.gradient(answer, at).numpy()
        # Averages pass a cell's share on, so the sum of the cells is the weight; flattening passes all of it.
        weights = slopes.sum(axis=(1, 2)) if word == "average" else slopes.mean(axis=(1, 2))
        expected = np.maximum(np.einsum("bhwc,bc->bhw", values, weights), 0)
        np.testing.assert_allclose(maps[:, label], expected, atol=1e-4, rtol=1e-3)
    assert maps.max() > 0
