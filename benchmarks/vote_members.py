"""Would the vote gain from another member, or from other weights? By cross-validation on PublicTest, without training.

    python benchmarks/vote_members.py
    python benchmarks/vote_members.py --members custom_cnn resnet50 --more tiny

Reads what the runs said of PublicTest; needs no dataset, and PrivateTest is never read. Each face is judged by
temperatures and weights that were fitted on the other nine parts of PublicTest: none helps to choose what judges it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.common import table
from fer_core.emotions import PUBLIC_TEST
from fer_core.evaluation.aligned_predictions import AlignedPredictions, align
from fer_core.evaluation.vote import choose_weights
from fer_core.formatting import percent
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import find_run
from fer_core.runs.vote import read_vote
from fer_core.stats.calibration import apply_temperature, usable_temperature
from fer_core.stats.intervals import bootstrap_interval
from fer_core.stats.metrics import log_loss
from fer_core.stats.paired_tests import accuracy_difference

PARTS = 10
STEPS = 10
"""Weights that are chosen for accuracy go in steps of one tenth."""

Probabilities = npt.NDArray[np.float64]
Weigh = Callable[[npt.NDArray[np.int8], Probabilities], npt.NDArray[np.float64]]


def equal(labels: npt.NDArray[np.int8], said: Probabilities) -> npt.NDArray[np.float64]:
    """One for all. ``said``: float64 (K, n, 7)."""
    return np.full(len(said), 1 / len(said))


def by_log_loss(labels: npt.NDArray[np.int8], said: Probabilities) -> npt.NDArray[np.float64]:
    """As ``vote`` chooses them."""
    return choose_weights(labels, list(said))


def by_accuracy(labels: npt.NDArray[np.int8], said: Probabilities) -> npt.NDArray[np.float64]:
    """Of all weights in tenths those that have most faces right; of equally good ones the mean."""
    best = -1
    chosen: list[npt.NDArray[np.float64]] = []
    for steps in product(range(STEPS + 1), repeat=len(said) - 1):
        if sum(steps) > STEPS:
            continue
        weights = np.array([*steps, STEPS - sum(steps)]) / STEPS
        right = int((np.tensordot(weights, said, axes=1).argmax(axis=1) == labels).sum())
        if right > best:
            best, chosen = right, []
        if right == best:
            chosen.append(weights)
    return np.mean(chosen, axis=0)


RULES: dict[str, Weigh] = {"equal": equal, "lowest log loss": by_log_loss, "highest accuracy": by_accuracy}


@dataclass(frozen=True)
class Outcome:
    """A vote on the n faces: share right (0..1) with its 95 % interval, log loss (nats), and how much more it has right
    than the first group's lowest log loss, paired (-1..1), the faces without twins apart. ``weights``: the means over
    the parts, in the members' order."""

    members: tuple[str, ...]
    n: int
    weights_by: str
    accuracy: float
    low: float
    high: float
    log_loss: float
    gain: float
    gain_low: float
    gain_high: float
    clean_gain: float
    clean_gain_low: float
    clean_gain_high: float
    weights: tuple[float, ...]


def cross_validated(aligned: AlignedPredictions, weigh: Weigh, seed: int) -> tuple[Probabilities, tuple[float, ...]]:
    """What the vote says of each face, float64 (n, 7), fitted on the other parts; and the mean weights."""
    part = np.random.default_rng(seed).permutation(np.arange(len(aligned)) % PARTS)
    answers = np.empty((len(aligned), aligned.probabilities.shape[2]))
    weights = []
    for number in range(PARTS):
        fitted, judged = part != number, part == number
        labels = aligned.labels[fitted]
        tempered = [
            apply_temperature(said, usable_temperature(labels, said[fitted]) or 1.0) for said in aligned.probabilities
        ]
        said = np.stack(tempered).astype(np.float64)
        weights.append(weigh(labels, said[:, fitted]))
        answers[judged] = np.tensordot(weights[-1], said[:, judged], axes=1)
    return answers, tuple(round(float(weight), 3) for weight in np.mean(weights, axis=0))


def outcomes(groups: Sequence[Sequence[RunFolder]], seed: int = 0) -> list[Outcome]:
    """Every rule for every group of members. The gains are on the first group's lowest log loss, the shipped way."""
    rights, found = {}, {}
    for group in groups:
        aligned = align(group, PUBLIC_TEST)
        for rule, weigh in RULES.items():
            found[aligned.runs, rule] = cross_validated(aligned, weigh, seed)
            rights[aligned.runs, rule] = found[aligned.runs, rule][0].argmax(axis=1) == aligned.labels
    first = align(groups[0], PUBLIC_TEST)
    clean = np.ones(len(first), bool) if first.near_duplicate is None else ~first.near_duplicate
    base = rights[first.runs, "lowest log loss"]
    result = []
    for key, (answers, weights) in found.items():
        right = rights[key]
        low, high = bootstrap_interval(right)
        gain, own = accuracy_difference(base, right), accuracy_difference(base[clean], right[clean])
        result.append(
            Outcome(
                key[0],
                len(first),
                key[1],
                float(right.mean()),
                low,
                high,
                log_loss(first.labels, answers),
                *(gain.value, gain.low, gain.high),
                *(own.value, own.low, own.high),
                weights,
            )
        )
    return result


def as_table(found: Sequence[Outcome]) -> str:
    head = ["members", "weights by", "PublicTest", "log loss", "gain, points", "without twins, points", "weights"]
    return table(
        head,
        [
            [
                ", ".join(one.members),
                one.weights_by,
                f"{percent(one.accuracy)} ({100 * one.low:.1f}–{100 * one.high:.1f})",
                f"{one.log_loss:.4f}",
                points(one.gain, one.gain_low, one.gain_high),
                points(one.clean_gain, one.clean_gain_low, one.clean_gain_high),
                " ".join(f"{weight:.2f}" for weight in one.weights),
            ]
            for one in found
        ],
    )


def points(value: float, low: float, high: float) -> str:
    said = (f"{100 * number:+.1f}".replace("-", "−") for number in (value, low, high))
    return "{} ({} to {})".format(*said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", nargs="+", metavar="RUN", help="default: those of the vote that ships")
    parser.add_argument("--more", nargs="+", metavar="RUN", default=["tiny"], help="who might join (default: tiny)")
    parser.add_argument("--seed", type=int, default=0, help="of the parts (default: 0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    names = args.members or [member.name for member in read_vote(find_run("vote")).members]
    members = [find_run(name) for name in names]
    found = outcomes([members, [*members, *(find_run(name) for name in args.more)]], args.seed)
    print(json.dumps([asdict(one) for one in found]) if args.json else as_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
