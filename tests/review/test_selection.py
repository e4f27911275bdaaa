"""Filters and sorts of faces: cases by hand, SciPy and scikit-learn for the measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from factories import make_labels, make_probabilities
from scipy.spatial.distance import jensenshannon
from sklearn.metrics.pairwise import cosine_similarity

from fer_core.evaluation.aligned import Joined
from fer_core.review.annotations import Mark
from fer_core.review.selection import (
    SORTS,
    Filter,
    describe,
    disagreement,
    label_margin,
    order,
    select,
    similarity,
    surest_wrong,
    why_empty,
    wrong_confidence,
)

FEAR, SAD, HAPPY = 2, 4, 3


def rows_of(answers: list[tuple[int, float]]) -> list[list[float]]:
    """A probability for one class, the rest shared evenly among the other six."""
    return [[p if label == answer else (1 - p) / 6 for label in range(7)] for answer, p in answers]


# Row numbers, labels, and the answers of models a and b.
ROWS = np.array([10, 12, 15, 20, 21], np.int64)
LABELS = np.array([FEAR, FEAR, SAD, HAPPY, FEAR], np.int8)
A = rows_of([(SAD, 0.9), (FEAR, 0.8), (FEAR, 0.6), (HAPPY, 1.0), (SAD, 0.4)])
B = rows_of([(FEAR, 0.5), (SAD, 0.7), (FEAR, 0.9), (HAPPY, 0.9), (SAD, 0.95)])
TWIN = [True, False, False, True, False]
DOUBT = [0.2, 0.9, 0.9, 0.1, 0.5]
MARKS = {12: Mark(12, "ambiguous"), 21: Mark(21, "label wrong", SAD), 99: Mark(99, "ambiguous")}


@pytest.fixture
def joined() -> Joined:
    return Joined(("a", "b"), "PrivateTest", "0" * 64, ROWS, LABELS, np.array([A, B], np.float32))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), [0, 1, 2, 3, 4]),
        (Filter(true=FEAR), [0, 1, 4]),
        (Filter(predicted=SAD), [0, 1, 4]),
        (Filter(predicted=SAD, every=True), [4]),
        (Filter(models=("a",), true=FEAR, predicted=SAD), [0, 4]),
        (Filter(models=("b",), true=FEAR, predicted=SAD), [1, 4]),
        (Filter(right=False), [0, 1, 2, 4]),
        (Filter(right=False, every=True), [2, 4]),
        (Filter(right=True, every=True), [3]),
        (Filter(right=True), [0, 1, 3]),
        (Filter(confidence=(0.9, 1.0)), [0, 2, 3, 4]),
        (Filter(confidence=(0.0, 0.5)), [0, 4]),
        (Filter(models=("a",), confidence=(0.6, 0.8)), [1, 2]),
        # Both must hold of the same model: b says sad of row 12 with 0.7, a says fear with 0.8.
        (Filter(predicted=SAD, confidence=(0.75, 1.0)), [0, 4]),
        (Filter(agreement=0b00), [2, 4]),
        (Filter(agreement=0b01), [1]),
        (Filter(agreement=0b10), [0]),
        (Filter(agreement=0b11), [3]),
        (Filter(twin=True), [0, 3]),
        (Filter(twin=False), [1, 2, 4]),
        (Filter(doubt=0.5), [1, 2, 4]),
        (Filter(marked="any"), [1, 4]),
        (Filter(marked="none"), [0, 2, 3]),
        (Filter(marked="label wrong"), [4]),
        (Filter(marked="not a face"), []),
        (Filter(true=FEAR, right=False, twin=False, doubt=0.9, marked="ambiguous"), [1]),
        (Filter(true=HAPPY, right=False), []),
    ],
)
def test_filters(joined: Joined, wanted: Filter, expected: list[int]) -> None:
    known: dict[str, Any] = {"twin": TWIN, "doubt": DOUBT, "marks": MARKS}
    found = select(joined, wanted, **known)
    assert found.tolist() == expected
    assert bool(why_empty(joined, wanted, **known)) == (not expected)


def test_agreement_codes_are_those_of_the_lattice(joined: Joined) -> None:
    from fer_core.stats.agreement import codes

    for code in range(4):
        np.testing.assert_array_equal(
            select(joined, Filter(agreement=code)), np.flatnonzero(codes(joined.right) == code)
        )


def test_why_nothing_is_left(joined: Joined) -> None:
    assert why_empty(joined, Filter(models=("a",), true=FEAR, predicted=HAPPY)) == (
        "5 faces of PrivateTest; labelled fear: 3; answered with happy by a: none. Loosen one of these conditions."
    )
    text = why_empty(joined, Filter(right=True, confidence=(0.95, 1), every=True, twin=False), twin=TWIN)
    assert text == (
        "5 faces of PrivateTest; answered right and answered with 95 % to 100 % confidence by each of a, b: none. "
        "Loosen one of these conditions."
    )
    text = why_empty(joined, Filter(agreement=2, twin=False, doubt=0.3), twin=TWIN, doubt=DOUBT)
    assert "answered right by exactly b: 1; without a twin in Training: none" in text
    nothing = joined.where(np.zeros(5, bool))
    assert why_empty(nothing, Filter()) == "There is no face of PrivateTest to choose from."
    assert select(nothing, Filter(right=False)).tolist() == []


@pytest.mark.parametrize(
    ("wanted", "known", "message"),
    [
        (Filter(models=("c",), right=True), {}, "no model 'c' among a, b"),
        (Filter(true=7), {}, "a class is 0..6"),
        (Filter(predicted=-1), {}, "a class is 0..6"),
        (Filter(agreement=4), {}, "codes 0..3"),
        (Filter(twin=True), {}, "twin is asked for"),
        (Filter(twin=True), {"twin": [True]}, "twin must be"),
        (Filter(doubt=0.5), {}, "doubt is asked for"),
        (Filter(doubt=0.5), {"doubt": [0.1]}, "doubt must be"),
        (Filter(marked="any"), {}, "asks for marks"),
        (Filter(marked="odd"), {"marks": {}}, "unknown mark 'odd'"),
    ],
)
def test_filters_that_cannot_work(joined: Joined, wanted: Filter, known: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        select(joined, wanted, **known)


def test_a_filter_in_words(joined: Joined) -> None:
    assert describe(joined, Filter()) == ""
    wanted = Filter(models=("a",), true=FEAR, predicted=SAD, twin=True, doubt=0.25, marked="none")
    assert describe(joined, wanted, twin=TWIN, doubt=DOUBT, marks=MARKS) == (
        "labelled fear, answered with sad by a, with a twin in Training, with a label doubt of 0.25 or more, "
        "without a mark"
    )


def test_the_surest_wrong_answer(joined: Joined) -> None:
    assert surest_wrong(joined).tolist() == [SAD, SAD, FEAR, -1, SAD]
    assert surest_wrong(joined, ["a"]).tolist() == [SAD, -1, FEAR, -1, SAD]
    assert surest_wrong(joined, ["b"]).tolist() == [-1, SAD, FEAR, -1, SAD]
    values = np.array([rows_of([(SAD, 0.8)]), rows_of([(HAPPY, 0.9)])], np.float32)
    two = Joined(("a", "b"), "PrivateTest", "0" * 64, ROWS[:1], LABELS[:1], values)
    assert surest_wrong(two).tolist() == [HAPPY]
    assert surest_wrong(joined.where(np.zeros(5, bool))).shape == (0,)


def test_measures_by_hand(joined: Joined) -> None:
    np.testing.assert_allclose(wrong_confidence(joined), [0.9, 0.7, 0.9, 0, 0.95], rtol=1e-6)
    np.testing.assert_allclose(wrong_confidence(joined, ["a"]), [0.9, 0, 0.6, 0, 0.4], rtol=1e-6)
    # Row 10: a gives fear 0.1/6 and sad 0.9, b gives fear 0.5 and the others 0.5/6.
    first = ((0.1 / 6 - 0.9) + (0.5 - 0.5 / 6)) / 2
    np.testing.assert_allclose(label_margin(joined)[0], first, rtol=1e-6)
    np.testing.assert_allclose(label_margin(joined, ["a"])[3], 1)


def test_disagreement_equals_scipy() -> None:
    labels, _ = make_labels(50, seed=1)
    values = np.stack([make_probabilities(labels, 0.6, seed=seed) for seed in range(4)]).astype(np.float64)
    pairs = [(a, b) for a in range(4) for b in range(a)]
    expected = np.mean([jensenshannon(values[a], values[b], base=2, axis=1) ** 2 for a, b in pairs], axis=0)
    np.testing.assert_allclose(disagreement(values), expected, rtol=1e-5, atol=1e-7)
    certain = np.eye(7)[[[0, 3], [1, 3]]]
    np.testing.assert_allclose(disagreement(certain), [1, 0])
    assert disagreement(values[:1]).tolist() == [0] * 50
    assert (disagreement(values[[0, 0]]) == 0).all()


def test_similarity_equals_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    table = generator.normal(size=(30, 16)).astype(np.float32)
    np.testing.assert_allclose(similarity(table, table[4]), cosine_similarity(table, table[4:5])[:, 0], rtol=1e-5)
    table[7] = 0
    assert similarity(table, table[4])[7] == 0
    with pytest.raises(ValueError, match="must be"):
        similarity(table, table[0, :3])


def test_sorts(joined: Joined) -> None:
    every = np.arange(5)
    assert order(joined, every, "wrong").tolist() == [4, 0, 2, 1, 3]
    assert order(joined, every, "wrong", models=["a"]).tolist() == [0, 2, 4, 1, 3]
    assert order(joined, every, "row").tolist() == [0, 1, 2, 3, 4]
    assert order(joined, [4, 0, 2], "row").tolist() == [0, 2, 4]
    # Of equal doubt the lower row first.
    assert order(joined, every, "doubt", doubt=DOUBT).tolist() == [1, 2, 4, 0, 3]
    assert order(joined, every, "margin").tolist() == np.argsort(label_margin(joined)).tolist()
    assert order(joined, every, "margin")[0] == 2
    apart = disagreement(joined.probabilities)
    assert order(joined, every, "disagreement").tolist() == np.argsort(-apart).tolist()
    # Both models say row 20 is happy: nobody agrees more.
    assert order(joined, every, "disagreement")[-1] == 3
    vectors = np.array([[1, 0], [0, 1], [1, 0.1], [-1, 0], [1, 1]])
    assert order(joined, every, "similarity", embeddings=vectors, like=0).tolist() == [0, 2, 4, 1, 3]
    assert order(joined, [3, 1], "similarity", embeddings=vectors, like=4).tolist() == [1, 3]
    assert order(joined, [], "wrong").tolist() == []
    assert set(SORTS) == {"wrong", "margin", "disagreement", "doubt", "similarity", "row"}


@pytest.mark.parametrize(
    ("by", "known", "message"),
    [
        ("odd", {}, "unknown sort 'odd'"),
        ("doubt", {}, "doubt is asked for"),
        ("similarity", {"like": 0}, "embeddings are asked for"),
        ("similarity", {"embeddings": np.ones((5, 2))}, "needs a face"),
        ("similarity", {"embeddings": np.ones((5, 2)), "like": 5}, "needs a face"),
        ("similarity", {"embeddings": np.ones((4, 2)), "like": 0}, "embeddings must be"),
        ("wrong", {"models": ["c"]}, "no model 'c'"),
    ],
)
def test_sorts_that_cannot_work(joined: Joined, by: str, known: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        order(joined, [0], by, **known)
