"""Recipes to start from: a taste, a quick look, and a serious training."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fer_core.emotions import IMAGE_SIZE
from fer_core.errors import RecipeError
from fer_core.runs.recipe import Augmentation, Recipe
from fer_core.zoo.backend import preferred
from fer_core.zoo.registry import get


@dataclass(frozen=True)
class Preset:
    key: str
    title: str
    description: str


PRESETS = (
    Preset("minute", "A taste", "Enough to see it learn."),
    Preset("quick", "Quick look", "Enough for curves and a first confusion matrix, not for a good model."),
    Preset("serious", "Serious", "For Custom CNN, the very recipe of the model that ships."),
)
AUGMENTATION = Augmentation(flip=True, shift=0.1, rotation=10, zoom=0.1)


MINUTE_FACES = 17_000
"""Faces that a custom CNN sees in about a minute on two CPU cores, however many of them differ."""
MINUTE_EPOCHS = 10


def preset(key: str, architecture: str, faces: int | None = None) -> Recipe:
    """The recipe of a preset for an architecture, computed with what ``KERAS_BACKEND`` asks for.

    Raises ``RecipeError`` for unknown names.

    ``faces``: how many there are to train on, where that is known. A minute is a minute on any data: where there are
    more faces than in the drawn sample, it has fewer epochs.
    """
    entry = get(architecture)
    if key not in {item.key for item in PRESETS}:
        known = ", ".join(item.key for item in PRESETS)
        raise RecipeError(f"there is no preset called {key!r}. Known: {known}.")
    recipe = Recipe(architecture=architecture, backend=preferred())
    if key == "minute":
        epochs = min(MINUTE_EPOCHS, max(1, round(MINUTE_FACES / faces))) if faces else MINUTE_EPOCHS
        recipe = replace(recipe, epochs=epochs, batch_size=32, learning_rate=1e-3)
    elif key == "quick":
        recipe = replace(recipe, epochs=5)
    else:
        recipe = replace(recipe, epochs=75 if entry.augmented else 20)
    if entry.augmented:
        recipe = replace(recipe, augmentation=AUGMENTATION)
    if entry.transfer:
        recipe = _transfer(recipe, key)
        if key == "minute" and faces:
            # Its first epoch is the head's alone.
            fewer = max(1, round(recipe.epochs * min(1.0, MINUTE_FACES / MINUTE_EPOCHS / faces)))
            recipe = replace(recipe, epochs=fewer, frozen_epochs=min(recipe.frozen_epochs, fewer - 1))
    return recipe


def _transfer(recipe: Recipe, key: str) -> Recipe:
    """From ImageNet's weights: briefly the head first, or, seriously, all layers and a growing input."""
    entry = get(recipe.architecture)
    # Without batch normalisation a step far too long is never made good again.
    clip = 1.0 if recipe.architecture == "vgg16" else 0.0
    recipe = replace(recipe, learning_rate=1e-3, initial_weights="imagenet", clip_norm=clip)
    if key == "serious" and recipe.architecture == "vgg16":
        augmentation = replace(AUGMENTATION, erasing=0.1)
        small = replace(recipe, input_size=IMAGE_SIZE, start_size=32, start_epochs=8, augmentation=augmentation)
        return replace(small, epochs=17, learning_rate=1.5e-4)
    if key == "serious":
        # At 48 pixels a backbone costs a third of what it costs at 96. It grows while the learning rate is still high.
        return replace(recipe, epochs=14, learning_rate=4e-4, input_size=96, start_size=IMAGE_SIZE, start_epochs=4)
    return replace(
        recipe,
        epochs={"minute": 3, "quick": 4}[key],
        input_size=IMAGE_SIZE,
        frozen_epochs=1,
        fine_tune_from=entry.fine_tune_from,
        fine_tune_factor=0.2,
    )
