"""What a training is doing, told from its run folder alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from fer_core.errors import FerError, RunError
from fer_core.files import is_there
from fer_core.runs.contracts import RunState
from fer_core.runs.events import BatchEvent, EpochEvent, Event, PhaseEvent, StartEvent, starts_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import epochs_of
from fer_core.runs.soundness import look
from fer_core.runs.vote import read_vote
from fer_core.training.children import how_it_ended
from fer_core.training.lock import worker


class JobState(StrEnum):
    """What a training is doing, or what became of it."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    EVALUATING = "evaluating"
    EXPORTING = "exporting"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    DIED = "died"
    DAMAGED = "damaged"


STOPPABLE = frozenset((JobState.STARTING, JobState.RUNNING, JobState.PAUSING, JobState.PAUSED))
ENDED_BADLY = frozenset((JobState.FAILED, JobState.DIED, JobState.DAMAGED))
"""What the message of such a state repeats may come out of a log."""
FINISHING = {
    "evaluating": JobState.EVALUATING,
    "exporting": JobState.EXPORTING,
    "writing card": JobState.EXPORTING,
}
"""Phases after the last epoch, and the state each counts as."""

E = TypeVar("E")


@dataclass(frozen=True)
class JobStatus:
    """One training at one moment.

    ``state``: ``damaged`` means that the folder cannot be read, so that nothing else is known of it. ``alive``: whether
    its process is there. ``message`` is one sentence for people. ``batches`` and ``epochs`` are journal events; epochs
    that a resume trained anew appear once. ``progress`` is 0..1 of all batches; ``seconds_left`` counts training only.
    """

    run_dir: Path
    name: str
    state: JobState
    alive: bool
    message: str
    start: StartEvent | None = None
    batches: list[BatchEvent] = field(default_factory=list)
    epochs: list[EpochEvent] = field(default_factory=list)
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
    try:
        living = worker(folder.path) is not None
    except RunError as error:
        # Somebody may be at work on it: nothing of it may be changed.
        return JobStatus(folder.path, folder.name, JobState.DAMAGED, True, f"Damaged: {error}")
    if not (folder.is_vote or folder.is_brought or folder.recipe_path.exists() or folder.complete or living):
        raise RunError(f"{folder.path} is not a run folder: it has no recipe.json.")
    try:
        if problem := look(folder).problem:
            raise RunError(problem)
        return _read(folder, living)
    except OSError as error:
        problem = f"{error.filename or folder.path} cannot be read ({error.strerror or error})."
    except FerError as error:
        problem = str(error)
    return JobStatus(folder.path, folder.name, JobState.DAMAGED, living, f"Damaged: {problem}", can_stop=living)


def _read(folder: RunFolder, living: bool) -> JobStatus:
    """What a sound run folder says. Raises ``FerError`` or ``OSError`` for a damaged one."""
    if folder.is_vote:
        members = ", ".join(member.name for member in read_vote(folder).members)
        return JobStatus(folder.path, folder.name, JobState.DONE, False, f"Done: a vote of {members}.", progress=1.0)
    if folder.is_brought:
        words = f"Done: brought as {folder.import_record()['source']}."
        return JobStatus(folder.path, folder.name, JobState.DONE, False, words, progress=1.0)
    recipe = folder.recipe()
    events = folder.events()
    last_start = _last(starts_of(events))
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
        images_per_second=speed if state == JobState.RUNNING else None,
        resumable=not living and state != JobState.DONE and _can_resume(folder, events),
        can_stop=living and state in STOPPABLE,
    )


def _can_resume(folder: RunFolder, events: list[Event]) -> bool:
    # Before the first epoch has ended there is no state yet; going on then means beginning anew, which is fine.
    if folder.resume_path.exists():
        return True
    return not folder.complete and not any(event["event"] == "checkpoint" for event in events)


def _state(
    folder: RunFolder, events: list[Event], living: bool, epochs: list[EpochEvent], total: int
) -> tuple[JobState, str]:
    # Messages tell of the last process only: what an earlier one said is history.
    begins = [index for index, event in enumerate(events) if event["event"] == "phase" and event["name"] == "loading"]
    recent = events[begins[-1] :] if begins else events
    outcome = "The best epoch is kept." if folder.keras_path.exists() else "No epoch had ended, so nothing is kept."
    if living:
        return _living_state(folder, recent, len(epochs), total)
    if manifest := folder.manifest():
        if manifest["state"] == RunState.DONE:
            return JobState.DONE, f"Done: {len(epochs)} epochs, best on PublicTest in epoch {manifest['best_epoch']}."
        return JobState.STOPPED, f"Stopped after {len(epochs)} of {total} epochs. {outcome}"
    if failed := _last([event for event in recent if event["event"] == "failed"]):
        return JobState.FAILED, f"Failed: {failed['message']}"
    if any(event["event"] == "stopped" for event in recent):
        return JobState.STOPPED, f"Stopped after {len(epochs)} of {total} epochs. {outcome}"
    how = how_it_ended(folder.path)
    if how is None:
        how = "without a word: it was killed, the machine restarted, or memory or disk ran out."
    else:
        how = f"unexpectedly: {how}"
    return JobState.DIED, f"After {len(epochs)} of {total} epochs the training process ended {how} {outcome}"


def _living_state(folder: RunFolder, recent: list[Event], ended: int, total: int) -> tuple[JobState, str]:
    phases: list[PhaseEvent] = [event for event in recent if event["event"] == "phase"]
    name, about = (phases[-1]["name"], phases[-1].get("detail", "")) if phases else ("loading", "")
    if name in FINISHING:
        return FINISHING[name], f"{name.capitalize()}: {about}".rstrip(": ") + "."
    if is_there(folder.stop_path) or any(event["event"] == "stopped" for event in recent):
        return JobState.STOPPING, "Stopping after the current batch; then the best epoch is evaluated."
    if is_there(folder.pause_path):
        paused = [event["event"] for event in recent if event["event"] in ("paused", "resumed")]
        if paused and paused[-1] == "paused":
            return JobState.PAUSED, f"Paused in epoch {ended + 1} of {total}."
        return JobState.PAUSING, "Pausing after the current batch."
    if name == "training" or any(event["event"] == "batch" for event in recent):
        return JobState.RUNNING, f"Training: epoch {min(ended + 1, total)} of {total}."
    detail = {
        "loading": "loading libraries and faces",
        "measuring precision": "measuring which precision is faster on this machine",
        "downloading": f"downloading {about}",
        "building": "building the network",
    }.get(name, name)
    return JobState.STARTING, f"Starting: {detail}."


def _batches(events: list[Event], first_epoch: int) -> list[BatchEvent]:
    """Batch events without those of attempts that a resume trained anew."""
    starts = [index for index, event in enumerate(events) if event["event"] == "start"]
    last = starts[-1] if starts else 0
    return [
        event
        for index, event in enumerate(events)
        if event["event"] == "batch" and (index > last or event["epoch"] < first_epoch)
    ]


def _progress(
    last_start: StartEvent | None, epochs: list[EpochEvent], batches: list[BatchEvent], state: JobState
) -> float:
    if state in (JobState.DONE, JobState.EVALUATING, JobState.EXPORTING):
        return 1.0
    if last_start is None:
        return 0.0
    done = float(len(epochs))
    if batches and batches[-1]["epoch"] > len(epochs):
        done += batches[-1]["step"] / batches[-1]["steps"]
    return min(done / last_start["epochs"], 1.0)


def _seconds_left(
    last_start: StartEvent | None, epochs: list[EpochEvent], batches: list[BatchEvent], state: JobState
) -> float | None:
    """Remaining epochs at the pace of the last whole one, or of the current batches before one has ended."""
    if state != JobState.RUNNING or last_start is None or not batches:
        return None
    steps = last_start["steps"]
    in_epoch = batches[-1]["step"] / steps if batches[-1]["epoch"] > len(epochs) else 0.0
    epoch_seconds = (
        epochs[-1]["seconds"]
        if epochs
        else steps * last_start["batch_size"] / max(batches[-1]["images_per_second"], 1e-6)
    )
    return float(max(last_start["epochs"] - len(epochs) - in_epoch, 0) * epoch_seconds)


def _last(events: Sequence[E]) -> E | None:
    return events[-1] if events else None
