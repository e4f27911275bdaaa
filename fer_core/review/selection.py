"""Which faces to look at, and in which order.

Everything works on the positions 0..n-1 of a :class:`~fer_core.evaluation.aligned.Joined`, the order of all its arrays;
``joined.rows[positions]`` are the row numbers in the dataset.
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
    from fer_core.evaluation.aligned import Joined
    from fer_core.review.annotations import Mark

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

ANY_MARK, NO_MARK = "any", "none"

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
        models: names from ``joined.names`` that ``predicted``, ``right`` and ``confidence`` are about; empty: all.
        every: whether those three must hold for each of the models, or for one at least (together, for the same one).
        true: the label, 0..6.
        predicted: the model's answer, 0..6.
        right: whether the model's answer is the label. False keeps mistakes.
        confidence: least and highest probability of the model's answer, 0..1, both included.
        agreement: who of *all* joined models is right: bit k for model k, see :mod:`fer_core.stats.agreement`.
        twin: whether the face has a twin in Training.
        doubt: least label doubt, 0..1.
        marked: ``"any"``, ``"none"``, or one of :data:`fer_core.review.annotations.KINDS`.
    """

    models: tuple[str, ...] = ()
    every: bool = False
    true: int | None = None
    predicted: int | None = None
    right: bool | None = None
    confidence: tuple[float, float] = (0.0, 1.0)
    agreement: int | None = None
    twin: bool | None = None
    doubt: float = 0.0
    marked: str | None = None

    @property
    def about_answers(self) -> bool:
        """Whether any condition is about what the models answer."""
        return self.predicted is not None or self.right is not None or tuple(self.confidence) != (0, 1)


def select(
    joined: Joined,
    wanted: Filter,
    *,
    twin: npt.ArrayLike | None = None,
    doubt: npt.ArrayLike | None = None,
    marks: Mapping[int, Mark] | None = None,
) -> Positions:
    """The positions of the faces that meet the filter, rising: int (m,).

    ``twin``: bool (n,), has a twin in Training, ``twins.near[joined.rows]``. ``doubt``: float (n,), ``Doubt.score``.
    ``marks``: by row number, ``Marks.all()``. Each is needed only where the filter asks for it. Raises ``ValueError``
    when it is missing then or has another length, and for a class, code, model or mark that does not exist.
    """
    keep = np.ones(len(joined.rows), dtype=bool)
    for _, mask in _conditions(joined, wanted, twin, doubt, marks):
        keep &= mask
    return np.flatnonzero(keep)


def describe(
    joined: Joined,
    wanted: Filter,
    *,
    twin: npt.ArrayLike | None = None,
    doubt: npt.ArrayLike | None = None,
    marks: Mapping[int, Mark] | None = None,
) -> str:
    """The conditions of a filter in words: ``labelled fear, answered with sad by resnet50``; empty for none.

    Arguments and errors as of :func:`select`.
    """
    return ", ".join(words for words, _ in _conditions(joined, wanted, twin, doubt, marks))


def why_empty(
    joined: Joined,
    wanted: Filter,
    *,
    twin: npt.ArrayLike | None = None,
    doubt: npt.ArrayLike | None = None,
    marks: Mapping[int, Mark] | None = None,
) -> str:
    """Why a filter leaves no face, as a sentence: how many are left after each condition, down to none.

    An empty text where it does leave some. Arguments and errors as of :func:`select`.
    """
    if not len(joined.rows):
        return f"There is no face of {joined.split} to choose from."
    keep = np.ones(len(joined.rows), dtype=bool)
    steps = []
    for words, mask in _conditions(joined, wanted, twin, doubt, marks):
        keep &= mask
        steps.append(f"{words}: {int(keep.sum()):,}")
        if not keep.any():
            steps[-1] = f"{words}: none"
            return f"{len(keep):,} faces of {joined.split}; {'; '.join(steps)}. Loosen one of these conditions."
    return ""


def order(
    joined: Joined,
    positions: npt.ArrayLike,
    by: str,
    *,
    models: Sequence[str] = (),
    doubt: npt.ArrayLike | None = None,
    embeddings: npt.ArrayLike | None = None,
    like: int | None = None,
) -> Positions:
    """``positions``, int (m,), sorted by one of :data:`SORTS`; of equals, the lower row number first.

    ``wrong``, ``disagreement``, ``doubt`` and ``similarity`` put the highest first, ``margin`` and ``row`` the lowest.
    ``models``: names that ``wrong``, ``margin`` and ``disagreement`` look at; empty: all. ``doubt``: float (n,), for
    ``doubt``. ``embeddings``: float (n, d), and ``like``, the position 0..n-1 of the chosen face, for ``similarity``.
    Raises ``ValueError`` for an unknown sort, or one whose array is missing or has another length.
    """
    chosen = np.asarray(positions, dtype=np.intp)
    if by == "row":
        key = np.zeros(len(joined.rows))
    elif by == "wrong":
        key = -wrong_confidence(joined, models)
    elif by == "margin":
        key = label_margin(joined, models)
    elif by == "disagreement":
        key = -disagreement(joined.probabilities[_models(joined, models)])
    elif by == "doubt":
        key = -_aligned("doubt", doubt, joined, np.float64)
    elif by == "similarity":
        vectors = _vectors(embeddings, joined)
        if like is None or not 0 <= like < len(vectors):
            raise ValueError(f"sorting by similarity needs a face at 0..{len(vectors) - 1}, not {like}")
        key = -similarity(vectors, vectors[like])
    else:
        raise ValueError(f"unknown sort {by!r}; there are {', '.join(SORTS)}")
    return chosen[np.lexsort((joined.rows[chosen], key[chosen]))]


def wrong_confidence(joined: Joined, models: Sequence[str] = ()) -> Float:
    """The highest probability that one of the models gives to a wrong answer of its own: float64 (n,), 0..1.

    0 where all of them are right. ``models``: names; empty: all.
    """
    which = _models(joined, models)
    confidence = joined.probabilities[which].max(axis=2)
    return np.where(joined.right[which], 0, confidence).max(axis=0).astype(np.float64)


def surest_wrong(joined: Joined, models: Sequence[str] = ()) -> npt.NDArray[np.int8]:
    """The wrong class whose confidence :func:`wrong_confidence` gives: int8 (n,), 0..6; -1 where all are right.

    Of models that are equally sure, the first one's answer. ``models``: names; empty: all.
    """
    which = _models(joined, models)
    confidence = np.where(joined.right[which], -1, joined.probabilities[which].max(axis=2))
    surest = confidence.argmax(axis=0)[np.newaxis]
    answers = np.take_along_axis(joined.predicted[which], surest, axis=0)[0]
    return np.where(joined.right[which].all(axis=0), -1, answers).astype(np.int8)


def label_margin(joined: Joined, models: Sequence[str] = ()) -> Float:
    """The label's probability less the highest of the others, mean of the models: float64 (n,), -1..1.

    Near -1 the models are sure that it is another class, near 0 they waver. ``models``: names; empty: all.
    """
    values = joined.probabilities[_models(joined, models)].astype(np.float64)
    at = np.broadcast_to(joined.labels.astype(np.intp)[:, np.newaxis], (len(values), len(joined.labels), 1))
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
    joined: Joined,
    wanted: Filter,
    twin: npt.ArrayLike | None,
    doubt: npt.ArrayLike | None,
    marks: Mapping[int, Mark] | None,
) -> Iterator[tuple[str, Bool]]:
    """Each condition that is set: in words, and as a mask (n,)."""
    if wanted.true is not None:
        yield f"labelled {NAMES[_class(wanted.true)]}", joined.labels == wanted.true
    if wanted.about_answers:
        yield _answers(joined, wanted)
    if wanted.agreement is not None:
        yield _agreement(joined, wanted.agreement)
    if wanted.twin is not None:
        has = _aligned("twin", twin, joined, np.bool_)
        yield f"{'with' if wanted.twin else 'without'} a twin in Training", has == wanted.twin
    if wanted.doubt > 0:
        scores = _aligned("doubt", doubt, joined, np.float64)
        yield f"with a label doubt of {wanted.doubt:.2f} or more", scores >= wanted.doubt
    if wanted.marked is not None:
        if marks is None:
            raise ValueError("the filter asks for marks, and they are not given")
        yield _marked(joined, wanted.marked, marks)


def _answers(joined: Joined, wanted: Filter) -> tuple[str, Bool]:
    which = _models(joined, wanted.models)
    mask = np.ones((len(which), len(joined.rows)), dtype=bool)
    words = []
    if wanted.predicted is not None:
        mask &= joined.predicted[which] == _class(wanted.predicted)
        words.append(f"answered with {NAMES[wanted.predicted]}")
    if wanted.right is not None:
        mask &= joined.right[which] == wanted.right
        words.append(f"answered {'right' if wanted.right else 'wrong'}")
    low, high = wanted.confidence
    if (low, high) != (0, 1):
        sure = joined.probabilities[which].max(axis=2)
        # A float32 softmax may exceed 1 by its last bit.
        mask &= (sure >= low) & ((sure <= high) | (high >= 1))
        words.append(f"answered with {percent(low, 0)} to {percent(high, 0)} confidence")
    names = [joined.names[position] for position in which]
    several = "each of " if wanted.every else "at least one of "
    by = f"{several if len(names) > 1 else ''}{', '.join(names)}"
    return f"{' and '.join(words)} by {by}", np.all(mask, axis=0) if wanted.every else np.any(mask, axis=0)


def _agreement(joined: Joined, code: int) -> tuple[str, Bool]:
    if not 0 <= code < 1 << len(joined.names):
        raise ValueError(f"{len(joined.names)} models have the agreement codes 0..{(1 << len(joined.names)) - 1}")
    bits = np.array([code >> position & 1 for position in range(len(joined.names))], dtype=bool)
    right = [name for name, bit in zip(joined.names, bits, strict=True) if bit]
    if not right:
        words = "answered wrong by all models"
    elif len(right) == len(bits):
        words = "answered right by all models"
    else:
        words = f"answered right by exactly {', '.join(right)}"
    return words, (joined.right == bits[:, np.newaxis]).all(axis=0)


def _marked(joined: Joined, marked: str, marks: Mapping[int, Mark]) -> tuple[str, Bool]:
    if marked not in (ANY_MARK, NO_MARK, *KINDS):
        raise ValueError(f"unknown mark {marked!r}; there are {ANY_MARK}, {NO_MARK}, {', '.join(KINDS)}")
    if marked in (ANY_MARK, NO_MARK):
        bears = np.isin(joined.rows, list(marks))
        return ("marked", bears) if marked == ANY_MARK else ("without a mark", ~bears)
    return f"marked “{marked}”", np.isin(joined.rows, [row for row, mark in marks.items() if mark.kind == marked])


def _models(joined: Joined, names: Sequence[str]) -> list[int]:
    """Positions of the models in ``joined``; all for none."""
    if unknown := [name for name in names if name not in joined.names]:
        raise ValueError(f"there is no model {unknown[0]!r} among {', '.join(joined.names)}")
    return [joined.names.index(name) for name in names] or list(range(len(joined.names)))


def _class(label: int) -> int:
    if not 0 <= label < COUNT:
        raise ValueError(f"a class is 0..{COUNT - 1}, not {label}")
    return label


def _aligned(what: str, values: npt.ArrayLike | None, joined: Joined, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    if values is None:
        raise ValueError(f"{what} is asked for, and not given")
    array = np.asarray(values, dtype=kind)
    if array.shape != joined.rows.shape:
        raise ValueError(f"{what} must be {joined.rows.shape}, as the joined faces, not {array.shape}")
    return array


def _vectors(embeddings: npt.ArrayLike | None, joined: Joined) -> Float:
    if embeddings is None:
        raise ValueError("embeddings are asked for, and not given")
    vectors = np.asarray(embeddings, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != len(joined.rows):
        raise ValueError(f"embeddings must be ({len(joined.rows)}, d), as the joined faces, not {vectors.shape}")
    return vectors


def _entropy(values: Float) -> Float:
    """Shannon entropy along the last axis, in bits; a probability of 0 adds nothing."""
    return -(values * np.log2(values, out=np.zeros_like(values), where=values > 0)).sum(axis=-1)
