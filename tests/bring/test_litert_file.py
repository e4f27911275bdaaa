"""LiteRT files of strangers: held together before LiteRT sees them, asked about several faces, joined with ours."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.tools import flatbuffer_utils
from factories import TINY_MODEL

from fer_core.bring.kinds import Kind, kind_of_model
from fer_core.bring.litert_file import layer_rows, read_litert, write_litert
from fer_core.bring.network import LitertNetwork
from fer_core.bring.opening import open_network
from fer_core.errors import ModelError
from fer_core.inference.predictor import Predictor

FACES = np.random.default_rng(0).integers(0, 256, (5, 48, 48)).astype(np.uint8)


@pytest.fixture
def tree() -> Any:
    """A model of one input and one output: the tiny one less its class maps."""
    model = flatbuffer_utils.read_model(str(TINY_MODEL / "model.tflite"))
    graph = model.subgraphs[0]
    graph.outputs = [index for index in graph.outputs if len(graph.tensors[int(index)].shape) == 2]
    model.signatureDefs = None
    return model


def written(tree: Any, path: Path) -> Path:
    write_litert(tree, path)
    return path


def test_it_answers_as_the_file_does(tree: Any, tmp_path: Path) -> None:
    path = written(tree, tmp_path / "m.tflite")
    assert kind_of_model(path) == Kind.LITERT
    network = open_network(path, tmp_path, None, lambda words: None).network
    assert (network.height, network.width, network.channels, network.count) == (48, 48, 1, 7)
    expected = Predictor(TINY_MODEL / "model.tflite").predict(FACES)
    np.testing.assert_allclose(network(FACES[..., None].astype(np.float32)), expected, atol=1e-5)


def test_graphs_made_for_one_face_take_several(tree: Any, tmp_path: Path) -> None:
    for tensor in tree.subgraphs[0].tensors:
        tensor.shapeSignature = None
    network = LitertNetwork(read_litert(written(tree, tmp_path / "m.tflite")), tmp_path)
    assert network(FACES[..., None].astype(np.float32)).shape == (5, 7)


def test_its_operations_are_a_layer_table(tree: Any, tmp_path: Path) -> None:
    rows = layer_rows(read_litert(written(tree, tmp_path / "m.tflite")))
    kernels = [row.parameters for row in rows if row.type == "CONV_2D"]
    assert kernels[:2] == [156, 440]
    assert [row.multiply_adds for row in rows if row.type == "CONV_2D"][:2] == [21_600, 15_552]
    # Quantised networks keep their biases in whole numbers of as many bits.
    graph = tree.subgraphs[0]
    first = next(one for one in graph.operators if graph.tensors[int(one.outputs[0])].shape[-1] == 6)
    graph.tensors[int(first.inputs[2])].type = 2
    assert next(row.parameters for row in layer_rows(tree) if row.type == "CONV_2D") == 156
    known: set[str] = set()
    for row in rows:
        assert set(row.inputs) <= known
        known.add(row.name)


def custom(tree: Any) -> None:
    tree.operatorCodes[0].customCode = b"FlexPyFunc"


def reads_what_is_not_there(tree: Any) -> None:
    tree.subgraphs[0].operators[0].inputs = np.array(
        [10**6, *tree.subgraphs[0].operators[0].inputs[1:]], dtype=np.int32
    )


def reads_what_comes_later(tree: Any) -> None:
    operators = tree.subgraphs[0].operators
    operators[0].inputs = np.array([operators[-1].outputs[0], *operators[0].inputs[1:]], dtype=np.int32)


def writes_into_its_input(tree: Any) -> None:
    tree.subgraphs[0].operators[0].outputs = tree.subgraphs[0].inputs


def writes_over_weights(tree: Any) -> None:
    """LiteRT maps them from the file, and ends where something writes there."""
    tree.subgraphs[0].operators[-1].outputs = tree.subgraphs[0].operators[0].inputs[1:2]


def output_that_is_not_there(tree: Any) -> None:
    tree.subgraphs[0].outputs = [-1]


def no_such_operation(tree: Any) -> None:
    tree.subgraphs[0].operators[0].opcodeIndex = 999


def content_too_short(tree: Any) -> None:
    buffer = max(tree.buffers, key=lambda one: 0 if one.data is None else len(one.data))
    buffer.data = buffer.data[:-8]


def giant(tree: Any) -> None:
    tree.subgraphs[0].tensors[int(tree.subgraphs[0].outputs[0])].shape = np.array([2**20, 2**20], dtype=np.int32)


def two_outputs(tree: Any) -> None:
    tree.subgraphs[0].outputs = [*tree.subgraphs[0].outputs, tree.subgraphs[0].operators[0].outputs[0]]


def two_graphs(tree: Any) -> None:
    tree.subgraphs.append(copy.deepcopy(tree.subgraphs[0]))


DAMAGES: dict[str, Callable[[Any], None]] = {
    "FlexPyFunc": custom,
    "nothing has made": reads_what_comes_later,
    "reads what nothing": reads_what_is_not_there,
    "writes over what": writes_over_weights,
    "writes over": writes_into_its_input,
    "no tensor": output_that_is_not_there,
    "no name": no_such_operation,
    "another size": content_too_short,
    "no memory": giant,
    "2 outputs": two_outputs,
    "more than one graph": two_graphs,
}


@pytest.mark.parametrize("word", DAMAGES)
def test_what_does_not_hold_together_never_reaches_litert(word: str, tree: Any, tmp_path: Path) -> None:
    DAMAGES[word](tree)
    with pytest.raises(ModelError, match=word):
        read_litert(written(tree, tmp_path / "m.tflite"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_files_cut_off_are_refused(share: float, tree: Any, tmp_path: Path) -> None:
    content = written(tree, tmp_path / "m.tflite").read_bytes()
    (tmp_path / "m.tflite").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match="damaged"):
        read_litert(tmp_path / "m.tflite")
