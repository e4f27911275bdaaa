"""One model out of adapter, a stranger's network and our order of classes: ``model.keras`` and ``model.tflite``.

Child processes only. The parts become one flat graph, so that everything that looks inside a model works with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.bring.adapter import adapted_faces, scale_called
from fer_core.bring.evidence import OutputKind
from fer_core.bring.expected import expected, keras_adapter
from fer_core.bring.flatten import flattened
from fer_core.bring.messages import Build, Built, ParityRecord
from fer_core.bring.network import KerasNetwork, LitertNetwork
from fer_core.bring.opening import Opened
from fer_core.bring.orders import OTHER, Order
from fer_core.emotions import COUNT
from fer_core.errors import ExportError, ModelError
from fer_core.files import write_json
from fer_core.zoo.heads import PROBABILITIES

if TYPE_CHECKING:
    import keras

ARCHITECTURE = "imported"
"""What ``run.json`` of a brought model names where others name their architecture."""
NEVER = -1e4
"""The logit of a class that a network does not have: its probability is 0 in single precision."""
SMALLEST = 1e-12
NO_MAPS_OF_SHARES = "there are no class maps for a head that gives each class a share by itself, as sigmoids do."
TOLERANCE = 1e-4
"""Between what the network said when it was tried and what the adapted model says."""

Floats = npt.NDArray[np.float32]


def build(
    opened: Opened, wanted: Build, images: npt.NDArray[np.uint8], out: Path, told: Callable[[str], None]
) -> Built:
    """Write ``model.keras``, ``model.tflite`` and ``architecture.json`` into the new folder ``out``.

    ``images``: faces uint8 (n, 48, 48) that parity is checked on. Raises ``ModelError`` or ``ExportError`` where the
    parts do not become one model that answers as the network did.
    """
    import keras

    from fer_core.bring.build_litert import build_litert
    from fer_core.evaluation.export import PARITY_FACES, export_litert
    from fer_core.zoo.class_maps import map_grid
    from fer_core.zoo.describe import describe_model
    from fer_core.zoo.keras_model import predict

    out.mkdir()
    told("putting adapter, network and order of the classes together")
    order, network = Order("", tuple(wanted["classes"])), opened.network
    if isinstance(network, LitertNetwork):
        return build_litert(network, wanted, order, images[:PARITY_FACES], out)
    values, comparable = expected(
        network, keras_adapter(network, wanted["scale"]), wanted, order, images[:PARITY_FACES]
    )
    adapted(network, wanted["scale"], OutputKind(wanted["output"]), order).save(out / "model.keras")
    # As it is read back: each layer has been called once then, and by nobody else.
    model = keras.models.load_model(out / "model.keras", compile=False)
    faces = images[:PARITY_FACES]
    difference = float(np.abs(predict(model, faces) - values)[comparable].max(initial=0.0))
    if not difference < TOLERANCE:
        raise ModelError(
            f"the adapted model differs from the network by {difference:.2g}: that is a defect, report it."
        )
    why = ""
    try:
        map_grid(model)
    except ExportError as error:
        why = _without_maps(error, wanted)
    told("writing model.tflite and comparing it with model.keras")
    try:
        parity = export_litert(model, out / "model.tflite", faces, maps=not why)
    except ExportError as error:
        if why:
            raise ModelError(_unfit(error)) from error
        # Its maps may need what LiteRT has not; its answers count for more.
        why = _without_maps(error, wanted)
        try:
            parity = export_litert(model, out / "model.tflite", faces, maps=False)
        except ExportError as again:
            raise ModelError(_unfit(again)) from again
    description = describe_model(model, ARCHITECTURE, network.height, title=wanted["title"])
    write_json(
        out / "architecture.json", replace(description, map_grid=(0, 0) if why else description.map_grid).to_dict()
    )
    return Built(
        keras=True,
        maps=not why,
        why_no_maps=why,
        step=0.0,
        parity=ParityRecord(
            faces=parity.faces,
            largest_difference=parity.largest_difference,
            agreement=parity.agreement,
            largest_map_difference=parity.largest_map_difference,
        ),
    )


def adapted(network: KerasNetwork, scale: str, output: OutputKind, order: Order) -> keras.Model:
    """Faces (48, 48, 1), 0..255, to seven probabilities: a flat Keras model that shares the network's weights.

    It ends in a dense layer with softmax, as ours do, which brings the classes into our order: softmax over those that
    stay is what is left of the probabilities, made to add up to 1 again.
    """
    from keras import Model

    faces, x = adapted_faces(scale_called(scale), network.height, network.width, network.channels)
    logits = _before_softmax(flattened(network.model, x), output)
    layer, inputs = _dense(logits)
    kernel, bias = _weights(layer, len(order.classes))
    new_kernel, new_bias = np.zeros((len(kernel), COUNT), np.float32), np.full(COUNT, NEVER, np.float32)
    for column, label in enumerate(order.labels):
        if label != OTHER:
            new_kernel[:, label], new_bias[label] = kernel[:, column], bias[column]
    return Model(faces, _softmax_layer(inputs, new_kernel, new_bias), name=ARCHITECTURE)


def _softmax_layer(inputs: Any, kernel: Floats, bias: Floats) -> Any:
    from keras import layers

    made = layers.Dense(COUNT, activation="softmax", name=PROBABILITIES)
    answers = made(inputs)
    made.set_weights([kernel, bias])
    return answers


def _before_softmax(answers: Any, output: OutputKind) -> Any:
    """The tensor whose softmax the answers are; where none is in the graph, the logarithm of the answers is it."""
    from keras import ops

    if output == OutputKind.LOGITS:
        return answers
    tensor = answers
    while output == OutputKind.PROBABILITIES:
        operation, index, _ = tensor._keras_history
        kind, name = type(operation).__name__, _activation(operation)
        if kind == "Dense" and name == "softmax" and len(tensor.shape) == 2:
            return tensor
        parents = operation._inbound_nodes[index].input_tensors
        if kind == "Softmax" or (kind == "Activation" and name == "softmax"):
            return parents[0]
        if kind not in ("Identity", "Reshape", "Flatten") and not (kind == "Activation" and name == "linear"):
            break
        tensor = parents[0]
    return ops.log(ops.maximum(answers, SMALLEST))


def _dense(logits: Any) -> tuple[Any, Any]:
    """The dense layer that makes these logits, and what it reads; (None, the logits) where others make them."""
    operation, index, _ = logits._keras_history
    if type(operation).__name__ != "Dense" or _activation(operation) not in ("linear", "softmax"):
        return None, logits
    inputs = operation._inbound_nodes[index].input_tensors[0]
    return (operation, inputs) if len(inputs.shape) == 2 else (None, logits)


def _weights(layer: Any, count: int) -> tuple[Floats, Floats]:
    if layer is None:
        return np.eye(count, dtype=np.float32), np.zeros(count, np.float32)
    kernel = np.asarray(layer.kernel, dtype=np.float32)
    return kernel, np.asarray(layer.bias, np.float32) if layer.use_bias else np.zeros(kernel.shape[1], np.float32)


def _activation(operation: Any) -> str:
    return getattr(getattr(operation, "activation", None), "__name__", "")


def _without_maps(error: ExportError, wanted: Build) -> str:
    """Why there are no class maps. Of shares the error would name a logarithm, which is ours."""
    return NO_MAPS_OF_SHARES if wanted["output"] == OutputKind.SEPARATE else str(error)


def _unfit(error: ExportError) -> str:
    words = " ".join(str(error).split())
    return (
        f"the network does not run in LiteRT, with which the app asks models: {words[:200]}… Bring its probabilities "
        "instead, with python -m fer_core predictions import FILE --data DATASET."
    )
