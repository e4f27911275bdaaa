"""Grad-CAM maps of all seven classes at the price of one prediction, with plain operations and no gradient tape.

Grad-CAM (Selvaraju et al., 2016, https://arxiv.org/abs/1610.02391) weighs each feature channel by the mean
gradient of the class's logit. For our two heads that gradient has a closed form:

- global average pooling + dense: the gradient is the dense kernel's column, the same at every position;
- flatten + dense(relu) + dense: the hidden units that are on pass their outgoing weights back.

Both are checked against tf-keras-vis in the tests. Runs in child processes only (imports Keras).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fer_core.errors import ExportError
from fer_core.zoo.heads import AVERAGE, FLATTEN, HIDDEN, PROBABILITIES

if TYPE_CHECKING:
    import keras


def feature_tensor(model: keras.Model) -> keras.KerasTensor:
    """The feature map (B, h, w, channels) that the head reads. Raises ``ExportError`` for an unknown head."""
    for name in (AVERAGE, FLATTEN):
        if _has(model, name):
            return model.get_layer(name).input
    raise ExportError(
        f"{model.name} has neither a layer called {AVERAGE!r} nor one called {FLATTEN!r}: "
        "build its head with fer_core.zoo.heads."
    )


def map_grid(model: keras.Model) -> tuple[int, int]:
    """Height and width of the class maps, in cells."""
    _, height, width, _ = feature_tensor(model).shape
    return int(height), int(width)


def with_class_maps(model: keras.Model) -> keras.Model:
    """The same model with two outputs: probabilities (B, 7) and maps (B, 7, h, w) ≥ 0, both float32.

    With the average head a map's mean, before negative parts are cut, plus the bias is the class's logit. The
    weights are read now: call this after training, on the float32 model.
    """
    from keras import Model, ops

    features = feature_tensor(model)
    height, width = map_grid(model)
    channels = int(features.shape[-1])
    kernel = np.asarray(model.get_layer(PROBABILITIES).kernel, dtype=np.float32)
    positions = ops.reshape(features, (-1, height * width, channels))
    if _has(model, AVERAGE):
        maps = ops.matmul(positions, kernel)  # (B, hw, 7)
    else:
        hidden = np.asarray(model.get_layer(HIDDEN).kernel, dtype=np.float32)
        units = hidden.shape[-1]
        mean_hidden = hidden.reshape(height * width, channels, units).mean(axis=0)  # (channels, units)
        # A hidden unit is on exactly where its ReLU output is above zero.
        on = ops.cast(ops.greater(model.get_layer(HIDDEN).output, 0), "float32")
        passed = ops.expand_dims(on, 2) * kernel[None]  # (B, units, 7)
        alpha = ops.matmul(mean_hidden[None], passed)  # (B, channels, 7)
        maps = ops.matmul(positions, alpha)
    maps = ops.reshape(ops.transpose(ops.relu(maps), (0, 2, 1)), (-1, kernel.shape[-1], height, width))
    return Model(model.input, [model.output, maps], name=f"{model.name}_with_maps")


def _has(model: keras.Model, name: str) -> bool:
    return any(layer.name == name for layer in model.layers)
