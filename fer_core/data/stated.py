"""What a source states of its faces, in its own words: counted, and turned into our classes and splits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

from fer_core import emotions
from fer_core.data.class_names import LEFT_OUT, Meaning, Numbering, doubt, meanings, number_of
from fer_core.data.imported_faces import UNSTATED
from fer_core.data.split_names import split_of
from fer_core.data.splitting import CARVED, HELD_OUT, expected_counts
from fer_core.data.understanding import Corrections, FoundClass, FoundSplit, LeftOut
from fer_core.errors import DataError

MOST_WORDS = 200
"""Different labels. More are no classes, but something else that differs from face to face."""


class Stated:
    """Classes and splits of all faces of a source.

    Attributes:
        classes: every word for a class, what it means, and its faces.
        splits: about the splits there will be.
        held_out: the shares of what is drawn, empty where nothing is.
        left_out: the faces of classes that are not imported.
        reassigned: whether test faces are drawn out of faces that are all called Training.
    """

    def __init__(
        self,
        tally: Counter[tuple[str, str]],
        said: Corrections,
        *,
        where: str,
        hint: str = "",
        numbering: Numbering | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """``tally``: faces by word for class and word for split, empty where there is none. ``hint`` and ``numbering``
        as for :func:`meanings`. ``names``: what the source itself calls its numbers.

        Raises ``DataError`` for splits that are not understood, and for labels that are no classes.
        """
        words = {word for word, _ in tally}
        _check_number(words, where)
        # What the source itself calls its numbers; what somebody says of the number counts all the same.
        spoken = {word: (names or {}).get(word, word) for word in words}
        chosen = {**said.classes, **{spoken[word]: said.classes[word] for word in words if word in said.classes}}
        chosen.update({spoken[word]: LEFT_OUT for word in words if said.drops(word) or said.drops(spoken[word])})
        found = meanings(set(spoken.values()), hint=hint, numbering=said.numbering or numbering, chosen=chosen)
        self._meanings = {word: found[spoken[word]] for word in words}
        self._splits = _split_words({split for _, split in tally}, said, where)
        present = {self._splits[split] for _, split in tally}
        # Whoever says where all of them belong is taken at their word.
        self.held_out, self._drawn = ({}, frozenset()) if "all" in said.splits else _what_to_draw(present)
        self.reassigned = bool(self.held_out) and present == {emotions.TRAINING}
        counts: Counter[str] = Counter()
        for (word, _), number in tally.items():
            counts[spoken[word]] += number
        order = sorted(found, key=lambda word: (_rank(found[word]), word))
        self.classes = tuple(FoundClass(found[word], counts[word]) for word in order)
        self.splits = self._found_splits(tally, said.seed)
        self.left_out = tuple(
            LeftOut(_kind(one.meaning), one.faces) for one in self.classes if one.meaning.left_out and one.faces
        )

    def label(self, word: str) -> int | None:
        """0..6, or None for a class that is left out, or in doubt."""
        return self._meanings[word].label

    def kind_of(self, word: str) -> str:
        """What is left out with this word, in the plural."""
        return _kind(self._meanings[word])

    def split(self, word: str) -> str:
        """One of the three, or ``UNSTATED`` for what is drawn."""
        split = self._splits[word]
        return UNSTATED if split in self._drawn else split

    def require_answers(self, where: str) -> None:
        """Raise ``DataError`` with the question that is open, if one is."""
        question = doubt({found.meaning.word: found.meaning for found in self.classes})
        if question is not None:
            words = [found.meaning.word for found in self.classes if found.meaning.doubtful]
            raise DataError(f"{where}: {question[0].lower()}{question[1:]}.", quoted=words)

    def _found_splits(self, tally: Counter[tuple[str, str]], seed: int) -> tuple[FoundSplit, ...]:
        stated = {split: [0] * emotions.COUNT for split in emotions.SPLITS}
        free = [0] * emotions.COUNT
        how: dict[str, set[str]] = {split: set() for split in emotions.SPLITS}
        for (word, spoken), number in tally.items():
            label, split = self.label(word), self.split(spoken)
            if label is None:
                continue
            if split == UNSTATED:
                free[label] += number
            else:
                stated[split][label] += number
                how[split].add(spoken)
        if sum(free):
            for split, numbers in expected_counts(free, self.held_out).items():
                stated[split] = [a + b for a, b in zip(stated[split], numbers, strict=True)]
                how[split] = set()
        return tuple(
            FoundSplit(split, tuple(numbers), ", ".join(sorted(how[split])) or f"drawn with seed {seed}")
            for split, numbers in stated.items()
            if sum(numbers)
        )


def pieces(name: str) -> list[str]:
    """The words of a name, in small letters: of ``XTrain`` and ``x_train`` both ``x`` and ``train``."""
    apart = re.sub("(?<![A-Z])([XY])", r"\1 ", name)
    return [piece.lower() for piece in re.findall(r"[A-Z]?[a-z]+|[A-Z](?![a-z])", apart)]


def split_word(name: str) -> str:
    """The word for a split in the name of a file or an array; empty where there is none."""
    words = pieces(name)
    # ytrain, xtest
    words += [word[1:] for word in words if word[0] in "xy"]
    return next((word for word in words if split_of(word) is not None), "")


def _check_number(words: Collection[str], where: str) -> None:
    if len(words) > MOST_WORDS:
        some = ", ".join(sorted(words)[:3])
        raise DataError(
            f"{where} has more than {MOST_WORDS} different labels ({some}, …), so they are no classes of expressions. "
            "Check which column is the label.",
            quoted=[some],
        )


def _split_words(words: Collection[str], said: Corrections, where: str) -> dict[str, str]:
    """What each word for a split means; all of them ``UNSTATED`` where there are none."""
    everything = said.splits.get("all")
    if everything is not None:
        return dict.fromkeys(words, everything)
    found = {}
    unknown = []
    for word in words:
        split = said.splits.get(word.strip().casefold()) or split_of(word)
        if split is None and word.strip():
            unknown.append(word)
        found[word] = split or UNSTATED
    if unknown:
        listed = ", ".join(sorted(unknown)[:5])
        raise DataError(
            f"{where} has splits called {listed}, and it is not known what they are. Say it with --splits, such as "
            f"{sorted(unknown)[0]}=train (or validation, or test), or all=test for every face.",
            quoted=[listed, sorted(unknown)[0]],
        )
    if "" in found and len(found) > 1:
        # Some faces say no split where others do: that is for whoever knows them to say.
        raise DataError(
            f"{where} names a split for some faces and none for others. Fill them in, or say --splits all=test."
        )
    return found


def _what_to_draw(present: Collection[str]) -> tuple[Mapping[str, float], frozenset[str]]:
    """Shares to draw, and out of which splits (``UNSTATED`` among them)."""
    if set(present) <= {UNSTATED, emotions.TRAINING}:
        return HELD_OUT, frozenset((UNSTATED, emotions.TRAINING))
    if emotions.TRAINING in present and emotions.PUBLIC_TEST not in present:
        return CARVED, frozenset((emotions.TRAINING,))
    return {}, frozenset()


def _kind(meaning: Meaning) -> str:
    # "contempt, as FER-2013 numbers them" of a number: the name is what people know it by.
    name = meaning.why.partition(",")[0] if number_of(meaning.word) is not None and "," in meaning.why else ""
    return f"faces of other classes ({meaning.word}{f', {name}' if name else ''})"


def _rank(meaning: Meaning) -> int:
    return meaning.label if meaning.label is not None else emotions.COUNT + int(meaning.doubtful)
