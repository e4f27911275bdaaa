"""LiteRT files read as data, and several of them put together into one. Child processes only."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.errors import ModelError
from fer_core.formatting import plural
from fer_core.zoo.describe import LayerRow

MOST_OPERATORS = 5000
MOST_VALUES = 2**28
"""Numbers in one tensor: 1 GB."""
_FLOAT32, _UINT8, _INT8 = 0, 3, 9
_BITS = {0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 9: 8, 10: 64, 15: 32, 16: 16, 17: 4, 18: 16}
"""Of one value, by the number of its type; other types are not for pictures."""


def read_litert(path: Path) -> Any:
    """The file as a tree of Python objects (``ModelT``), checked: one graph of built-in operations, one float or
    quantised input and output, and every number in it within the file. Raises ``ModelError``.

    LiteRT itself trusts what it reads, so nothing gets there that does not hold together.
    """
    from ai_edge_litert.tools import flatbuffer_utils

    try:
        model = flatbuffer_utils.read_model(str(path))
        _check(model)
    except ModelError:
        raise
    except Exception as error:  # the reader raises whatever the bytes lead it to
        raise ModelError(f"it is cut off or damaged ({type(error).__name__}). Copy or save it again.") from error
    return model


def _check(model: Any) -> None:
    if len(model.subgraphs or ()) != 1:
        raise ModelError(
            "it has more than one graph, and models of one can be brought. Convert it with one signature: the one that "
            "goes from a picture to the expressions."
        )
    graph = model.subgraphs[0]
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelError(
            f"it has {plural(len(graph.inputs), 'input')} and {plural(len(graph.outputs), 'output')}, and models with "
            "one of each can be brought. Convert the part that goes from a picture to the expressions."
        )
    if len(graph.operators) > MOST_OPERATORS:
        raise ModelError(f"it has more than {MOST_OPERATORS:,} operations.")
    if custom := [code.customCode for code in model.operatorCodes if code.customCode]:
        name = custom[0].decode(errors="replace") if isinstance(custom[0], bytes) else str(custom[0])
        raise ModelError(f"it needs {ascii(name)[1:-1][:60]}, which is no operation of LiteRT's own.")
    if model.externalBuffers or model.externalBufferGroups:
        raise ModelError("it keeps its weights in other files.")
    for tensor in graph.tensors:
        _check_tensor(tensor, model.buffers)
    if any(not 0 <= int(one) < len(graph.tensors) for one in (*graph.inputs, *graph.outputs)):
        raise ModelError("it is damaged: it has no tensor for its input or its output.")
    ready = {int(graph.inputs[0])} | {
        number for number, tensor in enumerate(graph.tensors) if _content(tensor, model.buffers) is not None
    }
    for operator in graph.operators:
        if not 0 <= operator.opcodeIndex < len(model.operatorCodes):
            raise ModelError("it is damaged: an operation has no name.")
        read = [int(one) for one in operator.inputs if int(one) != -1]
        made = [int(one) for one in operator.outputs]
        if any(not 0 <= one < len(graph.tensors) for one in (*read, *made)) or not set(read) <= ready:
            raise ModelError("it is damaged: an operation reads what nothing has made.")
        if ready & set(made):
            raise ModelError("it is damaged: an operation writes over what is there already.")
        ready |= set(made)
    if int(graph.outputs[0]) not in ready:
        raise ModelError("it is damaged: nothing makes its output.")


def _check_tensor(tensor: Any, buffers: Any) -> None:
    shape = [int(size) for size in (tensor.shape if tensor.shape is not None else ())]
    if any(size < 0 for size in shape) or np.prod(shape, dtype=np.float64) > MOST_VALUES:
        raise ModelError("it holds a tensor that no memory would hold, or that is damaged.")
    if tensor.type not in _BITS or tensor.isVariable or tensor.sparsity is not None:
        raise ModelError("it holds tensors of a kind that networks for pictures do not need.")
    if not 0 <= tensor.buffer < len(buffers):
        raise ModelError("it is damaged: a tensor has no content.")
    content = _content(tensor, buffers)
    wanted = (int(np.prod(shape, dtype=np.int64)) * _BITS[tensor.type] + 7) // 8
    if content is not None and len(content) != wanted:
        raise ModelError("it is damaged: a tensor has another size than its content.")


def _content(tensor: Any, buffers: Any) -> Any:
    buffer = buffers[tensor.buffer]
    return buffer.data if buffer.data is not None and len(buffer.data) else None


def free_batch(model: Any) -> None:
    """Have a graph that was made for one face take any number: reshapes to ``(1, …)`` become ``(any, …)``."""
    from ai_edge_litert.tools import flatbuffer_utils

    graph = model.subgraphs[0]
    reshape = flatbuffer_utils.BuiltinOperator.RESHAPE
    for operator in graph.operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode != reshape:
            continue
        options = operator.builtinOptions
        if options is not None and options.newShape is not None and len(options.newShape):
            options.newShape = _freed(np.asarray(options.newShape))
        if len(operator.inputs) > 1:
            tensor = graph.tensors[operator.inputs[1]]
            content = _content(tensor, model.buffers)
            if content is not None and tensor.type == 2:
                # Others may read the same numbers.
                model.buffers.append(copy.deepcopy(model.buffers[tensor.buffer]))
                tensor.buffer = len(model.buffers) - 1
                freed = _freed(np.frombuffer(bytes(content), dtype=np.int32))
                model.buffers[tensor.buffer].data = np.frombuffer(freed.astype(np.int32).tobytes(), dtype=np.uint8)


def _freed(shape: np.ndarray) -> np.ndarray:
    free = np.array(shape, dtype=np.int32)
    if len(free) > 1 and free[0] == 1 and not (free == -1).any():
        free[0] = -1
    return free


def joined(models: Sequence[Any]) -> Any:
    """One model of several: the output of each is the input of the next, of the same kind of numbers."""
    first, *others = (copy.deepcopy(model) for model in models)
    for other in others:
        _append(first, other)
    first.signatureDefs = None
    first.metadata = None
    return first


def _append(first: Any, other: Any) -> None:
    graph, added = first.subgraphs[0], other.subgraphs[0]
    buffers, tensors, codes = len(first.buffers), len(graph.tensors), len(first.operatorCodes)
    end, start = int(graph.outputs[0]), int(added.inputs[0])
    first.buffers += other.buffers
    first.operatorCodes += other.operatorCodes
    for tensor in added.tensors:
        tensor.buffer += buffers
    graph.tensors += added.tensors

    def moved(indices: Any) -> Any:
        return np.array(
            [end if int(one) == start else int(one) if int(one) < 0 else int(one) + tensors for one in indices],
            dtype=np.int32,
        )

    for operator in added.operators:
        operator.opcodeIndex += codes
        operator.inputs, operator.outputs = moved(operator.inputs), moved(operator.outputs)
        operator.intermediates = None
    graph.operators += added.operators
    graph.outputs = moved(added.outputs)


def write_litert(model: Any, path: Path) -> None:
    """Write the model as a LiteRT file."""
    from ai_edge_litert.tools import flatbuffer_utils

    path.write_bytes(bytes(flatbuffer_utils.convert_object_to_bytearray(model)))


def layer_rows(model: Any) -> tuple[LayerRow, ...]:
    """The operations of a model in their order, as a layer table: what is known of them without their meaning."""
    from ai_edge_litert.tools import flatbuffer_utils

    graph = model.subgraphs[0]
    words = {
        value: name
        for name, value in vars(flatbuffer_utils.BuiltinOperator).items()
        if isinstance(value, int) and not name.startswith("_")
    }
    made_by = {int(graph.inputs[0]): "faces"}
    rows = [LayerRow("faces", "Input", _places(graph.tensors[graph.inputs[0]]), 0, 0, ())]
    for number, operator in enumerate(graph.operators):
        kind = words.get(model.operatorCodes[operator.opcodeIndex].builtinCode, "OPERATION")
        name = f"{kind.lower()}_{number}"
        read = [int(one) for one in operator.inputs if int(one) >= 0]
        shape = _places(graph.tensors[operator.outputs[0]])
        # Of these the second input is the kernel, applied at every place, and the third the bias.
        weighed = kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
        parameters = sum(
            int(np.prod(graph.tensors[one].shape, dtype=np.int64))
            for one in read
            # Whole numbers of 32 bits are shapes, but where kernels are quantised, biases.
            if one not in made_by and (weighed or graph.tensors[one].type in (_FLOAT32, _UINT8, _INT8, 1))
        )
        kernel = int(np.prod(graph.tensors[read[1]].shape, dtype=np.int64)) if weighed else 0
        places = int(np.prod(shape[:2])) if len(shape) == 3 else 1
        inputs = tuple(dict.fromkeys(made_by[one] for one in read if one in made_by))
        rows.append(LayerRow(name, kind, shape, parameters, kernel * places, inputs))
        made_by |= {int(one): name for one in operator.outputs}
    return tuple(rows)


def _places(tensor: Any) -> tuple[int, ...]:
    return tuple(max(0, int(size)) for size in (tensor.shape if tensor.shape is not None else ())[1:])
