"""One trial without a cluster: what it tells Tune, and what it leaves in its run folder."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fer_core.cluster.engine import require_ray
from fer_core.cluster.sweep import _scheduler, grace, unfinished, wanted_by_trial
from fer_core.data.dataset import write_dataset
from fer_core.emotions import COUNT, SPLITS
from fer_core.runs.contracts import RunState
from fer_core.runs.recipe import Recipe
from fer_core.settings import PROJECT_ROOT, settings
from fer_core.sweeps.contracts import Outcome, Stopper
from fer_core.sweeps.folder import Plan, Sweep, create, read_sweep
from fer_core.sweeps.standing import TrialState, standing, trial_standing

if TYPE_CHECKING:
    from fer_core.cluster.scheduling import Halving
    from fer_core.cluster.trial import Trial

# Modules that import Ray are imported by the tests: what Ray reads from the environment then must be set before.
pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(300),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]

HERE = Path(__file__).resolve().parent


@pytest.fixture
def sweep(home: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Three trials of 30 short epochs."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE / "site"), str(PROJECT_ROOT)]))
    images = np.random.default_rng(0).integers(0, 256, (210, 48, 48), dtype=np.uint8)
    write_dataset(settings().datasets_dir / "few", images, np.arange(210) % COUNT, np.repeat(SPLITS, 70))
    recipe = Recipe("custom_cnn", epochs=30, batch_size=7, precision="float32")
    data = settings().datasets_dir / "few"
    return create(Plan("rates", recipe, {"learning_rate": [0.001, 0.002, 0.003]}, data, stopper=Stopper.ASHA))


@pytest.fixture(autouse=True)
def ray() -> None:
    require_ray()


def trial(sweep: Sweep, number: int, **change: str) -> Trial:
    from fer_core.cluster.trial import Trial

    run = f"rates-{number:03d}"
    return Trial({"sweep": str(sweep.path), "id": sweep.manifest["id"], "run": run, **change})


def steps(one: Trial) -> Iterator[dict[str, Any]]:
    while True:
        told: dict[str, Any] = dict(one.step())
        yield told
        if told.get("done"):
            return


def test_whom_the_scheduler_stops_is_evaluated_and_sealed(sweep: Sweep) -> None:
    one = trial(sweep, 1)
    assert [one.step()["epoch"] for _ in range(2)] == [1, 2]
    # As the driver does, in its own process.
    sweep.with_outcome("rates-001", Outcome.STOPPED_EARLY)
    last = list(steps(one))[-1]
    assert last["failed"] == ""
    assert last["epoch"] < 30
    manifest = one.folder.manifest()
    assert manifest is not None
    assert manifest["state"] == RunState.STOPPED
    assert one.folder.metrics() is not None
    now = read_sweep(sweep.path)
    assert trial_standing(now, now.trial("rates-001")).state == TrialState.STOPPED_EARLY
    assert [one["run"] for one in unfinished(now)] == ["rates-002", "rates-003"]
    assert len(list(steps(trial(now, 1)))) == last["epoch"] + 1, "its epochs are told, and nothing is trained"
    assert not one.folder.stop_path.exists()


def test_what_fails_by_itself_is_told_once_and_is_not_killed(sweep: Sweep) -> None:
    (settings().datasets_dir / "few" / "images.npy").unlink()
    told = list(steps(trial(sweep, 2)))
    assert len(told) == 1
    assert "images.npy" in told[0]["failed"]


def test_another_home_is_noticed_before_anything_is_trained(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.cluster.trial._here", lambda: "on the computer far away")
    (told,) = steps(trial(sweep, 1, id="0" * 32))
    assert "must share one home" in told["failed"]
    assert not settings().runs_dir.exists()


def test_a_wish_to_stop_keeps_waiting_trials_from_starting(sweep: Sweep) -> None:
    sweep.stop_path.touch()
    (told,) = steps(trial(sweep, 1))
    assert (told["done"], told["failed"], told["epoch"]) == (True, "", 0)
    assert not settings().runs_dir.exists()
    from fer_core.cluster.scheduling import Board, StopFile

    board = Board(sweep, print)
    board.at_work.add("rates-002")
    assert not StopFile(board).stop_all(), "first what is at work is evaluated"
    board.at_work.clear()
    assert StopFile(board).stop_all()


class OfTune:
    """What the scheduler asks of Tune's trial."""

    def __init__(self, run: str) -> None:
        self.trial_id = run
        self.config = {"run": run}


def tell(scheduler: Halving, one: OfTune, epoch: int, accuracy: float) -> str:
    return scheduler.on_trial_result(
        None, one, {"run": one.trial_id, "epoch": epoch, "val_accuracy": accuracy, "training_iteration": 1}
    )


def test_the_scheduler_writes_down_whom_it_stops_and_lets_tune_stop_nobody(sweep: Sweep) -> None:
    from fer_core.cluster.scheduling import Board

    board = Board(sweep, print)
    scheduler = _scheduler(sweep, sweep.manifest["trials"], board)
    good, bad = OfTune("rates-001"), OfTune("rates-002")
    for each in (good, bad):
        scheduler.on_trial_add(None, each)
    assert tell(scheduler, good, 1, 0.6) == "CONTINUE"
    assert tell(scheduler, bad, 1, 0.3) == "CONTINUE"
    assert [one.get("outcome") for one in read_sweep(sweep.path).manifest["trials"]] == [None, "stopped early", None]
    assert tell(scheduler, good, 30, 0.6) == "CONTINUE", "the last epoch is no reason to stop"


def test_a_resumed_sweeps_scheduler_knows_what_earlier_trials_told(sweep: Sweep) -> None:
    from factories import make_run

    from fer_core.cluster.scheduling import Board

    make_run(settings().runs_dir / "rates-001", accuracy=0.9, epochs=30)
    left = unfinished(sweep)
    assert [one["run"] for one in left] == ["rates-002", "rates-003"]
    scheduler = _scheduler(sweep, left, Board(sweep, print))
    bad = OfTune("rates-002")
    scheduler.on_trial_add(None, bad)
    tell(scheduler, bad, 1, 0.01)
    assert standing(read_sweep(sweep.path)).sweep.trial("rates-002").get("outcome") == Outcome.STOPPED_EARLY


def test_a_trial_takes_memory_too_so_that_no_more_train_at_once_than_fit(sweep: Sweep) -> None:
    wanted = wanted_by_trial(sweep)
    assert (wanted["CPU"], wanted["GPU"]) == (1, 0)
    assert 1e9 < wanted["memory"] < 4e9


def test_nobody_is_judged_in_the_warm_up_or_while_the_head_alone_learns() -> None:
    plain = Recipe("custom_cnn", warmup_epochs=0)
    transfer = Recipe("vgg16", epochs=9, warmup_epochs=1.5, frozen_epochs=2)
    assert grace([plain]) == 1
    assert grace([plain, transfer]) == 4
