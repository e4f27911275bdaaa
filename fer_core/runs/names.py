"""What people read in place of a run's folder: the title it was given, told apart from any other run's.

The folder's name stays the key: addresses, files and commands have it, so that a link outlives another title.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer_core.formatting import harmless

LONGEST = 60
"""Characters of a title that are shown. Legends and fields have no room for more."""


@dataclass(frozen=True)
class Titled:
    """A run by its folder's ``name``, the ``title`` that somebody gave it, and whether it ships."""

    name: str
    title: str
    shipped: bool


def display_names(runs: Iterable[Titled]) -> dict[str, str]:
    """What each of these runs is called, by its folder's name; no two alike, capitals and spaces aside.

    They may stand in Markdown, HTML and figures as they are (:func:`fer_core.formatting.harmless`).

    A run that ships keeps its title, whatever others call theirs. Of others with an equal one, each is followed by its
    folder's name.
    """
    every = list(runs)
    shown = {run.name: _line(run.title) or harmless(run.name) for run in every}
    fixed = {run.name for run in every if run.shipped}
    # Once more where a name with its folder is what somebody gave another run as title.
    for _ in every:
        often = Counter(map(_alike, shown.values()))
        twice = [name for name, words in shown.items() if often[_alike(words)] > 1]
        if not (changed := [name for name in twice if name not in fixed] or twice):
            break
        for name in changed:
            shown[name] = f"{shown[name]} ({harmless(name)})"
    return shown


def with_names(options: Iterable[str], shown: Mapping[str, str]) -> dict[str, str]:
    """What stands for each option of a field; those that are no run stand for themselves, and are nobody's name."""
    every = list(options)
    own = {_alike(option) for option in every if option not in shown}
    words = {option: shown.get(option, option) for option in every}
    return {
        option: f"{text} ({option})" if option in shown and _alike(text) in own else text
        for option, text in words.items()
    }


def _line(title: str) -> str:
    words = harmless(title)
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def _alike(words: str) -> str:
    """The same for what looks the same to people."""
    visible = "".join(sign for sign in unicodedata.normalize("NFKC", words) if unicodedata.category(sign) != "Cf")
    return " ".join(visible.casefold().split())
