"""Does a run folder hold together? Looked at whenever runs are listed, and so only once for each state of its files.

What is looked at: that every file that ``run.json`` promises is there, a file, and of the promised size; that all but
the models (which are held against their hashes when they are opened) have the promised hash; that what is in them is
what it should be; and the same of the metrics and predictions of each evaluation, which must be about the same faces.
What was measured on request says by itself whether it can be used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fer_core.errors import RecipeError, RunError
from fer_core.formatting import is_plain
from fer_core.runs.contracts import BROUGHT, Origin, RunManifest
from fer_core.runs.evaluations import folders
from fer_core.runs.events import StartEvent, starts_of
from fer_core.runs.folder import RunFolder, optional_by, sealed_by
from fer_core.runs.integrity import check_promised, state_of
from fer_core.runs.journal import history_rows
from fer_core.runs.reading import RESTORE, damaged, shown
from fer_core.runs.recipe import Recipe
from fer_core.runs.transaction import settle
from fer_core.runs.vote import read_vote

LARGE = ("model.keras", "model.tflite")
"""Held against their hashes when they are opened: hashing them takes a tenth of a second a run."""


@dataclass(frozen=True)
class Look:
    """What a folder turned out to be.

    ``problem``: what is wrong with it, in one or two sentences; empty where nothing is. ``manifest``: of a complete
    run. ``recipe`` and ``start``: of an unfinished one; ``start`` is the first event of that name. A folder that has
    none of these is no run.
    """

    problem: str = ""
    manifest: RunManifest | None = None
    recipe: Recipe | None = None
    start: StartEvent | None = None


MOST_TRIES = 5
"""Looks at a folder that changes meanwhile; moving its files takes another process milliseconds."""
_looks: dict[str, tuple[object, Look]] = {}
"""Of each folder: the state it was in, and what it was then."""


def look(folder: RunFolder) -> Look:
    """What there is at a folder. Where none of its files has changed since the last time, it costs only that look.

    A run of which some evaluation is sound is sound: those that are not, :meth:`RunFolder.evaluation_problems` tells.
    """
    if shown(folder.name) != folder.name:
        return Look(f"the name of the folder {shown(folder.path)} holds what is no letter. Rename the folder.")
    if not is_plain(folder.name):
        # Names of runs stand in sentences, links and figures, which would take these signs for a format.
        return Look(
            f"the name of the folder {folder.path} holds signs with a meaning in Markdown or HTML. Rename the folder."
        )
    for _ in range(MOST_TRIES - 1):
        found, state = _look_once(folder)
        # What another process changed meanwhile is no damage: half of the old and half of the new was seen.
        if not found.problem or _is_still(folder, state):
            return found
    return _look_once(folder)[0]


def _look_once(folder: RunFolder) -> tuple[Look, object]:
    """What there is, and the state that it was in before it was looked at."""
    state: object = None
    try:
        settle(folder.path)  # before its files are looked at: a change that was cut short has happened
        state = _state(folder)
        known = _looks.get(str(folder.path))
        if known is not None and known[0] == state:
            return known[1], state
        found = _look(folder)
        if _is_still(folder, state):
            _looks[str(folder.path)] = (state, found)
    except RunError as error:
        return Look(str(error)), state
    except OSError as error:
        where = shown(Path(str(error.filename or folder.path)))
        return Look(f"{where} cannot be read: {error.strerror or error}. Check its permissions."), state
    return found, state


def _state(folder: RunFolder) -> object:
    """Equal as long as no file of the run or of its evaluations changes. Raises ``OSError``."""
    return state_of(folder.path), *map(state_of, folders(folder.path))


def _is_still(folder: RunFolder, state: object) -> bool:
    """Whether the folder is in the state that it was in; of one that cannot be looked at, whether it could not then."""
    try:
        return _state(folder) == state
    except OSError:
        return state is None


def _look(folder: RunFolder) -> Look:
    try:
        if folder.complete:
            return Look(manifest=_complete(folder))
        if os.path.lexists(folder.recipe_path):
            return Look(recipe=folder.recipe().validate(), start=next(iter(starts_of(folder.events())), None))
    except RecipeError as error:
        return Look(str(damaged(folder.recipe_path, str(error).rstrip("."), RESTORE)))
    except RunError as error:
        return Look(str(error))
    return Look()


def _complete(folder: RunFolder) -> RunManifest:
    """``run.json``. Raises ``RunError`` or ``RecipeError`` for the first thing that is wrong with the folder."""
    manifest = folder.manifest()
    if manifest is None:
        raise damaged(folder.manifest_path, "it is a link that leads nowhere", RESTORE)
    # By what run.json says, not by what is there: a model that is gone does not make a run one of answers alone.
    origin = manifest.get("origin", folder.origin)
    for name in (*sealed_by(origin), *(name for name in optional_by(origin) if name in manifest["files"])):
        again = export_again(folder) if name == folder.tflite_path.name and origin == Origin.TRAINED else RESTORE
        check_promised(folder.manifest_path, manifest["files"], name, again, by_hash=name not in LARGE)
    if origin == Origin.VOTE:
        read_vote(folder)
    elif origin in BROUGHT:
        folder.import_record()
        if origin == Origin.IMPORTED:
            folder.description()
    else:
        folder.recipe().validate()
        folder.description()
        if len(history_rows(folder.history_path)) < (manifest["best_epoch"] or 0):
            raise damaged(folder.history_path, f"it lacks the best epoch, {manifest['best_epoch']}", RESTORE)
    problems = folder.evaluation_problems()
    if problems and not folder.evaluations():
        raise RunError(problems[0])
    return manifest


def export_again(folder: RunFolder) -> str:
    """What to do where a run's ``model.tflite`` is missing or damaged."""
    return f"Make it again with: python -m fer_core export {shown(folder.path)} --data DATASET"
