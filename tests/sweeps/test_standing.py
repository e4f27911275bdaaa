"""How a sweep stands, told from run folders."""

from __future__ import annotations

import os

import pytest
from edited_runs import as_unfinished
from factories import make_run

from fer_core.files import write_json
from fer_core.runs.journal import Journal
from fer_core.settings import settings
from fer_core.stats.best_of_many import flattered_by
from fer_core.sweeps.contracts import Outcome
from fer_core.sweeps.effects import effects, in_words
from fer_core.sweeps.folder import Sweep
from fer_core.sweeps.standing import SweepState, TrialState, best_in_words, counted, standing
from fer_core.training.lock import TrainingLock


def trained(sweep: Sweep, number: int, accuracy: float, *, state: str = "done") -> None:
    make_run(settings().runs_dir / f"{sweep.name}-{number:03d}", accuracy=accuracy, seed=number, state=state)


def test_before_anything_ran_all_wait(sweep: Sweep) -> None:
    now = standing(sweep)
    assert now.state == SweepState.INTERRUPTED
    assert {trial.state for trial in now.trials} == {TrialState.WAITING}
    assert (now.ranked(), now.flattered) == ([], None)
    assert "No trial" in best_in_words(now)
    assert in_words(now.trials) == ""


def test_each_state_is_told_from_the_runs_folder(sweep: Sweep) -> None:
    trained(sweep, 1, 0.5)
    trained(sweep, 2, 0.4, state="stopped")
    trained(sweep, 3, 0.4, state="stopped")
    now = standing(sweep.with_outcome("rates-003", Outcome.STOPPED_EARLY))
    assert [trial.state for trial in now.trials] == ["done", "stopped", "stopped early", "waiting"]
    assert counted(now) == "4 trials: 1 waiting, 1 done, 1 stopped early, 1 stopped"


def test_a_trial_that_was_killed_while_it_was_evaluated_is_not_over(sweep: Sweep) -> None:
    """Its journal says "stopped", and nothing is sealed yet."""
    trained(sweep, 1, 0.5, state="stopped")
    as_unfinished(sweep.folder(sweep.trial("rates-001")))
    now = standing(sweep.with_outcome("rates-001", Outcome.STOPPED_EARLY))
    assert now.trials[0].state == TrialState.INTERRUPTED


def test_a_failed_trial_says_why_be_it_in_the_journal_or_not(sweep: Sweep) -> None:
    folder = sweep.folder(sweep.trial("rates-001"))
    folder.path.mkdir(parents=True)
    write_json(folder.recipe_path, sweep.recipe(sweep.trial("rates-001")).to_dict())
    Journal(folder.journal_path).write("failed", message="the loss became infinite")
    now = standing(sweep.with_outcome("rates-002", Outcome.FAILED, "there is no such data"))
    assert [trial.state for trial in now.trials[:2]] == [TrialState.FAILED] * 2
    assert "infinite" in now.trials[0].message
    assert now.trials[1].message == "there is no such data"


def test_a_run_that_trains_is_seen(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once: an engine keeps them apart, and each holds its own run."""
    monkeypatch.setenv("FER_EXPLORER_SCHEDULED", "1")
    for number in (1, 2):
        trained(sweep, number, 0.5)
        as_unfinished(sweep.folder(sweep.trial(f"rates-00{number}")))
    one, two = (sweep.folder(sweep.trial(f"rates-00{number}")).path for number in (1, 2))
    with TrainingLock(one), TrainingLock(two):
        alive = [trial.state for trial in standing(sweep).trials]
    assert TrialState.INTERRUPTED not in alive[:2]
    assert [trial.state for trial in standing(sweep).trials][:2] == [TrialState.INTERRUPTED] * 2


def test_the_best_is_told_with_the_luck_of_having_been_chosen(sweep: Sweep) -> None:
    for number, accuracy in enumerate((0.3, 0.35, 0.7, 0.72), start=1):
        trained(sweep, number, accuracy)
    now = standing(sweep)
    assert now.state == SweepState.FINISHED
    ranked = now.ranked()
    assert {trial.run for trial in ranked[:2]} == {"rates-003", "rates-004"}
    best = ranked[0].accuracy
    assert best is not None
    assert now.flattered == pytest.approx(flattered_by(best, 140, 4))
    words = best_in_words(now)
    assert ranked[0].run in words
    assert f"{100 * now.flattered:.1f} points better than it is" in words
    assert "more than luck" in words
    effect = effects(ranked)[0]
    assert (effect.key, effect.best, effect.worst) == ("learning_rate", 0.003, 0.001)
    assert "with 0.003 the trials reach" in in_words(ranked)


def test_a_lead_that_luck_explains_is_called_that(sweep: Sweep) -> None:
    for number in (1, 2, 3, 4):
        trained(sweep, number, 0.6)
    assert "nothing here tells it from chance" in best_in_words(standing(sweep))


def test_while_it_is_driven_it_runs_or_stops(sweep: Sweep) -> None:
    with sweep.held():
        assert standing(sweep).state == SweepState.RUNNING
        sweep.ask_to_stop()
        assert standing(sweep).state == SweepState.STOPPING
    assert os.path.lexists(sweep.stop_path)
    assert standing(sweep).state == SweepState.INTERRUPTED


def test_a_trial_at_an_earlier_epoch_was_compared_with_those_that_had_ended(sweep: Sweep) -> None:
    for number, accuracy in enumerate((0.3, 0.72), start=1):
        trained(sweep, number, accuracy)
    late = as_unfinished(sweep.folder(sweep.trial("rates-001")))
    Journal(late.journal_path).write("phase", name="training", detail="epoch 2 of 5")
    with TrainingLock(late.path):
        words = best_in_words(standing(sweep))
        assert "still train" in words
        assert "more than luck" not in words
