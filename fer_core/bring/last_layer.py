"""What a network's file tells of its last layer: whether anything brings its answers into a range.

A softmax or sigmoids keep answers within 0..1. Where the last layer only adds up, as for logits, answers there are
there by chance.
"""

from __future__ import annotations

from typing import Any

_KERAS_SUMS = ("Dense", "Conv1D", "Conv2D", "SeparableConv2D", "DepthwiseConv2D", "EinsumDense")
_KERAS_PASSES = ("Identity", "Reshape", "Flatten", "Dropout", "GlobalAveragePooling2D", "AveragePooling2D")
"""Layers that give back what they get, or means of it."""
_MOST_STEPS = 100


def keras_is_linear(model: Any) -> bool:
    """Whether the answers of a Keras model are plain sums. False where that is not evident."""
    tensor = model.outputs[0]
    for _ in range(_MOST_STEPS):
        operation, node, place = tensor._keras_history
        kind = type(operation).__name__
        if hasattr(operation, "layers") and hasattr(operation, "outputs"):
            tensor = operation.outputs[place]  # a model within the model
            continue
        linear = getattr(getattr(operation, "activation", None), "__name__", "linear") == "linear"
        if kind in _KERAS_SUMS:
            return linear
        if kind not in _KERAS_PASSES and not (kind == "Activation" and linear):
            return False
        tensor = operation._inbound_nodes[node].input_tensors[0]
    return False


def litert_is_linear(model: Any) -> bool:
    """The same of a LiteRT graph, from :func:`fer_core.bring.litert_file.read_litert`."""
    from ai_edge_litert.tools.flatbuffer_utils import schema_fb as schema

    kinds = schema.BuiltinOperator
    sums = (kinds.FULLY_CONNECTED, kinds.CONV_2D, kinds.DEPTHWISE_CONV_2D)
    passes = (
        kinds.DEQUANTIZE, kinds.QUANTIZE, kinds.RESHAPE, kinds.SQUEEZE, kinds.MEAN, kinds.AVERAGE_POOL_2D, kinds.ADD,
    )  # fmt: skip
    graph = model.subgraphs[0]
    maker = {int(made): operator for operator in graph.operators for made in operator.outputs}
    tensor = int(graph.outputs[0])
    for _ in range(_MOST_STEPS):
        operator = maker.get(tensor)
        if operator is None or getattr(operator.builtinOptions, "fusedActivationFunction", None):
            return False
        kind = model.operatorCodes[operator.opcodeIndex].builtinCode
        if kind in sums:
            return True
        read = [int(one) for one in operator.inputs]
        if kind == kinds.ADD:
            # A bias that stands by itself; two of what operations made may be anything.
            read = [one for one in read if one in maker]
            read = read if len(read) == 1 else []
        if kind not in passes or not read:
            return False
        tensor = read[0]
    return False
