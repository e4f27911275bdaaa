"""Which of up to four models are right on which faces, and how much any models agree.

With K models there are 2^K sets of faces, one for each answer to "who is right?". A set's **code** is a whole number
whose bit k says whether model k is right: 0 is all wrong, 2^K - 1 all right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.formatting import percent, plural

MOST_MODELS = 4
"""16 sets: more can neither be drawn nor read."""


@dataclass(frozen=True, eq=False)
class Set:
    """The faces on which exactly ``members`` are right and all others wrong.

    ``members``: positions of those models, rising. ``code``: see the module. ``rows``: int64 (count,).
    """

    members: tuple[int, ...]
    code: int
    count: int
    rows: npt.NDArray[np.int64]


def lattice(right: npt.ArrayLike, rows: npt.ArrayLike | None = None) -> list[Set]:
    """All 2^K sets, empty ones too, in the order of their codes: ``lattice(right)[code].code == code``.

    ``right``: bool (K, n), K from 1 to 4. ``rows``: int (n,), the faces' row numbers; positions 0..n-1 where it is
    not given. Within a set the order of the faces stays. Raises ``ValueError`` for other shapes or more models.
    """
    each = codes(right)
    numbers = np.arange(len(each)) if rows is None else np.asarray(rows, dtype=np.int64)
    if numbers.shape != each.shape:
        raise ValueError(f"{len(each)} row numbers were expected, not {numbers.shape}")
    models = len(np.asarray(right))
    counts = np.bincount(each, minlength=2**models)
    parts = np.split(numbers[np.argsort(each, kind="stable")], np.cumsum(counts)[:-1])
    return [Set(members(code), code, int(counts[code]), part) for code, part in enumerate(parts)]


def codes(right: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The code of each face's set, int64 (n,), 0..2^K - 1. ``right``: bool (K, n), K from 1 to 4.

    ``codes(right) == code`` is the mask of one set. Raises ``ValueError`` for another shape or more models.
    """
    table = _models(right)
    if len(table) > MOST_MODELS:
        raise ValueError(f"at most {MOST_MODELS} models can be told apart by sets, not {len(table)}")
    return (1 << np.arange(len(table))) @ table.astype(np.int64)


def members(code: int) -> tuple[int, ...]:
    """The positions of the models that are right in a set, rising."""
    return tuple(position for position in range(int(code).bit_length()) if code >> position & 1)


def agreement_rates(predicted: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The share of faces on which two models say the same class, float (K, K), 0..1, symmetric.

    ``predicted``: int (K, n). Raises ``ValueError`` for another shape or no face.
    """
    answers = _answers(predicted)
    if not answers.shape[1]:
        raise ValueError("there is no face to agree on")
    return (answers[:, None] == answers[None]).mean(axis=2)


def kappas(predicted: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Cohen's kappa of every two models' answers, float (K, K), -1..1, symmetric.

    Agreement beyond what two models would reach that name classes as often as these do, but independently: 1 is full
    agreement, 0 none beyond that (Cohen, 1960, https://doi.org/10.1177/001316446002000104). NaN where both name one
    class only, and the same one. ``predicted``: int (K, n), not negative. Raises ``ValueError`` for another shape or
    no face.
    """
    answers = _answers(predicted)
    observed = agreement_rates(answers)
    classes = int(answers.max()) + 1
    shares = np.stack([np.bincount(row, minlength=classes) for row in answers]) / answers.shape[1]
    expected = shares @ shares.T
    return np.divide(observed - expected, 1 - expected, out=np.full(expected.shape, np.nan), where=expected < 1)


def set_words(code: int, names: Sequence[str]) -> str:
    """A set in words: ``all are right``, ``only VGG16 is right``, ``VGG16 and ResNet50 are right, … is wrong``.

    ``names``: the K models' names, in order. Raises ``ValueError`` for a code outside 0..2^K - 1.
    """
    if not 0 <= code < 2 ** len(names):
        raise ValueError(f"with {len(names)} models a code lies in 0..{2 ** len(names) - 1}, not {code}")
    right = [names[position] for position in members(code)]
    wrong = [name for position, name in enumerate(names) if position not in members(code)]
    if len(names) == 1:
        return f"{names[0]} is {'right' if right else 'wrong'}"
    if not right or not wrong:
        both = "both are" if len(names) == 2 else "all are"
        return f"{both} {'right' if right else 'wrong'}"
    if len(right) == 1:
        return f"only {right[0]} is right"
    if len(wrong) == 1:
        return f"only {wrong[0]} is wrong"
    return f"{_listed(right)} are right, {_listed(wrong)} are wrong"


def describe(counts: npt.ArrayLike, names: Sequence[str]) -> str:
    """The sizes of all sets in a few sentences. ``counts``: int (2^K,), by code; ``names``: the K models' names.

    Raises ``ValueError`` where the two do not fit.
    """
    sizes = np.asarray(counts, dtype=np.int64)
    if not names or sizes.shape != (2 ** len(names),) or sizes.min() < 0:
        raise ValueError(f"the sizes of {2 ** len(names)} sets were expected, not {sizes.shape}")
    total = int(sizes.sum())
    if not total:
        return "There is no face."

    def faces(code: int) -> str:
        return f"{sizes[code]:,} ({percent(sizes[code] / total)})"

    start = f"Of {plural(total, 'face')}"
    if len(names) == 1:
        return f"{start}, {names[0]} is right on {faces(1)} and wrong on {faces(0)}."
    everyone = "both models are" if len(names) == 2 else f"all {len(names)} models are"
    sentences = [f"{start}, {everyone} right on {faces(len(sizes) - 1)} and wrong on {faces(0)}."]
    alone = [f"{name} on {sizes[1 << position]:,}" for position, name in enumerate(names)]
    sentences.append(f"The only one right is {_listed(alone)}.")
    between = [code for code in range(1, len(sizes) - 1) if len(members(code)) > 1]
    if between:
        largest = max(between, key=lambda code: sizes[code])
        if sizes[largest]:
            sentences.append(
                f"Of the sets between, the largest is “{set_words(largest, names)}”, "
                f"{plural(int(sizes[largest]), 'face')}."
            )
    return " ".join(sentences)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _models(right: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    table = np.asarray(right)
    if table.ndim != 2 or not len(table) or table.dtype != np.bool_:
        raise ValueError(f"right must be bool (models, faces) with at least one model, not {table.dtype} {table.shape}")
    return table


def _answers(predicted: npt.ArrayLike) -> npt.NDArray[np.int64]:
    answers = np.asarray(predicted)
    if answers.ndim != 2 or not len(answers) or answers.dtype.kind not in "iu":
        what = f"{answers.dtype} {answers.shape}"
        raise ValueError(f"predicted must be whole numbers (models, faces) with at least one model, not {what}")
    return answers.astype(np.int64)
