"""How a sweep stands, told from its runs' folders alone: each trial's state and curve, and which is best so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from fer_core.errors import SweepError
from fer_core.files import is_there
from fer_core.formatting import percent, plural, points
from fer_core.runs.events import rank
from fer_core.stats.best_of_many import flattered_by
from fer_core.sweeps.contracts import MOST_TRIALS, Outcome, TrialRecord, Value
from fer_core.sweeps.folder import Sweep
from fer_core.training.lock import worker
from fer_core.training.status import STOPPABLE, JobState, status


class TrialState(StrEnum):
    """What a trial is doing, or what became of it."""

    WAITING = "waiting"
    TRAINING = "training"
    FINISHING = "evaluating"
    INTERRUPTED = "interrupted"
    DONE = "done"
    STOPPED_EARLY = "stopped early"
    STOPPED = "stopped"
    FAILED = "failed"
    DAMAGED = "damaged"


ENDED = frozenset((TrialState.DONE, TrialState.STOPPED_EARLY, TrialState.FAILED))
"""What a resumed sweep leaves alone."""


class SweepState(StrEnum):
    """What a sweep is doing, or what became of it."""

    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Point:
    """One epoch that has ended: its number, from 1, and accuracy (0..1) and loss (nats) on PublicTest."""

    epoch: int
    accuracy: float
    loss: float


@dataclass(frozen=True)
class TrialStanding:
    """One trial at one moment. ``epochs``: those that have ended; ``planned``: how many there are to be.

    ``faces``: of PublicTest, on which each epoch was measured; 0 before the first start. ``sealed``: whether the run
    can be opened in Compare. ``message``: a sentence about it, which may repeat what lies in its folder.
    """

    run: str
    settings: dict[str, Value]
    seed: int
    state: TrialState
    planned: int
    epochs: tuple[Point, ...] = ()
    faces: int = 0
    sealed: bool = False
    message: str = ""

    @property
    def best(self) -> Point | None:
        """The epoch that is kept: the best on PublicTest."""
        return max(self.epochs, key=lambda point: rank(point.accuracy, point.loss), default=None)

    @property
    def accuracy(self) -> float | None:
        """Of that epoch on PublicTest, 0..1; None before the first has ended."""
        best = self.best
        return None if best is None else best.accuracy


@dataclass(frozen=True)
class SweepStanding:
    """A whole sweep at one moment; ``trials`` as its ``sweep.json`` lists them."""

    sweep: Sweep
    state: SweepState
    trials: tuple[TrialStanding, ...]

    def ranked(self) -> list[TrialStanding]:
        """The trials that have an accuracy, best first; of equal ones, that with the lower loss."""
        judged = [(trial, best) for trial in self.trials if (best := trial.best) is not None]
        judged.sort(key=lambda pair: (-pair[1].accuracy, pair[1].loss, pair[0].run))
        return [trial for trial, _ in judged]

    def count(self, *states: TrialState) -> int:
        return sum(trial.state in states for trial in self.trials)

    @property
    def flattered(self) -> float | None:
        """By how much the best trial is expected to look better than it is, 0..1; None where nothing was chosen."""
        ranked = self.ranked()
        if len(ranked) < 2 or not ranked[0].faces:
            return None
        best = ranked[0].accuracy
        return None if best is None else flattered_by(best, ranked[0].faces, len(ranked))


def standing(sweep: Sweep) -> SweepStanding:
    """How the sweep stands now."""
    driven = sweep.driver() is not None
    trials = tuple(trial_standing(sweep, trial) for trial in sweep.manifest["trials"])
    if driven:
        state = SweepState.STOPPING if is_there(sweep.stop_path) else SweepState.RUNNING
    else:
        state = SweepState.FINISHED if all(trial.state in ENDED for trial in trials) else SweepState.INTERRUPTED
    return SweepStanding(sweep, state, trials)


def trial_standing(sweep: Sweep, trial: TrialRecord) -> TrialStanding:
    """How one trial stands now."""
    folder = sweep.folder(trial)
    about = {"run": trial["run"], "settings": dict(trial["settings"]), "seed": trial["seed"]}
    planned = sweep.recipe(trial).epochs
    outcome, problem = trial.get("outcome"), trial.get("problem", "")
    if not folder.recipe_path.exists() and not folder.complete:
        state = TrialState.FAILED if outcome == Outcome.FAILED else TrialState.WAITING
        return TrialStanding(**about, state=state, planned=planned, message=problem)  # type: ignore[arg-type]
    sealed = folder.complete
    # A journal may have thousands of lines, and that of a sealed run does not change any more.
    still = sealed and worker(folder.path) is None
    now = _sealed(folder.path, folder.state_key()) if still else _told(folder.path)
    return TrialStanding(
        **about,  # type: ignore[arg-type]
        state=_state(now, outcome, sealed=sealed),
        planned=planned,
        epochs=now.epochs,
        faces=now.faces,
        sealed=sealed and now.state != JobState.DAMAGED,
        message=problem or now.message,
    )


@dataclass(frozen=True)
class _Told:
    """What counts of a training's status; a thousand of them are kept."""

    state: JobState
    alive: bool
    message: str
    epochs: tuple[Point, ...]
    faces: int


def _told(path: Path) -> _Told:
    now = status(path)
    points = tuple(Point(event["epoch"], event["val_accuracy"], event["val_loss"]) for event in now.epochs)
    return _Told(now.state, now.alive, now.message, points, now.start["validation_faces"] if now.start else 0)


@lru_cache(maxsize=2 * MOST_TRIALS)
def _sealed(path: Path, sealed: tuple[int, ...]) -> _Told:
    return _told(path)


def _state(now: _Told, outcome: Outcome | None, *, sealed: bool) -> TrialState:
    if now.state == JobState.DAMAGED:
        return TrialState.DAMAGED
    if now.alive:
        return TrialState.TRAINING if now.state in STOPPABLE else TrialState.FINISHING
    if now.state == JobState.DONE:
        return TrialState.DONE
    if now.state == JobState.FAILED or outcome == Outcome.FAILED:
        return TrialState.FAILED
    if now.state == JobState.STOPPED and sealed:
        return TrialState.STOPPED_EARLY if outcome == Outcome.STOPPED_EARLY else TrialState.STOPPED
    # Also one that was to stop, and was killed before its best epoch was evaluated: a resumed sweep seals it.
    return TrialState.INTERRUPTED


def best_in_words(now: SweepStanding, name: str | None = None) -> str:
    """Which trial is best on PublicTest, and how much of that is luck; that there is none yet.

    ``name``: what to call it, by default its folder's name, which commands take.
    """
    ranked = now.ranked()
    if not ranked:
        return "No trial has finished an epoch yet."
    best = ranked[0]
    words = f"Best so far is {name or best.run}, {percent(_accuracy(best))} of PublicTest"
    if now.state == SweepState.FINISHED:
        words = words.replace("Best so far", "Best")
    flattered = now.flattered
    if flattered is None:
        return f"{words}."
    return (
        f"{words}. It was chosen among {plural(len(ranked), 'trial')}: if all were equally good, the best would still "
        f"look about {points(flattered).lstrip('+')} better than it is, by luck with these "
        f"{best.faces:,} faces. {_compared(ranked, flattered)}"
    )


def _compared(ranked: Sequence[TrialStanding], flattered: float) -> str:
    if any(trial.state in (TrialState.TRAINING, TrialState.FINISHING) for trial in ranked):
        return "Some of them still train, and one that is at an earlier epoch cannot be compared yet."
    ahead = _accuracy(ranked[0]) - sum(map(_accuracy, ranked)) / len(ranked)
    if ahead <= flattered:
        return f"It is {points(ahead).lstrip('+')} ahead of the mean of all, so nothing here tells it from chance."
    return f"It is {points(ahead).lstrip('+')} ahead of the mean of all, more than luck gives on average."


def _accuracy(trial: TrialStanding) -> float:
    accuracy = trial.accuracy
    if accuracy is None:
        raise SweepError(f"{trial.run} has not finished an epoch.")
    return accuracy


def counted(now: SweepStanding) -> str:
    """How many trials are in which state: ``12 trials: 4 done, 2 training, 6 waiting``."""
    states = [(now.count(state), state) for state in TrialState]
    return f"{plural(len(now.trials), 'trial')}: " + ", ".join(f"{n:,} {state}" for n, state in states if n)
