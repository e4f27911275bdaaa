"""Which choice of a sweep made a difference: means of the best PublicTest accuracy over the trials of each value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fer_core.formatting import percent, points
from fer_core.sweeps.contracts import Value
from fer_core.sweeps.grid import called, shown
from fer_core.sweeps.standing import TrialStanding


@dataclass(frozen=True)
class Effect:
    """One choice: its best and its worst value, by the mean accuracy (0..1) of the trials that have it."""

    key: str
    best: Value
    worst: Value
    best_mean: float
    worst_mean: float

    @property
    def spread(self) -> float:
        return self.best_mean - self.worst_mean


def effects(trials: Sequence[TrialStanding]) -> list[Effect]:
    """One for each choice of which two values or more have an accuracy; the largest difference first."""
    groups: dict[str, dict[str, tuple[Value, list[float]]]] = defaultdict(dict)
    for trial in trials:
        accuracy = trial.accuracy
        if accuracy is None:
            continue
        for key, value in trial.settings.items():
            groups[key].setdefault(shown(value), (value, []))[1].append(accuracy)
    found = []
    for key, by_value in groups.items():
        if len(by_value) > 1:
            means = [(sum(accuracies) / len(accuracies), value) for value, accuracies in by_value.values()]
            best, worst = max(means, key=lambda pair: pair[0]), min(means, key=lambda pair: pair[0])
            found.append(Effect(key, best[1], worst[1], best[0], worst[0]))
    return sorted(found, key=lambda effect: -effect.spread)


def in_words(trials: Sequence[TrialStanding]) -> str:
    """The choice that made the largest difference, in a sentence; empty where none can be compared yet."""
    found = effects(trials)
    if not found:
        return ""
    first = found[0]
    return (
        f"The largest difference is made by the {called(first.key)}: with {shown(first.best)} the trials reach "
        f"{percent(first.best_mean)} on average, with {shown(first.worst)} {percent(first.worst_mean)} "
        f"({points(first.spread).lstrip('+')} apart)."
    )
