"""LiteRT networks that take or give whole numbers (quantised ones), made to take and give float32 like all others.

The rounding becomes a part of the graph, so whatever asks such a model needs to know nothing of it. Child processes
only.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fer_core.errors import ModelError

_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (0, 0)}
"""Of the zero point, by type: LiteRT takes no other than 0 for int16."""
_INSTEAD = "Bring the file with numbers in float32, or the Keras file that it was made from."


def in_real_numbers(model: Any) -> None:
    """Have the graph of ``model``, from :func:`fer_core.bring.litert_file.read_litert`, take and give float32.

    Pixels become whole numbers by the input's own scale and zero point, rounded and clipped to the range of its type;
    answers become numbers by the output's. Raises ``ModelError`` where those are not known, or make no sense.
    """
    from ai_edge_litert.tools.flatbuffer_utils import schema_fb as schema

    graph = model.subgraphs[0]
    given, answer = int(graph.inputs[0]), int(graph.outputs[0])
    if _in_whole_numbers(graph.tensors[given], "input"):
        made = _float_twin(model, given)
        graph.operators = [
            _operator(model, schema.BuiltinOperator.QUANTIZE, schema.BuiltinOptions.QuantizeOptions, made, given),
            *graph.operators,
        ]
        graph.inputs = np.array([made], dtype=np.int32)
    if _in_whole_numbers(graph.tensors[answer], "output"):
        made = _float_twin(model, answer)
        graph.operators = [
            *graph.operators,
            _operator(model, schema.BuiltinOperator.DEQUANTIZE, schema.BuiltinOptions.DequantizeOptions, answer, made),
        ]
        graph.outputs = np.array([made], dtype=np.int32)


def step_of(model: Any) -> float:
    """The step in which the answers of a graph come that computes them in whole numbers; 0 where it does not."""
    from ai_edge_litert.tools.flatbuffer_utils import schema_fb as schema

    graph = model.subgraphs[0]
    for operator in graph.operators:
        kind = model.operatorCodes[operator.opcodeIndex].builtinCode
        if kind == schema.BuiltinOperator.DEQUANTIZE and int(operator.outputs[0]) == int(graph.outputs[0]):
            scales = _numbers(graph.tensors[int(operator.inputs[0])], "scale")
            return float(scales[0]) if len(scales) == 1 and np.isfinite(scales[0]) else 0.0
    return 0.0


def _in_whole_numbers(tensor: Any, which: str) -> bool:
    """Whether a tensor holds whole numbers that stand for others. Raises ``ModelError`` for what is not understood."""
    from ai_edge_litert.tools.flatbuffer_utils import schema_fb as schema

    names = {value: name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
    kind = names.get(tensor.type, "unknown")
    if kind == "float32":
        return False
    if kind not in _RANGES:
        raise ModelError(
            f"its {which} is of type {kind}, and float32, int8, uint8 and int16 are understood. {_INSTEAD}"
        )
    scales, zeros = _numbers(tensor, "scale"), _numbers(tensor, "zeroPoint")
    if not len(scales):
        raise ModelError(
            f"its {which} is whole numbers ({kind}) without a scale, so nobody knows what they stand for. {_INSTEAD}"
        )
    if len(scales) > 1:
        raise ModelError(f"its {which} has {len(scales)} scales, one a channel, and one for all is needed. {_INSTEAD}")
    if not (np.isfinite(scales[0]) and scales[0] > 0):
        raise ModelError(f"the scale of its {which} is {scales[0]:g}, so its numbers stand for nothing. {_INSTEAD}")
    low, high = _RANGES[kind]
    if len(zeros) != 1 or not low <= int(zeros[0]) <= high:
        raise ModelError(f"it is damaged: the zero point of its {which} is none that {kind} can have. {_INSTEAD}")
    return True


def _numbers(tensor: Any, name: str) -> Any:
    found = getattr(tensor.quantization, name, None)
    return np.asarray([] if found is None else found)


def _float_twin(model: Any, number: int) -> int:
    """A new tensor of the same shape in float32. Returns its number."""
    from ai_edge_litert.tools.flatbuffer_utils import schema_fb as schema

    graph = model.subgraphs[0]
    twin = copy.deepcopy(graph.tensors[number])
    twin.type, twin.quantization, twin.buffer = schema.TensorType.FLOAT32, None, len(model.buffers)
    twin.name = b"real_numbers"
    model.buffers.append(schema.BufferT())
    graph.tensors.append(twin)
    return len(graph.tensors) - 1


def _operator(model: Any, kind: int, options: int, read: int, made: int) -> Any:
    from ai_edge_litert.tools.flatbuffer_utils import schema_fb as schema

    code = schema.OperatorCodeT()
    # The second version of both knows int8, the third of the latter int16.
    code.builtinCode, code.deprecatedBuiltinCode = kind, kind
    code.version = 3 if kind == schema.BuiltinOperator.DEQUANTIZE else 2
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = np.array([read], dtype=np.int32), np.array([made], dtype=np.int32)
    operator.builtinOptionsType = options
    quantise = kind == schema.BuiltinOperator.QUANTIZE
    operator.builtinOptions = schema.QuantizeOptionsT() if quantise else schema.DequantizeOptionsT()
    return operator
