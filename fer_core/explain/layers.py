"""Which layers of a network a map can be drawn at, from its layer table alone: choosing one needs no TensorFlow."""

from __future__ import annotations

from fer_core.errors import ExplainError
from fer_core.zoo.describe import Description, LayerRow
from fer_core.zoo.heads import AVERAGE, FLATTEN


def spatial_layers(description: Description) -> list[LayerRow]:
    """Layers whose output still has places, (h, w, channels) with more than one cell, in the network's order.

    What comes before the first layer with parameters is left out: there is only the face there, resized.
    """
    rows: list[LayerRow] = []
    learned = False
    for row in description.layers:
        learned = learned or row.parameters > 0
        if learned and len(row.output_shape) == 3 and row.output_shape[0] * row.output_shape[1] > 1:
            rows.append(row)
    return rows


def default_layer(description: Description) -> str:
    """The layer that the head reads, at which the class maps are drawn; without our head, the last spatial layer.

    Raises ``ExplainError`` where no layer has places.
    """
    names = {row.name for row in spatial_layers(description)}
    for row in description.layers:
        if row.name in (AVERAGE, FLATTEN) and row.inputs[0] in names:
            return row.inputs[0]
    return checked_layers(spatial_layers(description), description)[-1].name


def layer(description: Description, name: str) -> LayerRow:
    """The spatial layer of that name. Raises ``ExplainError`` saying what is wrong with another one."""
    rows = checked_layers(spatial_layers(description), description)
    found = next((row for row in rows if row.name == name), None)
    if found is None:
        raise ExplainError(
            f"{description.title} has no layer called {name!r} with places to show. "
            f"Its layers run from {rows[0].name} to {rows[-1].name}."
        )
    return found


def layer_text(row: LayerRow) -> str:
    """``block4_conv2 · Conv2D · 6×6 cells, 256 channels``."""
    height, width, channels = row.output_shape
    return f"{row.name} · {row.type} · {height}×{width} cells, {channels:,} channels"


def randomisation_stages(description: Description) -> list[tuple[str, tuple[str, ...]]]:
    """The layers with parameters in groups, from the answer back to the face: (name, layer names), the head first.

    A group is what shares the first part of its name, such as ``block4`` or ``conv3``, which is how the networks here
    call their stages.
    """
    groups: list[tuple[str, list[str]]] = []
    spatial = {row.name for row in spatial_layers(description)}
    for row in reversed([row for row in description.layers if row.parameters]):
        stage = row.name.split("_")[0] if row.name in spatial else HEAD
        if groups and groups[-1][0] == stage:
            groups[-1][1].append(row.name)
        else:
            groups.append((stage, [row.name]))
    return [(stage, tuple(names)) for stage, names in groups]


HEAD = "head"


def checked_layers(rows: list[LayerRow], description: Description) -> list[LayerRow]:
    """The same rows; ``ExplainError`` if there are none."""
    if not rows:
        raise ExplainError(
            f"No layer of {description.title} has more than one cell, so no method that looks at a layer can say "
            "where it looks. Choose one that covers parts of the face."
        )
    return rows
