"""One model out of adapter, a stranger's network and our order of classes: ``model.keras`` and ``model.tflite``.

Child processes only. The parts become one flat graph, so that everything that looks inside a model works with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.bring.adapter import adapted_faces, scale_called
from fer_core.bring.evidence import OutputKind
from fer_core.bring.flatten import flattened
from fer_core.bring.messages import Build, Built, ParityRecord
from fer_core.bring.network import KerasNetwork
from fer_core.bring.opening import Opened
from fer_core.bring.orders import OTHER, Order, rearranged
from fer_core.bring.trial import understood
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

    from fer_core.evaluation.export import PARITY_FACES, export_litert
    from fer_core.zoo.class_maps import map_grid
    from fer_core.zoo.describe import describe_model
    from fer_core.zoo.keras_model import predict

    out.mkdir()
    told("putting adapter, network and order of the classes together")
    order, network = Order("", tuple(wanted["classes"])), opened.network
    expected = _expected(network, wanted["scale"], order, images[:PARITY_FACES])
    adapted(network, wanted["scale"], OutputKind(wanted["output"]), order).save(out / "model.keras")
    # As it is read back: each layer has been called once then, and by nobody else.
    model = keras.models.load_model(out / "model.keras", compile=False)
    faces = images[:PARITY_FACES]
    said = np.abs(predict(model, faces) - expected[0])
    difference = float(said[expected[1]].max(initial=0.0))
    if not difference < TOLERANCE:
        raise ModelError(
            f"the adapted model differs from the network by {difference:.2g}: that is a defect, report it."
        )
    why = ""
    try:
        map_grid(model)
    except ExportError as error:
        why = str(error)
    told("writing model.tflite and comparing it with model.keras")
    try:
        parity = export_litert(model, out / "model.tflite", faces, maps=not why)
    except ExportError as error:
        if why:
            raise
        # Its maps may need what LiteRT has not; its answers count for more.
        why = str(error)
        parity = export_litert(model, out / "model.tflite", faces, maps=False)
    description = describe_model(model, ARCHITECTURE, network.height, title=wanted["title"])
    write_json(
        out / "architecture.json", replace(description, map_grid=(0, 0) if why else description.map_grid).to_dict()
    )
    return Built(
        keras=True,
        maps=not why,
        why_no_maps=why,
        parity=ParityRecord(
            faces=parity.faces,
            largest_difference=parity.largest_difference,
            agreement=parity.agreement,
            largest_map_difference=parity.largest_map_difference,
        ),
    )


def adapted(network: KerasNetwork, scale: str, output: OutputKind, order: Order) -> keras.Model:
    """Faces (48, 48, 1), 0..255, to seven probabilities: a flat Keras model that shares the network's weights.

    Where the network ends in a dense layer and softmax (or in logits), the order goes into that layer's weights:
    softmax over the classes that stay is what is left of the probabilities, made to add up to 1 again.
    """
    from keras import Model

    faces, x = adapted_faces(scale_called(scale), network.height, network.width, network.channels)
    answers = flattened(network.model, x)
    last = None if output == OutputKind.SEPARATE else _last_dense(answers)
    answers = _reordered_answers(answers, output, order) if last is None else _reordered_dense(*last, order)
    return Model(faces, answers, name=ARCHITECTURE)


def _last_dense(answers: Any) -> tuple[Any, Any] | None:
    """The dense layer that the answers come from with no more than softmax after it, and what it reads."""
    tensor = answers
    for _ in range(3):
        operation, index, _ = tensor._keras_history
        kind, name = type(operation).__name__, getattr(getattr(operation, "activation", None), "__name__", "")
        parents = operation._inbound_nodes[index].input_tensors
        if kind == "Dense":
            plain = name == "linear" or (name == "softmax" and tensor is answers)
            return (operation, parents[0]) if plain and len(parents[0].shape) == 2 else None
        if kind not in ("Softmax", "Identity") and not (kind == "Activation" and name in ("softmax", "linear")):
            return None
        tensor = parents[0]
    return None


def _reordered_dense(layer: Any, inputs: Any, order: Order) -> Any:
    from keras import layers

    weights = [np.asarray(weight, dtype=np.float32) for weight in layer.get_weights()]
    kernel = weights[0]
    bias = weights[1] if len(weights) > 1 else np.zeros(kernel.shape[1], np.float32)
    new_kernel, new_bias = np.zeros((len(kernel), COUNT), np.float32), np.full(COUNT, NEVER, np.float32)
    for column, label in enumerate(order.labels):
        if label != OTHER:
            new_kernel[:, label], new_bias[label] = kernel[:, column], bias[column]
    made = layers.Dense(COUNT, activation="softmax", name=PROBABILITIES)
    answers = made(inputs)
    made.set_weights([new_kernel, new_bias])
    return answers


def _reordered_answers(answers: Any, output: OutputKind, order: Order) -> Any:
    """The same by operations on the answers themselves, for networks that end in anything else."""
    from keras import layers, ops

    x = ops.softmax(answers) if output == OutputKind.LOGITS else answers
    chosen = layers.Dense(COUNT, use_bias=False, name="order")
    x = chosen(x)
    matrix = np.zeros((len(order.classes), COUNT), np.float32)
    for column, label in enumerate(order.labels):
        if label != OTHER:
            matrix[column, label] = 1
    chosen.set_weights([matrix])
    return x / ops.maximum(ops.sum(x, axis=1, keepdims=True), 1e-9)


def _expected(
    network: KerasNetwork, scale: str, order: Order, images: npt.NDArray[np.uint8]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """What the network itself says (n, 7), and where that can be compared: not where all went to classes left out."""
    from keras import Model

    faces, x = adapted_faces(scale_called(scale), network.height, network.width, network.channels)
    adapter = Model(faces, x)
    parts = [
        network(np.asarray(adapter.predict_on_batch(batch[..., None].astype(np.float32))))
        for batch in _batches(images, 32)
    ]
    probabilities = understood(np.concatenate(parts))[1]
    kept = np.array([label != OTHER for label in order.labels])
    return rearranged(probabilities, order), probabilities[:, kept].sum(axis=1) > 1e-3


def _batches(images: npt.NDArray[np.uint8], size: int) -> Sequence[npt.NDArray[np.uint8]]:
    return [images[start : start + size] for start in range(0, len(images), size)]
