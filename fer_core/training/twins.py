"""The twin of a training: the same recipe and seed with augmentation off, or on, trained after it to be compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.runs.contracts import RunState
from fer_core.runs.folder import RunFolder, new_run_dir
from fer_core.runs.recipe import Augmentation, Recipe
from fer_core.runs.twin import read_twins, twin_of, write_twins
from fer_core.runs.visitor import read_visitor, write_visitor
from fer_core.training.presets import AUGMENTATION
from fer_core.training.resume_state import remember_data
from fer_core.value_types import LONGEST_LINE
from fer_core.writable import explained

FEWEST_SECONDS = 20.0
"""With less of a visitor's time left, a twin is not begun: nothing would come of it."""
WITH, WITHOUT = "augmented", "not augmented"
"""What stands behind the name of a run in that of its twin."""


def twin_recipe(recipe: Recipe) -> Recipe:
    """The recipe with augmentation off; with that of the presets where it is off."""
    words = WITHOUT if recipe.augmentation.active else WITH
    return replace(
        recipe,
        augmentation=Augmentation() if recipe.augmentation.active else AUGMENTATION,
        name=f"{recipe.title[: LONGEST_LINE - len(words) - 2]}, {words}",
    )


def plan(run: Path, recipe: Recipe) -> None:
    """Note in the folder of a run that its twin is to follow. Raises ``OSError``."""
    write_twins(run, run.name, new_run_dir(recipe.architecture, twin_recipe(recipe).name, run.parent).name)


def follows(run: RunFolder) -> bool:
    """Whether a twin is planned after this run and was not begun. Raises ``RunError`` for a damaged note."""
    record = read_twins(run.path)
    return record is not None and record["first"] == run.name and twin_of(run.path) is None


def may_follow(run: RunFolder) -> bool:
    """Whether a twin can be begun now: the run was trained to its end, and has none.

    One that was stopped would be compared with a longer training. Raises ``RunError`` for a damaged note.
    """
    manifest = run.manifest()
    done = manifest is not None and manifest["state"] == RunState.DONE and run.recipe_path.exists()
    return done and twin_of(run.path) is None


def unfinished_twin(run: RunFolder) -> RunFolder | None:
    """The twin that was begun after this run and is not done; None where there is none.

    Raises ``RunError`` for a damaged note.
    """
    record, other = read_twins(run.path), twin_of(run.path)
    if record is None or other is None or record["first"] != run.name:
        return None
    twin = RunFolder(other)
    manifest = twin.manifest()
    return twin if manifest is None or manifest["state"] != RunState.DONE else None


def prepare(run: RunFolder, data: Path, *, seconds: float | None = None) -> RunFolder:
    """Make the folder of the twin that follows ``run``, with all that its start needs, and return it.

    ``data``: the dataset folder. ``seconds``: how long the twin of a visitor's run may train; None gives it what is
    left of the run's own time. Raises ``RunError`` where ``run`` is not done or has a twin, where a visitor's time is
    up, or where nothing can be written.
    """
    if not may_follow(run):
        raise RunError(f"{run.name} has a twin already, or is not trained to its end.")
    visitor = read_visitor(run.path)
    if visitor is not None and seconds is None:
        spent = (datetime.now(UTC) - datetime.fromisoformat(visitor["started"])).total_seconds()
        seconds = visitor["seconds"] - spent
        if seconds < FEWEST_SECONDS:
            raise RunError(f"No time is left for the twin of {run.name}: it can be trained by itself.")
    recipe = twin_recipe(run.recipe())
    twin = RunFolder(new_run_dir(recipe.architecture, recipe.name, run.path.parent))
    with explained(f"The twin cannot be written to {twin.path}", RunError):
        twin.path.mkdir()
        if visitor is not None and seconds is not None:
            write_visitor(twin.path, visitor["mark"], seconds)
        remember_data(twin, data)
        write_twins(twin.path, run.name, twin.name)
        write_twins(run.path, run.name, twin.name)
        # Last: it makes the folder a run.
        write_json(twin.recipe_path, recipe.to_dict())
    return twin
