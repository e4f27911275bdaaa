"""Adapter, a stranger's LiteRT network and our order of classes put together as LiteRT graphs. Child processes only.

There is no Keras model then, so no gradients and no class maps: occlusion and RISE work for any model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.bring.adapter import RAW, adapted_faces, scale_called
from fer_core.bring.evidence import OutputKind
from fer_core.bring.expected import BATCH, Adapter, expected, keras_adapter
from fer_core.bring.litert_file import joined, layer_rows, read_litert, write_litert
from fer_core.bring.litert_graph import LitertGraph
from fer_core.bring.messages import Build, Built, ParityRecord
from fer_core.bring.network import LitertNetwork
from fer_core.bring.orders import OTHER, Order
from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.errors import ModelError
from fer_core.files import write_json
from fer_core.inference.predictor import Predictor
from fer_core.zoo.describe import Description

NO_MAPS = "a LiteRT file does not say where its head begins."
NEVER, SMALLEST, TOLERANCE = -1e4, 1e-12, 1e-4


def build_litert(
    network: LitertNetwork,
    wanted: Build,
    order: Order,
    images: npt.NDArray[np.uint8],
    out: Path,
) -> Built:
    """Write ``model.tflite`` and ``architecture.json`` into ``out``.

    Raises ``ModelError`` where that file says of ``images`` something else than the network does.
    """
    parts = [network.model, _exported(_answers(network.count, OutputKind(wanted["output"]), order), out)]
    adapter = keras_adapter(network, wanted["scale"])
    if (wanted["scale"], network.height, network.width, network.channels) != (RAW, IMAGE_SIZE, IMAGE_SIZE, 1):
        from keras import Model

        adapted = adapted_faces(scale_called(wanted["scale"]), network.height, network.width, network.channels)
        parts.insert(0, _exported(Model(*adapted), out))
        adapter = _same_bits(parts[0], adapter, images, out)
    model = joined(parts)
    path = out / "model.tflite"
    write_litert(model, path)
    said = Predictor(path).predict(images)
    values, comparable = expected(network, adapter, wanted, order, images)
    difference = float(np.abs(said - values)[comparable].max(initial=0.0))
    if not difference < TOLERANCE:
        raise ModelError(
            f"the adapted model differs from the network by {difference:.2g}. That is a defect of this program: report "
            "it."
        )
    rows = layer_rows(model)
    parameters = sum(row.parameters for row in rows)
    description = Description(
        name="imported",
        title=wanted["title"],
        input_size=network.height,
        layers=rows,
        parameters=parameters,
        trainable_parameters=0,
        multiply_adds=sum(row.multiply_adds for row in rows),
        map_grid=(0, 0),
    )
    write_json(out / "architecture.json", description.to_dict())
    agreement = float(np.mean(said.argmax(axis=1) == values.argmax(axis=1)))
    return Built(
        keras=False,
        maps=False,
        why_no_maps=NO_MAPS,
        step=network.step,
        parity=ParityRecord(
            faces=len(images), largest_difference=difference, agreement=agreement, largest_map_difference=0.0
        ),
    )


def _same_bits(adapter: Any, in_keras: Adapter, images: npt.NDArray[np.uint8], out: Path) -> Adapter:
    """The adapter as LiteRT computes it, compared with that of Keras.

    In a quantised network the last digit of a pixel decides now and then between two whole numbers, and that may change
    an answer by a step: so what it is asked about has to be the very numbers that it gets in the joined model.
    """
    path = out / ".part.tflite"
    graph = LitertGraph(adapter, path)
    path.unlink()
    faces = images[:BATCH, ..., None].astype(np.float32)
    there, here = in_keras(faces), graph(faces)
    if not np.allclose(there, here, rtol=TOLERANCE, atol=TOLERANCE * float(np.abs(there).max(initial=0.0))):
        raise ModelError("its pixels come out otherwise in LiteRT. That is a defect of this program: report it.")
    return graph


def _answers(count: int, output: OutputKind, order: Order) -> Any:
    """The network's answers (K,) to seven probabilities: softmax of logits, or of the logarithm of probabilities."""
    from keras import Model, layers, ops

    given = layers.Input((count,), name="answers")
    x = given if output == OutputKind.LOGITS else ops.log(ops.maximum(given, SMALLEST))
    made = layers.Dense(COUNT, activation="softmax", name="probabilities")
    model = Model(given, made(x))
    kernel, bias = np.zeros((count, COUNT), np.float32), np.full(COUNT, NEVER, np.float32)
    for column, label in enumerate(order.labels):
        if label != OTHER:
            kernel[column, label], bias[label] = 1, 0
    made.set_weights([kernel, bias])
    return model


def _exported(model: Any, out: Path) -> Any:
    from fer_core.evaluation.export import convert

    path = out / ".part.tflite"
    convert(model, path, half_precision=False)
    tree = read_litert(path)
    path.unlink()
    return tree
