"""What each view of a comparison shows, in a sentence or two, computed from its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.corruptions.kinds import CORRUPTIONS
from fer_core.corruptions.robustness import Robustness
from fer_core.emotions import COUNT, NAMES, PUBLIC_TEST
from fer_core.formatting import listed, percent, plural, points
from fer_core.stats.calibration import Reliability
from fer_core.stats.intervals import chance_margin
from fer_core.stats.metrics import ClassIntervals, Measure, interval_of
from fer_core.stats.paired_tests import ALPHA, mcnemar, p_words
from fer_core.stats.risk_coverage import Answered

MEASURES: dict[Measure, str] = {"precision": "precision", "recall": "recall", "f1": "F1"}
_BY_HEART = 0.05
"""How much better a run may be on its training faces before that is worth a word."""


@dataclass(frozen=True)
class Pair:
    """A class taken for another: ``true`` and ``said`` 0..6, ``faces`` so taken of the ``of`` faces of ``true``."""

    true: int
    said: int
    faces: int
    of: int

    @property
    def words(self) -> str:
        """``fear taken for sad``."""
        return f"{NAMES[self.true]} taken for {NAMES[self.said]}"

    @property
    def short(self) -> str:
        """``fear → sad: 104``."""
        return f"{NAMES[self.true]} → {NAMES[self.said]}: {self.faces:,}"


def confused_pairs(counts: npt.ArrayLike, most: int = 10) -> list[Pair]:
    """The largest cells beside the diagonal of a confusion matrix, int (7, 7), rows true; none is empty."""
    table = np.asarray(counts, dtype=np.int64)
    of = table.sum(axis=1)
    wrong = [(int(table[true, said]), true, said) for true, said in np.ndindex(COUNT, COUNT) if true != said]
    largest = sorted(wrong, key=lambda cell: (-cell[0], cell[1:]))[:most]
    return [Pair(true, said, faces, int(of[true])) for faces, true, said in largest if faces]


def accuracies(names: Sequence[str], right: npt.NDArray[np.bool_]) -> str:
    """Who is right most often, and whether its lead over the next can be chance. ``right``: bool (K, n), n ≥ 1."""
    if len(names) < 2:
        return ""
    order = sorted(range(len(names)), key=lambda at: -int(right[at].sum()))
    best, second = order[:2]
    lead = float(right[best].mean() - right[second].mean())
    if not lead:
        tied = [name for name, hits in zip(names, right.sum(axis=1), strict=True) if hits == right[best].sum()]
        if len(tied) == len(names):
            return f"{listed(tied)} are right equally often."
        return f"{listed(tied)} are right most often, and equally often."
    test = mcnemar(right[second], right[best])
    chance = "is unlikely to" if test.p < ALPHA else "may well"
    return (
        f"{names[best]} is right most often. Its lead over {names[second]}, {points(lead)}, {chance} be chance "
        f"(McNemar's test, {p_words(test.p)})."
    )


def matrices(confusions: Mapping[str, npt.NDArray[np.int64]]) -> str:
    """Which mix-up is the commonest of each run, by run its confusion matrix, int (7, 7), rows true."""
    by_pair: dict[tuple[int, int], list[str]] = {}
    found: dict[str, Pair] = {}
    for name, counts in confusions.items():
        if pairs := confused_pairs(counts, 1):
            found[name] = pairs[0]
            by_pair.setdefault((pairs[0].true, pairs[0].said), []).append(name)
    if not found:
        return "No face is taken for another expression."
    parts = []
    for names in by_pair.values():
        pair = found[names[0]]
        shares = [f"{percent(found[name].faces / found[name].of, 0)} of {found[name].of:,}" for name in names]
        parts.append(f"{listed(names)}: {pair.words} ({', '.join(shares)})")
    if len(by_pair) == 1 and len(found) > 1:
        return f"The commonest mistake is the same for {parts[0]}."
    return f"The commonest mistake, {'; '.join(parts)}."


def classes(entries: Mapping[str, Sequence[ClassIntervals]], measure: Measure) -> str:
    """Who is highest at which expression, where that is beyond chance, and which expressions are hardest and easiest.

    ``entries``: by run the seven entries of :func:`~fer_core.stats.metrics.per_class_intervals`. A lead counts as clear
    where the 95 % intervals of the first and the second do not overlap.
    """
    word = MEASURES[measure]
    leads: dict[str, list[str]] = {}
    clear: list[str] = []
    tops: dict[str, float] = {}
    for label in range(COUNT):
        ranked = [
            (entry[measure] or 0.0, ends, name)
            for name, of_run in entries.items()
            for entry in (of_run[label],)
            if entry["support"] and (ends := interval_of(entry, measure)) is not None
        ]
        if not ranked:
            continue
        ranked.sort(key=lambda one: -one[0])
        best, ends, name = ranked[0]
        tops[NAMES[label]] = best
        if len(ranked) > 1 and ranked[1][0] == best:
            # Nobody leads, least of all where nobody finds any.
            continue
        leads.setdefault(name, []).append(NAMES[label])
        if len(ranked) > 1 and ends[0] > ranked[1][1][1]:
            clear.append(NAMES[label])
    if not tops:
        return f"No expression has a {word} here."
    hardest, easiest = min(tops, key=lambda name: tops[name]), max(tops, key=lambda name: tops[name])
    range_words = (
        f"Hardest is {hardest} ({word} {percent(tops[hardest], 0)} at best), easiest {easiest} "
        f"({percent(tops[easiest], 0)})."
    )
    if len(entries) == 1 or not leads:
        return range_words
    order = sorted(leads, key=lambda name: -len(leads[name]))
    who = "; ".join(f"{name} in {listed(leads[name])}" for name in order)
    if not clear:
        doubt = "Every lead is within the intervals of the next, so any may be chance."
    elif len(clear) == sum(len(led) for led in leads.values()):
        doubt = "Each lead is clear of the next run's interval."
    else:
        doubt = f"Clear of the next run's interval only in {listed(clear)}; other leads may be chance."
    return f"By {word} the highest is {who}. {doubt} {range_words}"


def second_guess(guesses: Mapping[str, tuple[float, float]]) -> str:
    """What a second guess adds. ``guesses``: title to how often the first is right, and the first or second, 0..1."""
    name, (first, two) = max(guesses.items(), key=lambda item: item[1][1])
    return (
        f"With a second guess {name} is right on {percent(two)}, {points(two - first)}: so often the label is "
        "its runner-up."
    )


def separated(areas: Mapping[str, Sequence[float | None]], called: str) -> str:
    """Which expression the models tell best from the rest, and which worst, by the mean of their areas.

    ``areas``: title to seven areas under a curve, 0..1, None for a class without one. ``called``: what they are.
    """
    means = {}
    for label, name in enumerate(NAMES):
        found = [value for of_run in areas.values() if (value := of_run[label]) is not None]
        if found:
            means[name] = sum(found) / len(found)
    if len(means) < 2:
        return ""
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    whose = f", on the mean of {len(areas)} runs" if len(areas) > 1 else ""
    return f"Best told from the rest is {best} ({called} {means[best]:.2f}), worst {worst} ({means[worst]:.2f}){whose}."


def certainty(reliabilities: Mapping[str, Reliability]) -> str:
    """Who is over-sure, who under-sure, and whose confidence fits as far as so many faces can tell.

    By run, with or without its temperature. What chance alone may do is 1.96 standard errors of the accuracy.
    """
    over: list[str] = []
    under: list[str] = []
    fits: list[str] = []
    for name, found in reliabilities.items():
        here = found.counts > 0
        accuracy = float((found.counts[here] * found.accuracy[here]).sum() / found.n)
        margin = chance_margin(accuracy, found.n)
        words = f"{name} ({points(found.surplus)})"
        (over if found.surplus > margin else under if found.surplus < -margin else fits).append(words)
    parts = []
    if over:
        parts.append(f"Over-sure, so take a high confidence with a grain of salt: {listed(over)}")
    if under:
        parts.append(f"Right more often than said: {listed(under)}")
    if fits:
        parts.append(f"As sure as right on the whole, as far as so many faces can tell: {listed(fits)}")
    return f"{'. '.join(parts)}. In brackets: mean confidence less accuracy." if parts else ""


def abstention(operating_points: Mapping[str, Answered], least: float) -> str:
    """What answering only from the confidence ``least`` (0..1) on costs and buys, of the run that is best at it."""
    answering = {name: one.accuracy for name, one in operating_points.items() if one.accuracy is not None}
    if not answering:
        return f"No run is ever {percent(least, 0)} sure."
    best = max(answering, key=lambda name: answering[name])
    silent = 1 - operating_points[best].coverage
    return (
        f"Answering only from {percent(least, 0)} on, {best} does best: right on {percent(answering[best])} of what it "
        f"answers, silent on {percent(silent)} of the faces."
    )


@dataclass(frozen=True)
class Learned:
    """A run at the epoch that was kept: accuracies 0..1 on its training faces, while learning, and on PublicTest.

    ``changed``: whether its training faces were changed at random (augmentation); None where nobody knows. ``own``:
    whether it was trained elsewhere, on other faces, and validated on faces of its own in place of PublicTest.
    """

    name: str
    epoch: int
    training: float
    public: float
    changed: bool | None
    own: bool = False


def learning(runs: Sequence[Learned]) -> str:
    """The gap between training faces and others, and what it means; why PublicTest may lie above training."""
    others = _others(runs)
    if not runs:
        return ""
    gap = {run.name: run.training - run.public for run in runs}
    by_heart = sorted((run for run in runs if gap[run.name] > _BY_HEART), key=lambda run: -gap[run.name])
    below = [run for run in runs if gap[run.name] < 0]
    parts = []
    if by_heart:
        worst = by_heart[0]
        also = (
            f"; also {listed([f'{run.name} ({points(gap[run.name])})' for run in by_heart[1:]])}"
            if by_heart[1:]
            else ""
        )
        parts.append(
            f"{worst.name} has learned its training faces by heart in part: {percent(worst.training)} of them right "
            f"when it was best (epoch {worst.epoch}), {percent(worst.public)} of {_others([worst])}, a gap of "
            f"{points(gap[worst.name])}{also}."
        )
    else:
        parts.append(f"No run is more than {100 * _BY_HEART:.0f} points better on its training faces than on {others}.")
    if below:
        names = listed([run.name for run in below])
        why = (
            "its training faces are changed at random, and so harder"
            if all(run.changed for run in below) and len(below) == 1
            else "training faces that are changed at random are harder"
            if any(run.changed for run in below)
            else "how it was trained is not known here, and changed faces or dropout make training harder"
            if all(run.changed is None for run in below)
            else "parts of the network are switched off at random while it learns (dropout)"
        )
        above = _others(below)
        lie, are = ("lies", "is") if above == PUBLIC_TEST else ("lie", "are")
        parts.append(
            f"For {names} {above} {lie} above training: {why}, and training's figure is a mean over the epoch, while "
            f"{above} {are} measured at its end."
        )
    return " ".join(parts)


def _others(runs: Sequence[Learned]) -> str:
    """The faces that these runs did not learn from, in words."""
    if not any(run.own for run in runs):
        return PUBLIC_TEST
    return "validation faces of their own" if all(run.own for run in runs) else f"{PUBLIC_TEST} or faces of their own"


def robustness(runs: Mapping[str, Robustness], split: str) -> str:
    """What breaks whom, and why the order may differ from that on other faces. ``split``: that of the faces."""
    if not runs or not all(len(one.labels) for one in runs.values()):
        return ""
    names = next(iter(runs.values())).names
    losses = {name: one.accuracy()[0].mean(axis=1) - one.clean_accuracy for name, one in runs.items()}
    mean = np.mean(list(losses.values()), axis=0)
    worst, mildest = int(mean.argmin()), int(mean.argmax())

    def title(at: int) -> str:
        return CORRUPTIONS[names[at]].title.lower()

    first = (
        f"{title(worst).capitalize()} breaks most ({points(float(mean[worst]))} on average), {title(mildest)} least "
        f"({points(float(mean[mildest]))})."
    )
    if len(runs) == 1:
        return first
    own = {name: int(loss.argmin()) for name, loss in losses.items()}
    others = [f"{name} by {title(at)}" for name, at in own.items() if at != worst]
    if others:
        first += f" Hit hardest by something else: {listed(others)}."
    clean = sorted(runs, key=lambda name: -runs[name].clean_accuracy)
    hard = sorted(runs, key=lambda name: -runs[name].mean_accuracy())
    faces = plural(len(next(iter(runs.values())).labels), "face")
    if clean[0] != hard[0]:
        change = f"{clean[0]} is best on faces as they are, {hard[0]} once they are worse"
    elif clean != hard:
        change = f"{hard[0]} stays best, but the order behind it changes"
    else:
        change = "the order stays as on faces as they are"
    return (
        f"{first} Over all damage {change}. Compare's order may be another: it starts with other faces; these are "
        f"{faces} of {split}{', so no look at PrivateTest was spent' if split == PUBLIC_TEST else ''}."
    )


def difference(points_of: npt.NDArray[np.float64], significant: npt.NDArray[np.bool_], names: tuple[str, str]) -> str:
    """Which cells tell B from A beyond chance: float and bool (7, 7), rows true, points of the true class, B less A."""
    a, b = names
    cells = sorted(zip(*np.nonzero(significant), strict=True), key=lambda cell: -abs(points_of[cell]))
    if not cells:
        return f"No single cell tells {b} from {a} beyond chance, so none is coloured."
    found = []
    for true, said in cells[:4]:
        value = f"{points_of[true, said]:+.1f}".replace("-", "−")
        what = f"{NAMES[true]} found" if true == said else f"{NAMES[true]} taken for {NAMES[said]}"
        found.append(f"{what} {value}")
    more = f" and {len(cells) - 4} more" if len(cells) > 4 else ""
    where = "one cell" if len(cells) == 1 else f"{len(cells)} cells"
    return f"Beyond chance {b} differs from {a} in {where}: {', '.join(found)}{more} points. All others may be chance."


def across(accuracies: Mapping[str, Mapping[str, float]]) -> str:
    """How the order of the runs and their accuracies (0..1) change from the first dataset to the others.

    By dataset, by run; the first is that which most runs were measured on.
    """
    titles = list(accuracies)
    parts = []
    for title in titles[1:]:
        both = [run for run in accuracies[titles[0]] if run in accuracies[title]]
        if not both:
            continue
        changes = [accuracies[title][run] - accuracies[titles[0]][run] for run in both]
        low, high = (f"{100 * end:+.1f}".replace("-", "−") for end in (min(changes), max(changes)))
        span = points(changes[0]) if low == high else f"{low} to {high} points"
        best, here = (_best({run: accuracies[data][run] for run in both}) for data in (titles[0], title))
        same = f"best on both: {here}" if best == here else f"best on {titles[0]}: {best}, on {title}: {here}"
        parts.append(f"on {title} {span}{f' ({same})' if len(both) > 1 else ''}")
    if not parts:
        if len({run for of_data in accuracies.values() for run in of_data}) == 1:
            return "It was measured on one dataset alone, so nobody knows how it does elsewhere."
        return "All of them were measured on one dataset alone, so nobody knows how they do elsewhere."
    return f"Against {titles[0]}: {'; '.join(parts)}."


def _best(accuracies: Mapping[str, float]) -> str:
    """The run, or the runs, with the highest."""
    return listed([name for name, one in accuracies.items() if one == max(accuracies.values())])


def face_map(shares: npt.NDArray[np.float64], kept: float) -> str:
    """Which class lies most by itself, and which is mixed most with which. ``kept``: share of variance shown, 0..1.

    ``shares``: from :func:`fer_core.stats.neighbourhoods.neighbour_shares`.
    """
    there = [label for label in range(COUNT) if not np.isnan(shares[label, label])]
    if not there:
        return ""
    apart = max(there, key=lambda label: shares[label, label])
    mixed = min(there, key=lambda label: shares[label, label])
    others = [said for said in range(COUNT) if said != mixed]
    beside = max(others, key=lambda said: shares[mixed, said])
    own, other = percent(shares[mixed, mixed], 0), percent(shares[mixed, beside], 0)
    return (
        f"{NAMES[apart].capitalize()} lies most by itself: {percent(shares[apart, apart], 0)} of its ten nearest "
        f"neighbours are {NAMES[apart]}, too. {NAMES[mixed].capitalize()} is mixed most, above all with "
        f"{NAMES[beside]}: {own} and {other} of its neighbours. Two directions hold {percent(kept, 0)} of what tells "
        "faces apart, so neighbours here may be far apart in the rest."
    )


def face_group(labels: npt.NDArray[np.int8], answers: npt.NDArray[np.int8], name: str) -> str:
    """Some faces, at least one, in a sentence: how many, which labels, how often the run ``name`` is right on them."""
    counts = np.bincount(labels, minlength=COUNT)
    most = [label for label in np.argsort(-counts, kind="stable")[:3] if counts[label]]
    words = listed([f"{counts[label]:,} {NAMES[label]}" for label in most])
    right = float((labels == answers).mean())
    start = f"{plural(len(labels), 'face')}, labelled {'mostly ' if len(most) < (counts > 0).sum() else ''}{words}"
    return f"{start}; {name} is right on {percent(right, 0)} of them."
