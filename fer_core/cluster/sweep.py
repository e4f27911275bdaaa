"""Driving a sweep: its trials as an experiment of Ray Tune, with the run folders as the only truth.

Tune's own record of an experiment is thrown away when the command ends, and resuming is a new experiment about the
trials that are left: what was trained, stopped or failed is in the sweep's folder and in its runs, which a restored
record could contradict. The early-stopping scheduler first hears what the earlier trials told.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any

from fer_core.cluster.engine import Engine, engine, require_ray
from fer_core.errors import ClusterError, FerError
from fer_core.formatting import plural
from fer_core.runs.recipe import Recipe
from fer_core.signals import asked_to_end
from fer_core.sweeps.contracts import Stopper, TrialRecord
from fer_core.sweeps.folder import Sweep, read_sweep
from fer_core.sweeps.standing import ENDED, trial_standing
from fer_core.training.resources import estimate_memory

if TYPE_CHECKING:
    from fer_core.cluster.scheduling import Board

KILLS = 5
"""How often a trial's training, actor or computer may be killed before the sweep goes on without it."""
PRECISION_S = 900.0
"""Seconds that measuring the arithmetic may take: two models are built and timed."""

Tell = Callable[[str], None]


def drive(sweep: Sweep, tell: Tell) -> None:
    """Train what is left of a sweep, and return when it is over or was stopped. ``tell`` takes lines for people.

    Raises ``SweepError`` where another process drives it, ``ClusterError`` where Ray is missing, does not start or has
    no computer for a trial. Whatever kills this process, the trials end within seconds and the sweep can be resumed;
    where it is asked to end, ``tell`` says how, and ``KeyboardInterrupt`` comes out.
    """
    sweep.check_ready()
    ray = require_ray()
    with sweep.held():
        sweep.stop_path.unlink(missing_ok=True)
        sweep = read_sweep(sweep.path)
        left = unfinished(sweep)
        if not left:
            tell(f"Nothing is left of {sweep.name}: all of its trials have ended.")
            return
        words = LastWords(sweep, tell)
        # Told before Ray is shut down, which takes seconds; also where it never came up.
        with words, engine() as found, words:
            _check_fits(ray, found, sweep)
            sweep = _with_precision(ray, sweep, tell)
            where = f"{plural(found.nodes, 'computer')} with {plural(int(found.cpus), 'processor')}"
            tell(f"{plural(len(left), 'trial')} on {where}. See them in the app, on the page Sweeps.")
            _fit(ray, sweep, left, tell)


class LastWords:
    """Tells once, where a signal ends the block, what stands of a sweep and how it goes on. A context manager."""

    def __init__(self, sweep: Sweep, tell: Tell) -> None:
        self._sweep, self._tell, self._told = sweep, tell, False

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None or not (issubclass(kind, KeyboardInterrupt) or asked_to_end()):
            return
        if not self._told:
            self._told = True
            trials = self._sweep.manifest["trials"]
            ended = len(trials) - len(unfinished(read_sweep(self._sweep.path)))
            self._tell(
                f"Broken off: {ended:,} of {plural(len(trials), 'trial')} of {self._sweep.name} ended. What is left "
                "goes on, each run after its last whole epoch, with: python -m fer_core sweep resume "
                f"{self._sweep.name}"
            )
        # What a signal breaks off inside Ray may come out as an error of Ray's.
        raise KeyboardInterrupt from None


def unfinished(sweep: Sweep) -> list[TrialRecord]:
    """The trials that a resumed sweep trains, or trains on."""
    return [trial for trial in sweep.manifest["trials"] if trial_standing(sweep, trial).state not in ENDED]


def wanted_by_trial(sweep: Sweep) -> dict[str, float]:
    """What of a computer each trial takes, by Ray's names. Memory, in bytes, is an estimate for the largest recipe: as
    many trials at once as there are processors may not fit.
    """
    faces = sweep.manifest["data"]["faces"]
    memory = max(estimate_memory(sweep.recipe(trial), faces) for trial in sweep.manifest["trials"])
    return {
        "CPU": sweep.manifest["cpus_per_trial"],
        "GPU": sweep.manifest["gpus_per_trial"],
        "memory": float(math.ceil(memory)),
    }


def grace(recipes: Sequence[Recipe]) -> int:
    """Epochs that every trial gets before the scheduler judges it.

    Accuracies during the warm-up, or while only the head of a pretrained network learns, say nothing of later ones.
    """
    return max(1, *(math.ceil(recipe.warmup_epochs + recipe.frozen_epochs) for recipe in recipes))


def _check_fits(ray: ModuleType, found: Engine, sweep: Sweep) -> None:
    wanted = wanted_by_trial(sweep)
    offers = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(all(one.get(name, 0) >= amount for name, amount in wanted.items()) for one in offers):
        # Ray would wait for such a computer to come, and say nothing.
        raise ClusterError(
            f"a trial asks for {wanted['CPU']:g} processors, {wanted['GPU']:g} graphics cards and "
            f"{wanted['memory'] / 1e9:.1f} GB of memory, and no computer here has as many ({found.cpus:g} and "
            f"{found.gpus:g} in all)."
        )


def _with_precision(ray: ModuleType, sweep: Sweep, tell: Tell) -> Sweep:
    """The sweep, with its arithmetic decided on.

    Once and before any trial: beside others, each trial would measure how busy its computer is, and they would differ
    in what no grid names.
    """
    base = sweep.base()
    if base.precision != "auto":
        return sweep
    tell("Measuring which precision is faster.")
    ask = ray.remote(max_calls=1)(_choose_precision).options(
        num_cpus=sweep.manifest["cpus_per_trial"], num_gpus=sweep.manifest["gpus_per_trial"]
    )
    try:
        precision, reason = ray.get(ask.remote(dict(base.to_dict())), timeout=PRECISION_S)
    except ray.exceptions.RayError as error:
        raise ClusterError(f"which precision is faster could not be measured: {str(error).splitlines()[-1]}") from error
    tell(f"All trials use {precision}: {reason}.")
    return sweep.with_precision(precision, reason)


def _choose_precision(recipe: dict[str, object]) -> tuple[str, str]:
    """Runs on the engine, in a process that ends with it: it loads TensorFlow or JAX."""
    from fer_core.training.build import choose_precision
    from fer_core.training.resources import use_fast_kernels
    from fer_core.zoo.backend import compute_with

    wanted = Recipe.from_dict(recipe)
    use_fast_kernels()
    compute_with(wanted.backend)
    return choose_precision(wanted)


def _fit(ray: ModuleType, sweep: Sweep, left: Sequence[TrialRecord], tell: Tell) -> None:
    # Ours ends the command on Ctrl+C, as every command ends; Tune's would wait for trials that may take hours.
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
    # Its tables of all trials every half minute, where our own lines tell each epoch.
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    # Files of curves beside each trial, which its run folder has anyway.
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
    from ray import tune

    from fer_core.cluster.scheduling import Board, Narrator, StopFile
    from fer_core.cluster.trial import Trial

    board = Board(sweep, tell)
    scratch = sweep.path / ".tune"
    shutil.rmtree(scratch, ignore_errors=True)
    wanted = wanted_by_trial(sweep)
    resources = {"cpu": wanted["CPU"], "gpu": wanted["GPU"], "memory": wanted["memory"]}
    try:
        tune.Tuner(
            tune.with_resources(Trial, resources),
            param_space={
                "sweep": str(sweep.path),
                "id": sweep.manifest["id"],
                "run": tune.grid_search([trial["run"] for trial in left]),
            },
            tune_config=tune.TuneConfig(scheduler=_scheduler(sweep, left, board), reuse_actors=False),
            run_config=tune.RunConfig(
                name=sweep.name,
                storage_path=str(scratch),
                # The run folder is the checkpoint.
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                failure_config=tune.FailureConfig(max_failures=KILLS),
                callbacks=[Narrator(board)],
                stop=StopFile(board),
                verbose=0,
            ),
        ).fit()
    except FerError:
        raise
    except (ray.exceptions.RayError, tune.TuneError) as error:
        raise ClusterError(
            f"the engine broke off: {str(error).strip().splitlines()[-1][:300]} Go on with: python -m fer_core sweep "
            f"resume {sweep.name}"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _scheduler(sweep: Sweep, left: Sequence[TrialRecord], board: Board) -> Any:
    """What decides on trials before their last epoch, knowing what ended trials have told; None where nothing does."""
    if sweep.manifest["stopper"] == Stopper.NONE:
        return None
    from fer_core.cluster.scheduling import Halving

    recipes = [sweep.recipe(trial) for trial in sweep.manifest["trials"]]
    most = max(recipe.epochs for recipe in recipes)
    # Beyond the last epoch, or Tune ends trials that have just ended by themselves, before they are sealed.
    scheduler = Halving(board, grace_period=min(grace(recipes), most), max_t=most + 1)
    going_on = {trial["run"] for trial in left}
    for trial in sweep.manifest["trials"]:
        if trial["run"] not in going_on:
            earlier = SimpleNamespace(trial_id=trial["run"], config={"run": trial["run"]})
            scheduler.hear(earlier, trial_standing(sweep, trial).epochs)
    return scheduler
