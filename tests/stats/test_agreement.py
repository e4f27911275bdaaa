"""Who is right on which faces: every set by hand, kappa by hand and against scikit-learn, and the words."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities
from sklearn.metrics import cohen_kappa_score

from fer_core.stats import agreement

# Three models, six faces: all, none, only the first, first and third, all, only the third.
RIGHT = np.array(
    [
        [1, 0, 1, 1, 1, 0],
        [1, 0, 0, 0, 1, 0],
        [1, 0, 0, 1, 1, 1],
    ],
    dtype=bool,
)


def test_codes_have_a_bit_a_model() -> None:
    assert agreement.codes(RIGHT).tolist() == [7, 0, 1, 5, 7, 4]
    assert agreement.members(5) == (0, 2)
    assert agreement.members(0) == ()


def test_the_lattice_by_hand() -> None:
    sets = agreement.lattice(RIGHT, rows=[10, 11, 12, 13, 14, 15])
    assert [one.code for one in sets] == list(range(8))
    assert {one.code: one.rows.tolist() for one in sets if one.count} == {
        0: [11],
        1: [12],
        4: [15],
        5: [13],
        7: [10, 14],
    }
    assert [one.count for one in sets] == [1, 1, 0, 0, 1, 1, 0, 2]
    assert sets[5].members == (0, 2)
    assert [one.rows.tolist() for one in agreement.lattice(RIGHT)][7] == [0, 4]


@pytest.mark.parametrize("models", [1, 2, 3, 4])
def test_every_face_is_in_the_set_that_says_who_is_right(models: int) -> None:
    right = np.random.default_rng(models).random((models, 300)) < 0.6
    sets = agreement.lattice(right)
    assert len(sets) == 2**models
    assert sum(one.count for one in sets) == 300
    for one in sets:
        expected = np.all([right[k] == (k in one.members) for k in range(models)], axis=0)
        assert one.rows.tolist() == np.flatnonzero(expected).tolist()
        assert one.count == len(one.rows)
        assert (agreement.codes(right) == one.code).tolist() == expected.tolist()


def test_no_faces_make_empty_sets() -> None:
    sets = agreement.lattice(np.zeros((2, 0), dtype=bool))
    assert [one.count for one in sets] == [0, 0, 0, 0]
    assert agreement.describe([0, 0, 0, 0], ["a", "b"]) == "There is no face."


def test_sets_take_only_four_models() -> None:
    right = np.ones((6, 3), dtype=bool)
    with pytest.raises(ValueError, match="at most 4"):
        agreement.lattice(right)


def test_agreement_by_hand() -> None:
    # Cohen: observed 3/4; both say 0 half the time, so expected 1/2 and kappa 1/2.
    answers = [[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1]]
    assert agreement.agreement_rates(answers)[0].tolist() == [1, 0.75, 1]
    assert agreement.kappas(answers)[0] == pytest.approx([1, 0.5, 1])


def test_kappa_is_scikit_learns() -> None:
    labels, _ = make_labels(700, seed=1)
    answers = np.stack([make_probabilities(labels, 0.6, seed=seed).argmax(axis=1) for seed in range(3)])
    found = agreement.kappas(answers.astype(np.int8))
    for i, j in np.ndindex(3, 3):
        assert found[i, j] == pytest.approx(cohen_kappa_score(answers[i], answers[j]))


def test_kappa_is_undefined_where_only_one_class_is_ever_named() -> None:
    found = agreement.kappas([[3, 3, 3], [3, 3, 3], [3, 3, 2]])
    assert np.isnan(found[:2, :2]).all()
    assert found[0, 2] == pytest.approx(0)
    assert found[2, 2] == 1


@pytest.mark.parametrize(
    ("code", "names", "expected"),
    [
        (0, "ABCD", "all are wrong"),
        (15, "ABCD", "all are right"),
        (2, "ABCD", "only B is right"),
        (11, "ABCD", "only C is wrong"),
        (5, "ABCD", "A and C are right, B and D are wrong"),
        (0, "AB", "both are wrong"),
        (3, "AB", "both are right"),
        (2, "AB", "only B is right"),
        (1, "A", "A is right"),
        (0, "A", "A is wrong"),
    ],
)
def test_a_set_in_words(code: int, names: str, expected: str) -> None:
    assert agreement.set_words(code, list(names)) == expected


def test_all_sets_in_words() -> None:
    counts = [one.count for one in agreement.lattice(RIGHT)]
    assert agreement.describe(counts, ["A", "B", "C"]) == (
        "Of 6 faces, all 3 models are right on 2 (33.3 %) and wrong on 1 (16.7 %). The only one right is A on 1, B on "
        "0 and C on 1. Of the sets between, the largest is “only B is wrong”, 1 face."
    )
    assert agreement.describe([1, 2, 0, 7], ["A", "B"]) == (
        "Of 10 faces, both models are right on 7 (70.0 %) and wrong on 1 (10.0 %). The only one right is A on 2 and B "
        "on 0."
    )
    assert agreement.describe([1, 3], ["A"]) == "Of 4 faces, A is right on 3 (75.0 %) and wrong on 1 (25.0 %)."


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: agreement.codes([True, False]), "models, faces"),
        (lambda: agreement.codes(np.ones((2, 2), dtype=int)), "bool"),
        (lambda: agreement.lattice(RIGHT, rows=[1, 2]), "6 row numbers"),
        (lambda: agreement.agreement_rates([0, 1]), "models, faces"),
        (lambda: agreement.kappas([[0.5, 1.0]]), "whole numbers"),
        (lambda: agreement.agreement_rates(np.zeros((2, 0), dtype=int)), "no face"),
        (lambda: agreement.set_words(4, ["A", "B"]), r"0\.\.3"),
        (lambda: agreement.describe([1, 2, 3], ["A", "B"]), "4 sets"),
    ],
)
def test_what_cannot_be_asked(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()  # type: ignore[operator]
