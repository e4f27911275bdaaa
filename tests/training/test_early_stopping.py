"""When a training ends early, by counts alone."""

from __future__ import annotations

from dataclasses import replace

from fer_core.runs.recipe import Recipe
from fer_core.training.early_stopping import patience_is_over, without_better


def test_it_stops_when_as_many_epochs_as_the_patience_were_no_better() -> None:
    recipe = replace(Recipe("custom_cnn"), early_stopping=2)
    count, stops = 0, []
    for better in (True, False, True, False, False):
        count = without_better(count, better)
        stops.append(patience_is_over(recipe, count, fine_tuning=True))
    assert stops == [False, False, False, False, True]


def test_the_head_alone_and_recipes_without_patience_never_stop_early() -> None:
    assert not patience_is_over(replace(Recipe("custom_cnn"), early_stopping=2), 9, fine_tuning=False)
    assert not patience_is_over(replace(Recipe("custom_cnn"), early_stopping=0), 9, fine_tuning=True)
