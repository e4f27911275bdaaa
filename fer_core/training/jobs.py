"""Trainings as jobs: start them in child processes, watch them, pause, stop and resume them.

Everything is in the run folder, nothing in this process: a page that reloads, a second browser, a restarted server
and the command line all find the same job and see the same state.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from fer_core.data.dataset import load_dataset
from fer_core.errors import FerError, RunError
from fer_core.files import write_json
from fer_core.leftovers import delete_folder
from fer_core.runs.folder import RunFolder, new_run_dir
from fer_core.runs.recipe import Recipe
from fer_core.settings import PROJECT_ROOT, settings
from fer_core.training import twins
from fer_core.training.children import remember
from fer_core.training.lock import busy_message, check_places, claim, holder, worker
from fer_core.training.resources import check_resources
from fer_core.training.resume_state import remember_data, remembered_data
from fer_core.training.status import JobState, JobStatus, status
from fer_core.writable import explained
from fer_core.zoo.backend import VARIABLE

__all__ = [
    "JobStatus",
    "check_resources",
    "current",
    "delete",
    "pause",
    "restart",
    "start",
    "start_twin",
    "status",
    "stop",
    "unpause",
]

LOW_PRIORITY = 10
"""Niceness of the child: training takes every core it can get, and pages must stay quick beside it."""


def start(
    recipe: Recipe,
    data: Path,
    run_dir: Path | None = None,
    *,
    note: Callable[[Path], None] | None = None,
    twin: bool = False,
) -> Path:
    """Start training in a child process of its own session and return the run folder at once.

    ``note`` writes what else is to lie in the folder before anybody sees the run. ``twin``: the same process then
    trains the run's twin (:mod:`fer_core.training.twins`).

    Raises ``RunError`` if another training runs (naming it), memory or disk are too small or nothing can be written
    there, ``RecipeError`` or ``DataError`` if the recipe or the dataset is wrong.
    """
    recipe.validate()
    check_places(settings().runs_dir if run_dir is None else run_dir)
    problems = check_resources(recipe, data)
    if problems:
        raise RunError(" ".join(problems))
    _refuse_if_busy()
    folder = RunFolder((run_dir or new_run_dir(recipe.architecture, recipe.name)).resolve())
    try:
        folder.path.mkdir(parents=True)
    except FileExistsError:
        raise RunError(f"{folder.path} exists already. Choose another folder for the run.") from None
    try:
        with explained(f"The run cannot be written to {folder.path}", RunError):
            # All that a restart needs, before there is a child that can die. recipe.json comes last: it makes the
            # folder a run.
            if note is not None:
                note(folder.path)
            if twin:
                twins.plan(folder.path, recipe)
            remember_data(folder, data)
            write_json(folder.recipe_path, recipe.to_dict())
        where = ["--data", str(data), "--run-dir", str(folder.path)]
        _spawn(folder, ["train", "--recipe", str(folder.recipe_path), *where])
    except BaseException:
        delete_folder(folder.path)
        raise
    return folder.path


def start_twin(run_dir: Path, data: Path, *, seconds: float | None = None) -> Path:
    """Train the twin of a run that is done, in a child process, and return the twin's folder at once.

    ``seconds``: how long the twin of a visitor's run may train, None for what is left of the run's own time. Raises
    ``RunError`` where the run has a twin or is not done, where another training runs, or memory or disk are too small.
    """
    first = RunFolder(run_dir.resolve())
    check_places(first.path)
    if problems := check_resources(first.recipe(), data):
        raise RunError(" ".join(problems))
    _refuse_if_busy()
    twin = twins.prepare(first, data, seconds=seconds)
    try:
        _spawn(twin, ["train", "--resume", str(twin.path)])
    except BaseException:
        delete_folder(twin.path)
        raise
    return twin.path


def restart(run_dir: Path) -> Path:
    """Go on with a stopped, failed or killed run in a new child process.

    Raises ``RunError`` if it cannot go on, nothing can be written there, or memory or disk are too short now,
    ``DataError`` if its dataset is gone.
    """
    folder = RunFolder(run_dir.resolve())
    if worker(folder.path, wait=True):
        raise RunError(f"{folder.name} is training already.")
    now = status(folder.path)
    if not now.resumable:
        raise RunError(f"{folder.name} cannot be resumed. {now.message}")
    # Here, where somebody reads it, and not by the child after seconds of loading.
    data = remembered_data(folder)
    load_dataset(data)
    check_places(folder.path)
    if problems := check_resources(folder.recipe(), data):
        raise RunError(" ".join(problems))
    _refuse_if_busy()
    _spawn(folder, ["train", "--resume", str(folder.path)])
    return folder.path


def pause(run_dir: Path) -> None:
    """Ask a running training to pause after the current batch.

    Raises ``RunError`` if it is past its last batch, or the request cannot be written.
    """
    _request(RunFolder(run_dir.resolve()).pause_path, "pause")


def unpause(run_dir: Path) -> None:
    """Let a paused training go on. Raises ``RunError`` if the request to pause cannot be taken back."""
    folder = RunFolder(run_dir.resolve())
    with explained(f"The request to pause cannot be taken out of {folder.path}", RunError):
        folder.pause_path.unlink(missing_ok=True)


def stop(run_dir: Path) -> None:
    """Ask a training, running or paused, to stop after the current batch and keep its best epoch.

    Raises ``RunError`` if it is past its last batch, or the request cannot be written.
    """
    _request(RunFolder(run_dir.resolve()).stop_path, "stop")


def delete(run_dir: Path) -> None:
    """Delete a trained run's folder for good.

    Raises ``RunError`` while it trains, if it ships with the app, or if it cannot be deleted.
    """
    folder = RunFolder(run_dir.resolve())
    if worker(folder.path, wait=True):
        raise RunError(f"{folder.name} is training. Stop it first.")
    status(folder.path)  # a run, and no other folder
    if folder.path.parent == settings().models_dir:
        raise RunError(f"{folder.name} ships with the app and is not deleted from here.")
    with explained(f"{folder.path} cannot be deleted", RunError):
        delete_folder(folder.path)


def current() -> Path | None:
    """The run folder that is training now, or None. Raises ``RunError`` where that cannot be read."""
    found = holder()
    return Path(found.run_dir) if found else None


def _request(path: Path, wish: str) -> None:
    """Leave a request in the run folder, unless there is no training any more that would read it."""
    now = status(path.parent)
    if not now.can_stop and now.state != JobState.STOPPING:
        raise RunError(f"It is too late to {wish} {now.name}. {now.message}")
    with explained(f"The request to {wish} cannot be written to {path.parent}", RunError):
        path.touch()


def _spawn(folder: RunFolder, arguments: list[str]) -> None:
    """Start ``python -m fer_core …`` detached: it outlives this process, and its output goes to ``log.txt``."""
    environment = {
        **os.environ,
        "FER_EXPLORER_HOME": str(settings().home),
        "FER_EXPLORER_MODELS": str(settings().models_dir),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONUNBUFFERED": "1",
        VARIABLE: folder.recipe().backend,
    }
    detached: dict[str, Any] = (
        {"creationflags": 0x00000008 | 0x00000200}  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    with folder.log_path.open("ab") as log:
        child = subprocess.Popen(
            _command(arguments),
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **detached,
        )
    remember(folder.path, child)
    try:
        psutil.Process(child.pid).nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else LOW_PRIORITY)
        claim(child.pid, folder.path)
    except (psutil.NoSuchProcess, ProcessLookupError):
        # It has ended already: the folder says how, as of every process that died.
        return
    except BaseException:
        # Somebody else was a moment earlier: the child would find the lock taken, too, and need not get that far. Or
        # the lock cannot be written: a child without it must not go on.
        child.kill()
        child.wait()
        raise


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "fer_core", *arguments]


def _refuse_if_busy() -> None:
    found = holder()
    if found:
        raise RunError(busy_message(found))


def tail_of_log(run_dir: Path, lines: int = 20) -> str:
    """The last lines of the child's output, for people who report a defect."""
    path = RunFolder(run_dir).log_path
    if not path.exists():
        raise FerError(f"{run_dir} has no log.txt.")
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
