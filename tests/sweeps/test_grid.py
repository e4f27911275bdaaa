"""The grid of a sweep, checked before anything starts."""

from __future__ import annotations

import pytest

from fer_core.errors import RecipeError
from fer_core.runs.recipe import Recipe
from fer_core.sweeps.contracts import MOST_TRIALS
from fer_core.sweeps.grid import check_grid, combinations, parse_grid, recipe_of

BASE = Recipe("custom_cnn", epochs=3)


def test_values_are_read_as_what_they_are() -> None:
    grid = parse_grid(["learning_rate=1e-3,0.003", "augmentation.flip=true,false", "schedule=cosine, constant"])
    assert grid == {
        "learning_rate": [1e-3, 0.003],
        "augmentation.flip": [True, False],
        "schedule": ["cosine", "constant"],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("learning_rate", "KEY=VALUE"),
        ("=1", "KEY=VALUE"),
        ("learning_rate=", "KEY=VALUE"),
        ("learning_rate=1,,2", "missing between two commas"),
        ("learning_rate=0.1,1e-1", "twice"),
        ("seed=1,2", "--seeds"),
        ("teachers=one", "--teachers"),
        ("epochs=null", "no single value"),
        ("epochs=" + "1,," * 100_000, "^.{,300}$"),
    ],
)
def test_what_is_no_grid_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_grid([text])


def test_a_choice_that_is_named_twice_is_refused() -> None:
    with pytest.raises(RecipeError, match="twice"):
        parse_grid(["epochs=1,2", "epochs=3"])


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"learning_rate": [0.001, 20]}, "learning_rate=20: .*between"),
        ({"augmentation.rotation": [10, 90]}, "rotation=90: .*between 0 and 45"),
        ({"learning_rat": [0.001]}, "unknown keys: learning_rat"),
        ({"augmentation.turn": [1]}, "unknown keys: augmentation.turn"),
        ({"optimiser.kind": ["adam"]}, "no 'optimiser'"),
        ({".seed": [1, 2]}, "no ''"),
        ({"epochs": [10**4000]}, "^.{,500}$"),
        ({"epochs": [1.5]}, "must be int"),
        ({"architecture": ["custom_cnn", "lenet"]}, "architecture is 'lenet'"),
        ({"precision": ["auto", "float32"]}, "decided once"),
        ({"learning_rate": [0.001 + n / 1e6 for n in range(MOST_TRIALS)], "epochs": [1, 2]}, "are the most"),
    ],
)
def test_every_value_is_held_against_the_recipe(grid: dict, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        check_grid(BASE, grid, 1)


def test_a_trials_recipe_is_the_base_with_its_settings_and_its_seed() -> None:
    assert list(combinations({"epochs": [1, 2], "augmentation.rotation": [0, 10]})) == [
        {"epochs": 1, "augmentation.rotation": 0},
        {"epochs": 1, "augmentation.rotation": 10},
        {"epochs": 2, "augmentation.rotation": 0},
        {"epochs": 2, "augmentation.rotation": 10},
    ]
    recipe = recipe_of(BASE, {"epochs": 2, "augmentation.rotation": 10}, 4, "mine")
    assert (recipe.epochs, recipe.augmentation.rotation, recipe.seed, recipe.name) == (2, 10.0, 4, "mine")
    assert BASE.augmentation.rotation == 0, "the base stays as it was"
