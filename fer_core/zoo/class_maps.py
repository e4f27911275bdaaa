"""Grad-CAM maps of all seven classes at the price of one prediction, with plain operations and no gradient tape.

Grad-CAM (Selvaraju et al., 2016, https://arxiv.org/abs/1610.02391) weighs each feature channel by the mean
gradient of the class's logit. For common heads that gradient has a closed form:

- global pooling + dense: the gradient is the dense kernel's column, the same at every position;
- flatten + dense layers: hidden units that are on pass their outgoing weights back.

A head is read off the graph, from the last dense layer back to the pooling or flattening, so other people's layers may
be called anything, and have further dense layers and batch normalisation between. Checked against tf-keras-vis in the
tests. Runs in child processes only (imports Keras).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.errors import ExportError

if TYPE_CHECKING:
    import keras

_POOLINGS = ("GlobalAveragePooling2D", "GlobalMaxPooling2D")
_NOTHING = ("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "Identity", "ActivityRegularization")
SMALLEST_GRID = 2
"""Cells a side: a map of one cell says nothing about where."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Head:
    """``steps`` from the features to the last dense layer, each an operation and the tensor that it makes."""

    features: keras.KerasTensor
    flat: bool
    steps: tuple[tuple[Any, keras.KerasTensor], ...]


def feature_tensor(model: keras.Model) -> keras.KerasTensor:
    """The feature map (B, h, w, channels) that the head reads. Raises ``ExportError`` for an unknown head."""
    return _head(model).features


def map_grid(model: keras.Model) -> tuple[int, int]:
    """Height and width of the class maps, in cells."""
    _, height, width, _ = feature_tensor(model).shape
    return int(height), int(width)


def with_class_maps(model: keras.Model) -> keras.Model:
    """The same model with two outputs: probabilities (B, 7) and maps (B, 7, h, w) ≥ 0, both float32.

    With the average head a map's mean, before negative parts are cut, plus the bias is the class's logit. The
    weights are read now: call this after training, on the float32 model. Raises ``ExportError`` for an unknown head.
    """
    from keras import Model, ops

    head = _head(model)
    height, width, channels = (int(size) for size in head.features.shape[1:])
    positions = ops.reshape(head.features, (-1, height * width, channels))
    # (channels, 7) where no unit of the head is ever off, otherwise (B, channels, 7).
    weights = _weights(head, height * width, channels)
    maps = ops.matmul(positions, weights)
    classes = int(model.output.shape[-1])
    maps = ops.reshape(ops.transpose(ops.relu(maps), (0, 2, 1)), (-1, classes, height, width))
    return Model(model.input, [model.output, maps], name=f"{model.name}_with_maps")


def _weights(head: _Head, cells: int, channels: int) -> Any:
    """Each class's weight of each channel: gradients of the logits, gone back through the head step by step."""
    from keras import ops

    gradient: Any = None
    linear: Floats | None = None
    """What lies before ``gradient`` and is the same for every face: (units before, units after)."""
    for operation, output in reversed(head.steps):
        kind = type(operation).__name__
        if kind == "Dense":
            if gradient is not None or linear is not None:
                gradient, linear = _joined(linear, gradient), None
                passed = _slope(operation, output)
                if passed is not None:
                    gradient = (ops.expand_dims(passed, 2)) * _batched(gradient)
            linear = np.asarray(operation.kernel, dtype=np.float32)
        elif kind == "BatchNormalization":
            factor = _normalised(operation)
            if linear is not None:
                linear = factor[:, None] * linear
            else:
                gradient = ops.convert_to_tensor(factor[:, None]) * gradient
        elif kind not in _NOTHING:
            gradient, linear = _joined(linear, gradient), None
            passed = _slope(operation, output)
            if passed is not None:
                gradient = ops.expand_dims(passed, 2) * _batched(gradient)
    if head.flat:
        if linear is None:
            raise ExportError("an activation directly after flattening leaves no closed form for class maps.")
        linear = linear.reshape(cells, channels, -1).mean(axis=0)
    return _joined(linear, gradient)


def _joined(linear: Floats | None, gradient: Any) -> Any:
    from keras import ops

    if linear is None:
        return gradient
    if gradient is None:
        return linear
    return linear @ gradient if isinstance(gradient, np.ndarray) else ops.matmul(linear[None], gradient)


def _batched(gradient: Any) -> Any:
    return gradient[None] if isinstance(gradient, np.ndarray) else gradient


def _slope(operation: Any, output: keras.KerasTensor) -> Any:
    """The slope of an operation's activation at ``output``, which it made: a tensor of its shape; None where it is 1.

    Raises ``ExportError`` for one whose slope does not follow from what it makes.
    """
    from keras import ops

    kind = type(operation).__name__
    name = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Relu": "relu"}.get(kind)
    name = name or getattr(getattr(operation, "activation", None), "__name__", kind)
    above = ops.cast(ops.greater(output, 0), "float32")
    if name == "linear":
        return None
    if name == "relu" and not getattr(operation, "negative_slope", 0) and getattr(operation, "max_value", None) is None:
        # A hidden unit is on exactly where its ReLU output is above zero.
        return above
    if name == "leaky_relu":
        slope = float(getattr(operation, "negative_slope", 0.2))
        return above + slope * (1 - above)
    if name == "elu":
        return above + (1 - above) * (output + float(getattr(operation, "alpha", 1.0)))
    if name == "tanh":
        return 1 - output * output
    if name == "sigmoid":
        return output * (1 - output)
    raise ExportError(f"there are no class maps for a head with {name}.")


def _normalised(layer: Any) -> Floats:
    scale = np.asarray(layer.gamma, dtype=np.float32) if layer.scale else np.float32(1)
    return scale / np.sqrt(np.asarray(layer.moving_variance, dtype=np.float32) + np.float32(layer.epsilon))


def _head(model: keras.Model) -> _Head:
    """Walk back from the output. Raises ``ExportError`` for a head that has no closed form."""
    tensor = model.output
    steps: list[tuple[Any, Any]] = []
    while True:
        operation, node_index, _ = tensor._keras_history
        kind = type(operation).__name__
        if not steps and kind != "Dense":
            raise ExportError(f"{model.name} ends in {kind}, and class maps need a dense layer at the end.")
        parents = operation._inbound_nodes[node_index].input_tensors
        if len(parents) != 1:
            raise ExportError(f"there are no class maps for a head with {kind}.")
        if kind in _POOLINGS or kind in ("Flatten", "Reshape"):
            return _found(model, kind, parents[0], tensor, steps)
        if len(tensor.shape) != 2:
            raise ExportError(f"there are no class maps for a head with {kind}.")
        steps.append((operation, tensor))
        tensor = parents[0]


def _found(model: keras.Model, kind: str, features: Any, pooled: Any, steps: list[tuple[Any, Any]]) -> _Head:
    if len(features.shape) != 4 or len(pooled.shape) != 2 or any(size is None for size in features.shape[1:]):
        raise ExportError(f"{model.name} has no picture of features before its head, so there are no class maps.")
    if min(features.shape[1:3]) < SMALLEST_GRID:
        height, width = features.shape[1:3]
        raise ExportError(
            f"{model.name} has features of {height}×{width} cells before its head: class maps of so few say nothing "
            "about where it looks."
        )
    return _Head(features, kind not in _POOLINGS, tuple(reversed(steps)))
