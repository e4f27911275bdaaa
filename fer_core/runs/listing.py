"""Which runs there are: shipped ones in ``models/``, trained ones in ``runs/``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fer_core.errors import FerError, RunError
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings

VOTE = "vote"
"""What ``run.json`` of a vote holds where that of a trained run names its architecture."""


@dataclass(frozen=True)
class ModelInfo:
    """One run at a glance, read from ``run.json`` alone (or, unfinished, from ``recipe.json``).

    Of a vote, ``architecture`` is ``vote``, ``epochs`` 0, and ``data`` what its weights were chosen on.
    ``state`` is ``done`` or ``stopped`` for a complete run, ``damaged`` for a folder that cannot be read, and
    ``unfinished`` otherwise; what an unfinished run is doing, :func:`fer_core.training.jobs.status` tells.
    ``data`` has the keys name, title, kind, fingerprint, faces; it is empty where the run has not recorded them
    yet. ``created`` is UTC, ISO 8601.
    """

    name: str
    title: str
    path: Path
    shipped: bool
    architecture: str
    state: str
    created: str
    epochs: int
    best_epoch: int | None
    complete: bool
    data: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why the folder cannot be read, where ``state`` is ``damaged``."""

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.path)

    @property
    def is_vote(self) -> bool:
        """Whether it is several runs that vote, not one that was trained."""
        return self.architecture == VOTE


def list_models() -> list[ModelInfo]:
    """Every complete run: shipped ones first, in the registry's order, votes last; then trained ones, newest first."""
    return [info for info in list_runs() if info.complete]


def list_runs() -> list[ModelInfo]:
    """Complete and unfinished runs, and folders that cannot be read, ordered as in :func:`list_models`."""
    from fer_core.zoo.registry import names

    order = {name: position for position, name in enumerate(names())}
    order[VOTE] = len(order) + 1
    shipped = [info for path in _folders(settings().models_dir) if (info := _info(path, shipped=True))]
    trained = [info for path in _folders(settings().runs_dir) if (info := _info(path, shipped=False))]
    shipped.sort(key=lambda info: (order.get(info.architecture, order[VOTE] - 1), info.name))
    trained.sort(key=lambda info: (info.created, info.name), reverse=True)
    return shipped + trained


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
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def _upgrade(folder: RunFolder) -> None:
    """Once, where the disk allows it; elsewhere the run is read as it is."""
    from fer_core.runs.upgrade import upgrade

    with suppress(OSError):
        upgrade(folder)


def _info(path: Path, *, shipped: bool) -> ModelInfo | None:
    folder = RunFolder(path)
    try:
        manifest = folder.manifest()
        if manifest is not None:
            if manifest["schema"] == 1:
                _upgrade(folder)
            return ModelInfo(
                name=path.name,
                title=manifest["title"],
                path=path,
                shipped=shipped,
                architecture=manifest["architecture"],
                state=manifest["state"],
                created=manifest["created"],
                epochs=manifest["epochs"],
                best_epoch=manifest["best_epoch"],
                complete=True,
                data=manifest["data"],
            )
        if not folder.recipe_path.exists():
            return None
        recipe = folder.recipe()
        started = next((event for event in folder.events() if event["event"] == "start"), None)
    except (FerError, KeyError) as error:
        # One damaged folder must not take the whole list down with it: it is listed, with its problem.
        problem = f"run.json lacks {error}" if isinstance(error, KeyError) else str(error)
        return ModelInfo(path.name, path.name, path, shipped, "", "damaged", "", 0, None, False, {}, problem)
    return ModelInfo(
        name=path.name,
        title=recipe.title,
        path=path,
        shipped=shipped,
        architecture=recipe.architecture,
        state="unfinished",
        created=started["time"] if started else "",
        epochs=recipe.epochs,
        best_epoch=None,
        complete=False,
        data=(started or {}).get("data", {}),
    )
