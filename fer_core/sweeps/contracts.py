"""What ``sweep.json`` holds, as typed dictionaries."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NotRequired

from annotated_types import Ge, Le, MaxLen
from typing_extensions import TypedDict

from fer_core.data.contracts import DatasetRecord
from fer_core.runs.contracts import RecipeRecord
from fer_core.value_types import Amount, Count, Line, Moment, Name, Positive, Text

MOST_TRIALS = 1000
Value = bool | int | float | Line
"""What one choice of a recipe may be set to."""


class Stopper(StrEnum):
    """What ends trials before their last epoch."""

    NONE = "none"
    ASHA = "asha"
    """Successive halving without waiting (Li et al., 2020, https://arxiv.org/abs/1810.05934): at certain epochs a trial
    goes on only if it is among the best third of those that came that far."""


class Outcome(StrEnum):
    """What of a trial's end its run folder does not say."""

    STOPPED_EARLY = "stopped early"
    """By the stopper: it is not trained on when the sweep is resumed."""
    FAILED = "failed"
    """By a wrong recipe or the like, which would fail again: it is not tried again."""


class TrialRecord(TypedDict):
    """One trial: the name of its run, what the grid sets for it, its seed; ``problem``: why it failed."""

    run: Name
    settings: dict[Line, Value]
    seed: Annotated[int, Ge(0), Le(2**31 - 1)]
    outcome: NotRequired[Outcome]
    problem: NotRequired[Text]


class SweepManifest(TypedDict):
    """``sweep.json``. ``id`` is random: it tells another home with a sweep of this name. ``recipe`` is what all trials
    have in common; its precision is ``auto`` until the sweep has decided, once for all trials. ``data_path``: where the
    faces lie, on every computer alike.
    """

    schema: int
    id: Line
    name: Name
    created: Moment
    data: DatasetRecord
    data_path: Text
    recipe: RecipeRecord
    precision_reason: NotRequired[Text]
    grid: dict[Line, list[Value]]
    seeds: Count
    stopper: Stopper
    cpus_per_trial: Positive
    gpus_per_trial: Amount
    trials: Annotated[list[TrialRecord], MaxLen(MOST_TRIALS)]
