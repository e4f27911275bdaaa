"""A LiteRT file in half precision that holds the same numbers as ``model.keras`` does. Child processes only.

TensorFlow's own converter rounds everything: the first kernel, biases, constants. And it rounds a convolution's kernel
only after it has multiplied it with the batch normalisation behind it, so that the file holds other numbers than
``model.keras`` does in half precision, and its class maps differ by percents. Here only kernels that
:mod:`fer_core.evaluation.half_precision` rounds too are rounded, and :func:`fit_kernels` scales them beforehand so that
the product has a float16 number where the kernel has one. Both files then hold the same network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

SMALL = 40_000
"""Numbers in a kernel that is left in float32 at most: 160 KB."""


def is_large(shape: Sequence[int]) -> bool:
    """Whether a kernel of that shape is stored as float16: a matrix or more, of more than :data:`SMALL` numbers."""
    return len(shape) >= 2 and math.prod(shape) > SMALL


def fit_kernels(model: keras.Model) -> int:
    """Scale convolutions before batch normalisation so that float16 holds what LiteRT makes of their kernels.

    LiteRT multiplies each output channel's kernel with γ/√(σ² + ε). Batch normalisation undoes any scale of what it
    reads, so the channel's kernel, bias, mean and deviation are scaled by the 1 to 2 that makes this factor a power of
    two, which float16 multiplies exactly. Then the kernel is rounded. The network computes the same, up to
    that rounding, and trains on as before. Works in place; returns how many kernels were fitted.
    """
    import keras

    fitted = 0
    for layer in model.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        before = layer.input._keras_history.operation
        if (
            type(before) is not keras.layers.Conv2D
            or len(before._outbound_nodes) > 1
            or not is_large(before.kernel.shape)
        ):
            continue
        if before.activation is not keras.activations.linear:
            continue
        _fit(before, layer)
        fitted += 1
    return fitted


def _fit(convolution: Any, normalisation: Any) -> None:
    variance = np.asarray(normalisation.moving_variance, dtype=np.float64) + normalisation.epsilon
    gamma = np.ones_like(variance) if not normalisation.scale else np.asarray(normalisation.gamma, dtype=np.float64)
    factor = np.abs(gamma) / np.sqrt(variance)
    power = np.zeros_like(factor)
    np.log2(factor, out=power, where=factor > 0)
    # Rounded down, so that no scale is below 1: else a variance could become negative.
    power = np.exp2(np.floor(power))
    scale = np.where(factor > 0, factor / power, 1.0)
    kernel = np.asarray(convolution.kernel, dtype=np.float64) * scale
    # Rounded where the number is smaller, so that it is exact in both places.
    least = np.minimum(power, 1.0)
    rounded = (kernel * least).astype(np.float16).astype(np.float64) / least
    convolution.kernel.assign(rounded.astype(np.float32))
    if convolution.use_bias:
        convolution.bias.assign((np.asarray(convolution.bias, dtype=np.float64) * scale).astype(np.float32))
    mean = np.asarray(normalisation.moving_mean, dtype=np.float64) * scale
    normalisation.moving_mean.assign(mean.astype(np.float32))
    normalisation.moving_variance.assign((variance * scale**2 - normalisation.epsilon).astype(np.float32))


def halve_litert(path: Path) -> int:
    """Rewrite a float32 LiteRT file with the large kernels of its convolutions and dense layers as float16.

    Each is unpacked by a DEQUANTIZE, which the runtime does once, when the file is opened. Returns how many.
    """
    from ai_edge_litert.tools import flatbuffer_utils as files

    model = files.read_model(path)
    code = _dequantize(model, files)
    changed = 0
    for graph in model.subgraphs:
        unpacked = []
        for index in sorted(_kernels(model, graph, files)):
            tensor = graph.tensors[index]
            values = np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype="<f4")
            packed = files.BufferT()
            packed.data = np.frombuffer(values.astype("<f2").tobytes(), dtype=np.uint8)
            model.buffers.append(packed)
            small = files.TensorT()
            small.shape, small.type = tensor.shape, files.TensorType.FLOAT16
            small.buffer, small.name = len(model.buffers) - 1, tensor.name + b"_half"
            graph.tensors.append(small)
            # Buffer 0 is the format's empty one: what holds no data is computed.
            model.buffers[tensor.buffer].data, tensor.buffer = None, 0
            step = files.OperatorT()
            step.opcodeIndex, step.inputs, step.outputs = code, [len(graph.tensors) - 1], [index]
            unpacked.append(step)
        graph.operators = [*unpacked, *graph.operators]
        changed += len(unpacked)
    files.write_model(model, path)
    return changed


def _kernels(model: Any, graph: Any, files: Any) -> set[int]:
    """The large float32 constants that convolutions and dense layers of a graph have as kernels, each used once."""
    kinds = {files.BuiltinOperator.CONV_2D, files.BuiltinOperator.FULLY_CONNECTED}
    used: dict[int, int] = {}
    for one in graph.tensors:
        used[one.buffer] = used.get(one.buffer, 0) + 1
    found = set()
    for operator in graph.operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode not in kinds:
            continue
        index = int(operator.inputs[1])
        tensor = graph.tensors[index]
        constant = model.buffers[tensor.buffer].data is not None and used[tensor.buffer] == 1
        if constant and tensor.type == files.TensorType.FLOAT32 and is_large(tensor.shape):
            found.add(index)
    return found


def _dequantize(model: Any, files: Any) -> int:
    """The number of the operation DEQUANTIZE in the file, added where it is missing."""
    wanted = files.BuiltinOperator.DEQUANTIZE
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == wanted:
            return index
    code = files.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = wanted
    code.version = 3  # the first that takes float16
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
