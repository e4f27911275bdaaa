"""The folder of a sweep, ``sweeps/<name>/`` in the home: what it tries, and which runs are its trials.

``sweep.json`` is written whole, by one process at a time: whoever holds the folder's lease. It says what was asked for
and what no run folder says, so nothing of it goes stale while trials train: how they are is in their runs.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fer_core import lease
from fer_core.data.info import read_info
from fer_core.errors import FerError, RecipeError, SweepError
from fer_core.files import write_json
from fer_core.lease import Heart, HeldError, Lease
from fer_core.leftovers import temporary_folder
from fer_core.reading import MissingError, NewerError, UnreadableError, parse, read_bytes
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import utc_now
from fer_core.runs.reading import shown
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.sweeps.contracts import Outcome, Stopper, SweepManifest, TrialRecord
from fer_core.sweeps.grid import Grid, called, check_grid, combinations, recipe_of
from fer_core.sweeps.grid import shown as shown_value
from fer_core.training.crowd_labels import lacking_votes
from fer_core.training.resources import lacking_for_training
from fer_core.training.teachers import find_teachers
from fer_core.writable import explained
from fer_core.zoo.backend import TENSORFLOW, not_installed

SCHEMA = 1
FILE = "sweep.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Plan:
    """What a sweep is asked for. ``data``: a dataset folder; ``seeds``: trials for each combination of the grid."""

    name: str
    recipe: Recipe
    grid: Grid
    data: Path
    seeds: int = 1
    stopper: Stopper = Stopper.NONE
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0

    def check(self) -> None:
        """Raise ``FerError`` for the first thing that would not work, before anything is written or started."""
        if not _NAME.fullmatch(self.name):
            raise SweepError(
                f"{self.name!r:.60} cannot be the name of a sweep: take small letters, digits and hyphens, 40 at most."
            )
        check_grid(self.recipe, self.grid, self.seeds)
        find_teachers(self.recipe.teachers)
        _check_libraries({self.recipe.backend, *map(str, self.grid.get("backend", ()))})
        info = read_info(self.data)
        if lacking := lacking_for_training(info.counts):
            raise RecipeError(f"{self.data}: {lacking}")
        if "crowd" in (self.recipe.labels, *self.grid.get("labels", ())) and (lacking := lacking_votes(self.data)):
            raise RecipeError(lacking)
        if _is_taken(settings().sweeps_dir / self.name):
            raise SweepError(_taken(self.name))
        for run in self.runs():
            if any((folder / run).exists() for folder in (settings().runs_dir, settings().models_dir)):
                raise SweepError(f"there is a run called {run} already. Choose another name for the sweep.")

    def runs(self) -> list[str]:
        """Names of the run folders, in order."""
        count = self.seeds * sum(1 for _ in combinations(self.grid))
        digits = max(3, len(str(count)))
        return [f"{self.name}-{number:0{digits}d}" for number in range(1, count + 1)]

    def trials(self) -> list[TrialRecord]:
        """The trials: every combination with every seed, seeds innermost."""
        wanted = [
            (chosen, self.recipe.seed + offset) for chosen in combinations(self.grid) for offset in range(self.seeds)
        ]
        return [
            {"run": run, "settings": chosen, "seed": seed}
            for run, (chosen, seed) in zip(self.runs(), wanted, strict=True)
        ]


@dataclass(frozen=True)
class Sweep:
    """One sweep as its ``sweep.json`` said when it was read."""

    path: Path
    manifest: SweepManifest

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def stop_path(self) -> Path:
        """There while somebody wants the sweep to stop."""
        return self.path / "stop"

    @property
    def data(self) -> Path:
        return Path(self.manifest["data_path"])

    def check_ready(self) -> None:
        """Raise ``FerError`` where no trial could train here: its faces are gone or others, or a library is missing.

        Each trial would say so by itself, as a failure that is not tried again.
        """
        found, expected = read_info(self.data), self.manifest["data"]
        if found.fingerprint != expected["fingerprint"]:
            raise SweepError(
                f"{self.data} holds other faces now than when {self.name} began ({expected['title']}). Bring those "
                "back, or start a new sweep."
            )
        _check_libraries({self.recipe(trial).backend for trial in self.manifest["trials"]})

    def base(self) -> Recipe:
        """What all trials have in common."""
        return Recipe.from_dict(dict(self.manifest["recipe"]))

    def trial(self, run: str) -> TrialRecord:
        """The trial of that run. Raises ``SweepError`` where there is none."""
        for trial in self.manifest["trials"]:
            if trial["run"] == run:
                return trial
        raise SweepError(f"the sweep {self.name} has no trial called {run}.")

    def recipe(self, trial: TrialRecord) -> Recipe:
        """The whole recipe of a trial, with a name for people that says what is special about it."""
        special = [f"{called(key)} {shown_value(value)}" for key, value in trial["settings"].items()]
        title = " · ".join([self.name, *special, f"seed {trial['seed']}"])
        return recipe_of(self.base(), trial["settings"], trial["seed"], title[:200])

    @staticmethod
    def folder(trial: TrialRecord) -> RunFolder:
        return RunFolder(settings().runs_dir / trial["run"])

    def driver(self, *, wait: bool = False) -> Lease | None:
        """Who drives the sweep now, on this computer or another, or None. ``wait``: for whoever acts on it."""
        return (lease.settled if wait else lease.alive)(self.path / ".lease.json")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the sweep, as the one process that drives it. Raises ``SweepError`` where another one does."""
        path, lock = self.path / ".lease.json", self.path / ".lock"
        mine = Lease.of(os.getpid(), self.path)
        try:
            with explained(f"The sweep cannot be written to {self.path}", SweepError):
                lease.take(path, mine, lock)
        except HeldError as error:
            raise SweepError(
                f"{self.name} is running already (process {error.lease.pid} on {error.lease.host})."
            ) from None
        heart = Heart(path)
        try:
            yield
        finally:
            heart.stop()
            lease.release(path, mine.process, lock)

    def ask_to_stop(self) -> None:
        """Have whoever drives the sweep stop it. Raises ``SweepError`` where nobody does."""
        if self.driver(wait=True) is None:
            raise SweepError(f"{self.name} is not running.")
        with explained(f"The request to stop cannot be written to {self.path}", SweepError):
            self.stop_path.touch()

    def with_precision(self, precision: str, reason: str) -> Sweep:
        """The sweep, written anew, with the arithmetic that was decided on for all of its trials."""
        recipe = self.base().with_precision(precision).to_dict()
        return self._written({**self.manifest, "recipe": recipe, "precision_reason": reason})  # type: ignore[typeddict-item]

    def with_outcome(self, run: str, outcome: Outcome, problem: str = "") -> Sweep:
        """The sweep, written anew, with what became of one trial."""
        told: Mapping[str, str] = {"outcome": outcome, **({"problem": problem[:1000]} if problem else {})}
        trials = [{**trial, **told} if trial["run"] == run else trial for trial in self.manifest["trials"]]
        return self._written({**self.manifest, "trials": trials})  # type: ignore[typeddict-item]

    def _written(self, manifest: SweepManifest) -> Sweep:
        with explained(f"The sweep cannot be written to {self.path}", SweepError):
            write_json(self.path / FILE, manifest)
        return replace(self, manifest=manifest)


def create(plan: Plan) -> Sweep:
    """Write a new sweep, of which nothing is started. Raises ``FerError``, see :meth:`Plan.check`."""
    plan.check()
    path = settings().sweeps_dir / plan.name
    manifest: SweepManifest = {
        "schema": SCHEMA,
        "id": secrets.token_hex(16),
        "name": plan.name,
        "created": utc_now(),
        "data": read_info(plan.data).record(),
        "data_path": str(plan.data.resolve()),
        "recipe": plan.recipe.to_dict(),  # type: ignore[typeddict-item]
        "grid": {key: list(values) for key, values in plan.grid.items()},
        "seeds": plan.seeds,
        "stopper": plan.stopper,
        "cpus_per_trial": plan.cpus_per_trial,
        "gpus_per_trial": plan.gpus_per_trial,
        "trials": plan.trials(),
    }
    with explained(f"The sweep cannot be written to {path}", SweepError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # There as a whole, or not at all: of a name without its file nobody could make anything.
        prepared = temporary_folder(".new", path.parent)
        try:
            write_json(prepared / FILE, manifest)
            prepared.rename(path)
        except OSError:
            if _is_taken(path):
                raise SweepError(_taken(plan.name)) from None
            raise
        finally:
            shutil.rmtree(prepared, ignore_errors=True)
    return Sweep(path, manifest)


def _is_taken(path: Path) -> bool:
    """An empty folder is what a full disk has left."""
    return os.path.lexists(path) and not (path.is_dir() and not any(path.iterdir()))


def _taken(name: str) -> str:
    return (
        f"there is a sweep called {name} already. Go on with it: python -m fer_core sweep resume {name}. Or choose "
        "another name."
    )


def _check_libraries(backends: Collection[str]) -> None:
    for backend in sorted({TENSORFLOW, *backends}):
        if missing := not_installed(backend):
            raise SweepError(missing)


def read_sweep(path: Path) -> Sweep:
    """The sweep in that folder. Raises ``SweepError`` for one that is damaged, or none."""
    file = path / FILE
    try:
        manifest = parse(read_bytes(file), SweepManifest, (SCHEMA,))
    except MissingError:
        raise SweepError(f"{shown(file)} does not exist.") from None
    except NewerError as error:
        raise SweepError(f"{shown(file)} {error}.") from None
    except UnreadableError as error:
        raise SweepError(f"{shown(file)} is damaged: {error}. Restore it, or delete the sweep's folder.") from None
    if problem := _contradiction(path, manifest):
        raise SweepError(f"{shown(file)} is damaged: {problem}. Restore it, or delete the sweep's folder.")
    return Sweep(path, manifest)


def find_sweep(name: str) -> Sweep:
    """The sweep of that name. Raises ``SweepError`` that names those there are."""
    known = [path.name for path in _folders()]
    if name not in known:
        raise SweepError(f"there is no sweep called {name!r:.60}. Known sweeps: {', '.join(known) or 'none yet'}.")
    return read_sweep(settings().sweeps_dir / name)


def list_sweeps() -> tuple[list[Sweep], list[str]]:
    """The sweeps, newest first, and a sentence for each that is damaged."""
    sweeps, problems = [], []
    for path in _folders():
        try:
            sweeps.append(read_sweep(path))
        except SweepError as error:
            problems.append(str(error))
    return sorted(sweeps, key=lambda sweep: sweep.manifest["created"], reverse=True), problems


def _folders() -> list[Path]:
    parent = settings().sweeps_dir
    if not parent.is_dir():
        return []
    return sorted(
        path for path in parent.iterdir() if path.is_dir() and path.name[0] != "." and os.path.lexists(path / FILE)
    )


def _contradiction(path: Path, manifest: SweepManifest) -> str:
    """What types do not say, as the end of a sentence; empty where nothing is wrong."""
    if manifest["name"] != path.name or not _NAME.fullmatch(path.name):
        return f"it is about a sweep called {shown(manifest['name'])[:60]}"
    runs = [trial["run"] for trial in manifest["trials"]]
    if not runs or len(set(runs)) < len(runs) or any(not run.startswith(f"{path.name}-") for run in runs):
        return "its trials should each be another run that is called after it"
    if any(not _NAME.fullmatch(run[:40]) or Path(run).name != run for run in runs):
        return "its trials should be names of runs"
    if any(set(trial["settings"]) != set(manifest["grid"]) for trial in manifest["trials"]):
        return "its trials set other choices than its grid"
    try:
        recipe = Recipe.from_dict(dict(manifest["recipe"]))
        for trial in manifest["trials"]:
            recipe_of(recipe, trial["settings"], trial["seed"])
    except FerError as error:
        return str(error).rstrip(".")
    return ""
