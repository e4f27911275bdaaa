"""What ``import.json`` says of a brought run, in words: for its card, its page and the command line."""

from __future__ import annotations

from fer_core.formatting import percent, plain, plural, small
from fer_core.runs.contracts import EvidenceRecord, FitRecord, ImportRecord

SHOWN_FITS = 8
"""Lines of the table of orders: each order once, the best first."""
UNKNOWN_TRAINING = (
    "- It is not known here what it was trained on. Faces that it is measured on may have been among them, and then "
    "its figures are too high.\n"
)
"""A limit of every brought run, as a line of its card."""


def sentences(record: ImportRecord) -> list[str]:
    """What was brought and how it was understood, one sentence each, as Markdown."""
    said = [
        f"Brought as {plain(record['source'])} ({plain(record['kind'])}, SHA-256 {record['sha256'][:16]}…).",
        f"Its columns are, in this order: {', '.join(map(plain, record['classes']))}. {_who(record)}",
    ]
    if record["left_out"]:
        said.append(
            f"Left out, being none of the seven: {', '.join(map(plain, record['left_out']))}. The rest was made to add "
            "up to 1 again, in every figure here."
        )
    if record["missing"]:
        said.append(
            f"It never answers {' or '.join(record['missing'])}: faces so labelled count as wrong, in every figure "
            "here."
        )
    if adapter := record.get("adapter"):
        said.append(
            f"It sees {adapter['height']}×{adapter['width']} pixels of "
            f"{plural(adapter['channels'], 'channel')}, {plain(adapter['pixels'])}."
        )
        if step := adapter.get("step"):
            said.append(in_steps(step, adapter["output"]))
        if not adapter["maps"]:
            said.append("There are no class maps for its head; occlusion and RISE work for any model.")
    return said


def in_steps(step: float, output: str) -> str:
    """That a file computes in whole numbers, in a sentence: its answers, of the kind ``output``, come in steps."""
    if output == "logits":
        return f"The file computes in whole numbers, so its logits come in steps of {small(step)}."
    return (
        f"The file computes in whole numbers, so its probabilities come in steps of {small(step)}, and those below "
        "half a step are 0."
    )


def table(record: ImportRecord) -> list[str]:
    """How each order of the classes does on labelled faces, as lines of Markdown."""
    evidence = record["evidence"]
    return [
        "| order | classes | right | 95 % interval |",
        "|---|---|---|---|",
        *[
            f"| {plain(one['order'])} | {', '.join(map(plain, one['classes']))} | {percent(one['accuracy'])} "
            f"| {100 * one['low']:.1f}–{100 * one['high']:.1f} % |"
            for one in fits_shown(evidence)
        ],
        f"| always the most frequent class | | {percent(evidence['most_frequent'])} | |",
        "",
        f"Tried on {plural(evidence['faces'], 'face')} of {plain(evidence['split'])} of "
        f"{plain(evidence['data']['title'])}.",
    ]


def fits_shown(evidence: EvidenceRecord) -> list[FitRecord]:
    """Each order once, where it did best, the best first."""
    first: dict[str, FitRecord] = {}
    for one in evidence["fits"]:
        if one["order"] not in first or one["accuracy"] > first[one["order"]]["accuracy"]:
            first[one["order"]] = one
    return sorted(first.values(), key=lambda one: -one["accuracy"])[:SHOWN_FITS]


def _who(record: ImportRecord) -> str:
    if record["evidence"]["chosen_by"] == "owner":
        return "Whoever brought it said so."
    return f"That is the order “{plain(record['order'])}”, and no other does better by more than chance."
