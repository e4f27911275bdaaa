"""Which faces to look at.

Everything works on the positions 0..n-1 of
:class:`~fer_core.evaluation.aligned_predictions.AlignedPredictions`, the order of all its arrays;
``aligned.rows[positions]`` are the row numbers in the dataset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, NAMES
from fer_core.formatting import percent, plural
from fer_core.review.annotations import KINDS
from fer_core.review.ordering import one_each, places

if TYPE_CHECKING:
    from fer_core.evaluation.aligned_predictions import AlignedPredictions
    from fer_core.review.annotations import Annotation

Bool = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

ANY_ANNOTATION, NO_ANNOTATION = "any", "none"


@dataclass(frozen=True)
class Filter:
    """Which faces to keep. Conditions left at their default keep all; all others must hold.

    Attributes:
        models: names from ``aligned.names`` that ``predicted``, ``right`` and ``confidence`` are about; empty: all.
        every: whether those three must hold for each of the models, or for one at least (together, for the same one).
        true: the label, 0..6.
        predicted: the model's answer, 0..6.
        right: whether the model's answer is the label. False keeps mistakes.
        confidence: least and highest probability of the model's answer, 0..1, both included.
        agreement: who of *all* aligned models is right: bit k for model k, see :mod:`fer_core.stats.agreement`.
        near_duplicate: whether the face has a twin in Training.
        label_issue_score: least label doubt, 0..1.
        annotation: ``"any"``, ``"none"``, or one of :data:`fer_core.review.annotations.KINDS`.
        rows: row numbers of the faces to choose among; empty: all.
    """

    models: tuple[str, ...] = ()
    every: bool = False
    true: int | None = None
    predicted: int | None = None
    right: bool | None = None
    confidence: tuple[float, float] = (0.0, 1.0)
    agreement: int | None = None
    near_duplicate: bool | None = None
    label_issue_score: float = 0.0
    annotation: str | None = None
    rows: tuple[int, ...] = ()

    @property
    def about_answers(self) -> bool:
        """Whether any condition is about what the models answer."""
        return self.predicted is not None or self.right is not None or tuple(self.confidence) != (0, 1)


def select(
    aligned: AlignedPredictions,
    wanted: Filter,
    *,
    near_duplicate: npt.ArrayLike | None = None,
    label_issue_score: npt.ArrayLike | None = None,
    annotations: Mapping[int, Annotation] | None = None,
) -> Positions:
    """The positions of the faces that meet the filter, rising: int (m,).

    ``near_duplicate``: bool (n,), has a twin in Training, ``near_duplicates.exact_or_near[aligned.rows]``.
    ``label_issue_score``: float (n,), ``LabelIssues.score``. ``annotations``: by row number, ``Annotations.all()``.
    Each is needed only where the filter asks for it. Raises ``ValueError`` when it is missing then or has another
    length, and for a class, code, model or mark that does not exist.
    """
    keep = np.ones(len(aligned.rows), dtype=bool)
    for _, mask in _conditions(aligned, wanted, near_duplicate, label_issue_score, annotations):
        keep &= mask
    return np.flatnonzero(keep)


def describe(
    aligned: AlignedPredictions,
    wanted: Filter,
    *,
    near_duplicate: npt.ArrayLike | None = None,
    label_issue_score: npt.ArrayLike | None = None,
    annotations: Mapping[int, Annotation] | None = None,
) -> str:
    """The conditions of a filter in words: ``labelled fear, answered with sad by resnet50``; empty for none.

    Arguments and errors as of :func:`select`.
    """
    return ", ".join(words for words, _ in _conditions(aligned, wanted, near_duplicate, label_issue_score, annotations))


def why_empty(
    aligned: AlignedPredictions,
    wanted: Filter,
    *,
    near_duplicate: npt.ArrayLike | None = None,
    label_issue_score: npt.ArrayLike | None = None,
    annotations: Mapping[int, Annotation] | None = None,
    labelled: bool = True,
) -> str:
    """Why a filter leaves no face, as a sentence: how many are left after each condition, down to none.

    An empty text where it does leave some. ``labelled``: False for faces that belong to no split, since nobody labelled
    them. Other arguments and errors as of :func:`select`.
    """
    of = f" of {aligned.split}" if labelled else ""
    if not len(aligned.rows):
        return f"There is no face{of} to choose from."
    keep = np.ones(len(aligned.rows), dtype=bool)
    steps = []
    for words, mask in _conditions(aligned, wanted, near_duplicate, label_issue_score, annotations):
        keep &= mask
        steps.append(f"{words}: {int(keep.sum()):,}")
        if not keep.any():
            steps[-1] = f"{words}: none"
            return f"{len(keep):,} faces{of}; {'; '.join(steps)}. Loosen one of these conditions."
    return ""


def _conditions(
    aligned: AlignedPredictions,
    wanted: Filter,
    near_duplicate: npt.ArrayLike | None,
    label_issue_score: npt.ArrayLike | None,
    annotations: Mapping[int, Annotation] | None,
) -> Iterator[tuple[str, Bool]]:
    """Each condition that is set: in words, and as a mask (n,)."""
    if wanted.rows:
        yield f"among {plural(len(wanted.rows), 'face')} chosen by row", np.isin(aligned.rows, wanted.rows)
    if wanted.true is not None:
        yield f"labelled {NAMES[_class(wanted.true)]}", aligned.labels == wanted.true
    if wanted.about_answers:
        yield _answers(aligned, wanted)
    if wanted.agreement is not None:
        yield _agreement(aligned, wanted.agreement)
    if wanted.near_duplicate is not None:
        has = one_each("near_duplicate", near_duplicate, aligned, np.bool_)
        yield f"{'with' if wanted.near_duplicate else 'without'} a twin in Training", has == wanted.near_duplicate
    if wanted.label_issue_score > 0:
        scores = one_each("label_issue_score", label_issue_score, aligned, np.float64)
        yield f"with a label doubt of {wanted.label_issue_score:.2f} or more", scores >= wanted.label_issue_score
    if wanted.annotation is not None:
        if annotations is None:
            raise ValueError("the filter asks for marks, and they are not given")
        yield _annotated(aligned, wanted.annotation, annotations)


def _answers(aligned: AlignedPredictions, wanted: Filter) -> tuple[str, Bool]:
    which = places(aligned, wanted.models)
    mask = np.ones((len(which), len(aligned.rows)), dtype=bool)
    words = []
    if wanted.predicted is not None:
        mask &= aligned.predicted[which] == _class(wanted.predicted)
        words.append(f"answered with {NAMES[wanted.predicted]}")
    if wanted.right is not None:
        mask &= aligned.right[which] == wanted.right
        words.append(f"answered {'right' if wanted.right else 'wrong'}")
    low, high = wanted.confidence
    if (low, high) != (0, 1):
        sure = aligned.probabilities[which].max(axis=2)
        # A float32 softmax may exceed 1 by its last bit.
        mask &= (sure >= low) & ((sure <= high) | (high >= 1))
        words.append(f"answered with {percent(low, 0)} to {percent(high, 0)} confidence")
    names = [aligned.names[position] for position in which]
    several = "each of " if wanted.every else "at least one of "
    # The names of many stand elsewhere on the page.
    listed = ", ".join(names) if len(names) < 3 else f"the {len(names)} models"
    by = f"{several if len(names) > 1 else ''}{listed}"
    return f"{' and '.join(words)} by {by}", np.all(mask, axis=0) if wanted.every else np.any(mask, axis=0)


def _agreement(aligned: AlignedPredictions, code: int) -> tuple[str, Bool]:
    if not 0 <= code < 1 << len(aligned.names):
        raise ValueError(f"{len(aligned.names)} models have the agreement codes 0..{(1 << len(aligned.names)) - 1}")
    bits = np.array([code >> position & 1 for position in range(len(aligned.names))], dtype=bool)
    right = [name for name, bit in zip(aligned.names, bits, strict=True) if bit]
    if not right:
        words = "answered wrong by all models"
    elif len(right) == len(bits):
        words = "answered right by all models"
    else:
        words = f"answered right by exactly {', '.join(right)}"
    return words, (aligned.right == bits[:, np.newaxis]).all(axis=0)


def _annotated(
    aligned: AlignedPredictions, annotation_kind: str, annotations: Mapping[int, Annotation]
) -> tuple[str, Bool]:
    if annotation_kind not in (ANY_ANNOTATION, NO_ANNOTATION, *KINDS):
        raise ValueError(
            f"unknown mark {annotation_kind!r}; there are {ANY_ANNOTATION}, {NO_ANNOTATION}, {', '.join(KINDS)}"
        )
    if annotation_kind in (ANY_ANNOTATION, NO_ANNOTATION):
        bears = np.isin(aligned.rows, list(annotations))
        return ("marked", bears) if annotation_kind == ANY_ANNOTATION else ("without a mark", ~bears)
    return f"marked “{annotation_kind}”", np.isin(
        aligned.rows, [row for row, annotation in annotations.items() if annotation.kind == annotation_kind]
    )


def _class(label: int) -> int:
    if not 0 <= label < COUNT:
        raise ValueError(f"a class is 0..{COUNT - 1}, not {label}")
    return label
