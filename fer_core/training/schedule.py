"""Learning-rate schedules as plain functions of the position in training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fer_core.runs.recipe import Recipe


@dataclass
class Plateau:
    """State of the plateau schedule; kept in ``resume.npz``."""

    factor: float = 1.0
    wait: int = 0

    def after_epoch(self, better: bool, patience: int) -> None:
        """Halve the rate once ``patience`` epochs in a row brought no better PublicTest accuracy."""
        self.wait = 0 if better else self.wait + 1
        if self.wait >= patience:
            self.factor *= 0.5
            self.wait = 0


def learning_rate(recipe: Recipe, epoch: int, fraction: float, plateau: Plateau) -> float:
    """The rate for a batch ``fraction`` (0..1) of the way through ``epoch`` (from 1).

    Head-only epochs and fine-tuning are two stages; each starts its schedule anew, fine-tuning at
    ``learning_rate`` × ``fine_tune_factor``. Warm-up applies to the first stage.
    """
    fine_tuning = recipe.frozen_epochs > 0 and epoch > recipe.frozen_epochs
    base = recipe.learning_rate * (recipe.fine_tune_factor if fine_tuning else 1.0)
    done = epoch - 1 + fraction
    if not fine_tuning and done < recipe.warmup_epochs:
        return base * max(done / recipe.warmup_epochs, 1e-3)
    if recipe.schedule == "constant":
        return base
    if recipe.schedule == "plateau":
        return base * plateau.factor
    start = recipe.frozen_epochs if fine_tuning else recipe.warmup_epochs
    end = recipe.epochs if fine_tuning or recipe.frozen_epochs == 0 else recipe.frozen_epochs
    progress = (done - start) / max(end - start, 1e-9)
    return base * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
