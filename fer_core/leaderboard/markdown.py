"""The leaderboard as a document: ``docs/leaderboard.md`` is what :func:`leaderboard_markdown` returns, and nothing
else.
"""

from __future__ import annotations

from collections.abc import Sequence

from fer_core.formatting import listed, percent
from fer_core.leaderboard.crowd import crowd_markdown
from fer_core.leaderboard.entries import Entry, Figure, pictured
from fer_core.leaderboard.words import (
    CHOSEN,
    GROUP_MEANING,
    GROUPS,
    REPRODUCED,
    TERMS,
    TEST_TIME_AUGMENTATION,
)
from fer_core.stats.intervals import chance_margin

COMMAND = "python -m fer_core leaderboard --write docs/leaderboard.md"

HEAD = (
    "system",
    "accuracy",
    "faces",
    "without twins",
    "chosen",
    "other data",
    "looks",
    "obtained again",
    "source",
)


def leaderboard_markdown(entries: Sequence[Entry], checked: str) -> str:
    """The whole page, Markdown. ``checked`` is the day on which the sources were read, ISO 8601."""
    parts = [
        "# Leaderboard: FER-2013, with provenance",
        f"Written by `{COMMAND}`. Our lines come from `models/*/evaluations/*/metrics.json`, the others from "
        f"`fer_core/leaderboard/published.json`; their sources were last read on {checked}. The app shows the same "
        "on its Leaderboard page, where you can sort it.",
        "A percentage on FER-2013 is worth what its origin is worth. Many published ones were chosen on the very "
        "faces that they are measured on. So the lines below stand in groups, and you compare **within** a group.",
        chance(entries),
        *(_group(key, [entry for entry in entries if entry.group == key]) for key in GROUPS),
        crowd_markdown(),
        "## What the words mean",
        *(meanings(*terms) for terms in TERMS),
        SPANS,
        WITHOUT_NEAR_DUPLICATES,
        OTHER_DATA,
        "To obtain one of our numbers again, import FER-2013 and run for example:",
        "```\npython -m fer_core evaluate models/custom_cnn --data datasets/fer2013\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


SPANS = "**In brackets.** For our systems the 95 % bootstrap interval, for others the range that the source gives."
WITHOUT_NEAR_DUPLICATES = (
    "**Without twins.** Some test faces also occur in Training. A model may simply remember them. This column leaves "
    "them out; the run's `metrics.json` says by which rule. It is empty where nobody has counted."
)
OTHER_DATA = (
    "**Other data.** What the model had learnt from beside FER-2013's Training faces. ImageNet is a collection of "
    "photographs of things; starting from it helps."
)


def chance(entries: Sequence[Entry]) -> str:
    """One sentence: how far chance alone moves these accuracies, from the binomial distribution."""
    best = max((entry for entry in entries if entry.n), key=lambda entry: (entry.ours, entry.accuracy), default=None)
    if best is None or best.n is None:
        return ""
    margin = chance_margin(best.accuracy, best.n)
    return (
        f"On {best.n:,} faces chance alone moves an accuracy of {percent(best.accuracy, 0)} by about "
        f"±{100 * margin:.1f} points (95 %). Two systems that are closer than that may be equally good."
    )


def in_short(entries: Sequence[Entry]) -> str:
    """What the lines amount to: the best of those that may be compared, ours against it, people, and what is too high.

    Entries as from :func:`fer_core.leaderboard.entries.leaderboard`.
    """
    fair = [entry for entry in entries if entry.group == "fair"]
    people = next((entry for entry in entries if entry.group == "people"), None)
    parts = []
    if fair:
        best = max(fair, key=lambda entry: entry.accuracy)
        words = f"With one look and chosen on other faces, {best.system} leads: {percent(best.accuracy)}"
        if people:
            ahead = 100 * (best.accuracy - people.accuracy)
            above = f"{abs(ahead):.0f} points {'above' if ahead >= 0 else 'below'}"
            within = people.span and people.span[0] <= best.accuracy <= people.span[1]
            words += f", {above} people{', and within what they vary by' if within else ''}"
        parts.append(f"{words}.")
        higher = [entry for entry in pictured(entries) if entry.group != "fair" and entry.accuracy > best.accuracy]
        if higher:
            others = [_counted(key, [entry for entry in higher if entry.group == key]) for key in GROUPS]
            are = f"{len(higher)} figures are" if len(higher) > 1 else "One figure is"
            parts.append(f"{are} higher, but cannot be compared with it: {listed([one for one in others if one])}.")
    return " ".join([*parts, chance(entries)]).strip()


def _counted(key: str, entries: Sequence[Entry]) -> str:
    """``5 in “Averaged” (1 ours)``; nothing for none."""
    if not entries:
        return ""
    ours = sum(entry.ours and not entry.brought for entry in entries)
    return f"{len(entries)} in “{key.capitalize()}”" + (f" ({ours} ours)" if ours else "")


def accuracy_text(entry: Entry) -> str:
    """``68.0 % (66.5–69.5 %)``; in brackets our interval, or the range that a source gives."""
    return f"{percent(entry.accuracy)} ({span_text(entry)})" if entry.span else percent(entry.accuracy)


def span_text(entry: Entry) -> str:
    """``66.5–69.5 %``, or nothing."""
    return f"{100 * entry.span[0]:.1f}–{100 * entry.span[1]:.1f} %" if entry.span else ""


def faces_text(entry: Entry) -> str:
    """``3,589 of PrivateTest``."""
    return f"{entry.n:,} of {entry.split}" if entry.n else entry.split


def looks_text(entry: Entry) -> str:
    """``one pass``, ``7 models, random copies``."""
    text = TEST_TIME_AUGMENTATION[entry.passes]
    return f"{entry.models} models, {text}" if entry.models and entry.models > 1 else text


def without_near_duplicates_text(figure: Figure | None) -> str:
    return f"{percent(figure.accuracy)} (n = {figure.n:,})" if figure else ""


def _group(key: str, entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    lines = [f"## {GROUPS[key]}", "", GROUP_MEANING[key], ""]
    lines += [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    lines += [_line(entry) for entry in entries]
    notes = [f"- **{'**, **'.join(systems)}**: {note}" for note, systems in systems_by_note(entries).items()]
    return "\n".join([*lines, "", *notes])


def systems_by_note(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Each note once, with the systems it is about."""
    systems: dict[str, list[str]] = {}
    for entry in entries:
        if entry.note:
            systems.setdefault(entry.note, []).append(entry.system)
    return systems


def _line(entry: Entry) -> str:
    system = f"**{entry.system}** (ours)" if entry.ours else entry.system
    source = (
        f"[card](../models/{entry.run}/CARD.md)"
        if entry.ours
        else ", ".join(f"[{source.name}]({source.url})" for source in entry.sources)
    )
    cells = (
        system,
        accuracy_text(entry),
        faces_text(entry),
        without_near_duplicates_text(entry.without_near_duplicates),
        CHOSEN[entry.chosen],
        entry.extra_data,
        looks_text(entry),
        REPRODUCED[entry.reproduced],
        source,
    )
    return f"| {' | '.join(cells)} |"


def meanings(title: str, words: dict[str, str], meanings: dict[str, str]) -> str:
    lines = [f"**{title}**", ""]
    lines += [f"- *{words[key]}*: {meaning}" for key, meaning in meanings.items()]
    return "\n".join(lines)
