"""A network as a picture: one slab a stage, as tall as its grid and as deep as its channels. Plain SVG, no Keras."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from html import escape

from fer_core.zoo.describe import Description, LayerRow

COLUMN = 118
"""Pixels a stage: room for the longest label under it."""
HEIGHT = 300
MIDDLE = 130
STAGE = re.compile(r"^(block\d+|conv\d+)")
QUIET = {"Dropout", "ReLU", "Activation", "BatchNormalization", "ZeroPadding2D", "InputLayer"}
"""Types that a caption does not count: every stage has them."""


@dataclass(frozen=True)
class LayerGroup:
    """Neighbouring layers that share a stage name; ``output_shape`` is their result's."""

    name: str
    layers: tuple[LayerRow, ...]

    @property
    def output_shape(self) -> tuple[int, ...]:
        # A border added for the next stage's convolution is not this stage's result.
        shown = [layer for layer in self.layers if layer.type != "ZeroPadding2D"]
        return (shown or self.layers)[-1].output_shape

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def caption(self) -> str:
        """What is in it, for example ``2 Conv2D, MaxPooling2D``; additions count as shortcuts."""
        counts = Counter(layer.type for layer in self.layers if layer.type not in QUIET)
        words = {"Conv2D": "convolution", "MaxPooling2D": "pooling", "Add": "shortcut", "Rescaling": "rescale"}
        words |= {"Concatenate": "repeat grey", "UpSampling2D": "resize", "Resize": "resize", "Dense": "dense"}
        words |= {"GlobalAveragePooling2D": "average", "Flatten": "flatten"}
        parts = []
        for kind, count in counts.items():
            word = words.get(kind, kind)
            parts.append(word if count == 1 else f"{count} {word}s")
        return ", ".join(parts)


def layer_groups(description: Description) -> list[LayerGroup]:
    """The layer table, gathered by stage, in the order of the graph."""
    groups: list[tuple[str, list[LayerRow]]] = []
    for layer in description.layers:
        match = STAGE.match(layer.name)
        name = match.group(1) if match else layer.name
        # Dropout and the like between stages belong to the one before.
        if groups and (groups[-1][0] == name or (not match and layer.type in QUIET)):
            groups[-1][1].append(layer)
        else:
            groups.append((name, [layer]))
    return [LayerGroup(name, tuple(layers)) for name, layers in groups]


def svg(description: Description, *, dark: bool = False) -> str:
    """The diagram as an SVG document with a title and a text alternative, for a light or a dark page."""
    parts = layer_groups(description)
    text, quiet, face, side, edge = (
        ("#e8e8ea", "#a3a6ad", "#3f6d8f", "#2b4b63", "#9cc3df")
        if dark
        else ("#22252a", "#5b6068", "#8db8d6", "#5d8fb3", "#2f5f82")
    )
    body = [
        f'<line x1="{COLUMN / 2}" y1="{MIDDLE}" x2="{COLUMN * (len(parts) - 0.5)}" y2="{MIDDLE}" '
        f'stroke="{quiet}" stroke-width="1.5"/>'
    ]
    for index, stage in enumerate(parts):
        body += _slab(stage, COLUMN * (index + 0.5), (face, side, edge))
        body += _labels(stage, COLUMN * (index + 0.5), text, quiet)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMN * len(parts)} {HEIGHT}" role="img" '
        f'aria-label="{escape(describe(description), quote=True)}" font-family="sans-serif">'
        f"<title>{escape(description.title)}</title>{''.join(body)}</svg>"
    )


def describe(description: Description) -> str:
    """The diagram in words."""
    steps = "; ".join(f"{stage.name} {_shape(stage.output_shape)}" for stage in layer_groups(description))
    return (
        f"{description.title}: {steps}. {description.parameters:,} parameters, "
        f"{description.multiply_adds / 1e6:,.0f} million multiply-adds a face."
    )


def _slab(stage: LayerGroup, x: float, colours: tuple[str, str, str]) -> list[str]:
    face, side, edge = colours
    shape = stage.output_shape
    if len(shape) == 3:
        # Square root: 96 and 3 cells both stay visible on one scale.
        tall = 16 + 15 * math.sqrt(shape[0])
        deep = 4 + 4.5 * math.log2(max(shape[2], 2))
    else:
        tall, deep = 16 + 8 * math.log2(max(shape[0], 2)), 4
    left, top, slant = x - deep / 2 - 4, MIDDLE - tall / 2, 7
    return [
        f'<polygon points="{left:.1f},{top:.1f} {left + slant:.1f},{top - slant:.1f} '
        f'{left + slant + deep:.1f},{top - slant:.1f} {left + deep:.1f},{top:.1f}" '
        f'fill="{side}" stroke="{edge}"/>',
        f'<polygon points="{left + deep:.1f},{top:.1f} {left + deep + slant:.1f},{top - slant:.1f} '
        f'{left + deep + slant:.1f},{top + tall - slant:.1f} {left + deep:.1f},{top + tall:.1f}" '
        f'fill="{side}" stroke="{edge}"/>',
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{deep:.1f}" height="{tall:.1f}" fill="{face}" stroke="{edge}"/>',
    ]


def _labels(stage: LayerGroup, x: float, text: str, quiet: str) -> list[str]:
    lines = [(stage.name.replace("_", " "), text, 13, 600), (_shape(stage.output_shape), text, 12, 400)]
    caption = stage.caption
    if caption:
        pieces = caption.split(", ")
        lines += [(part, quiet, 11, 400) for part in pieces[:2]]
    if stage.parameters:
        lines.append((f"{_short(stage.parameters)} parameters", quiet, 11, 400))
    return [
        f'<text x="{x:.1f}" y="{232 + 15 * row}" text-anchor="middle" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}">{escape(line)}</text>'
        for row, (line, colour, size, weight) in enumerate(lines)
    ]


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in shape)


def _short(count: int) -> str:
    if count >= 1e6:
        return f"{count / 1e6:.1f} M"
    return f"{count / 1e3:.1f} k" if count >= 1e3 else str(count)
