"""What a model has learned to look for: its first kernels, and for each class the picture that it would call most so.

Kept with a run as ``inside.npz``, so that it can be shown where there is no TensorFlow. Made by
:mod:`fer_core.explain.worker.ideals`.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.errors import RunError
from fer_core.explain.layers import spatial_layers
from fer_core.files import replacing
from fer_core.runs.folder import INSIDE_FILE, RunFolder, seal
from fer_core.runs.integrity import check_promised
from fer_core.runs.reading import damaged
from fer_core.runs.transaction import change
from fer_core.zoo.describe import Description

AGAIN = "Make it again with: python -m fer_core explain inside --models {name}"
MOST_KERNELS = 64
MOST_LAYERS = 6
"""Whose channels are shown: more make a page nobody reads."""
STRONGEST = 8
"""Channels of a layer that are shown."""
_ACTIVATIONS = ("ReLU", "Activation", "LeakyReLU", "PReLU", "ELU")


@dataclass(frozen=True, eq=False)
class Inside:
    """What there is to see of one model without a face.

    Attributes:
        model: SHA-256 of the ``model.keras`` that it is about, hex.
        layer: the first convolution's name.
        kernels: float32 (n, h, w), n at most :data:`MOST_KERNELS`: its weights, summed over the input's channels.
        ideals: uint8 (7, 48, 48), for each class the picture that was changed until the model called it so.
        probabilities: float32 (7, 7): what the model says of each.
    """

    model: str
    layer: str
    kernels: npt.NDArray[np.float32]
    ideals: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LayerResponse:
    """What one layer does for one face.

    ``name``: the layer's. ``channels``: how many it has, ``silent`` of them nowhere above 0. ``picked``: int64 (k,),
    the strongest by their mean, strongest first; ``maps`` float32 (k, h, w), 0..1 of the strongest cell of the layer.
    """

    name: str
    channels: int
    silent: int
    picked: npt.NDArray[np.int64]
    maps: npt.NDArray[np.float32]


def layers_to_show(description: Description) -> tuple[str, ...]:
    """The last activation of each stage, in the network's order, at most :data:`MOST_LAYERS`; empty without any.

    A stage is what shares the first part of its name, such as ``block4`` or ``conv3``.
    """
    last: dict[str, str] = {}
    for row in spatial_layers(description):
        if row.type in _ACTIVATIONS:
            last[row.name.split("_")[0]] = row.name
    names = list(last.values()) or [row.name for row in spatial_layers(description)]
    at = np.unique(np.linspace(0, len(names) - 1, min(MOST_LAYERS, len(names))).round().astype(int))
    return tuple(names[index] for index in at)


def response(name: str, activations: npt.NDArray[np.floating]) -> LayerResponse:
    """From a layer's output for one face, (h, w, channels). Raises ``ValueError`` for another shape."""
    if activations.ndim != 3 or not activations.size:
        raise ValueError(f"activations must have places and channels, (h, w, channels), not {activations.shape}")
    values = np.maximum(np.asarray(activations, dtype=np.float32), 0)
    means = values.mean(axis=(0, 1))
    picked = np.argsort(-means, kind="stable")[:STRONGEST]
    top = float(values.max()) or 1.0
    maps = (np.moveaxis(values[..., picked], 2, 0) / top).astype(np.float32)
    return LayerResponse(name, values.shape[2], int((means == 0).sum()), picked, maps)


def read_inside(folder: RunFolder) -> Inside | None:
    """What is kept with the run about the model that it has now; None where there is nothing.

    Raises ``RunError`` where the file is damaged.
    """
    manifest = folder.manifest()
    if manifest is None or INSIDE_FILE not in manifest["files"]:
        return None
    again = AGAIN.format(name=folder.name)
    check_promised(folder.manifest_path, manifest["files"], INSIDE_FILE, again)
    path = folder.path / INSIDE_FILE
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = Inside(
                str(stored["model"]),
                str(stored["layer"]),
                np.asarray(stored["kernels"], dtype=np.float32),
                np.asarray(stored["ideals"]),
                np.asarray(stored["probabilities"], dtype=np.float32),
            )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise damaged(path, str(error), again) from error
    faces = (COUNT, IMAGE_SIZE, IMAGE_SIZE)
    if found.ideals.shape != faces or found.ideals.dtype != np.uint8 or found.probabilities.shape != (COUNT, COUNT):
        raise damaged(path, f"it does not hold {COUNT} pictures and what the model says of each", again)
    # An export may have written another model since.
    return found if found.model == manifest["files"]["model.keras"]["sha256"] else None


def keep_inside(folder: RunFolder, inside: Inside) -> None:
    """Keep it with the run, sealed as its other files are. Raises ``RunError`` or ``OSError``."""
    manifest = folder.manifest()
    if manifest is None:
        raise RunError(f"{folder.path} is not complete: train the run to its end first.")
    with change(folder.path) as prepared:
        with replacing(prepared.file(INSIDE_FILE)) as part, part.open("wb") as file:
            np.savez_compressed(
                file,
                model=inside.model,
                layer=inside.layer,
                kernels=inside.kernels.astype(np.float16),
                ideals=inside.ideals,
                probabilities=inside.probabilities.astype(np.float16),
            )
        record = {key: value for key, value in manifest.items() if key not in ("schema", "origin", "files")}
        seal(folder, record, prepared, known=manifest["files"])
