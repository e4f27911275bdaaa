"""The diagram is a valid SVG that tells what the table tells."""

import xml.etree.ElementTree as ElementTree

import pytest

from fer_core.zoo.describe import description
from fer_core.zoo.diagram import describe, layer_groups, svg
from fer_core.zoo.registry import names


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", names())
def test_the_diagram_parses_and_has_a_text_alternative(name: str, dark: bool) -> None:
    root = ElementTree.fromstring(svg(description(name), dark=dark))
    assert root.get("role") == "img"
    assert "probabilities 7" in (root.get("aria-label") or "")
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "faces" in texts


@pytest.mark.parametrize("name", names())
def test_stages_hold_every_layer_once(name: str) -> None:
    table = description(name)
    found = [layer for stage in layer_groups(table) for layer in stage.layers]
    assert tuple(found) == table.layers


def test_the_custom_cnn_reads_as_four_blocks() -> None:
    shapes = {stage.name: stage.output_shape for stage in layer_groups(description("custom_cnn"))}
    assert shapes["block1"] == (24, 24, 32)
    assert shapes["block4"] == (6, 6, 256)
    assert "block4 6×6×256" in describe(description("custom_cnn"))


def test_a_border_for_the_next_convolution_is_not_a_stages_result() -> None:
    shapes = {stage.name: stage.output_shape for stage in layer_groups(description("resnet50"))}
    assert shapes["conv1"] == (48, 48, 64)
