"""Trainings as jobs: start them in child processes, watch them, pause, stop and resume them.

Everything is in the run folder, nothing in this process: a page that reloads, a second browser, a restarted server
and the command line all find the same job and see the same state.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from fer_core.errors import FerError, RunError
from fer_core.runs.folder import RunFolder, new_run_dir, write_json
from fer_core.runs.history import epochs_of
from fer_core.runs.journal import Event
from fer_core.settings import PROJECT_ROOT, settings
from fer_core.training.lock import busy_message, claim, holder
from fer_core.training.recipe import Recipe
from fer_core.training.resources import check_resources

__all__ = [
    "JobStatus",
    "check_resources",
    "current",
    "delete",
    "pause",
    "restart",
    "start",
    "status",
    "stop",
    "unpause",
]

FINISHING = {"evaluating": "evaluating", "exporting": "exporting", "writing card": "exporting"}
ACTIVE_STATES = ("starting", "running", "pausing", "paused", "stopping", "evaluating", "exporting")
LOW_PRIORITY = 10


@dataclass(frozen=True)
class JobStatus:
    """One training at one moment.

    ``state`` is one of ``starting``, ``running``, ``pausing``, ``paused``, ``stopping``, ``evaluating``,
    ``exporting`` (alive) and ``done``, ``stopped``, ``failed``, ``died`` (over). ``message`` is one sentence for
    people. ``batches`` and ``epochs`` are journal events; epochs that a resume trained anew appear once.
    ``progress`` is 0..1 of all batches; ``seconds_left`` counts training only.
    """

    run_dir: Path
    name: str
    state: str
    alive: bool
    message: str
    start: Event | None = None
    batches: list[Event] = field(default_factory=list)
    epochs: list[Event] = field(default_factory=list)
    progress: float = 0.0
    seconds_left: float | None = None
    images_per_second: float | None = None
    resumable: bool = False
    can_stop: bool = False


def start(recipe: Recipe, data: Path, run_dir: Path | None = None) -> Path:
    """Start training in a child process of its own session and return the run folder at once.

    Raises ``RunError`` if another training runs (naming it) or memory or disk are too small, ``RecipeError`` or
    ``DataError`` if the recipe or the dataset is wrong.
    """
    recipe.validate()
    problems = check_resources(recipe, data)
    if problems:
        raise RunError(" ".join(problems))
    _refuse_if_busy()
    folder = RunFolder((run_dir or new_run_dir(recipe.architecture)).resolve())
    try:
        folder.path.mkdir(parents=True)
    except FileExistsError:
        raise RunError(f"{folder.path} exists already. Choose another folder for the run.") from None
    try:
        write_json(folder.recipe_path, recipe.to_dict())
        where = ["--data", str(data), "--run-dir", str(folder.path)]
        _spawn(folder, ["train", "--recipe", str(folder.recipe_path), *where])
    except BaseException:
        shutil.rmtree(folder.path)
        raise
    return folder.path


def restart(run_dir: Path) -> Path:
    """Go on with a stopped, failed or killed run in a new child process. Raises ``RunError`` if it cannot."""
    folder = RunFolder(run_dir.resolve())
    now = status(folder.path)
    if now.alive:
        raise RunError(f"{folder.name} is training already.")
    if not now.resumable:
        raise RunError(f"{folder.name} cannot be resumed. {now.message}")
    _refuse_if_busy()
    _spawn(folder, ["train", "--resume", str(folder.path)])
    return folder.path


def pause(run_dir: Path) -> None:
    """Ask a running training to pause after the current batch."""
    RunFolder(run_dir).pause_path.touch()


def unpause(run_dir: Path) -> None:
    """Let a paused training go on."""
    RunFolder(run_dir).pause_path.unlink(missing_ok=True)


def stop(run_dir: Path) -> None:
    """Ask a training, running or paused, to stop after the current batch and keep its best epoch."""
    RunFolder(run_dir).stop_path.touch()


def delete(run_dir: Path) -> None:
    """Delete a trained run's folder for good. Raises ``RunError`` while it trains, or if it ships with the app."""
    folder = RunFolder(run_dir.resolve())
    if status(folder.path).alive:
        raise RunError(f"{folder.name} is training. Stop it first.")
    if folder.path.parent == settings().models_dir:
        raise RunError(f"{folder.name} ships with the app and is not deleted from here.")
    shutil.rmtree(folder.path)


def current() -> Path | None:
    """The run folder that is training now, or None."""
    found = holder()
    return Path(found["run_dir"]) if found else None


def status(run_dir: Path) -> JobStatus:
    """What a run is doing, from its folder alone. Raises ``RunError`` if it is not a run folder."""
    folder = RunFolder(run_dir.resolve())
    if not folder.recipe_path.exists():
        raise RunError(f"{folder.path} is not a run folder: it has no recipe.json.")
    events = folder.events()
    last_start = _last(events, "start")
    first_epoch = int(last_start["first_epoch"]) if last_start else 1
    epochs = epochs_of(events)
    batches = _batches(events, first_epoch)
    living = _is_alive(folder)
    state, message = _state(folder, events, living, epochs, last_start)
    done = _progress(last_start, epochs, batches, state)
    speed = batches[-1]["images_per_second"] if batches else None
    return JobStatus(
        run_dir=folder.path,
        name=folder.name,
        state=state,
        alive=living,
        message=message,
        start=last_start,
        batches=batches,
        epochs=epochs,
        progress=done,
        seconds_left=_seconds_left(last_start, epochs, batches, state),
        images_per_second=speed if state == "running" else None,
        resumable=not living and state != "done" and _can_resume(folder, events),
        can_stop=living and state in ("starting", "running", "pausing", "paused"),
    )


def _can_resume(folder: RunFolder, events: list[Event]) -> bool:
    # Before the first epoch has ended there is no state yet; going on then means beginning anew, which is fine.
    if folder.resume_path.exists():
        return True
    return not folder.complete and not any(event["event"] == "checkpoint" for event in events)


def _state(
    folder: RunFolder, events: list[Event], living: bool, epochs: list[Event], last_start: Event | None
) -> tuple[str, str]:
    total = last_start["epochs"] if last_start else folder.recipe().epochs
    # Messages tell of the last process only: what an earlier one said is history.
    begins = [index for index, event in enumerate(events) if event.get("name") == "loading"]
    recent = events[begins[-1] :] if begins else events
    kept = "The best epoch is kept." if folder.keras_path.exists() else "No epoch had ended, so nothing is kept."
    if living:
        return _living_state(folder, recent, len(epochs), total)
    if folder.complete:
        manifest = folder.manifest() or {}
        if manifest.get("state") == "done":
            return (
                "done",
                f"Done: {len(epochs)} epochs, best on PublicTest in epoch {manifest['best_epoch']}.",
            )
        return "stopped", f"Stopped after {len(epochs)} of {total} epochs. {kept}"
    if failed := _last(recent, "failed"):
        return "failed", f"Failed: {failed['message']}"
    if _last(recent, "stopped"):
        return "stopped", f"Stopped after {len(epochs)} of {total} epochs. {kept}"
    return "died", (
        f"The training process ended without a word after {len(epochs)} of {total} epochs: it was killed, or the "
        f"machine restarted or ran out of memory. {kept}"
    )


def _living_state(folder: RunFolder, recent: list[Event], ended: int, total: int) -> tuple[str, str]:
    phase = _last(recent, "phase")
    name = phase["name"] if phase else "loading"
    if name in FINISHING:
        return FINISHING[name], f"{name.capitalize()}: {phase['detail'] if phase else ''}".rstrip(": ") + "."
    if folder.stop_path.exists() or _last(recent, "stopped"):
        return "stopping", "Stopping after the current batch; then the best epoch is evaluated."
    if folder.pause_path.exists():
        paused = [event["event"] for event in recent if event["event"] in ("paused", "resumed")]
        if paused and paused[-1] == "paused":
            return "paused", f"Paused in epoch {ended + 1} of {total}."
        return "pausing", "Pausing after the current batch."
    if name == "training" or _last(recent, "batch"):
        return "running", f"Training: epoch {min(ended + 1, total)} of {total}."
    detail = {
        "loading": "loading libraries and faces",
        "measuring precision": "measuring which precision is faster on this machine",
        "downloading": f"downloading {phase['detail'] if phase else ''}",
        "building": "building the network",
    }.get(name, name)
    return "starting", f"Starting: {detail}."


def _batches(events: list[Event], first_epoch: int) -> list[Event]:
    """Batch events without those of attempts that a resume trained anew."""
    starts = [index for index, event in enumerate(events) if event["event"] == "start"]
    last = starts[-1] if starts else 0
    return [
        event
        for index, event in enumerate(events)
        if event["event"] == "batch" and (index > last or event["epoch"] < first_epoch)
    ]


def _progress(last_start: Event | None, epochs: list[Event], batches: list[Event], state: str) -> float:
    if state in ("done", "evaluating", "exporting"):
        return 1.0
    if last_start is None:
        return 0.0
    done = float(len(epochs))
    if batches and batches[-1]["epoch"] > len(epochs):
        done += batches[-1]["step"] / batches[-1]["steps"]
    return min(done / last_start["epochs"], 1.0)


def _seconds_left(last_start: Event | None, epochs: list[Event], batches: list[Event], state: str) -> float | None:
    """Remaining epochs at the pace of the last whole one, or of the current batches before one has ended."""
    if state != "running" or last_start is None or not batches:
        return None
    steps = last_start["steps"]
    in_epoch = batches[-1]["step"] / steps if batches[-1]["epoch"] > len(epochs) else 0.0
    epoch_seconds = (
        epochs[-1]["seconds"]
        if epochs
        else steps * last_start["batch_size"] / max(batches[-1]["images_per_second"], 1e-6)
    )
    return float(max(last_start["epochs"] - len(epochs) - in_epoch, 0) * epoch_seconds)


def _is_alive(folder: RunFolder) -> bool:
    found = holder()
    return found is not None and Path(found["run_dir"]) == folder.path


def _spawn(folder: RunFolder, arguments: list[str]) -> None:
    """Start ``python -m fer_core …`` detached: it outlives this process, and its output goes to ``log.txt``."""
    for path in (folder.stop_path, folder.pause_path):
        path.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "FER_EXPLORER_HOME": str(settings().home),
        "FER_EXPLORER_MODELS": str(settings().models_dir),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONUNBUFFERED": "1",
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
    try:
        # Training takes every core it can get; pages must stay quick beside it.
        psutil.Process(child.pid).nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else LOW_PRIORITY)
        claim(child.pid, folder.path)
    except RunError:
        # Somebody else was a moment earlier. The child would find the lock taken, too; it need not get that far.
        child.kill()
        child.wait()
        raise


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "fer_core", *arguments]


def _refuse_if_busy() -> None:
    found = holder()
    if found:
        raise RunError(busy_message(found))


def _last(events: list[Event], kind: str) -> Event | None:
    return next((event for event in reversed(events) if event["event"] == kind), None)


def tail_of_log(run_dir: Path, lines: int = 20) -> str:
    """The last lines of the child's output, for people who report a defect."""
    path = RunFolder(run_dir).log_path
    if not path.exists():
        raise FerError(f"{run_dir} has no log.txt.")
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
