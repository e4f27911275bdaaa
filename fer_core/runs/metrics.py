"""What ``metrics.json`` holds beside the plain scores, in words: the card, the run page and the command line agree.

Runs measured before these figures existed lack them; then there is nothing to say, and an empty list says it.
"""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST
from fer_core.formatting import interval, listed, percent, plural, points
from fer_core.runs.contracts import FlipAverage, Metrics, ScoresWithoutNearDuplicates, SplitScores
from fer_core.stats.by_person import FEW
from fer_core.stats.calibration import FEWEST_TO_CALIBRATE
from fer_core.stats.metrics import Scores


def without_twins(scores: SplitScores) -> ScoresWithoutNearDuplicates | None:
    """The scores on the faces without a near duplicate in Training; None where there are none, or they are all."""
    clean = scores.get("without_near_duplicates")
    return clean if clean and clean["n"] != scores["n"] else None


def classes_words(supports: Sequence[int]) -> str:
    """Which of the seven classes have faces, and what that means for the figures; empty where all have.

    ``supports``: faces of each class, in label order.
    """
    there = [name for name, n in zip(NAMES, supports, strict=True) if n]
    if not there or len(there) == len(NAMES):
        return ""
    mean = f"the mean over these {len(there)} classes" if len(there) > 1 else "the F1 of this class alone"
    return f"There are faces of {listed(there)} only: macro F1 is {mean}, and every other answer counts as wrong."


def classes_lines(metrics: Metrics) -> list[str]:
    """:func:`classes_words` of each split that lacks classes, a line a split."""
    found = {
        split: classes_words([entry["support"] for entry in scores["per_class"]])
        for split, scores in metrics["splits"].items()
    }
    return [f"{split}: {words}" for split, words in found.items() if words]


def persons_words(scores: Scores) -> str:
    """That intervals are over persons, and over how many, or that they are too few; empty where nobody knows."""
    if (people := scores.get("by_person")) is None:
        return ""
    count = people["persons"]
    if not people["enough"]:
        return (
            f"These are faces of {count} persons, by the files' names: too few for an interval, since faces of one "
            "person resemble each other."
        )
    few = " With so few persons they are rather too narrow." if count < FEW else ""
    return (
        f"Intervals over {count} persons, by the files' names: whole persons are drawn anew, since faces of one person "
        f"resemble each other.{few}"
    )


def persons_lines(metrics: Metrics) -> list[str]:
    """:func:`persons_words` of each split with the intervals of macro F1 and of recalls, a line a split."""
    lines = []
    for split, scores in metrics["splits"].items():
        if not (words := persons_words(scores)):
            continue
        people = scores["by_person"]
        low, high = people["macro_f1_low"], people["macro_f1_high"]
        found = [] if low is None or high is None else [f"macro F1 {scores['macro_f1']:.3f} ({low:.3f}–{high:.3f})"]
        for own, entry in zip(people["per_class"], scores["per_class"], strict=True):
            low, high = own["recall_low"], own["recall_high"]
            if entry["recall"] is not None and low is not None and high is not None:
                ends = f"{100 * low:.0f}–{100 * high:.0f} %"
                found.append(f"recall of {entry['emotion']} {percent(entry['recall'], 0)} ({ends})")
        figures = listed(found)
        lines.append(f"{split}: {words}" + (f" {figures[0].upper()}{figures[1:]}." if found else ""))
    return lines


def looks_lines(metrics: Metrics) -> list[str]:
    """One line: how often PrivateTest was opened for this run by then; no line where it is not sealed, or was not."""
    if (opened := metrics.get("opened")) is None:
        return []
    many = f"{'at least ' if opened['at_least'] else ''}{plural(opened['looks'], 'look')}"
    return [f"{PRIVATE_TEST} is open: {many} by {opened['when'][:10]}, in the ledger."]


def litert_lines(metrics: Metrics) -> list[str]:
    """One line: how accurate ``model.tflite`` itself is, split by split; no line where it was not measured."""
    litert = metrics.get("litert")
    if not litert:
        return []
    parts = [f"{percent(scores['accuracy'])} of {split} (n = {scores['n']:,})" for split, scores in litert.items()]
    return [f"In LiteRT, as the app runs it, one pass a face: {' and '.join(parts)}."]


def temperature_lines(metrics: Metrics) -> list[str]:
    """The temperature, then ECE and log loss before and after it, a line a split."""
    if "temperature" not in metrics:
        return []
    stored = metrics["temperature"]
    if stored is None:
        public = metrics["splits"].get(PUBLIC_TEST)
        there = f"{public['n']:,}" if public else "no"
        return [
            f"There is no temperature: it takes at least {FEWEST_TO_CALIBRATE} faces of {PUBLIC_TEST} to fit one, and "
            f"these data have {there} such faces. Confidence is as the model gives it."
        ]
    lines = [
        f"Temperature {stored['value']:.3f}, fitted on {stored['fitted_on']} (Guo et al., 2017, "
        "https://arxiv.org/abs/1706.04599). It makes confidence fit how often the model is right, "
        "and changes no answer. All other figures are without it."
    ]
    for split, values in stored["splits"].items():
        lines.append(
            f"With it, on {split}: ECE {values['ece_before']:.3f} → {values['ece_after']:.3f}, "
            f"log loss {values['log_loss_before']:.3f} → {values['log_loss_after']:.3f} nats."
        )
    return lines


def flip_lines(metrics: Metrics) -> list[str]:
    """Accuracy averaged with the mirror image and its gain over the single pass, a line a split."""
    return [
        f"{split}, averaged with the mirror image (two passes a face): {percent(flip['accuracy'])} "
        f"(95 % interval {interval(flip)}; n = {flip['n']:,}), macro F1 {flip['macro_f1']:.3f}; gain over the single "
        f"pass {points(flip['gain'])} (95 % interval {_low(flip)} to {points(flip['gain_high'])})."
        for split, scores in metrics["splits"].items()
        if (flip := scores.get("flip_average"))
    ]


def _low(flip: FlipAverage) -> str:
    return points(flip["gain_low"]).removesuffix(" points")


def further_lines(metrics: Metrics) -> list[str]:
    """What stands below the plain scores, wherever these are told: all of the lines above."""
    return [
        *classes_lines(metrics),
        *persons_lines(metrics),
        *litert_lines(metrics),
        *flip_lines(metrics),
        *temperature_lines(metrics),
    ]
