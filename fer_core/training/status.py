"""What a training is doing, told from its run folder alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fer_core.errors import FerError, RunError
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Event, epochs_of
from fer_core.runs.vote import read_vote
from fer_core.training.lock import holder

FINISHING = {"evaluating": "evaluating", "exporting": "exporting", "writing card": "exporting"}
"""Phases after the last epoch, and the state each counts as."""


def _number(value: object) -> bool:
    # In Python, true is a number; in a journal it is not.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _count(value: object) -> bool:
    return type(value) is int and value >= 1


def _text(value: object) -> bool:
    return isinstance(value, str)


def _matrix(value: object) -> bool:
    rows = value if isinstance(value, list) else [value]
    return all(isinstance(row, list) and len(row) == len(rows) and all(map(_number, row)) for row in rows)


_SHARED = {"epoch": _count, "loss": _number, "accuracy": _number, "learning_rate": _number}
NEEDED: dict[str, dict[str, Callable[[object], bool]]] = {
    "start": {"epochs": _count, "steps": _count, "batch_size": _count},
    "phase": {"name": _text},
    "batch": {**_SHARED, "step": _count, "steps": _count, "images_per_second": _number},
    "epoch": {
        **_SHARED,
        **dict.fromkeys(("val_loss", "val_accuracy", "seconds", "images_per_second"), _number),
        "confusion": _matrix,
    },
    "failed": {"message": _text},
}
"""What a reader cannot do without, by event. Whatever else is missing, such as a time or a process, is done without."""


@dataclass(frozen=True)
class JobStatus:
    """One training at one moment.

    ``state`` is one of ``starting``, ``running``, ``pausing``, ``paused``, ``stopping``, ``evaluating``,
    ``exporting`` (alive), ``done``, ``stopped``, ``failed``, ``died`` (over), and ``damaged`` (the folder cannot be
    read, so nothing else is known of it). ``message`` is one sentence for people. ``batches`` and ``epochs`` are
    journal events; epochs that a resume trained anew appear once. ``progress`` is 0..1 of all batches;
    ``seconds_left`` counts training only.
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


def status(run_dir: Path) -> JobStatus:
    """What a run is doing, from its folder alone. Raises ``RunError`` if it is not a run folder.

    A run folder that is damaged has the state ``damaged``, and its message says what is wrong with it.
    """
    folder = RunFolder(run_dir.resolve())
    living = _is_alive(folder)
    # Of a folder that somebody deletes while it trains, nothing is left but the process.
    if not (folder.is_vote or folder.recipe_path.exists() or folder.complete or living):
        raise RunError(f"{folder.path} is not a run folder: it has no recipe.json.")
    try:
        return _read(folder, living)
    except OSError as error:
        problem = f"{error.filename or folder.path} cannot be read ({error.strerror or error})."
    except FerError as error:
        problem = str(error)
    return JobStatus(folder.path, folder.name, "damaged", living, f"Damaged: {problem}", can_stop=living)


def _read(folder: RunFolder, living: bool) -> JobStatus:
    """What a sound run folder says. Raises ``FerError`` or ``OSError`` for a damaged one."""
    if folder.is_vote:
        members = ", ".join(member.name for member in read_vote(folder).members)
        return JobStatus(folder.path, folder.name, "done", False, f"Done: a vote of {members}.", progress=1.0)
    recipe = folder.recipe()
    events = folder.events()
    _check(folder, events)
    last_start = _last(events, "start")
    first_epoch = last_start.get("first_epoch", 1) if last_start else 1
    epochs = epochs_of(events)
    batches = _batches(events, first_epoch)
    total = last_start["epochs"] if last_start else recipe.epochs
    state, message = _state(folder, events, living, epochs, total)
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


def _check(folder: RunFolder, events: list[Event]) -> None:
    """Raise ``RunError`` for an event without what is read of it, here or on a page."""
    for event in events:
        kind = str(event["event"])
        needed = NEEDED.get(kind, {})
        # Where it is absent, it counts as 1.
        optional = {"first_epoch": _count} if "first_epoch" in event else {}
        for key, fits in {**needed, **optional}.items():
            if not fits(event.get(key)):
                raise RunError(
                    f"{folder.journal_path} has an event {kind!r} whose {key!r} is {str(event.get(key))[:40]}. "
                    "Restore the file, or delete the run."
                )


def _can_resume(folder: RunFolder, events: list[Event]) -> bool:
    # Before the first epoch has ended there is no state yet; going on then means beginning anew, which is fine.
    if folder.resume_path.exists():
        return True
    return not folder.complete and not any(event["event"] == "checkpoint" for event in events)


def _state(folder: RunFolder, events: list[Event], living: bool, epochs: list[Event], total: int) -> tuple[str, str]:
    # Messages tell of the last process only: what an earlier one said is history.
    begins = [index for index, event in enumerate(events) if event.get("name") == "loading"]
    recent = events[begins[-1] :] if begins else events
    kept = "The best epoch is kept." if folder.keras_path.exists() else "No epoch had ended, so nothing is kept."
    if living:
        return _living_state(folder, recent, len(epochs), total)
    if folder.complete:
        manifest = folder.manifest() or {}
        if manifest.get("state") == "done":
            if "best_epoch" not in manifest:
                raise RunError(f"{folder.manifest_path} lacks 'best_epoch'. Restore the file, or delete the run.")
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
        f"The training process ended without a word after {len(epochs)} of {total} epochs: it was killed, the "
        f"machine restarted, or memory or disk ran out. {kept}"
    )


def _living_state(folder: RunFolder, recent: list[Event], ended: int, total: int) -> tuple[str, str]:
    phase = _last(recent, "phase")
    name = phase["name"] if phase else "loading"
    if name in FINISHING:
        return FINISHING[name], f"{name.capitalize()}: {phase.get('detail', '') if phase else ''}".rstrip(": ") + "."
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
        "downloading": f"downloading {phase.get('detail', '') if phase else ''}",
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


def _last(events: list[Event], kind: str) -> Event | None:
    return next((event for event in reversed(events) if event["event"] == kind), None)
