"""The grid of a sweep: choices and their values, read from text, and the recipe of every combination, checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from fer_core.errors import RecipeError
from fer_core.runs.recipe import Recipe
from fer_core.sweeps.contracts import MOST_TRIALS, Value

OWN_OPTION = {"seed": "--seeds", "name": "the sweep's name", "teachers": "--teachers", "augmentation": "its parts"}
"""Choices that no grid takes, and what sets them instead."""

LONGEST = 200
"""Letters of what was typed that a message repeats."""

Grid = Mapping[str, Sequence[Value]]


def parse_grid(assignments: Sequence[str]) -> dict[str, list[Value]]:
    """The grid in words like ``learning_rate=0.001,0.003``. Raises ``RecipeError`` for what is none."""
    grid: dict[str, list[Value]] = {}
    for text in assignments:
        key, equals, values = text.partition("=")
        key = key.strip()
        text = shortened(text)
        if not (equals and key and values.strip()):
            raise RecipeError(f"--grid {text}: write KEY=VALUE,VALUE, for example --grid learning_rate=0.001,0.003")
        if key in grid:
            raise RecipeError(f"--grid names {shortened(key)} twice: give all its values at once, with commas between.")
        if key in OWN_OPTION:
            raise RecipeError(f"--grid {text}: {key} is set by {OWN_OPTION[key]}.")
        grid[key] = [_value(key, one) for one in values.split(",")]
        if len(set(map(repr, grid[key]))) < len(grid[key]):
            raise RecipeError(f"--grid {text}: a value is there twice.")
    return grid


def recipe_of(base: Recipe, settings: Mapping[str, Value], seed: int, name: str = "") -> Recipe:
    """The recipe of one trial. Raises ``RecipeError`` naming the settings where the recipe does not take them."""
    values: dict[str, Any] = {**base.to_dict(), "seed": seed, "name": name}
    values["augmentation"] = dict(values["augmentation"])
    try:
        for key, value in settings.items():
            where, inside, choice = key.rpartition(".")
            if where != ("augmentation" if inside else ""):
                raise RecipeError(f"the recipe has no {where!r} with choices in it.")
            (values[where] if where else values)[choice] = value
        return Recipe.from_dict(values).validate()
    except RecipeError as error:
        raise RecipeError(f"--grid {shortened(words(settings))}: {error}" if settings else str(error)) from None


def combinations(grid: Grid) -> Iterator[dict[str, Value]]:
    """Every combination of values; one without settings where the grid is empty."""
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def check_grid(base: Recipe, grid: Grid, seeds: int) -> None:
    """Raise ``RecipeError`` unless every trial's recipe can be trained, and there are not too many."""
    if "auto" in grid.get("precision", ()):
        raise RecipeError("--grid precision: auto is decided once for all trials of a sweep. Leave it out of the grid.")
    trials = seeds
    for values in grid.values():
        trials *= len(values)
    if trials > MOST_TRIALS:
        raise RecipeError(f"that makes {trials:,} trials; {MOST_TRIALS:,} are the most. Give fewer values or seeds.")
    for settings in combinations(grid):
        recipe_of(base, settings, base.seed + seeds - 1)


def words(settings: Mapping[str, Value]) -> str:
    """Settings in one line: ``learning_rate=0.001 augmentation.rotation=10``."""
    return " ".join(f"{key}={shown(value)}" for key, value in settings.items())


def shortened(text: str) -> str:
    """What somebody typed, for a message of which it is a part: a grid may have a million letters."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def called(key: str) -> str:
    """What people call a choice: ``learning rate``, ``rotation``."""
    return key.rpartition(".")[2].replace("_", " ")


def shown(value: Value) -> str:
    """A value as it is typed: ``0.001``, ``true``, ``cosine``."""
    return value if isinstance(value, str) else json.dumps(value)


def _value(key: str, text: str) -> Value:
    text = text.strip()
    if not text:
        raise RecipeError(f"--grid {key}: a value is missing between two commas.")
    try:
        value = json.loads(text)
    except ValueError:
        return text  # a plain word needs no quotes
    if not isinstance(value, bool | int | float | str):
        raise RecipeError(f"--grid {key}: {shortened(text)} is no single value.")
    return value
