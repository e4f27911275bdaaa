"""Recipes: what they refuse, and in which words."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from fer_core.errors import RecipeError
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import RANGES, Augmentation, Recipe
from fer_core.settings import PROJECT_ROOT
from fer_core.training.presets import PRESETS, preset
from fer_core.value_types import MOST_EPOCHS
from fer_core.zoo.registry import names


def test_a_recipe_survives_its_file() -> None:
    recipe = Recipe("custom_cnn", epochs=3, augmentation=Augmentation(flip=True, shift=0.1), teachers=("a", "b"))
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize("architecture", names())
@pytest.mark.parametrize("key", [item.key for item in PRESETS])
def test_every_preset_is_valid(key: str, architecture: str) -> None:
    recipe = preset(key, architecture).validate()
    assert recipe.augmentation.active == (architecture != "custom_cnn")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"architecture": "alexnet"}, "custom_cnn"),
        ({"epochs": 0}, "epochs is 0; it must lie between 1"),
        ({"batch_size": 1}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"optimizer": "lion"}, "one of adam, sgd"),
        ({"schedule": "step"}, "cosine, plateau, constant"),
        ({"precision": "float16"}, "mixed_bfloat16"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "x" * 5_000}, "name"),
        ({"warmup_epochs": 99.0}, "warmup_epochs"),
        ({"input_size": 1000}, "input_size"),
        ({"augmentation": Augmentation(shift=0.9)}, "augmentation.shift"),
        ({"initial_weights": "imagenet"}, "trained from scratch"),
        ({"frozen_epochs": 2}, "trained from scratch"),
        ({"averaging": 1.0}, "averaging is 1; it must lie between 0"),
        ({"soft_weight": 1.5}, "soft_weight"),
        ({"soft_temperature": 0.0}, "soft_temperature"),
        ({"labels": "votes"}, "one of dataset, crowd"),
        ({"labels": "crowd", "teachers": ("a",)}, "bring back the labels"),
        ({"labels": "crowd", "class_weights": "sqrt"}, "Take class_weights=none"),
        ({"labels": "crowd", "sampling": "balanced"}, "Take sampling=shuffled"),
        ({"folds": 1, "fold": 1}, "parted in 2 at least"),
        ({"folds": 3}, "fold is 0; it must lie between 1 and 3"),
        ({"fold": 2}, "fold is 2; it must lie between 0 and 0"),
        ({"teachers": ("../secret",)}, "names of runs, not paths"),
        ({"teachers": ("..",)}, "names of runs, not paths"),
        ({"teachers": ("a", "a")}, "names a run twice"),
    ],
)
def test_a_wrong_choice_is_named_with_what_is_allowed(change: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        replace(Recipe("custom_cnn"), **change).validate()


def test_every_number_of_a_recipe_has_a_range() -> None:
    """A field without one would train with whatever a file says."""
    numbers = [item.name for item in fields(Recipe) if item.type in ("int", "float")]
    changes = [f"augmentation.{item.name}" for item in fields(Augmentation) if item.type == "float"]
    assert set(RANGES) == {*numbers, *changes}


@pytest.mark.parametrize("name", RANGES)
def test_what_lies_outside_its_range_is_refused_by_name(name: str) -> None:
    group, _, last = name.rpartition(".")
    usual = Recipe("resnet50", epochs=MOST_EPOCHS, input_size=64, start_size=64, start_epochs=1, folds=20, fold=1)
    low, high = RANGES[name]
    for value in (low - 1, high + 1):
        changed = replace(Augmentation(), **{last: value}) if group else value
        with pytest.raises(RecipeError, match=rf"^{name} is .*; it must lie between"):
            replace(usual, **{group or name: changed}).validate()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epoch": 3}, "unknown keys: epoch"),
        ({"epochs": "three"}, "epochs must be int, not 'three'"),
        ({"epochs": True}, "epochs must be int"),
        ({"augmentation": {"flip": 1}}, "augmentation.flip must be bool"),
        ({"teachers": "resnet50"}, "teachers must be a list of words"),
        ({"teachers": [3]}, "teachers must be a list of words"),
        ({"augmentation": {"flop": True}}, "augmentation.flop"),
        ({"augmentation": 3}, "augmentation must be a JSON object"),
    ],
)
def test_a_file_that_is_no_recipe_says_where(change: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        Recipe.from_dict({"architecture": "custom_cnn", **change})


def test_a_file_without_an_architecture_is_incomplete() -> None:
    with pytest.raises(RecipeError, match="architecture"):
        Recipe.from_dict({"epochs": 3})


def test_a_file_that_holds_a_list_was_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text("[1, 2]")
    with pytest.raises(RecipeError, match="content must be a JSON object"):
        Recipe.read(path)


@pytest.mark.parametrize("text", [None, "{"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "recipe.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RecipeError, match=r"recipe\.json cannot be read as a recipe"):
        Recipe.read(path)


def test_unknown_presets_are_named() -> None:
    with pytest.raises(RecipeError, match="minute, quick, serious"):
        preset("lazy", "custom_cnn")


@pytest.mark.parametrize("name", ["custom_cnn", "custom_cnn_augmented", "resnet50"])
def test_the_serious_preset_is_the_recipe_of_the_model_that_ships(name: str) -> None:
    shipped = RunFolder(PROJECT_ROOT / "models" / name).recipe()
    assert preset("serious", name).with_precision(shipped.precision) == shipped


@pytest.mark.parametrize("content", ["[" * 90_000, " " * 100_001, '{"epochs": ' + "9" * 50_000 + "}"])
def test_a_recipe_made_to_hang_or_to_fill_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(RecipeError, match=r"recipe\.json cannot be read as a recipe") as found:
        Recipe.read(tmp_path / "recipe.json")
    assert len(str(found.value)) < 1000


@pytest.mark.parametrize(
    ("architecture", "faces", "epochs"), [("custom_cnn", 1_680, 10), ("custom_cnn", 28_709, 1), ("resnet50", 28_709, 1)]
)
def test_the_minute_took_ten_minutes_on_more_faces(architecture: str, faces: int, epochs: int) -> None:
    assert preset("minute", architecture, faces).validate().epochs == epochs
