"""Layer tables that ship are what the code builds."""

import json

import pytest

from fer_core.errors import RecipeError, RunError
from fer_core.zoo.describe import DESCRIPTIONS, Description, description
from fer_core.zoo.registry import get, names


@pytest.mark.parametrize("name", names())
def test_every_architecture_ships_a_table_that_adds_up(name: str) -> None:
    table = description(name)
    assert table.parameters == sum(row.parameters for row in table.layers)
    assert table.multiply_adds == sum(row.multiply_adds for row in table.layers) > 0
    assert table.layers[0].output_shape == (48, 48, 1)
    assert table.layers[-1].output_shape == (7,)
    assert table.map_grid == (6, 6)
    known = {row.name for row in table.layers}
    assert all(parent in known for row in table.layers for parent in row.inputs)


def test_multiply_adds_of_the_custom_cnn_by_hand() -> None:
    by_name = {row.name: row for row in description("custom_cnn").layers}
    assert by_name["block1_conv1"].multiply_adds == 48 * 48 * 3 * 3 * 1 * 32
    assert by_name["block4_conv2"].multiply_adds == 6 * 6 * 3 * 3 * 256 * 256
    assert by_name["probabilities"].multiply_adds == 256 * 7


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_shipped_table_is_what_the_code_builds(name: str) -> None:
    import keras

    from fer_core.zoo.describe import describe_model

    keras.backend.clear_session()
    built = describe_model(get(name).build_default(), name, get(name).default_input_size)
    shipped = json.loads((DESCRIPTIONS / f"{name}.json").read_text(encoding="utf-8"))
    assert Description.from_dict(shipped) == built, "run: python -m fer_core architectures --write"


def test_unknown_names_and_broken_tables_say_so() -> None:
    with pytest.raises(RecipeError, match="no architecture called 'alexnet'"):
        description("alexnet")
    with pytest.raises(RunError, match="not an architecture description"):
        Description.from_dict({"layers": [{"name": "x"}]})
