"""What was understood of somebody's faces before anything is written, and what they may say against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fer_core import emotions
from fer_core.data.class_names import Meaning, Numbering, choices, doubt
from fer_core.data.split_names import split_choices

SPLIT_SEED = 2013
EXAMPLES = 5
"""Names that are told of what is left out, of each kind."""


@dataclass(frozen=True)
class Corrections:
    """What somebody says about their faces.

    Attributes:
        classes: one of the seven, or ``left out``, by the source's word.
        numbering: whose numbers stand for the classes.
        splits: Training, PublicTest or PrivateTest by the source's word in small letters; ``all`` for every face.
        drop: the source's words for classes, or names of folders and files, that are left out.
        seed: with which splits are drawn where the source has none.
        already_cut: that each picture is a face already, whatever its size.
    """

    classes: Mapping[str, str] = field(default_factory=dict)
    numbering: Numbering | None = None
    splits: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    seed: int = SPLIT_SEED
    already_cut: bool = False

    @classmethod
    def parse(
        cls,
        classes: str | None = None,
        splits: str | None = None,
        drop: str | None = None,
        *,
        seed: int = SPLIT_SEED,
        already_cut: bool = False,
    ) -> Corrections:
        """From what was typed after ``--classes``, ``--splits`` and ``--drop``. Raises ``DataError``."""
        chosen, numbering = choices(classes) if classes is not None else ({}, None)
        return cls(
            classes=chosen,
            numbering=numbering,
            splits=split_choices(splits) if splits is not None else {},
            drop=frozenset(part.strip() for part in (drop or "").split(",") if part.strip()),
            seed=seed,
            already_cut=already_cut,
        )

    def drops(self, word: str) -> bool:
        """Whether a class or folder of this name is left out; case does not count."""
        return word.strip().casefold() in {one.casefold() for one in self.drop}


REASSIGNED = "The source calls all of its faces training faces, so a tenth of each class is drawn for each test."


@dataclass(frozen=True)
class FoundClass:
    """A word for a class in the source, what it means, and how many faces have it."""

    meaning: Meaning
    faces: int


@dataclass(frozen=True)
class FoundSplit:
    """One of the three splits: its seven class counts, and how it came about (``the folder train``)."""

    split: str
    counts: tuple[int, ...]
    how: str

    @property
    def faces(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class LeftOut:
    """What is not imported: its kind in the plural (``files that are no picture``), how many, the first few names."""

    kind: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Understanding:
    """A source as it was understood.

    Attributes:
        layout: one sentence.
        classes: every word for a class there is.
        splits: those there are, in the order of :data:`fer_core.emotions.SPLITS`.
        left_out: by kind.
        notes: further sentences for whoever reads the dataset.
        reassigned: whether test faces are drawn out of faces that the source calls Training, all of them.
        labelled: whether anybody labelled the faces; else the counts are of what models answer.
    """

    layout: str
    classes: tuple[FoundClass, ...] = ()
    splits: tuple[FoundSplit, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    reassigned: bool = False
    labelled: bool = True

    @property
    def faces(self) -> int:
        """How many would be imported."""
        return sum(split.faces for split in self.splits)

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        """Seven class counts for each of the three splits."""
        have = {split.split: split.counts for split in self.splits}
        return {split: have.get(split, (0,) * emotions.COUNT) for split in emotions.SPLITS}

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of the seven that have no face in any split."""
        totals = [sum(numbers) for numbers in zip(*self.counts.values(), strict=True)]
        return tuple(name for name, total in zip(emotions.NAMES, totals, strict=True) if not total)

    @property
    def question(self) -> str | None:
        """What has to be answered before an import, with the option that answers; None where nothing is in doubt."""
        return doubt({found.meaning.word: found.meaning for found in self.classes})

    @property
    def remark(self) -> str | None:
        """What somebody may want otherwise, with the option that says so; None where nothing was decided for them."""
        if not self.reassigned:
            return None
        return f"{REASSIGNED} To keep all of them for training: --splits all=train."


class LeftOutTally:
    """Counts what is left out, by kind, and keeps the first few names of each."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """One more of a kind."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        examples = self._examples.setdefault(kind, [])
        if len(examples) < EXAMPLES:
            examples.append(name)

    @property
    def total(self) -> int:
        return sum(self._counts.values())

    def result(self) -> tuple[LeftOut, ...]:
        """All kinds, in the order in which they were met."""
        return tuple(LeftOut(kind, count, tuple(self._examples[kind])) for kind, count in self._counts.items())
