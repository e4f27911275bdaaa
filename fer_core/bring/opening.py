"""From a stranger's file to a network that can be asked. Child processes only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fer_core.bring.kinds import Kind, kind_of_model
from fer_core.bring.litert_file import read_litert
from fer_core.bring.network import KerasNetwork, LitertNetwork
from fer_core.bring.reading import read_keras
from fer_core.bring.saved_model import convert
from fer_core.bring.unpacking import model_in, unpack
from fer_core.errors import ModelError
from fer_core.runs.reading import shown


@dataclass(frozen=True)
class Opened:
    """``keras``: the version that saved it, empty where it does not say."""

    kind: Kind
    keras: str
    network: KerasNetwork | LitertNetwork


KERAS = (Kind.KERAS, Kind.HDF5, Kind.JSON)


def open_network(
    path: Path, scratch: Path, weights: Path | None, told: Callable[[str], None], *, keras_alone: bool = False
) -> Opened:
    """Read the file as data, and open what was found free of code. Raises ``ModelError``, which names the file.

    ``keras_alone``: whether a LiteRT file and a SavedModel are refused.
    """
    kind = kind_of_model(path)
    told("reading it as data")
    if kind == Kind.ZIP:
        unpacked = unpack(path, scratch / "unpacked", shown(path))
        path, inside = model_in(unpacked, shown(path))
        kind, weights = kind_of_model(path), weights or inside
        if kind == Kind.ZIP:
            raise ModelError(f"{shown(path)} is packed twice. Unpack it once.")
    if keras_alone and kind not in KERAS:
        raise ModelError(f"{shown(path)} is a {kind}. Only the owner of this app can bring one: bring the Keras file.")
    if weights is not None and kind != Kind.JSON:
        raise ModelError(f"{shown(path)} is a {kind}, which holds its weights itself: leave --weights out.")
    if kind in KERAS:
        reading = read_keras(path, scratch, weights)
        told("opening it with Keras")
        with _named(path):
            return Opened(kind, reading.keras, KerasNetwork(reading.clean))
    with _named(path):
        if kind == Kind.SAVED_MODEL:
            converted = scratch / "converted.tflite"
            told("converting it to LiteRT")
            convert(path, converted)
            return Opened(kind, "", LitertNetwork(read_litert(converted), scratch))
        told("opening it with LiteRT")
        return Opened(kind, "", LitertNetwork(read_litert(path), scratch))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Begin a ``ModelError`` inside with the name of the file."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{shown(path)} cannot be brought: {error}") from error
