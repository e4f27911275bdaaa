"""The result of a round: who was right, who agreed with whom, and what that says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.formatting import listed
from fer_core.stats.metrics import confusion_matrix

YOU, LABEL, CROWD = "You", "The label", "Ten people"
NO_CLASS = -1
"""In place of a crowd's class: none of the seven, or a tie."""
PEOPLE, PEOPLE_GIVE_OR_TAKE = 65, 5
"""How many of 100 labels of FER-2013 people agree with, and give or take how many (Goodfellow and others, 2013)."""

Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """Somebody's answers to the faces of a round, 0..6 each; of a crowd also :data:`NO_CLASS`."""

    name: str
    answers: tuple[int, ...]


@dataclass(frozen=True)
class Result:
    """A round that is over.

    Attributes:
        you: your answers.
        labels: the dataset's.
        models: the models', in their order; there may be none.
        crowd: the commonest votes; None where no crowd was asked.
        doubtful: of each face whether its label is probably wrong.
    """

    you: Answers
    labels: Answers
    models: tuple[Answers, ...]
    crowd: Answers | None
    doubtful: tuple[bool, ...]

    def __post_init__(self) -> None:
        lengths = {len(one.answers) for one in self.everybody} | {len(self.doubtful)}
        if len(lengths) != 1 or not all(NO_CLASS <= each < COUNT for one in self.everybody for each in one.answers):
            raise ValueError("everybody needs one answer to each face, a class or none")

    @property
    def everybody(self) -> tuple[Answers, ...]:
        """You, the label, the crowd where it was asked, the models."""
        return (self.you, self.labels, *(() if self.crowd is None else (self.crowd,)), *self.models)

    @property
    def faces(self) -> int:
        return len(self.labels.answers)

    def right(self, one: Answers) -> int:
        """On how many faces somebody says what the label says."""
        return agreed(one, self.labels)

    @cached_property
    def agreement(self) -> Int:
        """On how many faces two of :attr:`everybody` say the same, int64 (P, P)."""
        return np.array([[agreed(one, other) for other in self.everybody] for one in self.everybody], dtype=np.int64)

    def confusion(self, one: Answers) -> Int:
        """Somebody's confusion matrix over these faces, int64 (7, 7), rows the label's. Faces without answer are
        left out."""
        given = [(label, said) for label, said in zip(self.labels.answers, one.answers, strict=True) if said >= 0]
        labels, answers = np.array(given, dtype=np.int64).reshape(-1, 2).T
        return np.asarray(confusion_matrix(labels, answers), dtype=np.int64)

    def sentences(self) -> list[str]:
        """What the figures say: you and the label, the models, whom you agree with most, the doubtful labels."""
        faces, mine = self.faces, self.right(self.you)
        said = [f"You say what the label says on {mine} of {faces} faces."]
        if self.models:
            scores = [self.right(one) for one in self.models]
            best, worst = max(scores), min(scores)
            span = f"{best}" if best == worst else f"{worst} to {best}"
            beaten = sum(mine > score for score in scores)
            ahead = f"You beat {beaten} of {len(scores)}." if beaten else "None of them has fewer than you."
            said.append(f"The models get {span}. {ahead}")
            closest = max(agreed(self.you, one) for one in self.models)
            names = [one.name for one in self.models if agreed(self.you, one) == closest]
            if len(names) < len(self.models):
                said.append(f"You agree most with {listed(names)}: on {closest} of {faces}.")
        doubtful = [at for at, doubt in enumerate(self.doubtful) if doubt]
        if doubtful:
            against = sum(self.you.answers[at] != self.labels.answers[at] for at in doubtful)
            faces_are = "1 label is" if len(doubtful) == 1 else f"{len(doubtful)} labels are"
            said.append(f"Here {faces_are} probably wrong, and you contradicted {against}.")
        return said


def agreed(one: Answers, other: Answers) -> int:
    """On how many faces two say the same class."""
    return sum(a == b and a != NO_CLASS for a, b in zip(one.answers, other.answers, strict=True))
