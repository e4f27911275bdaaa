"""Which faces to look at, and in which order.

Everything works on the positions 0..n-1 of
:class:`~fer_core.evaluation.aligned_predictions.AlignedPredictions`, the order of all its arrays;
``aligned.rows[positions]`` are the row numbers in the dataset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, NAMES
from fer_core.formatting import percent
from fer_core.review.annotations import KINDS

if TYPE_CHECKING:
    from fer_core.evaluation.aligned_predictions import AlignedPredictions
    from fer_core.review.annotations import Annotation

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

ANY_ANNOTATION, NO_ANNOTATION = "any", "none"

SORTS: dict[str, str] = {
    "wrong": "Confidence in the wrong class",
    "margin": "Margin of the label, smallest first",
    "disagreement": "Disagreement of the models",
    "doubt": "Label doubt",
    "similarity": "Similarity to the chosen face",
    "row": "Row number",
}
"""What :func:`order` can sort by, and how a page says it."""


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
) -> str:
    """Why a filter leaves no face, as a sentence: how many are left after each condition, down to none.

    An empty text where it does leave some. Arguments and errors as of :func:`select`.
    """
    if not len(aligned.rows):
        return f"There is no face of {aligned.split} to choose from."
    keep = np.ones(len(aligned.rows), dtype=bool)
    steps = []
    for words, mask in _conditions(aligned, wanted, near_duplicate, label_issue_score, annotations):
        keep &= mask
        steps.append(f"{words}: {int(keep.sum()):,}")
        if not keep.any():
            steps[-1] = f"{words}: none"
            return f"{len(keep):,} faces of {aligned.split}; {'; '.join(steps)}. Loosen one of these conditions."
    return ""


def order(
    aligned: AlignedPredictions,
    positions: npt.ArrayLike,
    by: str,
    *,
    models: Sequence[str] = (),
    label_issue_score: npt.ArrayLike | None = None,
    embeddings: npt.ArrayLike | None = None,
    like: int | None = None,
) -> Positions:
    """``positions``, int (m,), sorted by one of :data:`SORTS`; of equals, the lower row number first.

    ``wrong``, ``disagreement``, ``doubt`` and ``similarity`` put the highest first, ``margin`` and ``row`` the lowest.
    ``models``: names that ``wrong``, ``margin`` and ``disagreement`` look at; empty: all. ``label_issue_score``: float
    (n,), for ``doubt``. ``embeddings``: float (n, d), and ``like``, the position 0..n-1 of the chosen face, for
    ``similarity``. Raises ``ValueError`` for an unknown sort, or one whose array is missing or has another length.
    """
    chosen = np.asarray(positions, dtype=np.intp)
    if by == "row":
        key = np.zeros(len(aligned.rows))
    elif by == "wrong":
        key = -wrong_confidence(aligned, models)
    elif by == "margin":
        key = label_margin(aligned, models)
    elif by == "disagreement":
        key = -disagreement(aligned.probabilities[_models(aligned, models)])
    elif by == "doubt":
        key = -_aligned("label_issue_score", label_issue_score, aligned, np.float64)
    elif by == "similarity":
        vectors = _vectors(embeddings, aligned)
        if like is None or not 0 <= like < len(vectors):
            raise ValueError(f"sorting by similarity needs a face at 0..{len(vectors) - 1}, not {like}")
        key = -similarity(vectors, vectors[like])
    else:
        raise ValueError(f"unknown sort {by!r}; there are {', '.join(SORTS)}")
    return chosen[np.lexsort((aligned.rows[chosen], key[chosen]))]


def wrong_confidence(aligned: AlignedPredictions, models: Sequence[str] = ()) -> Float:
    """The highest probability that one of the models gives to a wrong answer of its own: float64 (n,), 0..1.

    0 where all of them are right. ``models``: names; empty: all.
    """
    which = _models(aligned, models)
    confidence = aligned.probabilities[which].max(axis=2)
    return np.where(aligned.right[which], 0, confidence).max(axis=0).astype(np.float64)


def surest_wrong(aligned: AlignedPredictions, models: Sequence[str] = ()) -> npt.NDArray[np.int8]:
    """The wrong class whose confidence :func:`wrong_confidence` gives: int8 (n,), 0..6; -1 where all are right.

    Of models that are equally sure, the first one's answer. ``models``: names; empty: all.
    """
    which = _models(aligned, models)
    confidence = np.where(aligned.right[which], -1, aligned.probabilities[which].max(axis=2))
    surest = confidence.argmax(axis=0)[np.newaxis]
    answers = np.take_along_axis(aligned.predicted[which], surest, axis=0)[0]
    return np.where(aligned.right[which].all(axis=0), -1, answers).astype(np.int8)


def label_margin(aligned: AlignedPredictions, models: Sequence[str] = ()) -> Float:
    """The label's probability less the highest of the others, mean of the models: float64 (n,), -1..1.

    Near -1 the models are sure that it is another class, near 0 they waver. ``models``: names; empty: all.
    """
    values = aligned.probabilities[_models(aligned, models)].astype(np.float64)
    at = np.broadcast_to(aligned.labels.astype(np.intp)[:, np.newaxis], (len(values), len(aligned.labels), 1))
    own = np.take_along_axis(values, at, axis=2)[..., 0]
    np.put_along_axis(values, at, -1, axis=2)
    return (own - values.max(axis=2)).mean(axis=0)


def disagreement(probabilities: npt.ArrayLike) -> Float:
    """How far models lie apart: the mean Jensen–Shannon divergence of each two, float64 (n,), 0..1 bit.

    ``probabilities``: float (K, n, 7). 0 where all say the same, or K is 1; 1 where two share no class at all. Lin,
    1991, *Divergence measures based on the Shannon entropy* (https://doi.org/10.1109/18.61115).
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 3 or values.shape[2] != COUNT:
        raise ValueError(f"probabilities must be (models, faces, {COUNT}), not {values.shape}")
    total, pairs = np.zeros(values.shape[1]), 0
    single = _entropy(values)
    for a, b in combinations(range(len(values)), 2):
        total += _entropy((values[a] + values[b]) / 2) - (single[a] + single[b]) / 2
        pairs += 1
    # Rounding leaves a little below zero where two models say the very same.
    return np.clip(total / max(pairs, 1), 0, 1)


def similarity(embeddings: npt.ArrayLike, vector: npt.ArrayLike) -> Float:
    """Cosine similarity of each face with one, float64 (n,), -1..1; 0 where either vector is all zeros.

    ``embeddings``: float (n, d). ``vector``: float (d,), of any face by the same model, of Training too.
    """
    table, one = np.asarray(embeddings, dtype=np.float64), np.asarray(vector, dtype=np.float64)
    if table.ndim != 2 or one.shape != table.shape[1:]:
        raise ValueError(f"embeddings {table.shape} and vector {one.shape} must be (n, d) and (d,)")
    lengths = np.linalg.norm(table, axis=1) * np.linalg.norm(one)
    return np.divide(table @ one, lengths, out=np.zeros(len(table)), where=lengths > 0)


def _conditions(
    aligned: AlignedPredictions,
    wanted: Filter,
    near_duplicate: npt.ArrayLike | None,
    label_issue_score: npt.ArrayLike | None,
    annotations: Mapping[int, Annotation] | None,
) -> Iterator[tuple[str, Bool]]:
    """Each condition that is set: in words, and as a mask (n,)."""
    if wanted.true is not None:
        yield f"labelled {NAMES[_class(wanted.true)]}", aligned.labels == wanted.true
    if wanted.about_answers:
        yield _answers(aligned, wanted)
    if wanted.agreement is not None:
        yield _agreement(aligned, wanted.agreement)
    if wanted.near_duplicate is not None:
        has = _aligned("near_duplicate", near_duplicate, aligned, np.bool_)
        yield f"{'with' if wanted.near_duplicate else 'without'} a twin in Training", has == wanted.near_duplicate
    if wanted.label_issue_score > 0:
        scores = _aligned("label_issue_score", label_issue_score, aligned, np.float64)
        yield f"with a label doubt of {wanted.label_issue_score:.2f} or more", scores >= wanted.label_issue_score
    if wanted.annotation is not None:
        if annotations is None:
            raise ValueError("the filter asks for marks, and they are not given")
        yield _annotated(aligned, wanted.annotation, annotations)


def _answers(aligned: AlignedPredictions, wanted: Filter) -> tuple[str, Bool]:
    which = _models(aligned, wanted.models)
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
    by = f"{several if len(names) > 1 else ''}{', '.join(names)}"
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


def _models(aligned: AlignedPredictions, names: Sequence[str]) -> list[int]:
    """Positions of the models in ``aligned``; all for none."""
    if unknown := [name for name in names if name not in aligned.names]:
        raise ValueError(f"there is no model {unknown[0]!r} among {', '.join(aligned.names)}")
    return [aligned.names.index(name) for name in names] or list(range(len(aligned.names)))


def _class(label: int) -> int:
    if not 0 <= label < COUNT:
        raise ValueError(f"a class is 0..{COUNT - 1}, not {label}")
    return label


def _aligned(
    what: str, values: npt.ArrayLike | None, aligned: AlignedPredictions, kind: npt.DTypeLike
) -> npt.NDArray[Any]:
    if values is None:
        raise ValueError(f"{what} is asked for, and not given")
    array = np.asarray(values, dtype=kind)
    if array.shape != aligned.rows.shape:
        raise ValueError(f"{what} must be {aligned.rows.shape}, as the aligned faces, not {array.shape}")
    return array


def _vectors(embeddings: npt.ArrayLike | None, aligned: AlignedPredictions) -> Float:
    if embeddings is None:
        raise ValueError("embeddings are asked for, and not given")
    vectors = np.asarray(embeddings, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != len(aligned.rows):
        raise ValueError(f"embeddings must be ({len(aligned.rows)}, d), as the aligned faces, not {vectors.shape}")
    return vectors


def _entropy(values: Float) -> Float:
    """Shannon entropy along the last axis, in bits; a probability of 0 adds nothing."""
    return -(values * np.log2(values, out=np.zeros_like(values), where=values > 0)).sum(axis=-1)
