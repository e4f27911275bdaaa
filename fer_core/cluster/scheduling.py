"""What Tune asks and tells the driving process: whom to stop early, whether all shall stop, what became of trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ray.tune import Callback, Stopper
from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from fer_core.cluster.results import Result
from fer_core.files import is_there
from fer_core.formatting import percent
from fer_core.sweeps.contracts import Outcome
from fer_core.sweeps.folder import Sweep
from fer_core.sweeps.standing import Point

REDUCTION = 3
"""Of the trials that come to a judgement, about one in three goes on."""


class Board:
    """The sweep as this process, its only writer, knows it: outcomes, and which trials are at work."""

    def __init__(self, sweep: Sweep, tell: Any) -> None:
        self.sweep = sweep
        self.tell = tell
        self.at_work: set[str] = set()

    def record(self, run: str, outcome: Outcome, problem: str = "") -> None:
        self.sweep = self.sweep.with_outcome(run, outcome, problem)

    def is_stopped_early(self, run: str) -> bool:
        return self.sweep.trial(run).get("outcome") == Outcome.STOPPED_EARLY


class Halving(ASHAScheduler):
    """Successive halving that writes its decision into the sweep, and leaves the stopping to the trial.

    ``epoch`` counts, and not Tune's iterations: those begin anew when a killed trial is tried again.
    """

    def __init__(self, board: Board, *, grace_period: int, max_t: int) -> None:
        super().__init__(
            time_attr="epoch",
            metric="val_accuracy",
            mode="max",
            grace_period=grace_period,
            max_t=max_t,
            reduction_factor=REDUCTION,
        )
        self._board = board

    def hear(self, earlier: Any, epochs: Iterable[Point]) -> None:
        """What a trial told that has ended before this process began. ``earlier`` has a ``trial_id``, as trials do."""
        super().on_trial_add(None, earlier)
        for point in epochs:
            super().on_trial_result(None, earlier, {"epoch": point.epoch, "val_accuracy": point.accuracy})

    def on_trial_result(self, tune_controller: Any, trial: Any, result: Any) -> str:
        run = result["run"]
        if result.get("done") or self._board.is_stopped_early(run):
            return str(TrialScheduler.CONTINUE)
        decision = super().on_trial_result(tune_controller, trial, result)
        if decision == TrialScheduler.STOP:
            self._board.record(run, Outcome.STOPPED_EARLY)
            self._board.tell(f"{run} falls behind after epoch {result['epoch']}: it is stopped and evaluated.")
        return str(TrialScheduler.CONTINUE)


class StopFile(Stopper):
    """Ends the experiment once somebody wants that and every trial at work has been evaluated and sealed."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return not self._board.at_work and is_there(self._board.sweep.stop_path)


class Narrator(Callback):
    """Notes what became of trials, and tells it in lines for people."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._board.at_work.add(trial.config["run"])

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: Result, **info: Any) -> None:
        if not result.get("done"):
            self._board.tell(f"{result['run']}: epoch {result['epoch']}, PublicTest {percent(result['val_accuracy'])}")

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        run = trial.config["run"]
        self._board.at_work.discard(run)
        if failed := trial.last_result.get("failed", ""):
            self._board.record(run, Outcome.FAILED, failed)
            self._board.tell(f"{run} failed: {failed}")
        else:
            self._board.tell(f"{run} has ended.")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._board.at_work.discard(trial.config["run"])
        self._board.tell(f"{trial.config['run']} was killed again and again: the sweep goes on without it.")

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._board.at_work.discard(trial.config["run"])
        self._board.tell(f"{trial.config['run']} was killed: it is tried again, after its last whole epoch.")
