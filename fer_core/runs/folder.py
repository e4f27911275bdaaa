"""The run folder: names of its files, and readers for each.

The layout is described in ``docs/ARCHITECTURE.md``. ``run.json`` is written last: a folder without it is a run in
progress or one that died.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.errors import RunError
from fer_core.files import sha256_of, write_json
from fer_core.runs.contracts import Metrics, RunManifest, VoteRecord
from fer_core.runs.journal import Event, read_events, read_history
from fer_core.runs.reading import CONTRACTS, read_json
from fer_core.settings import settings

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.runs.recipe import Recipe
    from fer_core.zoo.describe import Description

SCHEMA = 1
SEALED_FILES = (
    "recipe.json",
    "architecture.json",
    "events.jsonl",
    "history.csv",
    "model.keras",
    "model.tflite",
    "predictions.parquet",
    "metrics.json",
    "CARD.md",
)
"""The files a complete run holds beside ``run.json``, which lists their hashes."""
OPTIONAL_FILES = ("embeddings.parquet",)
"""Sealed where they are there: runs measured by earlier versions lack them. A vote has none."""
MEASURED_FILES = ("corruptions.parquet", "faithfulness.json")
"""Measured on request, as long measurements are, and sealed where they are there; votes may have them, too."""
SEALED_VOTE_FILES = ("vote.json", "predictions.parquet", "metrics.json", "CARD.md")
"""What a complete vote holds: it is made of other runs, and has no model of its own."""


@dataclass(frozen=True)
class RunFolder:
    """Paths and readers of one run. Nothing is cached: files change under a living run."""

    path: Path

    @property
    def recipe_path(self) -> Path:
        return self.path / "recipe.json"

    @property
    def architecture_path(self) -> Path:
        return self.path / "architecture.json"

    @property
    def journal_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def history_path(self) -> Path:
        return self.path / "history.csv"

    @property
    def keras_path(self) -> Path:
        return self.path / "model.keras"

    @property
    def tflite_path(self) -> Path:
        return self.path / "model.tflite"

    @property
    def predictions_path(self) -> Path:
        return self.path / "predictions.parquet"

    @property
    def embeddings_path(self) -> Path:
        return self.path / "embeddings.parquet"

    @property
    def corruptions_path(self) -> Path:
        return self.path / "corruptions.parquet"

    @property
    def faithfulness_path(self) -> Path:
        return self.path / "faithfulness.json"

    @property
    def metrics_path(self) -> Path:
        return self.path / "metrics.json"

    @property
    def card_path(self) -> Path:
        return self.path / "CARD.md"

    @property
    def manifest_path(self) -> Path:
        return self.path / "run.json"

    @property
    def vote_path(self) -> Path:
        return self.path / "vote.json"

    @property
    def resume_path(self) -> Path:
        return self.path / "resume.npz"

    @property
    def log_path(self) -> Path:
        return self.path / "log.txt"

    @property
    def stop_path(self) -> Path:
        return self.path / "stop"

    @property
    def pause_path(self) -> Path:
        return self.path / "pause"

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def complete(self) -> bool:
        return self.manifest_path.exists()

    @property
    def is_vote(self) -> bool:
        """Whether this is a vote of other runs: such a folder has no recipe, history, layers or model."""
        return self.vote_path.exists()

    @property
    def sealed_files(self) -> tuple[str, ...]:
        """Names of the files whose hashes ``run.json`` lists: those it must have, and the optional ones it has."""
        must, may = (SEALED_VOTE_FILES, ()) if self.is_vote else (SEALED_FILES, OPTIONAL_FILES)
        return (*must, *(name for name in (*may, *MEASURED_FILES) if (self.path / name).exists()))

    def recipe(self) -> Recipe:
        """The recipe. Raises ``RunError`` if the folder holds none, ``RecipeError`` if it is damaged."""
        from fer_core.runs.recipe import Recipe

        return Recipe.from_dict(self._json(self.recipe_path))

    def description(self) -> Description:
        """The architecture's layer table. Raises ``RunError`` where the run has not got that far."""
        from fer_core.zoo.describe import Description

        return Description.from_dict(self._json(self.architecture_path))

    def events(self) -> list[Event]:
        return read_events(self.journal_path)

    def history(self) -> pd.DataFrame:
        """One row an epoch, see :func:`fer_core.runs.journal.read_history`. Raises ``RunError`` for a damaged file."""
        return read_history(self.history_path)

    def metrics(self) -> Metrics | None:
        return self._json(self.metrics_path) if self.metrics_path.exists() else None

    def predictions(self) -> pd.DataFrame | None:
        if not self.predictions_path.exists():
            return None
        from fer_core.runs.predictions import read_predictions

        return read_predictions(self.predictions_path)

    def card(self) -> str:
        return self.card_path.read_text(encoding="utf-8") if self.card_path.exists() else ""

    def vote(self) -> VoteRecord:
        """``vote.json`` as it stands; :func:`fer_core.runs.vote.read_vote` checks it. Raises ``RunError``."""
        return self._json(self.vote_path)

    def manifest(self) -> RunManifest | None:
        return self._json(self.manifest_path) if self.complete else None

    def _json(self, path: Path) -> Any:
        if not path.exists() and not path.is_symlink():
            raise RunError(f"{self.path} has no {path.name}. Is it a run folder?")
        return read_json(path, CONTRACTS[path.name])


def new_run_dir(architecture: str) -> Path:
    """A folder name in the runs folder that is not taken: the architecture and the local time, to the second."""
    base = settings().runs_dir / f"{architecture}-{datetime.now():%Y%m%d-%H%M%S}"
    candidates = (base if number == 1 else base.with_name(f"{base.name}-{number}") for number in count(1))
    return next(path for path in candidates if not path.exists())


def check_sealed(folder: RunFolder, manifest: dict[str, Any], file: str, again: str) -> None:
    """Compare a file with the hash that ``manifest`` (``run.json``) gives for it.

    Raises ``RunError``, ending with the sentence ``again``, if the hash is missing or is another.
    """
    try:
        promised = manifest["files"][file]["sha256"]
    except (KeyError, TypeError):
        raise RunError(f"{folder.manifest_path} is damaged: it gives no hash of {file}. {again}") from None
    if sha256_of(folder.path / file) != promised:
        raise RunError(f"{folder.path / file} is damaged: its content is not what run.json promises. {again}")


def seal(folder: RunFolder, manifest: dict[str, Any]) -> None:
    """Write ``run.json``, last, with the hash and size of every file. Raises ``RunError`` if one is missing."""
    missing = [name for name in folder.sealed_files if not (folder.path / name).exists()]
    if missing:
        raise RunError(f"{folder.path} cannot be completed: {', '.join(missing)} missing.")
    files = {
        name: {"sha256": sha256_of(folder.path / name), "bytes": (folder.path / name).stat().st_size}
        for name in folder.sealed_files
    }
    write_json(folder.manifest_path, {"schema": SCHEMA, **manifest, "files": files})
