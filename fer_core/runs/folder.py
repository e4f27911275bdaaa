"""The run folder: names of its files, and readers for each.

The layout is described in ``docs/ARCHITECTURE.md``. ``run.json`` is written last: a folder without it is a run in
progress or one that died.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.errors import RunError
from fer_core.files import sha256_of, write_json
from fer_core.runs.contracts import FileRecord, ImportRecord, Metrics, Origin, RunManifest, VoteRecord
from fer_core.runs.evaluations import MANIFEST as EVALUATION_MANIFEST
from fer_core.runs.evaluations import Evaluation, Problem, folders, read_evaluations
from fer_core.runs.integrity import check_promised
from fer_core.runs.journal import Event, read_events, read_history
from fer_core.runs.reading import CONTRACTS, read_json
from fer_core.runs.transaction import Change, settle
from fer_core.settings import settings

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.runs.recipe import Recipe
    from fer_core.zoo.describe import Description

SCHEMA = 2
MOST_LETTERS = 40
"""Of a name that people gave, in the name of a new folder."""
SEALED_FILES = ("recipe.json", "architecture.json", "events.jsonl", "history.csv", "model.keras", "model.tflite")
"""The files a complete run holds beside ``run.json``, which lists their hashes. ``CARD.md`` is not among them: it only
says in words what the others hold, and is written anew whenever they change."""
SEALED_VOTE_FILES = ("vote.json",)
"""What a complete vote holds: it is made of other runs, and has no model of its own."""
SEALED_IMPORTED_FILES = ("import.json", "architecture.json", "model.tflite")
"""What a complete run of somebody else's model holds, and :data:`OPTIONAL_IMPORTED_FILES` where they came with it."""
OPTIONAL_IMPORTED_FILES = ("model.keras", "history.csv")
INSIDE_FILE = "inside.npz"
OPTIONAL_FILES = (INSIDE_FILE,)
"""What any run with a ``model.keras`` may hold, made on request: see :mod:`fer_core.explain.inside`."""
SEALED_PREDICTIONS_FILES = ("import.json",)
"""What a complete run holds of which only answers were brought: those are in its evaluation."""


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
    def card_path(self) -> Path:
        return self.path / "CARD.md"

    @property
    def manifest_path(self) -> Path:
        return self.path / "run.json"

    @property
    def vote_path(self) -> Path:
        return self.path / "vote.json"

    @property
    def import_path(self) -> Path:
        return self.path / "import.json"

    @property
    def resume_path(self) -> Path:
        return self.path / "resume.npz"

    @property
    def log_path(self) -> Path:
        return self.path / "log.txt"

    @property
    def lease_path(self) -> Path:
        return self.path / ".lease.json"

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
        """Whether there is a ``run.json``, be it damaged."""
        return os.path.lexists(self.manifest_path)

    @property
    def is_vote(self) -> bool:
        """Whether this is a vote of other runs: such a folder has no recipe, history, layers or model."""
        return self.vote_path.exists()

    @property
    def is_brought(self) -> bool:
        """Whether it is somebody else's model, or only its answers: such a folder has ``import.json``, no recipe."""
        return self.import_path.exists()

    @property
    def origin(self) -> Origin:
        """Where the run comes from, by the files that are there; ``run.json`` says the same of a complete run."""
        if self.is_vote:
            return Origin.VOTE
        if self.is_brought:
            return Origin.IMPORTED if self.tflite_path.exists() else Origin.PREDICTIONS
        return Origin.TRAINED

    @property
    def tells_confidence(self) -> bool:
        """Whether it says how sure it is of an answer: not where somebody brought the answers alone.

        Raises ``RunError`` where a brought run's ``import.json`` is damaged.
        """
        return self.origin != Origin.PREDICTIONS or self.import_record()["kind"] != ANSWERS_ALONE

    @property
    def sealed_files(self) -> tuple[str, ...]:
        """Names of the files whose hashes ``run.json`` lists."""
        may = optional_by(self.origin)
        return (*sealed_by(self.origin), *(name for name in may if (self.path / name).exists()))

    def check_has_model(self) -> None:
        """Raises ``RunError`` where only answers were brought, so that there is no model to ask."""
        if self.origin == Origin.PREDICTIONS:
            raise RunError(f"{self.name}: {NO_MODEL}")

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

    def evaluations(self) -> tuple[Evaluation, ...]:
        """What the run was measured on; first the data that it was trained on, then the newest. An unfinished run has
        none, and a folder that cannot be used is left out: :meth:`evaluation_problems` says why.
        """
        return tuple(self._evaluations()[0])

    def evaluation_problems(self) -> list[str]:
        """A sentence for each evaluation that cannot be used."""
        return [problem.text for problem in self._evaluations()[1]]

    def evaluation(self, fingerprint: str | None = None) -> Evaluation | None:
        """The evaluation on the dataset of that fingerprint, None where there is none that can be used.

        Without one, that on the data that the run was trained on (a vote: that its weights were chosen on). Only a run
        that was never measured on those has another instead, the newest.
        """
        return self._find(fingerprint)[0]

    def evaluation_with(self, name: str, fingerprint: str | None = None) -> Evaluation | None:
        """That :meth:`evaluation`, where the file ``name`` is part of it; otherwise None. The file is not looked at."""
        found = self.evaluation(fingerprint)
        return found if found is not None and found.has(name) else None

    def metrics(self, fingerprint: str | None = None) -> Metrics | None:
        """The metrics of that :meth:`evaluation`, None where there is none. Raises ``RunError`` for damaged ones."""
        found = self._whole_evaluation(fingerprint)
        return None if found is None else found.metrics()

    def predictions(self, fingerprint: str | None = None) -> pd.DataFrame | None:
        """Those of that :meth:`evaluation`, None where there is none. Raises ``RunError`` for damaged ones."""
        found = self._whole_evaluation(fingerprint)
        return None if found is None else found.predictions()

    def check_evaluation(self, fingerprint: str | None = None) -> None:
        """Raises ``RunError`` where that :meth:`evaluation` cannot be used: that it is damaged, and what to do."""
        self._whole_evaluation(fingerprint)

    def state_key(self) -> tuple[int, ...]:
        """Equal as long as nothing was sealed anew: when ``run.json`` and each ``evaluation.json`` were written, POSIX
        nanoseconds. For caches.
        """
        paths = [self.manifest_path, *(path / EVALUATION_MANIFEST for path in folders(self.path))]
        return tuple(path.stat().st_mtime_ns for path in paths if path.exists())

    def promised_model(self) -> str:
        """SHA-256 of what answers, by ``run.json``: ``model.tflite``, of a vote ``vote.json``, of answers alone
        ``import.json``. Empty without one.
        """
        manifest = self.manifest()
        return "" if manifest is None else self._model_by(manifest)

    def _whole_evaluation(self, fingerprint: str | None) -> Evaluation | None:
        """That :meth:`evaluation`. Where there is none because it is damaged, ``RunError`` says so: it is no answer
        that there are no figures.
        """
        found, problems = self._find(fingerprint)
        if found is None and problems:
            raise RunError(problems[0].text)
        return found

    def _find(self, fingerprint: str | None) -> tuple[Evaluation | None, list[Problem]]:
        """That :meth:`evaluation`; where there is none, the problems because of which there may be none."""
        manifest = self.manifest()
        if manifest is None:
            return None, []
        found, problems = read_evaluations(self.path, manifest, self._model_by(manifest))
        wanted = fingerprint or manifest["data"]["fingerprint"]
        own = next((one for one in found if one.fingerprint == wanted), None)
        damaged = [] if own else [problem for problem in problems if problem.is_about(self.path, wanted)]
        if own or damaged or fingerprint:
            return own, damaged
        return next(iter(found), None), problems

    def _evaluations(self) -> tuple[list[Evaluation], list[Problem]]:
        manifest = self.manifest()
        return ([], []) if manifest is None else read_evaluations(self.path, manifest, self._model_by(manifest))

    def _model_by(self, manifest: RunManifest) -> str:
        origin = manifest.get("origin", self.origin)
        name = _ANSWERS_BY.get(origin, self.tflite_path.name)
        return manifest["files"][name]["sha256"] if name in manifest["files"] else ""

    def import_record(self) -> ImportRecord:
        """``import.json``: what was brought, and how its classes were understood. Raises ``RunError``."""
        return self._json(self.import_path)

    def vote(self) -> VoteRecord:
        """``vote.json`` as it stands; :func:`fer_core.runs.vote.read_vote` checks it. Raises ``RunError``."""
        return self._json(self.vote_path)

    def manifest(self) -> RunManifest | None:
        """``run.json``; None for a run that is not complete. Raises ``RunError`` where it is damaged."""
        settle(self.path)
        return self._json(self.manifest_path) if self.complete else None

    def _json(self, path: Path) -> Any:
        if not path.exists() and not path.is_symlink():
            raise RunError(f"{self.path} has no {path.name}. Is it a run folder?")
        return read_json(path, CONTRACTS[path.name])


_ANSWERS_BY = {Origin.VOTE: "vote.json", Origin.PREDICTIONS: "import.json"}
"""The file whose hash stands for what answers, where that is not ``model.tflite``."""
ANSWERS_ALONE = "answers alone"
"""The ``kind`` in the ``import.json`` of answers that came without probabilities."""
NO_MODEL = (
    "only its answers are here, so there is no model to ask. Bring the model's file (Keras or LiteRT) to ask it about "
    "other faces."
)
"""Why nothing can be asked of a run of which only answers were brought, as the end of a sentence."""


def sealed_by(origin: Origin) -> tuple[str, ...]:
    """The files that a complete run of this origin must hold."""
    match origin:
        case Origin.VOTE:
            return SEALED_VOTE_FILES
        case Origin.IMPORTED:
            return SEALED_IMPORTED_FILES
        case Origin.PREDICTIONS:
            return SEALED_PREDICTIONS_FILES
        case Origin.TRAINED:
            return SEALED_FILES


def optional_by(origin: Origin) -> tuple[str, ...]:
    """The files that a complete run of this origin may hold besides."""
    match origin:
        case Origin.TRAINED:
            return OPTIONAL_FILES
        case Origin.IMPORTED:
            return (*OPTIONAL_IMPORTED_FILES, *OPTIONAL_FILES)
        case _:
            return ()


def new_run_dir(architecture: str, title: str = "", parent: Path | None = None) -> Path:
    """A folder in ``parent``, by default the runs folder, whose name is not taken, by a shipped run either.

    What people call the run, in small letters, digits and hyphens; where they do not say, or nothing of it can stand in
    a folder's name, the architecture and the local time, to the second.
    """
    called = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:MOST_LETTERS]
    base = (parent or settings().runs_dir) / (called or f"{architecture}-{datetime.now():%Y%m%d-%H%M%S}")
    candidates = (base if number == 1 else base.with_name(f"{base.name}-{number}") for number in count(1))
    return next(path for path in candidates if not path.exists() and not (settings().models_dir / path.name).exists())


def check_sealed(folder: RunFolder, manifest: RunManifest, file: str, again: str) -> None:
    """Compare a file with what ``manifest`` (``run.json``) promises of it: see :func:`check_promised`."""
    check_promised(folder.manifest_path, manifest["files"], file, again)


def seal(
    folder: RunFolder,
    manifest: dict[str, object],
    prepared: Change | None = None,
    *,
    known: Mapping[str, FileRecord] | None = None,
) -> None:
    """Write ``run.json``, last, with the hash and size of every file. Raises ``RunError`` if one is missing.

    ``prepared``: a change that holds some of the files, and takes the new ``run.json``; the others are the folder's.
    ``known``: what ``run.json`` says of files so far. It is carried over for those that are not prepared, so that what
    was tampered with does not become right.
    """
    files: dict[str, FileRecord] = {}
    new = [name for name in optional_by(folder.origin) if prepared is not None and prepared.has(name)]
    for name in dict.fromkeys([*folder.sealed_files, *new]):
        if known and name in known and not (prepared and prepared.has(name)):
            files[name] = known[name]
            continue
        path = folder.path / name if prepared is None else prepared.newest(folder.path / name)
        if not path.is_file():
            raise RunError(f"{folder.path} cannot be completed: {name} is missing.")
        files[name] = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    target = folder.manifest_path if prepared is None else prepared.file(folder.manifest_path.name)
    write_json(target, {"schema": SCHEMA, "origin": folder.origin, **manifest, "files": files})
