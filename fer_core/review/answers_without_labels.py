"""Faces of which models' answers are known and labels may not be: what the models say of them, and what you say.

Nothing is right or wrong where nobody labelled a face. What speaks for looking at it is that the models waver, that
they lie apart, or that their answers are like those for a face that is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.emotions import NAMES
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.formatting import percent, plural
from fer_core.review.annotations import MODEL_WRONG, Annotation
from fer_core.review.ordering import together

if TYPE_CHECKING:
    from fer_core.data.model_answers import Probabilities

WAVERING = 0.5
"""Below this confidence another class is nearly as likely, or several are."""


def aligned_of(
    answers: Mapping[str, Probabilities],
    labels: npt.NDArray[np.integer],
    rows: npt.NDArray[np.integer],
    *,
    split: str,
    fingerprint: str,
) -> AlignedPredictions:
    """Answers that came with a dataset, as those of runs: of the faces in ``rows``, int (n,), rising.

    ``answers``: of each model, float32 (N, 7). ``labels``: int (N,), or what stands for them.
    """
    chosen = np.asarray(rows, dtype=np.int64)
    said = np.stack([np.asarray(one)[chosen] for one in answers.values()])
    return AlignedPredictions(tuple(answers), split, fingerprint, chosen, labels[chosen].astype(np.int8), said)


def vectors(aligned: AlignedPredictions) -> npt.NDArray[np.float32]:
    """What all models say of each face, side by side: float32 (n, 7 K). Alike faces are answered alike."""
    return np.concatenate(list(aligned.probabilities), axis=1)


def what_they_say(aligned: AlignedPredictions, positions: npt.ArrayLike, *, models: Sequence[str] = ()) -> str:
    """One sentence about the faces at ``positions``, int (m,): on how many models waver, and on how many they part.

    ``models``: names; empty: all. Empty for no faces.
    """
    chosen = np.asarray(positions, dtype=np.intp)
    if not len(chosen):
        return ""
    number = len(models) or len(aligned.names)
    wavering = int((together(aligned, models)[chosen].max(axis=1) < WAVERING).sum())
    who = "the model is" if number == 1 else f"the {number} models together are"
    words = f"Of {plural(len(chosen), 'face')} {who} below {percent(WAVERING, 0)} sure on {wavering:,}"
    if number == 1:
        return f"{words}."
    answers = aligned.predicted[:, chosen]
    parted = int((answers != answers[0]).any(axis=0).sum())
    return f"{words}, and answer differently on {parted:,}."


def given_label(mark: Annotation | None, answer: int) -> int | None:
    """The class, 0..6, that somebody gave a face; None for none, or a mark that gives none.

    ``answer``: what stands for the label, which a mark of earlier versions may agree with.
    """
    if mark is None:
        return None
    return answer if mark.kind == MODEL_WRONG else mark.new_label


def mark_words(mark: Annotation, answer: int) -> str:
    """What somebody says of a face: a class, ``ambiguous`` or ``not a face``. ``answer``: see :func:`given_label`."""
    label = given_label(mark, answer)
    return mark.kind if label is None else NAMES[label]


def line(aligned: AlignedPredictions, position: int, mark: Annotation | None) -> str:
    """What stands where a labelled face has its verdict: what people say of it, then who of the models says what."""
    yours = "" if mark is None else mark_words(mark, int(aligned.labels[position]))
    lead = f"You say {yours}" if yours else "No label to compare with"
    return f"{lead}: {_who_says_what(aligned, position)}."


def _who_says_what(aligned: AlignedPredictions, position: int) -> str:
    """``all 5 models say fear, 87 % sure together``; ``3 of 5 models say fear, 2 sad; together they say …``."""
    (first, most), *others = Counter(int(answer) for answer in aligned.predicted[:, position]).most_common()
    said, number = together(aligned)[position], len(aligned.names)
    sure = f"{percent(said.max(), 0)} sure"
    if number == 1:
        return f"the model says {NAMES[first]}, {sure}"
    if most == number:
        return f"{'both' if number == 2 else f'all {number}'} models say {NAMES[first]}, {sure} together"
    rest = "".join(f", {count} {NAMES[label]}" for label, count in others)
    says = f"{most} of {number} models {'says' if most == 1 else 'say'} {NAMES[first]}{rest}"
    return f"{says}; together they say {NAMES[int(said.argmax())]}, {sure}"
