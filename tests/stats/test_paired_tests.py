"""Two models on the same faces: hand-computed cases, SciPy and statsmodels, plain resampling, and the words."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, f1_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests

from fer_core.emotions import COUNT
from fer_core.stats import paired_tests
from fer_core.stats.intervals import bootstrap_gain
from fer_core.stats.paired_tests import Difference, McNemar

CLASSES = list(range(COUNT))


def answers(n: int = 900, *, first: float = 0.55, second: float = 0.62) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, _ = make_labels(n, seed=4)
    a = make_probabilities(labels, first, seed=1)
    b = make_probabilities(labels, second, seed=2)
    return labels, a.argmax(axis=1), (a + b).argmax(axis=1)


# --- McNemar


@pytest.mark.parametrize(
    ("n01", "n10", "p"),
    # 2 · (1/2)^5; 2 · (1 + 6)/2^6; 2 · (1 + 8 + 28)/2^8; an even split; no split at all.
    [(5, 0, 0.0625), (1, 5, 0.21875), (6, 2, 0.2890625), (7, 7, 1.0), (0, 0, 1.0), (0, 1, 1.0)],
)
def test_exact_p_by_hand(n01: int, n10: int, p: float) -> None:
    assert paired_tests.exact_p(n01, n10) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize(
    ("n01", "n10"), [(3, 9), (40, 41), (59, 64), (210, 160), (1700, 1900), (0, 3589), (30_000, 31_000), (1, 40)]
)
def test_exact_p_is_scipys(n01: int, n10: int) -> None:
    assert paired_tests.exact_p(n01, n10) == pytest.approx(binomtest(n01, n01 + n10).pvalue, rel=1e-8, abs=1e-300)
    assert paired_tests.exact_p(n01, n10) == paired_tests.exact_p(n10, n01)


def test_mcnemar_is_statsmodels() -> None:
    labels, a, b = answers()
    right_a, right_b = a == labels, b == labels
    found = paired_tests.mcnemar(right_a, right_b)
    table = confusion_matrix(right_a, right_b)
    assert (found.n01, found.n10) == (table[0, 1], table[1, 0])
    assert found.p == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue, rel=1e-10)


def test_mcnemar_counts_who_is_right_alone() -> None:
    found = paired_tests.mcnemar([True, True, False, False, True], [True, False, True, True, True])
    assert (found.n01, found.n10) == (2, 1)
    with pytest.raises(ValueError, match="equal length"):
        paired_tests.mcnemar([True], [True, False])
    with pytest.raises(ValueError, match="negative"):
        paired_tests.exact_p(-1, 2)


def test_the_fewest_faces_that_can_decide() -> None:
    assert (
        paired_tests.exact_p(paired_tests.FEWEST, 0)
        < paired_tests.ALPHA
        <= paired_tests.exact_p(paired_tests.FEWEST - 1, 0)
    )


# --- Holm


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.5 times 4, 3, 2, 1; the third (0.06) is not below the second (0.06).
    assert paired_tests.holm([0.02, 0.5, 0.01, 0.03]) == pytest.approx([0.06, 0.5, 0.04, 0.06])
    # 0.04 · 1 = 0.04 is lifted to the step before, 0.03 · 2.
    assert paired_tests.holm([0.03, 0.04]) == pytest.approx([0.06, 0.06])
    assert paired_tests.holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


def test_holm_is_statsmodels() -> None:
    p = np.random.default_rng(0).beta(0.3, 2, size=(7, 7))
    p[0, :3] = p[1, 1]
    expected = multipletests(p.ravel(), method="holm")[1].reshape(7, 7)
    np.testing.assert_allclose(paired_tests.holm(p), expected, rtol=1e-12)


def test_holm_leaves_out_questions_that_could_not_be_asked() -> None:
    found = paired_tests.holm([[0.01, np.nan], [0.04, np.nan]])
    assert found[:, 0] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[:, 1]).all()
    assert np.isnan(paired_tests.holm([np.nan])).all()
    with pytest.raises(ValueError, match=r"0\.\.1"):
        paired_tests.holm([1.2])


# --- accuracy and macro F1


def test_accuracy_difference_is_the_paired_bootstrap() -> None:
    labels, a, b = answers()
    found = paired_tests.accuracy_difference(a == labels, b == labels, resamples=500, seed=3)
    assert found.value == pytest.approx(np.mean(b == labels) - np.mean(a == labels))
    assert (found.low, found.high) == bootstrap_gain(a == labels, b == labels, resamples=500, seed=3)
    assert found.n == len(labels)


def test_macro_f1_difference_is_scikit_learns() -> None:
    labels, a, b = answers()
    found = paired_tests.macro_f1_difference(labels, a, b, resamples=50)
    expected = f1_score(labels, b, average="macro") - f1_score(labels, a, average="macro")
    assert found.value == pytest.approx(expected, abs=1e-12)


def test_macro_f1_interval_is_that_of_drawing_faces() -> None:
    labels, a, b = answers(400)
    found = paired_tests.macro_f1_difference(labels, a, b, resamples=4000, seed=1)
    generator = np.random.default_rng(7)
    picks = generator.integers(len(labels), size=(1200, len(labels)))

    def macro_f1(answer: np.ndarray, pick: np.ndarray) -> float:
        right = np.bincount(labels[pick], labels[pick] == answer[pick], minlength=COUNT)
        true = np.bincount(labels[pick], minlength=COUNT)
        said = np.bincount(answer[pick], minlength=COUNT)
        # As in fer_core.stats.metrics, a class that was not drawn does not count.
        return float(np.mean(2 * right[true > 0] / (true + said)[true > 0]))

    for pick in picks[:10]:
        known = f1_score(labels[pick], a[pick], average="macro", labels=np.unique(labels[pick]), zero_division=0)
        assert macro_f1(a, pick) == pytest.approx(known)
    drawn = [macro_f1(b, pick) - macro_f1(a, pick) for pick in picks]
    width = np.quantile(drawn, 0.975) - np.quantile(drawn, 0.025)
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.12 * width)


def test_macro_f1_leaves_classes_without_a_face_out() -> None:
    # A: class 0 has precision 1, recall 1/2; class 1 precision 2/3, recall 1. B is perfect.
    found = paired_tests.macro_f1_difference([0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], resamples=20)
    assert found.value == pytest.approx(1 - (2 / 3 + 4 / 5) / 2)


# --- difference matrix


def test_a_difference_matrix_by_hand() -> None:
    # Of ten angry faces, A says sad to six and angry to four; B says sad to one of those six, and angry to the rest.
    labels = np.zeros(10, dtype=int)
    a = np.array([4] * 6 + [0] * 4)
    b = np.array([4] + [0] * 9)
    found = paired_tests.difference_matrix(labels, a, b, resamples=500)
    assert found.support.tolist() == [10, 0, 0, 0, 0, 0, 0]
    assert found.points[0] == pytest.approx([50, 0, 0, 0, -50, 0, 0])
    assert (found.n01[0, 0], found.n10[0, 0]) == (5, 0)
    assert (found.n01[0, 4], found.n10[0, 4]) == (0, 5)
    assert found.p[0] == pytest.approx([0.0625, 1, 1, 1, 0.0625, 1, 1])
    # Seven questions were asked, not 49: there is no face of the other classes.
    assert found.adjusted[0] == pytest.approx([0.4375, 1, 1, 1, 0.4375, 1, 1])
    assert not found.significant.any()
    for values in (found.points, found.low, found.high, found.p, found.adjusted):
        assert np.isnan(values[1:]).all()


def test_a_cell_stands_out_where_it_should() -> None:
    labels = np.repeat([0, 2], 60)
    a = labels.copy()
    a[60:90] = 4
    b = labels.copy()
    found = paired_tests.difference_matrix(labels, a, b)
    assert np.argwhere(found.significant).tolist() == [[2, 2], [2, 4]]
    assert found.points[2, 4] == -50
    assert found.low[2, 4] < -50 < found.high[2, 4] < 0


def test_every_cell_is_statsmodels_and_scikit_learn() -> None:
    labels, a, b = answers(second=0.75)
    found = paired_tests.difference_matrix(labels, a, b, resamples=400, seed=5)
    expected = [confusion_matrix(labels, answer, labels=CLASSES, normalize="true") for answer in (a, b)]
    np.testing.assert_allclose(found.points, 100 * (expected[1] - expected[0]), atol=1e-10)
    np.testing.assert_allclose(found.points.sum(axis=1), 0, atol=1e-10)
    for true, said in np.ndindex(COUNT, COUNT):
        faces = labels == true
        table = confusion_matrix(a[faces] == said, b[faces] == said, labels=[False, True])
        assert (found.n01[true, said], found.n10[true, said]) == (table[0, 1], table[1, 0])
        expected_p = statsmodels_mcnemar(table, exact=True).pvalue if table[0, 1] + table[1, 0] else 1.0
        assert found.p[true, said] == pytest.approx(expected_p, rel=1e-9)
    reject, adjusted, *_ = multipletests(found.p.ravel(), alpha=0.05, method="holm")
    np.testing.assert_allclose(found.adjusted.ravel(), adjusted, rtol=1e-12)
    assert found.significant.ravel().tolist() == reject.tolist()
    assert found.significant.any()
    assert not found.significant.all()


def test_cell_intervals_are_paired_bootstraps_within_the_class() -> None:
    labels, a, b = answers(2000)
    found = paired_tests.difference_matrix(labels, a, b, resamples=4000)
    for true, said in ((2, 2), (2, 4), (3, 0)):
        faces = labels == true
        expected = bootstrap_gain(a[faces] == said, b[faces] == said, resamples=4000, seed=9)
        tolerance = 100 * 0.1 * (expected[1] - expected[0])
        assert (found.low[true, said], found.high[true, said]) == pytest.approx(
            (100 * expected[0], 100 * expected[1]), abs=max(tolerance, 1e-9)
        )


def test_the_same_model_twice_differs_nowhere() -> None:
    labels, a, _ = answers(200)
    found = paired_tests.compare(labels, a, a, resamples=50)
    assert not found.matrix.points.any()
    assert not found.matrix.significant.any()
    assert found.macro_f1 == Difference(0, 0, 0, 200)
    assert found.test == McNemar(0, 0, 1.0)


def test_comparing_is_all_of_it_with_the_same_seed() -> None:
    labels, a, b = answers(300)
    found = paired_tests.compare(labels, a, b, resamples=100, seed=2)
    assert found.n == 300
    assert found.accuracy == paired_tests.accuracy_difference(a == labels, b == labels, resamples=100, seed=2)
    assert found.macro_f1 == paired_tests.macro_f1_difference(labels, a, b, resamples=100, seed=2)
    assert found.test == paired_tests.mcnemar(a == labels, b == labels)
    np.testing.assert_array_equal(
        found.matrix.low, paired_tests.difference_matrix(labels, a, b, resamples=100, seed=2).low
    )
    assert found.verdict("A", "B") == paired_tests.comparison_text("A", "B", found.accuracy, found.test)


def test_small_whole_numbers_do_not_overflow() -> None:
    labels, a, b = answers(300)
    narrow = [values.astype(np.int8) for values in (labels, a, b)]
    assert paired_tests.macro_f1_difference(*narrow) == paired_tests.macro_f1_difference(labels, a, b)


@pytest.mark.parametrize(
    ("labels", "a", "b", "resamples", "words"),
    [
        ([], [], [], 10, "non-empty"),
        ([0], [0, 1], [0], 10, "equal length"),
        ([[0]], [[0]], [[0]], 10, "equal length"),
        ([0], [7], [0], 10, "whole numbers"),
        ([0], [0], [-1], 10, "whole numbers"),
        ([0], [0.5], [0], 10, "whole numbers"),
        ([0], [0], [0], 0, "resamples"),
    ],
)
def test_what_cannot_be_compared(labels: list, a: list, b: list, resamples: int, words: str) -> None:
    for function in (paired_tests.compare, paired_tests.macro_f1_difference, paired_tests.difference_matrix):
        with pytest.raises(ValueError, match=words):
            function(labels, a, b, resamples=resamples)


# --- in words


@pytest.mark.parametrize(
    ("accuracy", "test", "expected"),
    [
        (
            Difference(0.0139, 0.003, 0.0251, 3589),
            McNemar(230, 180, 0.015),
            "VGG16 is better than CNN: +1.4 points (+0.3 to +2.5); this is unlikely to be chance.",
        ),
        (
            Difference(-0.012, -0.024, 0.0003, 3589),
            McNemar(200, 243, 0.06),
            "VGG16 is worse than CNN: −1.2 points (−2.4 to 0.0); this may well be chance.",
        ),
        (
            Difference(0.005, -0.011, 0.021, 3589),
            McNemar(210, 192, 0.4),
            "VGG16 is better than CNN: +0.5 points (−1.1 to +2.1); this may well be chance.",
        ),
        (
            Difference(0.0003, -0.011, 0.011, 3589),
            McNemar(200, 199, 1.0),
            "VGG16 is better than CNN: less than 0.1 points (−1.1 to +1.1); this may well be chance.",
        ),
        (
            Difference(0.012, 0.0001, 0.024, 3589),
            McNemar(243, 200, 0.0505),
            "VGG16 is better than CNN: +1.2 points (0.0 to +2.4); whether this is chance is a close call (p = 0.051).",
        ),
        (
            Difference(0.1, 0.0, 0.2, 30),
            McNemar(3, 0, 0.25),
            "VGG16 is better than CNN: +10.0 points (0.0 to +20.0), but only 3 faces tell the two apart: too few "
            "to rule out chance.",
        ),
        (
            Difference(1.0, 1.0, 1.0, 1),
            McNemar(1, 0, 1.0),
            "VGG16 is better than CNN: +100.0 points (+100.0 to +100.0), but only 1 face tells the two apart: too few "
            "to rule out chance.",
        ),
        (
            Difference(0.0, -0.01, 0.01, 3589),
            McNemar(212, 212, 1.0),
            "CNN and VGG16 are right equally often (−1.0 to +1.0 points), but not on the same faces: each gets 212 "
            "right that the other gets wrong. That does not prove them equal.",
        ),
        (
            Difference(0.0, 0.0, 0.0, 3589),
            McNemar(0, 0, 1.0),
            "CNN and VGG16 are right on the same faces and wrong on the same faces: nothing here tells them apart.",
        ),
    ],
)
def test_the_verdict(accuracy: Difference, test: McNemar, expected: str) -> None:
    assert paired_tests.comparison_text("CNN", "VGG16", accuracy, test) == expected


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (1.0, "p = 1.00"),
        (0.213, "p = 0.21"),
        (0.0123, "p = 0.012"),
        (0.00001, "p < 0.001"),
        (0.04996, "p = 0.04996"),
        (0.05, "p = 0.050"),
    ],
)
def test_p_in_words(p: float, expected: str) -> None:
    assert paired_tests.p_words(p) == expected
