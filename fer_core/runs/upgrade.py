"""Runs of schema 1, which held one evaluation beside their other files, made runs of schema 2: once, and as a whole."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.runs.evaluations import (
    FOLDER,
    METRICS,
    OPTIONAL_FILES,
    PREDICTIONS,
    REQUIRED_FILES,
    Evaluation,
    folder_name,
    seal_evaluation,
)
from fer_core.runs.folder import SCHEMA, RunFolder
from fer_core.runs.predictions import NEAR_DUPLICATE, probabilities_of, write_predictions
from fer_core.runs.transaction import change, exclusive

if TYPE_CHECKING:
    import pandas as pd


def upgrade(folder: RunFolder, *, drop_damaged: bool = False) -> None:
    """Upgrade a complete run of schema 1; nothing happens to any other, nor to one whose evaluation is damaged.

    ``drop_damaged``: what cannot be used goes, because it is about to be measured anew. Two processes may do it at
    once. Raises ``OSError`` where the folder cannot be written to: it then stays what it was.
    """
    manifest = folder.manifest()
    if manifest is None or manifest.get("schema") != 1:
        return
    with exclusive(folder.path):
        manifest = folder.manifest()
        if manifest is None or manifest.get("schema") != 1:
            return  # another process was quicker
        found = folder.evaluation()
        frame = None if found is None else _predictions(found)
        damaged = bool(folder.evaluation_problems()) or (found is not None and frame is None)
        if damaged and not drop_damaged:
            return
        with change(folder.path) as prepared:
            if found is not None and frame is not None:
                _move(found, frame, prepared.directory(f"{FOLDER}/{folder_name(found.data)}"))
            for name in (*REQUIRED_FILES, *OPTIONAL_FILES):
                prepared.remove(name)
            # Hashes are carried over, not taken anew: a model that was tampered with must not become right by this.
            files = {name: manifest["files"][name] for name in folder.sealed_files if name in manifest["files"]}
            record = {**manifest, "schema": SCHEMA, "origin": folder.origin, "files": files}
            write_json(prepared.file(folder.manifest_path.name), record)


def _move(found: Evaluation, frame: pd.DataFrame, path: Path) -> None:
    """The evaluation with its predictions, in the folder ``path`` of its own and in the words of today."""
    write_predictions(
        path / PREDICTIONS,
        frame["row"],
        frame["split"],
        frame["label"],
        probabilities_of(frame),
        frame[NEAR_DUPLICATE].to_numpy(dtype=bool) if NEAR_DUPLICATE in frame else None,
        fingerprint=found.fingerprint,
    )
    write_json(path / METRICS, found.metrics())
    for name in OPTIONAL_FILES:
        if found.sound(name):
            shutil.copy2(found.path / name, path / name)
    seal_evaluation(path, found.data, found.model, found.created)


def _predictions(found: Evaluation) -> pd.DataFrame | None:
    """Its predictions; None where they are damaged, though they are what the manifest promises."""
    try:
        return found.predictions()
    except RunError:
        return None
