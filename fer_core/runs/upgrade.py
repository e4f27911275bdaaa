"""Runs of schema 1, which held one evaluation beside their other files, made runs of schema 2: once, and as a whole."""

from __future__ import annotations

import shutil

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
from fer_core.runs.predictions import TWIN, probabilities_of, write_predictions
from fer_core.runs.transaction import change


def upgrade(folder: RunFolder, *, drop_damaged: bool = False) -> None:
    """Upgrade a complete run of schema 1; nothing happens to any other, nor to one whose evaluation is damaged.

    ``drop_damaged``: what cannot be used goes, because it is about to be measured anew. Raises ``OSError`` where the
    folder cannot be written to: it then stays what it was.
    """
    manifest = folder.manifest()
    if manifest is None or manifest.get("schema") != 1 or (folder.evaluation_problems() and not drop_damaged):
        return
    found = folder.evaluation()
    with change(folder.path) as prepared:
        if found is not None:
            path = prepared.directory(f"{FOLDER}/{folder_name(found.data)}")
            frame = found.predictions()
            write_predictions(
                path / PREDICTIONS,
                frame["row"],
                frame["split"],
                frame["label"],
                probabilities_of(frame),
                frame[TWIN].to_numpy(dtype=bool) if TWIN in frame else None,
                fingerprint=found.fingerprint,
            )
            write_json(path / METRICS, found.metrics())
            for name in OPTIONAL_FILES:
                if found.has(name) and _sound(found, name):
                    shutil.copy2(found.path / name, path / name)
            seal_evaluation(path, found.data, found.model, found.created)
        for name in (*REQUIRED_FILES, *OPTIONAL_FILES):
            prepared.remove(name)
        # Hashes are carried over, not taken anew: a model that was tampered with must not become right by this.
        files = {name: manifest["files"][name] for name in folder.sealed_files if name in manifest["files"]}
        origin = "vote" if folder.is_vote else "trained"
        record = {**manifest, "schema": SCHEMA, "origin": origin, "files": files}
        write_json(prepared.file(folder.manifest_path.name), record)


def _sound(evaluation: Evaluation, name: str) -> bool:
    try:
        evaluation.check(name)
    except RunError:
        return False
    return True
