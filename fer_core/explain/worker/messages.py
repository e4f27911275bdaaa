"""What the app asks the gradient worker for, and what comes back. Requests are hashable: they are keys of the cache."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.errors import ExplainError, RunError
from fer_core.explain.base import Faces, checked_face
from fer_core.explain.inside import layers_to_show
from fer_core.explain.layers import default_layer, layer
from fer_core.explain.methods import method
from fer_core.runs.contracts import Origin
from fer_core.runs.folder import NO_MODEL, RunFolder
from fer_core.zoo.describe import Description

Floats = npt.NDArray[np.float32]
DRAWS = 3
"""Times that weights are drawn anew in a sanity check: one draw may resemble the real map by luck."""


@dataclass(frozen=True)
class MapRequest:
    """The map of one class for one face by one method. Make it with :func:`map_request`, which checks everything.

    Attributes:
        folder: the run's.
        seal: SHA-256 of its ``model.keras`` as ``run.json`` gives it: another model is another request.
        face: 2,304 pixels.
        label: 0..6.
        method: one of :data:`fer_core.explain.methods.WORKER_METHODS`.
        layer: a spatial layer; empty for methods that look at pixels.
    """

    folder: str
    seal: str
    face: bytes
    label: int
    method: str
    layer: str

    @property
    def image(self) -> Faces:
        """uint8 (48, 48)."""
        return np.frombuffer(self.face, dtype=np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)


@dataclass(frozen=True)
class SanityRequest(MapRequest):
    """The same map again and again while weights are drawn anew: see :mod:`fer_core.explain.sanity`."""

    draws: int = DRAWS
    seed: int = 0


@dataclass(frozen=True)
class InsideRequest:
    """First kernels and ideal pictures of a run: :class:`fer_core.explain.inside.Inside` comes back."""

    folder: str
    seal: str


@dataclass(frozen=True)
class ActivationsRequest:
    """What a face sets off in ``layers``: a list of :class:`fer_core.explain.inside.LayerResponse` comes back."""

    folder: str
    seal: str
    face: bytes
    layers: tuple[str, ...]

    @property
    def image(self) -> Faces:
        """uint8 (48, 48)."""
        return np.frombuffer(self.face, dtype=np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)


Request = MapRequest | InsideRequest | ActivationsRequest
"""All of them name the run's ``folder`` and the ``seal`` of its model."""


@dataclass(frozen=True, eq=False)
class Map:
    """``values``: float32 (h, w), on the method's own scale. ``probabilities``: float32 (7,). ``seconds``: to draw."""

    values: Floats
    probabilities: Floats
    seconds: float

    @cached_property
    def grid(self) -> tuple[int, int]:
        """Height and width in cells."""
        height, width = self.values.shape
        return height, width


@dataclass(frozen=True, eq=False)
class SanityMaps:
    """``real``: float32 (h, w). ``steps``: s names, head first. ``maps``: float32 (s, draws, h, w)."""

    real: Floats
    steps: tuple[str, ...]
    maps: Floats
    seconds: float


def map_request(folder: RunFolder, face: Faces, label: int, name: str, *, at: str = "") -> MapRequest:
    """The request for a run's map. ``face``: uint8 (48, 48); ``label``: 0..6; ``at``: a layer, by default the last.

    Raises ``ExplainError`` for a vote, a run without a sealed ``model.keras``, an unknown method or layer, and one that
    the worker does not draw; ``ValueError`` for another face or label.
    """
    return MapRequest(*_checked(folder, face, label, name, at))


def sanity_request(
    folder: RunFolder, face: Faces, label: int, name: str, *, at: str = "", draws: int = DRAWS, seed: int = 0
) -> SanityRequest:
    """The same for a sanity check. ``draws``: 1 or more."""
    if draws < 1:
        raise ValueError(f"draws must be 1 or more, not {draws}")
    return SanityRequest(*_checked(folder, face, label, name, at), draws, seed)


def inside_request(folder: RunFolder) -> InsideRequest:
    """Raises ``ExplainError`` for a vote, and a run without a sealed ``model.keras``."""
    _check_has_layers(folder)
    return InsideRequest(str(Path(folder.path)), seal_of(folder))


def activations_request(folder: RunFolder, face: Faces) -> ActivationsRequest:
    """The same, for a face uint8 (48, 48) and the layers of :func:`fer_core.explain.inside.layers_to_show`."""
    _check_has_layers(folder)
    names = layers_to_show(_described(folder))
    return ActivationsRequest(str(Path(folder.path)), seal_of(folder), checked_face(face).tobytes(), names)


def _check_has_layers(folder: RunFolder) -> None:
    if folder.origin == Origin.PREDICTIONS:
        raise ExplainError(f"{folder.name}: {NO_MODEL}")
    if folder.is_vote:
        raise ExplainError(
            f"{folder.name} is a vote of several models: it has no layers of its own. Ask its members one by one, or "
            "use Occlusion or RISE, which work for any model."
        )


def _described(folder: RunFolder) -> Description:
    try:
        return folder.description()
    except RunError as error:
        raise ExplainError(f"The layers of {folder.name} are not known: {error}") from error


def _checked(folder: RunFolder, face: Faces, label: int, name: str, at: str) -> tuple[str, str, bytes, int, str, str]:
    if not 0 <= label < COUNT:
        raise ValueError(f"label must be 0..{COUNT - 1}, not {label}")
    known = method(name)
    if known.where != "worker":
        raise ExplainError(f"{known.title} needs no gradients: it is drawn without the gradient worker.")
    _check_has_layers(folder)
    chosen = ""
    if known.layered:
        description = _described(folder)
        chosen = layer(description, at or default_layer(description)).name
    return str(Path(folder.path)), seal_of(folder), checked_face(face).tobytes(), label, name, chosen


def seal_of(folder: RunFolder) -> str:
    """SHA-256 of the run's ``model.keras`` by its ``run.json``. Raises ``ExplainError`` where there is none."""
    try:
        manifest = folder.manifest()
    except RunError as error:
        raise ExplainError(str(error)) from error
    try:
        seal = str(manifest["files"]["model.keras"]["sha256"]) if manifest else ""
    except (KeyError, TypeError):
        seal = ""
    if not seal and folder.is_brought:
        raise ExplainError(
            f"{folder.name} was brought without a Keras file, which gradients need. Occlusion and RISE work for any "
            "model."
        )
    if not seal or not folder.keras_path.is_file():
        raise ExplainError(
            f"{folder.name} has no complete model.keras, which gradients need. Train the run to its end, or restore "
            "the file."
        )
    return seal
