"""Quantised LiteRT files: their pixels rounded and clipped, their answers scaled, by what the file itself says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.tools.flatbuffer_utils import schema_fb as schema

from fer_core.bring.litert_file import read_litert, write_litert
from fer_core.bring.litert_graph import LitertGraph
from fer_core.bring.network import LitertNetwork
from fer_core.bring.whole_numbers import in_real_numbers, step_of
from fer_core.errors import ModelError

INT8, UINT8, INT16 = schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT16


def same(kind: int, scale: list[float] | None, zero: list[int], path: Path) -> Any:
    """A graph that gives back what it gets, eight numbers a face, whole ones of that type."""
    tensor = schema.TensorT()
    tensor.shape, tensor.shapeSignature = np.array([1, 8], np.int32), np.array([-1, 8], np.int32)
    tensor.type, tensor.buffer, tensor.name = kind, 0, b"numbers"
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.array(scale, np.float32)
        tensor.quantization.zeroPoint = np.array(zero, np.int64)
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [tensor], []
    graph.inputs = graph.outputs = np.array([0], np.int32)
    model = schema.ModelT()
    model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], [schema.BufferT()], []
    write_litert(model, path)
    return read_litert(path)


@pytest.mark.parametrize(
    ("kind", "scale", "zero", "low", "high"),
    [(INT8, 1 / 255, -128, -128, 127), (UINT8, 1 / 128, 128, 0, 255), (UINT8, 1.0, 0, 0, 255), (INT16, 1e-4, 0, 0, 0)],
)
def test_numbers_are_rounded_and_clipped_by_the_files_own_scale(
    kind: int, scale: float, zero: int, low: int, high: int, tmp_path: Path
) -> None:
    """Whatever took or gave whole numbers was refused."""
    model = same(kind, [scale], [zero], tmp_path / "m.tflite")
    in_real_numbers(model)
    low, high = (low, high) if high else (-(2**15), 2**15 - 1)
    rows = np.array([[0, 0.2, 0.5017, 1, 1.4, -0.3, 300, -300], [0.1, 0.9, 0.333, 0.77, 2, 3, 250.4, 7]], np.float32)
    whole = np.clip(np.round(rows / np.float32(scale)) + zero, low, high)
    said = LitertGraph(model, tmp_path / "asked.tflite")(rows)
    np.testing.assert_allclose(said, (whole - zero) * np.float32(scale), rtol=1e-6, atol=1e-9)
    assert step_of(model) == pytest.approx(scale)


@pytest.mark.parametrize(
    ("kind", "scale", "zero", "word"),
    [
        (UINT8, None, [], "without a scale"),
        (INT8, [], [], "without a scale"),
        (INT8, [0.1, 0.2], [0, 0], "one a channel"),
        (INT8, [0.0], [0], "the scale of its input is 0"),
        (INT8, [float("nan")], [0], "the scale of its input is nan"),
        (INT8, [-0.1], [0], "the scale of its input is -0.1"),
        (INT8, [0.1], [200], "zero point"),
        (INT8, [0.1], [], "zero point"),
        (INT16, [0.1], [5], "zero point"),
        (INT16, None, [], "without a scale"),
        (schema.TensorType.INT32, [0.1], [0], "int32"),
        (schema.TensorType.INT64, None, [], "int64"),
        (schema.TensorType.BOOL, None, [], "bool"),
        (schema.TensorType.FLOAT16, None, [], "float16"),
    ],
)
def test_what_stands_for_nothing_is_refused_in_a_sentence(
    kind: int, scale: list[float] | None, zero: list[int], word: str, tmp_path: Path
) -> None:
    model = same(kind, scale, zero, tmp_path / "m.tflite")
    with pytest.raises(ModelError, match=word) as refused:
        LitertNetwork(model, tmp_path)
    assert "float32" in str(refused.value)
    assert len(str(refused.value)) < 250


def test_graphs_in_float32_are_left_as_they_are(tmp_path: Path) -> None:
    model = same(schema.TensorType.FLOAT32, None, [], tmp_path / "m.tflite")
    in_real_numbers(model)
    assert not model.subgraphs[0].operators
    assert step_of(model) == 0
