"""Layer tables: what a network consists of, how many parameters and multiply-adds it has.

The app's process cannot build a Keras graph, so each registered architecture's description ships as JSON beside
the code (``descriptions/``; a test keeps it true) and each run folder holds its own ``architecture.json``.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.errors import ExportError, RecipeError, RunError
from fer_core.value_types import JsonObject
from fer_core.zoo.registry import get

if TYPE_CHECKING:
    import keras

DESCRIPTIONS = Path(__file__).parent / "descriptions"


@dataclass(frozen=True)
class LayerRow:
    """One operation of the graph. ``output_shape`` is without the batch; ``inputs`` are names of other rows.

    ``multiply_adds`` are per face: k·k·in·out·h·w for a convolution, in·out for a dense layer, 0 for the rest.
    """

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """A network as a table. ``map_grid`` is the height and width of its class maps, in cells; (0, 0): it has none."""

    name: str
    title: str
    input_size: int
    layers: tuple[LayerRow, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int
    map_grid: tuple[int, int]

    def to_dict(self) -> JsonObject:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: JsonObject) -> Description:
        """Raises ``RunError`` if the JSON is not a description."""
        known: dict[str, Any] = dict(values)
        try:
            layers = tuple(
                LayerRow(
                    row["name"],
                    row["type"],
                    tuple(row["output_shape"]),
                    row["parameters"],
                    row["multiply_adds"],
                    tuple(row["inputs"]),
                )
                for row in known["layers"]
            )
            height, width = known["map_grid"]
            return cls(**{**known, "layers": layers, "map_grid": (height, width)})
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"this is not an architecture description: {error}") from None


def description(name: str) -> Description:
    """The shipped description of a registered architecture at its default input size. Imports no Keras.

    Raises ``RecipeError`` for an unknown architecture or one whose description has not been written yet.
    """
    get(name)
    path = DESCRIPTIONS / f"{name}.json"
    if not path.exists():
        raise RecipeError(f"{name} has no layer table yet. Write it with: python -m fer_core architectures --write")
    return Description.from_dict(json.loads(path.read_text(encoding="utf-8")))


def describe_model(model: keras.Model, name: str, input_size: int, *, title: str = "") -> Description:
    """Describe a built Keras model (child processes only). ``title``: of one that is not registered."""
    from fer_core.zoo.class_maps import map_grid

    rows = tuple(_row(operation, model) for operation in model.operations)
    try:
        grid = map_grid(model)
    except ExportError:
        grid = (0, 0)
    return Description(
        name=name,
        title=title or get(name).title,
        input_size=input_size,
        layers=rows,
        parameters=int(model.count_params()),
        trainable_parameters=int(sum(_size(weight.shape) for weight in model.trainable_weights)),
        multiply_adds=sum(row.multiply_adds for row in rows),
        map_grid=grid,
    )


def _row(operation: Any, model: keras.Model) -> LayerRow:
    # A layer that was also called outside of this model has nodes of that, too.
    nodes = operation._inbound_nodes
    node = next((one for one in nodes if _is_of(one, model)), nodes[0])
    # Sizes that are free stand as 0.
    shape = tuple(int(size or 0) for size in node.outputs[0].shape[1:])
    return LayerRow(
        name=operation.name,
        type=type(operation).__name__,
        output_shape=shape,
        parameters=sum(_size(weight.shape) for weight in getattr(operation, "weights", [])),
        multiply_adds=_multiply_adds(operation, shape),
        # A set would lose the order; a layer fed three times by one tensor lists it once.
        inputs=tuple(dict.fromkeys(parent.operation.name for parent in node.parent_nodes)),
    )


def _is_of(node: Any, model: keras.Model) -> bool:
    return any(node is one for ones in model._nodes_by_depth.values() for one in ones)


def _multiply_adds(operation: Any, shape: tuple[int, ...]) -> int:
    kernel = getattr(operation, "kernel", None)
    if kernel is None:
        return 0
    # A convolution's kernel (k, k, in / groups, out) is applied at every position, a dense one once.
    positions = _size(shape[:-1]) if len(shape) == 3 else 1
    return positions * _size(kernel.shape)


def _size(shape: Any) -> int:
    return math.prod(int(value) for value in shape)
