"""The sentences at the end of Compare's views: they say what the figures say, whoever wins."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.corruptions.robustness import Robustness
from fer_core.review import sentences
from fer_core.review.sentences import Learned
from fer_core.stats.calibration import reliability
from fer_core.stats.metrics import per_class_intervals

ANGRY, DISGUST, FEAR, SAD = 0, 1, 2, 4


def matrix(right: int, **mistakes: int) -> np.ndarray:
    counts = np.eye(7, dtype=np.int64) * right
    counts[FEAR, SAD] = mistakes.get("fear_sad", 0)
    counts[DISGUST, ANGRY] = mistakes.get("disgust_angry", 0)
    return counts


def test_the_most_confused_pairs_come_largest_first_and_leave_out_the_diagonal() -> None:
    pairs = sentences.confused_pairs(matrix(50, fear_sad=9, disgust_angry=20))
    assert [(pair.words, pair.faces, pair.of) for pair in pairs] == [
        ("disgust taken for angry", 20, 70),
        ("fear taken for sad", 9, 59),
    ]
    assert sentences.confused_pairs(matrix(50)) == []
    assert "No face" in sentences.matrices({"a": matrix(50)})


def test_matrices_say_whether_the_commonest_mistake_is_shared() -> None:
    same = sentences.matrices({"a": matrix(50, fear_sad=9), "b": matrix(50, fear_sad=30)})
    assert "the same for a and b" in same
    assert "a and b: fear taken for sad" in same
    other = sentences.matrices({"a": matrix(50, fear_sad=9), "b": matrix(50, disgust_angry=9)})
    assert "a: fear taken for sad" in other
    assert "b: disgust taken for angry" in other


def test_a_lead_is_chance_or_not_by_mcnemar() -> None:
    right = np.zeros((2, 1000), dtype=bool)
    right[0, :600] = right[1, :700] = True
    assert "b is right most often. Its lead over a, +10.0 points, is unlikely" in sentences.accuracies("ab", right)
    right[0, :697] = True
    assert "may well be chance" in sentences.accuracies("ab", right)


def test_all_that_tie_are_named_and_none_is_ahead_of_itself() -> None:
    right = np.zeros((3, 10), dtype=bool)
    right[:, :7] = True
    assert sentences.accuracies("abc", right) == "a, b and c are right equally often."
    right[1, 0] = False
    assert sentences.accuracies("abc", right) == "a and c are right most often, and equally often."


def test_classes_say_who_leads_where_and_where_that_is_clear() -> None:
    entries = {"a": per_class_intervals(matrix(500)), "b": per_class_intervals(matrix(500, fear_sad=300))}
    words = sentences.classes(entries, "recall")
    assert "the highest is a in fear. Each lead is clear" in words
    assert "Hardest is" in words
    alone = sentences.classes({"a": entries["b"]}, "recall")
    assert "Hardest is fear (recall 62 %" in alone
    assert "highest" not in alone
    few = {"a": per_class_intervals(matrix(5)), "b": per_class_intervals(matrix(5, fear_sad=3))}
    assert "any may be chance" in sentences.classes(few, "recall")


def test_nobody_leads_at_an_expression_that_nobody_finds() -> None:
    blind = matrix(5)
    blind[DISGUST] = np.roll(blind[DISGUST], 1)
    better = blind.copy()
    better[FEAR, FEAR] += 1
    words = sentences.classes({"a": per_class_intervals(blind), "b": per_class_intervals(better)}, "recall")
    assert "disgust" not in words.split("Hardest")[0]
    assert "Hardest is disgust (recall 0 % at best)" in words


def test_a_second_guess_is_told_by_the_run_that_it_takes_farthest() -> None:
    words = sentences.second_guess({"a": (0.7, 0.8), "b": (0.6, 0.85)})
    assert "b is right on 85.0 %" in words
    assert "+25.0 points" in words


def test_the_expressions_told_best_and_worst_are_named_by_the_mean_of_the_runs() -> None:
    areas = {"a": [0.9, None, 0.5, 0.99, 0.8, 0.8, 0.8], "b": [0.9, None, 0.7, 0.97, 0.4, 0.8, 0.8]}
    words = sentences.separated(areas, "AUC")
    assert "happy (AUC 0.98)" in words
    assert "worst fear (0.60)" in words
    assert "2 runs" in words
    assert sentences.separated({"a": [0.9, *[None] * 6]}, "AUC") == ""


def test_certainty_tells_over_sure_from_under_sure_and_from_chance() -> None:
    labels = np.zeros(1000, dtype=np.int64)

    def answers(right: float, confidence: float) -> np.ndarray:
        probabilities = np.full((1000, 7), (1 - confidence) / 6)
        said = np.where(np.arange(1000) < 1000 * right, 0, 1)
        probabilities[np.arange(1000), said] = confidence
        return probabilities

    words = sentences.certainty(
        {
            "proud": reliability(labels, answers(0.6, 0.9)),
            "shy": reliability(labels, answers(0.9, 0.6)),
            "wise": reliability(labels, answers(0.7, 0.71)),
        }
    )
    over, under, fits, _ = words.split(". ")
    assert "proud (+30.0 points)" in over
    assert "shy (−30.0 points)" in under
    assert "wise" in fits


def test_learning_names_the_gap_and_why_public_test_may_lie_above() -> None:
    words = sentences.learning([Learned("plain", 18, 0.9, 0.68, False), Learned("shaken", 66, 0.64, 0.68, True)])
    assert "plain has learned" in words
    assert "+22.0 points" in words
    assert "For shaken PublicTest lies above training: its training faces are changed" in words
    assert "dropout" in sentences.learning([Learned("plain", 1, 0.3, 0.4, False)])
    assert sentences.learning([]) == ""
    theirs = sentences.learning([Learned("theirs", 9, 0.5, 0.6, None, own=True)])
    assert "PublicTest" not in theirs, "nobody here knows which faces they were"
    assert "not known" in theirs


def noisy(broken: int, kinds: int = 2, n: int = 100) -> Robustness:
    """Right on all faces as they are; ``broken`` of them wrong under the first kind of damage, at each strength."""
    labels = np.zeros(n, dtype=np.int8)
    answers = np.zeros((kinds, 5, n), dtype=np.int8)
    answers[0, :, :broken] = 1
    return Robustness(("gaussian_noise", "contrast")[:kinds], labels, labels, answers, np.arange(n), 0)


def test_robustness_says_what_breaks_and_whether_the_order_changes() -> None:
    names = tuple(sentences.CORRUPTIONS)[:2]
    runs = {name: noisy(broken) for name, broken in (("frail", 60), ("sturdy", 10))}
    runs = {name: Robustness(names, one.labels, one.clean, one.answers, one.keys, 0) for name, one in runs.items()}
    words = sentences.robustness(runs, "PublicTest")
    assert "(−35.0 points on average)" in words
    assert "sturdy once they are worse" in words
    assert "100 faces of PublicTest, so no look at PrivateTest" in words


def test_the_map_says_who_is_apart_and_who_is_mixed_with_whom() -> None:
    shares = np.full((7, 7), np.nan)
    shares[:3] = 0
    shares[ANGRY, ANGRY] = 0.9
    shares[DISGUST, DISGUST], shares[DISGUST, ANGRY] = 0.1, 0.6
    shares[FEAR, FEAR] = 0.5
    words = sentences.face_map(shares, 0.34)
    assert "Angry lies most by itself: 90 %" in words
    assert "Disgust is mixed most, above all with angry: 10 % and 60 %" in words
    assert "34 %" in words
    labels, answers = np.array([3, 3, 4], dtype=np.int8), np.array([3, 4, 4], dtype=np.int8)
    group = sentences.face_group(labels, answers, "one")
    assert group == "3 faces, labelled 2 happy and 1 sad; one is right on 67 % of them."


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_keeps_the_sign_of_its_number(sign: int) -> None:
    points, certain = np.zeros((7, 7)), np.zeros((7, 7), dtype=bool)
    assert "none is coloured" in sentences.difference(points, certain, ("a", "b"))
    points[ANGRY, ANGRY], certain[ANGRY, ANGRY] = sign * 7.9, True
    words = sentences.difference(points, certain, ("a", "b"))
    assert f"angry found {'+' if sign > 0 else '−'}7.9" in words
    assert "b differs from a in one cell" in words


def test_across_data_says_how_far_all_fall_and_who_leads() -> None:
    words = sentences.across({"FER": {"a": 0.7, "b": 0.68}, "drawn": {"a": 0.5, "b": 0.55}})
    assert words == "Against FER: on drawn −20.0 to −13.0 points (best on FER: a, on drawn: b)."
    assert "All of them were measured on one dataset alone" in sentences.across({"FER": {"a": 0.7, "b": 0.6}})


def test_one_run_on_one_dataset_is_not_called_all_of_them() -> None:
    assert sentences.across({"FER": {"a": 0.7}}).startswith("It was measured on one dataset alone")
