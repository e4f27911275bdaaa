"""In which order to look at faces: how sure a wrong answer is, how near the margin, how far models lie apart, likeness.

Everything works on the positions 0..n-1 of
:class:`~fer_core.evaluation.aligned_predictions.AlignedPredictions`, as :mod:`fer_core.review.selection` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT

if TYPE_CHECKING:
    from fer_core.evaluation.aligned_predictions import AlignedPredictions

Float = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

SORTS: dict[str, str] = {
    "wrong": "Confidence in the wrong class",
    "margin": "Margin of the label, smallest first",
    "disagreement": "Disagreement of the models",
    "unsure": "Least sure first",
    "doubt": "Label doubt",
    "similarity": "Similarity to the chosen face",
    "row": "Row number",
}
"""What :func:`order` can sort by, and how a page says it."""


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

    ``wrong``, ``disagreement``, ``doubt`` and ``similarity`` put the highest first, ``margin``, ``unsure`` and ``row``
    the lowest. ``models``: names that ``wrong``, ``margin``, ``disagreement`` and ``unsure`` look at; empty: all.
    ``label_issue_score``: float (n,), for ``doubt``. ``embeddings``: float (n, d), and ``like``, the position 0..n-1 of
    the chosen face, for ``similarity``. Raises ``ValueError`` for an unknown sort, or one whose array is missing or has
    another length.
    """
    chosen = np.asarray(positions, dtype=np.intp)
    if by == "row":
        key = np.zeros(len(aligned.rows))
    elif by == "wrong":
        key = -wrong_confidence(aligned, models)
    elif by == "margin":
        key = label_margin(aligned, models)
    elif by == "disagreement":
        key = -disagreement(aligned.probabilities[places(aligned, models)])
    elif by == "unsure":
        # Rounded, so that the last bit of a float does not part equals.
        key = np.round(together(aligned, models).max(axis=1), 9)
    elif by == "doubt":
        key = -one_each("label_issue_score", label_issue_score, aligned, np.float64)
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
    which = places(aligned, models)
    confidence = aligned.probabilities[which].max(axis=2)
    return np.where(aligned.right[which], 0, confidence).max(axis=0).astype(np.float64)


def surest_wrong(aligned: AlignedPredictions, models: Sequence[str] = ()) -> npt.NDArray[np.int8]:
    """The wrong class whose confidence :func:`wrong_confidence` gives: int8 (n,), 0..6; -1 where all are right.

    Of models that are equally sure, the first one's answer. ``models``: names; empty: all.
    """
    which = places(aligned, models)
    confidence = np.where(aligned.right[which], -1, aligned.probabilities[which].max(axis=2))
    surest = confidence.argmax(axis=0)[np.newaxis]
    answers = np.take_along_axis(aligned.predicted[which], surest, axis=0)[0]
    return np.where(aligned.right[which].all(axis=0), -1, answers).astype(np.int8)


def label_margin(aligned: AlignedPredictions, models: Sequence[str] = ()) -> Float:
    """The label's probability less the highest of the others, mean of the models: float64 (n,), -1..1.

    Near -1 the models are sure that it is another class, near 0 they waver. ``models``: names; empty: all.
    """
    values = aligned.probabilities[places(aligned, models)].astype(np.float64)
    at = np.broadcast_to(aligned.labels.astype(np.intp)[:, np.newaxis], (len(values), len(aligned.labels), 1))
    own = np.take_along_axis(values, at, axis=2)[..., 0]
    np.put_along_axis(values, at, -1, axis=2)
    return (own - values.max(axis=2)).mean(axis=0)


def together(aligned: AlignedPredictions, models: Sequence[str] = ()) -> Float:
    """What models say together: the mean of their probabilities, float64 (n, 7). ``models``: names; empty: all."""
    return aligned.probabilities[places(aligned, models)].mean(axis=0, dtype=np.float64)


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


def places(aligned: AlignedPredictions, names: Sequence[str]) -> list[int]:
    """Where the models with these names are in ``aligned``; all for none. ``ValueError`` for an unknown one."""
    if unknown := [name for name in names if name not in aligned.names]:
        raise ValueError(f"there is no model {unknown[0]!r} among {', '.join(aligned.names)}")
    return [aligned.names.index(name) for name in names] or list(range(len(aligned.names)))


def one_each(
    what: str, values: npt.ArrayLike | None, aligned: AlignedPredictions, kind: npt.DTypeLike
) -> npt.NDArray[Any]:
    """``values`` as an array with one for each aligned face; else ``ValueError``, which says ``what`` they are."""
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
