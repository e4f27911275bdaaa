"""What augmentation gained: a run and its twin compared on the same PublicTest faces, and the sentence that says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fer_core.emotions import PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.aligned_predictions import align
from fer_core.formatting import percent
from fer_core.runs.contracts import RunState
from fer_core.runs.events import EpochEvent, best_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import epochs_of
from fer_core.stats.paired_tests import ALPHA, Difference, McNemar, accuracy_difference, mcnemar, p_words


@dataclass(frozen=True)
class Gap:
    """How often a run is right in one epoch, 0..1: about its training faces while it learns, and about PublicTest."""

    training: float
    public: float

    @property
    def value(self) -> float:
        """Training less PublicTest, -1..1."""
        return self.training - self.public


@dataclass(frozen=True)
class TwinResult:
    """What augmentation did. ``gain``: accuracy on PublicTest with augmentation less that without.

    ``gap_with``, ``gap_without``: in the epoch that was kept of each. ``stopped``: whether one was not trained to its
    end.
    """

    gain: Difference
    test: McNemar
    gap_with: Gap
    gap_without: Gap
    stopped: bool

    def sentence(self) -> str:
        """For example ``Augmentation gained 1.2 points on PublicTest (95 % interval 0.3 to 2.1, n = 3,589; p = 0.011)
        and closed the gap between training and PublicTest from 12.0 to 1.0 points.``
        """
        gain, before, after = self.gain, self.gap_without.value, self.gap_with.value
        low, high = (f"{100 * end:.1f}".replace("-", "−") for end in (gain.low, gain.high))
        inside = f"95 % interval {low} to {high}, n = {gain.n:,}; {p_words(self.test.p)}"
        amount = f"{100 * abs(gain.value):.1f} points"
        what = (
            f"gained {amount}" if gain.value > 0 else f"cost {amount}" if gain.value < 0 else "neither gained nor cost"
        )
        chance = "" if self.test.p < ALPHA else ", which may well be chance"
        closer = abs(after) < abs(before)
        gap = (
            f"The gap between training and PublicTest {'closed' if closer else 'grew'} from {_signed(before)} to "
            f"{_signed(after)} points."
            if round(1000 * before) != round(1000 * after)
            else f"The gap between training and PublicTest stayed at {_signed(before)} points."
        )
        fair = " One of the two was stopped, so they did not learn equally long." if self.stopped else ""
        return f"Augmentation {what} on {PUBLIC_TEST} ({inside}){chance}. {gap}{fair}"


def compare_twins(one: RunFolder, other: RunFolder) -> TwinResult:
    """Compare twins, given in any order, on the data that they were trained on.

    Raises ``RunError`` where one was not measured on PublicTest, or both were trained alike with or without
    augmentation.
    """
    with_it, without = in_order(one, other)
    aligned = align([without, with_it], PUBLIC_TEST)
    right = aligned.right
    states = {manifest["state"] for run in (one, other) if (manifest := run.manifest())}
    return TwinResult(
        accuracy_difference(right[0], right[1]),
        mcnemar(right[0], right[1]),
        _gap(with_it),
        _gap(without),
        stopped=states != {RunState.DONE},
    )


def _gap(run: RunFolder) -> Gap:
    best = best_of(epochs_of(run.events()))
    if best is None:
        raise RunError(f"No epoch of {run.name} is recorded, so it cannot be compared.")
    return Gap(best["accuracy"], best["val_accuracy"])


def in_order(one: RunFolder, other: RunFolder) -> tuple[RunFolder, RunFolder]:
    """The run with augmentation, and that without. Raises ``RunError`` where they do not differ in it."""
    active = [run.recipe().augmentation.active for run in (one, other)]
    if active[0] == active[1]:
        raise RunError(f"{one.name} and {other.name} are no twins: both were trained alike.")
    return (one, other) if active[0] else (other, one)


def so_far(with_it: Sequence[EpochEvent], without: Sequence[EpochEvent]) -> str:
    """Both after the last epoch that both have ended, in a sentence; empty before the first. Epochs oldest first."""
    theirs = {epoch["epoch"]: epoch for epoch in without}
    both = [epoch for epoch in with_it if epoch["epoch"] in theirs]
    if not both:
        return ""
    last = both[-1]
    other = theirs[last["epoch"]]
    words = [
        f"{percent(epoch['val_accuracy'])} of {PUBLIC_TEST} {how} (gap to training "
        f"{_signed(epoch['accuracy'] - epoch['val_accuracy'])} points)"
        for epoch, how in ((last, "with augmentation"), (other, "without"))
    ]
    return f"After epoch {last['epoch']} of both: {words[0]}, {words[1]}."


def _signed(share: float) -> str:
    text = f"{100 * share:.1f}".replace("-", "−")
    return "0.0" if text == "−0.0" else text
