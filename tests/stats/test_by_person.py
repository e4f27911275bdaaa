"""Intervals over persons: wider where faces of one person go together, the same where each person has one face."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.emotions import COUNT
from fer_core.formatting import interval
from fer_core.runs.metrics import persons_words
from fer_core.stats.by_person import FEWEST, by_person, mean_interval
from fer_core.stats.intervals import bootstrap_gain, bootstrap_interval
from fer_core.stats.metrics import per_class_intervals, score


def answers(persons: int, each: int, *, together: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, answers that are right for 6 in 10, and persons; ``together``: a person's faces are all right or none."""
    random = np.random.default_rng(0)
    whose = np.repeat(np.arange(persons), each)
    labels = np.tile(np.arange(each) % COUNT, persons)
    right = (random.random(persons) < 0.6)[whose] if together else random.random(persons * each) < 0.6
    return labels, np.where(right, labels, (labels + 1) % COUNT), whose


def probabilities(said: np.ndarray) -> np.ndarray:
    return np.eye(COUNT)[said]


def test_faces_that_go_together_make_the_interval_wider() -> None:
    labels, said, whose = answers(30, 14, together=True)
    (low, high), people = by_person(labels, said, whose)
    plain = bootstrap_interval(labels == said)
    assert high - low > 2.5 * (plain[1] - plain[0])
    # As wide as of thirty faces, one a person: nothing else differs.
    first = np.unique(whose, return_index=True)[1]
    of_thirty = bootstrap_interval((labels == said)[first])
    assert (low, high) == pytest.approx(of_thirty, abs=0.05)
    assert (people["persons"], people["enough"]) == (30, True)
    recalls = people["per_class"][0]
    assert recalls["recall_low"] == pytest.approx(low, abs=0.03)
    assert recalls["recall_high"] == pytest.approx(high, abs=0.03)
    assert people["macro_f1_low"] is not None


def test_one_face_a_person_is_the_plain_bootstrap() -> None:
    labels, said, _ = answers(1, 350, together=False)
    (low, high), _ = by_person(labels, said, np.arange(350))
    assert (low, high) == pytest.approx(bootstrap_interval(labels == said), abs=0.01)
    before, after = labels == said, np.ones(350, bool)
    ends = mean_interval(after.astype(float) - before, np.arange(350))
    assert ends == pytest.approx(bootstrap_gain(before, after), abs=0.01)


def test_a_handful_of_persons_gives_no_interval_and_says_so() -> None:
    """Four persons of fifty faces each would have had an interval as narrow as that of two hundred people."""
    labels, said, whose = answers(FEWEST - 1, 49, together=True)
    found = score(labels, probabilities(said), persons=whose)
    assert interval(found) == "unknown"
    people = found["by_person"]
    assert not people["enough"]
    assert people["macro_f1_low"] is None
    assert all(value is None for one in people["per_class"] for key, value in one.items() if key != "emotion")
    assert "4 persons" in persons_words(found)
    assert "too few" in persons_words(found)
    assert mean_interval(labels == said, whose) is None
    assert all(one["recall_low"] is None for one in per_class_intervals(found["confusion"], people))


def test_more_persons_are_told_and_whether_they_are_few() -> None:
    for persons, few in ((FEWEST, True), (19, True), (20, False)):
        labels, said, whose = answers(persons, 14, together=False)
        words = persons_words(score(labels, probabilities(said), persons=whose))
        assert f"over {persons} persons" in words
        assert ("too narrow" in words) == few
    assert not persons_words(score(labels, probabilities(said)))


def test_all_right_is_not_certainty_and_absent_classes_count_for_nothing() -> None:
    labels, whose = np.zeros(60, int), np.repeat(np.arange(12), 5)
    (low, high), people = by_person(labels, labels, whose)
    assert (round(low, 2), high) == (0.76, 1.0)
    assert people["per_class"][0]["recall_low"] == pytest.approx(low)
    assert people["per_class"][1]["recall_low"] is None
    # Of four of the twelve one face each is another's: a recall of 0 on four persons' faces is no interval of 0 to 0.
    rare = labels.copy()
    rare[:20:5] = 1
    (_, people) = by_person(rare, labels, whose)
    assert people["per_class"][1]["recall_low"] is None
    rare[:25:5] = 1
    (_, people) = by_person(rare, labels, whose)
    assert people["per_class"][1]["recall_low"] == 0
    assert people["per_class"][1]["recall_high"] == pytest.approx(0.43, abs=0.01)
    macro = score(rare, probabilities(labels))["macro_f1"]
    low, high = people["macro_f1_low"], people["macro_f1_high"]
    assert low is not None
    assert high is not None
    assert low <= macro <= high < 0.5, "draws without the rare class would have said 1"
    with pytest.raises(ValueError, match="equal length"):
        by_person(labels, labels, whose[:-1])
