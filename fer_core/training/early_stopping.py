"""When a training ends before its last epoch because PublicTest accuracy no longer rises."""

from __future__ import annotations

from fer_core.runs.recipe import Recipe


def without_better(count: int, better: bool) -> int:
    """How many epochs in a row were not better than the best one, after one more epoch."""
    return 0 if better else count + 1


def patience_is_over(recipe: Recipe, epochs_without_better: int, *, fine_tuning: bool) -> bool:
    """Whether to stop before the next epoch. Never where the recipe asks for no early stopping.

    ``fine_tuning``: whether the next epoch trains more than the head. The stage that trains the head alone is short and
    always runs to its end.
    """
    patience = recipe.early_stopping
    return bool(patience) and fine_tuning and epochs_without_better >= patience
