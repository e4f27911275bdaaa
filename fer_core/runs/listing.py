"""Which runs there are: shipped ones in ``models/``, trained ones in ``runs/``."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fer_core.data.contracts import DatasetRecord
from fer_core.errors import RunError
from fer_core.runs.contracts import BROUGHT, Origin, RunState
from fer_core.runs.folder import RunFolder
from fer_core.runs.names import Titled, display_names
from fer_core.runs.reading import shown
from fer_core.runs.soundness import look
from fer_core.runs.visitor import started_by
from fer_core.settings import settings

VOTE = "vote"
"""What ``run.json`` of a vote holds where that of a trained run names its architecture."""


@dataclass(frozen=True)
class ModelInfo:
    """One run at a glance, read from ``run.json`` alone (or, unfinished, from ``recipe.json``).

    A run is ``damaged`` where its folder does not hold together (:mod:`fer_core.runs.soundness`): its ``problem`` says
    what, where and what to do. Such a run is never ``complete``, so nothing is opened of it.

    Of a vote, ``architecture`` is ``vote``, ``epochs`` 0, and ``data`` what its weights were chosen on.
    ``state`` is ``done`` or ``stopped`` for a complete run, ``damaged`` for a folder that cannot be read, and
    ``unfinished`` otherwise; what an unfinished run is doing, :func:`fer_core.training.jobs.status` tells.
    ``data`` is what it was trained on, None where the run has not recorded that yet. ``created`` is UTC, ISO 8601.
    """

    name: str
    title: str
    path: Path
    shipped: bool
    architecture: str
    state: RunState
    created: str
    epochs: int
    best_epoch: int | None
    complete: bool
    data: DatasetRecord | None = None
    problem: str = ""
    """Why the folder cannot be read, where ``state`` is ``damaged``."""
    started_by: str | None = None
    """Which visitor of a hosted app started it; None where it is the owner's, or ships."""
    origin: Origin = Origin.TRAINED
    display_name: str = ""
    """What people read in place of ``name``, unlike any other run's: :func:`fer_core.runs.names.display_names`."""

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.path)

    @property
    def is_vote(self) -> bool:
        """Whether it is several runs that vote, not one that was trained."""
        return self.architecture == VOTE

    @property
    def is_brought(self) -> bool:
        """Whether it is somebody else's model, or only such a model's answers."""
        return self.origin in BROUGHT

    @property
    def has_model(self) -> bool:
        """Whether it can be asked about a face: not where only answers were brought."""
        return self.origin != Origin.PREDICTIONS


def list_models() -> list[ModelInfo]:
    """Every complete run: shipped ones first, in the registry's order, votes last; then trained ones, newest first."""
    return [info for info in list_runs() if info.complete]


def list_runs() -> list[ModelInfo]:
    """Complete and unfinished runs, and folders that cannot be read, ordered as in :func:`list_models`."""
    from fer_core.zoo.registry import names

    order = {name: position for position, name in enumerate(names())}
    order[VOTE] = len(order) + 1
    shipped = [info for path in _folders(settings().models_dir) if (info := _info(path, shipped=True))]
    trained = [
        replace(info, started_by=started_by(path))
        for path in _folders(settings().runs_dir)
        if (info := _info(path, shipped=False))
    ]
    shipped.sort(key=lambda info: (order.get(info.architecture, order[VOTE] - 1), info.name))
    trained.sort(key=lambda info: (info.created, info.name), reverse=True)
    called = display_names(Titled(info.name, info.title, info.shipped) for info in reversed(shipped + trained))
    return [replace(info, display_name=called[info.name]) for info in shipped + trained]


def find_run(name_or_folder: str | Path) -> RunFolder:
    """The run folder of that name (shipped first) or at that path. Raises ``RunError`` naming what is known."""
    for path in places(name_or_folder):
        if (path / "recipe.json").exists() or (path / "run.json").exists():
            return RunFolder(path.resolve())
    known = ", ".join(info.name for info in list_runs()) or "none yet"
    raise RunError(
        f"there is no run called {str(name_or_folder)!r}. Known runs: {known}. A path to a run folder works too."
    )


def places(name_or_folder: str | Path) -> list[Path]:
    """Where a run of that name may be: shipped, trained, or at that path, in the order in which they count."""
    text = str(name_or_folder)
    bare = Path(text).name == text and text not in ("", ".", "..")
    named = [settings().models_dir / text, settings().runs_dir / text] if bare else []
    return [*named, Path(text).expanduser()]


def _folders(parent: Path) -> list[Path]:
    # os.path.isdir, unlike Path.is_dir, takes what cannot be looked at for no folder.
    if not os.path.isdir(parent):  # noqa: PTH112
        return []
    return sorted(path for path in parent.iterdir() if not path.name.startswith(".") and os.path.isdir(path))  # noqa: PTH112


def _upgrade(folder: RunFolder) -> None:
    """Once, where the disk allows it; elsewhere the run is read as it is."""
    from fer_core.runs.upgrade import upgrade

    with suppress(OSError):
        upgrade(folder)


def _info(path: Path, *, shipped: bool) -> ModelInfo | None:
    folder = RunFolder(path)
    found = look(folder)
    if found.manifest is not None and found.manifest["schema"] == 1:
        _upgrade(folder)
        found = look(folder)
    if found.problem:
        # One damaged folder must not take the whole list down with it: it is listed, with its problem.
        name = shown(path.name)
        return ModelInfo(name, name, path, shipped, "", RunState.DAMAGED, "", 0, None, False, None, found.problem)
    if found.manifest is not None:
        return ModelInfo(
            name=path.name,
            title=found.manifest["title"],
            path=path,
            shipped=shipped,
            architecture=found.manifest["architecture"],
            state=found.manifest["state"],
            created=found.manifest["created"],
            epochs=found.manifest["epochs"],
            best_epoch=found.manifest["best_epoch"],
            complete=True,
            data=found.manifest["data"],
            origin=found.manifest.get("origin", folder.origin),
        )
    if found.recipe is None:
        return None
    return ModelInfo(
        name=path.name,
        title=found.recipe.title,
        path=path,
        shipped=shipped,
        architecture=found.recipe.architecture,
        state=RunState.UNFINISHED,
        created=found.start.get("time", "") if found.start else "",
        epochs=found.recipe.epochs,
        best_epoch=None,
        complete=False,
        data=found.start.get("data") if found.start else None,
    )
