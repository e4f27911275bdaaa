"""Does a run folder hold together? Looked at whenever runs are listed, and so only once for each state of its files.

What is looked at: that every file that ``run.json`` promises is there, a file, and of the promised size; that those
which tables and pages are made of (all but models and optional measurements, which are held against their hashes when
they are opened) have the promised hash; that what is in them is what it should be; and that metrics and predictions are
about the same faces.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from fer_core.emotions import COUNT
from fer_core.errors import RecipeError, RunError
from fer_core.files import sha256_of
from fer_core.runs.contracts import Metrics, RunManifest
from fer_core.runs.events import StartEvent, starts_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import history_rows
from fer_core.runs.predictions import Predictions, read_arrays
from fer_core.runs.reading import RESTORE, damaged, shown
from fer_core.runs.recipe import Recipe
from fer_core.runs.vote import read_vote

LARGE = ("model.keras", "model.tflite", "model.mlir")
"""Held against their hashes when they are opened: hashing them takes a tenth of a second a run."""
KEPT = 512
"""Looks that are remembered, some kilobytes each."""

State = tuple[tuple[str, int, int, int], ...]


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


def look(folder: RunFolder) -> Look:
    """What there is at a folder. Where none of its files has changed since the last time, it costs only that look."""
    if shown(folder.name) != folder.name:
        return Look(f"the name of the folder {shown(folder.path)} holds what is no letter. Rename the folder.")
    try:
        state = _state(folder.path)
    except OSError as error:
        return Look(f"{shown(folder.path)} cannot be read: {error.strerror or error}. Check its permissions.")
    return _look(str(folder.path), state)


def _state(path: Path) -> State:
    """Name, kind, time of change and size of everything in the folder; links count as what they lead to."""
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            try:
                about = entry.stat()
            except OSError:
                about = entry.stat(follow_symlinks=False)  # it leads nowhere, or in a circle
            found.append((entry.name, stat.S_IFMT(about.st_mode), about.st_mtime_ns, about.st_size))
    return tuple(sorted(found))


@lru_cache(maxsize=KEPT)
def _look(path: str, state: State) -> Look:
    folder, names = RunFolder(Path(path)), {name for name, *_ in state}
    try:
        if folder.manifest_path.name in names:
            return Look(manifest=_complete(folder, {name: size for name, kind, _, size in state if stat.S_ISREG(kind)}))
        if folder.recipe_path.name in names:
            return Look(recipe=folder.recipe().validate(), start=next(iter(starts_of(folder.events())), None))
    except RecipeError as error:
        return Look(str(damaged(folder.recipe_path, str(error).rstrip("."), RESTORE)))
    except RunError as error:
        return Look(str(error))
    return Look()


def _complete(folder: RunFolder, sizes: dict[str, int]) -> RunManifest:
    """``run.json``. Raises ``RunError`` or ``RecipeError`` for the first thing that is wrong with the folder."""
    manifest = folder.manifest()
    if manifest is None:
        raise damaged(folder.manifest_path, "it is a link that leads nowhere", RESTORE)
    for name in folder.sealed_files:
        _check_promised(folder, manifest, name, sizes)
    if folder.is_vote:
        read_vote(folder)
    else:
        folder.recipe().validate()
        folder.description()
        if len(history_rows(folder.history_path)) < (manifest["best_epoch"] or 0):
            raise damaged(folder.history_path, f"it lacks the best epoch, {manifest['best_epoch']}", RESTORE)
    _check_evaluation(folder)
    return manifest


def _check_promised(folder: RunFolder, manifest: RunManifest, name: str, sizes: dict[str, int]) -> None:
    path, promised = folder.path / name, manifest["files"].get(name)
    again = again_for(folder, name)
    if promised is None:
        raise damaged(folder.manifest_path, f"it gives no hash of {name}", again)
    if name not in sizes:
        reason = "it is a folder or another thing that is no file" if os.path.lexists(path) else "it is missing"
        raise damaged(path, reason, again)
    if sizes[name] != promised["bytes"]:
        raise damaged(path, f"it has {sizes[name]:,} bytes, and run.json promises {promised['bytes']:,}", again)
    if name not in LARGE and sha256_of(path) != promised["sha256"]:
        raise damaged(path, "its content is not what run.json promises", again)


def again_for(folder: RunFolder, name: str) -> str:
    """What to do where that file of a run is damaged."""
    if name == folder.tflite_path.name:
        return f"Make it again with: python -m fer_core export {shown(folder.path)} --data DATASET"
    if name in (folder.recipe_path.name, folder.keras_path.name, folder.architecture_path.name) or folder.is_vote:
        return RESTORE
    return f"Make it again with: python -m fer_core evaluate {shown(folder.path)} --data DATASET"


def _check_evaluation(folder: RunFolder) -> None:
    """Metrics and predictions, one by one and against each other."""
    metrics, again = folder.metrics(), again_for(folder, folder.metrics_path.name)
    if metrics is None:
        raise damaged(folder.metrics_path, "it is missing", again)
    found = read_arrays(folder.predictions_path, faces=metrics["data"]["faces"], again=again)
    if problem := contradiction(metrics, found):
        raise damaged(folder.predictions_path, problem, again)


def contradiction(metrics: Metrics, found: Predictions) -> str:
    """How predictions differ from what the metrics say of them, as the end of a sentence; empty where they do not."""
    answers = found.probabilities.argmax(axis=1)
    for split, scores in metrics["splits"].items():
        of = found.splits == split
        if int(of.sum()) != scores["n"]:
            return f"it has {int(of.sum()):,} faces of {split}, and metrics.json is about {scores['n']:,}"
        counts = np.bincount(found.labels[of] * COUNT + answers[of], minlength=COUNT * COUNT).reshape(COUNT, COUNT)
        if counts.tolist() != scores["confusion"]:
            return f"its answers on {split} are not those that metrics.json counts"
    if unknown := sorted(set(found.splits.tolist()) - set(metrics["splits"])):
        return f"it has faces of {unknown[0]}, and metrics.json is not about them"
    return ""
