"""The fused batch normalisation must be Keras' batch normalisation, only faster."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def _pair(architecture: str = "custom_cnn", precision: str = "float32"):
    import keras

    from fer_core.runs.recipe import Recipe
    from fer_core.training.build import build_model
    from fer_core.training.fused_batch_norm import with_fused_normalization

    keras.utils.set_random_seed(0)
    plain = build_model(Recipe(architecture, input_size=48), precision=precision)
    for layer in plain.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    return plain, with_fused_normalization(plain)


def _faces(count: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48, 1)).astype(np.float32)


def _train(model, steps: int = 3) -> list[float]:
    import keras

    model.compile(keras.optimizers.SGD(0.01), "categorical_crossentropy")
    targets = np.eye(7, dtype=np.float32)[np.arange(16) % 7]
    return [float(model.train_on_batch(_faces(), targets)) for _ in range(steps)]


def test_same_layers_and_weights():
    from fer_core.training.fused_batch_norm import fused_layer

    plain, fused = _pair()
    assert [w.path for w in plain.weights] == [w.path for w in fused.weights]
    assert sum(isinstance(layer, fused_layer()) for layer in fused.layers) == 8
    np.testing.assert_allclose(plain.predict_on_batch(_faces()), fused.predict_on_batch(_faces()), rtol=1e-4, atol=1e-6)


def test_training_steps_give_the_weights_that_keras_gives():
    plain, fused = _pair()
    # One step: later ones amplify rounding. The moving variance would be 6 % off without the n - 1 correction.
    np.testing.assert_allclose(_train(plain, steps=1), _train(fused, steps=1), rtol=1e-4)
    for ours, theirs in zip(fused.weights, plain.weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-3, atol=1e-4, err_msg=ours.path)


def test_frozen_layers_use_and_keep_their_moving_statistics():
    from fer_core.training.fused_batch_norm import fused_layer

    _, fused = _pair("resnet50")
    for layer in fused.layers:
        layer.trainable = layer.name == "probabilities"
    norm = next(layer for layer in fused.layers if isinstance(layer, fused_layer()))
    before = norm.moving_mean.numpy().copy()
    _train(fused, steps=1)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), before)


def test_a_model_without_batch_normalisation_is_returned_as_it_is():
    import keras

    from fer_core.training.fused_batch_norm import with_fused_normalization

    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, keras.layers.Flatten()(inputs))
    assert with_fused_normalization(model) is model


def test_half_precision_statistics_stay_in_float32():
    _, fused = _pair(precision="mixed_bfloat16")
    _train(fused, steps=1)
    values = next(w for w in fused.weights if w.path.endswith("moving_mean")).numpy()
    rounded = values.astype(np.float32).view(np.uint32) & 0xFFFF
    assert rounded.any(), "all low bits are zero: the statistics were rounded to bfloat16"
