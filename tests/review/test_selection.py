"""Filters and sorts of faces: cases by hand, SciPy and scikit-learn for the measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities
from scipy.spatial.distance import jensenshannon
from sklearn.metrics.pairwise import cosine_similarity

from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.review.annotations import Annotation
from fer_core.review.ordering import (
    SORTS,
    disagreement,
    label_margin,
    order,
    similarity,
    surest_wrong,
    wrong_confidence,
)
from fer_core.review.selection import Filter, describe, select, why_empty

FEAR, SAD, HAPPY = 2, 4, 3


def rows_of(answers: list[tuple[int, float]]) -> list[list[float]]:
    """A probability for one class, the rest shared evenly among the other six."""
    return [[p if label == answer else (1 - p) / 6 for label in range(7)] for answer, p in answers]


# Row numbers, labels, and the answers of models a and b.
ROWS = np.array([10, 12, 15, 20, 21], np.int64)
LABELS = np.array([FEAR, FEAR, SAD, HAPPY, FEAR], np.int8)
A = rows_of([(SAD, 0.9), (FEAR, 0.8), (FEAR, 0.6), (HAPPY, 1.0), (SAD, 0.4)])
B = rows_of([(FEAR, 0.5), (SAD, 0.7), (FEAR, 0.9), (HAPPY, 0.9), (SAD, 0.95)])
NEAR_DUPLICATE = [True, False, False, True, False]
LABEL_ISSUE_SCORE = [0.2, 0.9, 0.9, 0.1, 0.5]
ANNOTATIONS = {12: Annotation(12, "ambiguous"), 21: Annotation(21, "label wrong", SAD), 99: Annotation(99, "ambiguous")}


@pytest.fixture
def aligned() -> AlignedPredictions:
    return AlignedPredictions(("a", "b"), "PrivateTest", "0" * 64, ROWS, LABELS, np.array([A, B], np.float32))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), [0, 1, 2, 3, 4]),
        (Filter(true=FEAR), [0, 1, 4]),
        (Filter(true=FEAR, rows=(12, 20, 21)), [1, 4]),
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
        (Filter(near_duplicate=True), [0, 3]),
        (Filter(near_duplicate=False), [1, 2, 4]),
        (Filter(label_issue_score=0.5), [1, 2, 4]),
        (Filter(annotation="any"), [1, 4]),
        (Filter(annotation="none"), [0, 2, 3]),
        (Filter(annotation="label wrong"), [4]),
        (Filter(annotation="not a face"), []),
        (Filter(true=FEAR, right=False, near_duplicate=False, label_issue_score=0.9, annotation="ambiguous"), [1]),
        (Filter(true=HAPPY, right=False), []),
    ],
)
def test_filters(aligned: AlignedPredictions, wanted: Filter, expected: list[int]) -> None:
    known: dict[str, Any] = {
        "near_duplicate": NEAR_DUPLICATE,
        "label_issue_score": LABEL_ISSUE_SCORE,
        "annotations": ANNOTATIONS,
    }
    found = select(aligned, wanted, **known)
    assert found.tolist() == expected
    assert bool(why_empty(aligned, wanted, **known)) == (not expected)


def test_agreement_codes_are_those_of_the_lattice(aligned: AlignedPredictions) -> None:
    from fer_core.stats.agreement import codes

    for code in range(4):
        np.testing.assert_array_equal(
            select(aligned, Filter(agreement=code)), np.flatnonzero(codes(aligned.right) == code)
        )


def test_why_nothing_is_left(aligned: AlignedPredictions) -> None:
    assert why_empty(aligned, Filter(models=("a",), true=FEAR, predicted=HAPPY)) == (
        "5 faces of PrivateTest; labelled fear: 3; answered with happy by a: none. Loosen one of these conditions."
    )
    text = why_empty(
        aligned,
        Filter(right=True, confidence=(0.95, 1), every=True, near_duplicate=False),
        near_duplicate=NEAR_DUPLICATE,
    )
    assert text == (
        "5 faces of PrivateTest; answered right and answered with 95 % to 100 % confidence by each of a, b: none. "
        "Loosen one of these conditions."
    )
    text = why_empty(
        aligned,
        Filter(agreement=2, near_duplicate=False, label_issue_score=0.3),
        near_duplicate=NEAR_DUPLICATE,
        label_issue_score=LABEL_ISSUE_SCORE,
    )
    assert "answered right by exactly b: 1; without a twin in Training: none" in text
    nothing = aligned.where(np.zeros(5, bool))
    assert "no face of PrivateTest" in why_empty(nothing, Filter())
    assert select(nothing, Filter(right=False)).tolist() == []


@pytest.mark.parametrize(
    ("wanted", "known", "message"),
    [
        (Filter(models=("c",), right=True), {}, "no model 'c' among a, b"),
        (Filter(true=7), {}, "a class is 0..6"),
        (Filter(predicted=-1), {}, "a class is 0..6"),
        (Filter(agreement=4), {}, "codes 0..3"),
        (Filter(near_duplicate=True), {}, "near_duplicate is asked for"),
        (Filter(near_duplicate=True), {"near_duplicate": [True]}, "near_duplicate must be"),
        (Filter(label_issue_score=0.5), {}, "label_issue_score is asked for"),
        (Filter(label_issue_score=0.5), {"label_issue_score": [0.1]}, "label_issue_score must be"),
        (Filter(annotation="any"), {}, "asks for marks"),
        (Filter(annotation="odd"), {"annotations": {}}, "unknown mark 'odd'"),
    ],
)
def test_filters_that_cannot_work(
    aligned: AlignedPredictions, wanted: Filter, known: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        select(aligned, wanted, **known)


def test_a_filter_in_words(aligned: AlignedPredictions) -> None:
    assert describe(aligned, Filter()) == ""
    wanted = Filter(
        models=("a",), true=FEAR, predicted=SAD, near_duplicate=True, label_issue_score=0.25, annotation="none"
    )
    assert describe(
        aligned, wanted, near_duplicate=NEAR_DUPLICATE, label_issue_score=LABEL_ISSUE_SCORE, annotations=ANNOTATIONS
    ) == (
        "labelled fear, answered with sad by a, with a twin in Training, with a label doubt of 0.25 or more, "
        "without a mark"
    )


def test_the_surest_wrong_answer(aligned: AlignedPredictions) -> None:
    assert surest_wrong(aligned).tolist() == [SAD, SAD, FEAR, -1, SAD]
    assert surest_wrong(aligned, ["a"]).tolist() == [SAD, -1, FEAR, -1, SAD]
    assert surest_wrong(aligned, ["b"]).tolist() == [-1, SAD, FEAR, -1, SAD]
    values = np.array([rows_of([(SAD, 0.8)]), rows_of([(HAPPY, 0.9)])], np.float32)
    two = AlignedPredictions(("a", "b"), "PrivateTest", "0" * 64, ROWS[:1], LABELS[:1], values)
    assert surest_wrong(two).tolist() == [HAPPY]
    assert surest_wrong(aligned.where(np.zeros(5, bool))).shape == (0,)


def test_measures_by_hand(aligned: AlignedPredictions) -> None:
    np.testing.assert_allclose(wrong_confidence(aligned), [0.9, 0.7, 0.9, 0, 0.95], rtol=1e-6)
    np.testing.assert_allclose(wrong_confidence(aligned, ["a"]), [0.9, 0, 0.6, 0, 0.4], rtol=1e-6)
    # Row 10: a gives fear 0.1/6 and sad 0.9, b gives fear 0.5 and the others 0.5/6.
    first = ((0.1 / 6 - 0.9) + (0.5 - 0.5 / 6)) / 2
    np.testing.assert_allclose(label_margin(aligned)[0], first, rtol=1e-6)
    np.testing.assert_allclose(label_margin(aligned, ["a"])[3], 1)


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


def test_sorts(aligned: AlignedPredictions) -> None:
    every = np.arange(5)
    assert order(aligned, every, "wrong").tolist() == [4, 0, 2, 1, 3]
    assert order(aligned, every, "wrong", models=["a"]).tolist() == [0, 2, 4, 1, 3]
    assert order(aligned, every, "row").tolist() == [0, 1, 2, 3, 4]
    assert order(aligned, [4, 0, 2], "row").tolist() == [0, 2, 4]
    # Of equal doubt the lower row first.
    assert order(aligned, every, "doubt", label_issue_score=LABEL_ISSUE_SCORE).tolist() == [1, 2, 4, 0, 3]
    assert order(aligned, every, "margin").tolist() == np.argsort(label_margin(aligned)).tolist()
    assert order(aligned, every, "margin")[0] == 2
    apart = disagreement(aligned.probabilities)
    assert order(aligned, every, "disagreement").tolist() == np.argsort(-apart).tolist()
    # Both models say row 20 is happy: nobody agrees more.
    assert order(aligned, every, "disagreement")[-1] == 3
    vectors = np.array([[1, 0], [0, 1], [1, 0.1], [-1, 0], [1, 1]])
    assert order(aligned, every, "similarity", embeddings=vectors, like=0).tolist() == [0, 2, 4, 1, 3]
    assert order(aligned, [3, 1], "similarity", embeddings=vectors, like=4).tolist() == [1, 3]
    assert order(aligned, [], "wrong").tolist() == []
    surest = aligned.probabilities.mean(axis=0).max(axis=1)
    assert np.all(np.diff(surest[order(aligned, every, "unsure")]) >= 0)
    assert set(SORTS) == {"wrong", "margin", "disagreement", "unsure", "doubt", "similarity", "row"}


@pytest.mark.parametrize(
    ("by", "known", "message"),
    [
        ("odd", {}, "unknown sort 'odd'"),
        ("doubt", {}, "label_issue_score is asked for"),
        ("similarity", {"like": 0}, "embeddings are asked for"),
        ("similarity", {"embeddings": np.ones((5, 2))}, "needs a face"),
        ("similarity", {"embeddings": np.ones((5, 2)), "like": 5}, "needs a face"),
        ("similarity", {"embeddings": np.ones((4, 2)), "like": 0}, "embeddings must be"),
        ("wrong", {"models": ["c"]}, "no model 'c'"),
    ],
)
def test_sorts_that_cannot_work(aligned: AlignedPredictions, by: str, known: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        order(aligned, [0], by, **known)
