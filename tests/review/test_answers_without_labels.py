"""Faces without labels, sorted by what models say, and the labels that people give them."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from fer_core.emotions import COUNT
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, MODEL_WRONG, Annotation
from fer_core.review.answers_without_labels import APART, NEAR, ORDERS, ROW, UNSURE, labels_csv, order, what_they_say


def said(*classes_and_shares: tuple[int, float]) -> np.ndarray:
    """Float32 (n, 7): that class with that share, the rest evenly."""
    table = np.empty((len(classes_and_shares), COUNT), np.float32)
    for row, (label, share) in enumerate(classes_and_shares):
        table[row] = (1 - share) / (COUNT - 1)
        table[row, label] = share
    return table


ANSWERS = {
    "one": said((3, 0.9), (3, 0.4), (4, 0.8), (0, 0.97)),
    "two": said((3, 0.9), (3, 0.5), (0, 0.8), (0, 0.97)),
}
ROWS = np.arange(4)


@pytest.mark.parametrize(
    ("by", "expected"), [(ROW, [0, 1, 2, 3]), (UNSURE, [2, 1, 0, 3]), (APART, [2, 1, 0, 3]), (NEAR, [1, 0, 2, 3])]
)
def test_orders(by: str, expected: list[int]) -> None:
    assert order(ANSWERS, ROWS, by, like=1).tolist() == expected


def test_an_order_keeps_to_the_rows_that_are_asked_for() -> None:
    assert order(ANSWERS, np.array([3, 1]), UNSURE).tolist() == [1, 3]
    assert order(ANSWERS, np.array([], int), NEAR).tolist() == []
    with pytest.raises(ValueError, match=", ".join(ORDERS)):
        order(ANSWERS, ROWS, "beauty")


def test_a_sentence_counts_where_models_waver_and_where_they_part() -> None:
    text = what_they_say(ANSWERS, ROWS)
    assert "below 50 % sure on 2" in text
    assert "differently on 1" in text
    assert "differently" not in what_they_say({"one": ANSWERS["one"]}, ROWS)


def test_labels_that_people_gave_are_a_table() -> None:
    marks = {
        0: Annotation(0, MODEL_WRONG),
        2: Annotation(2, LABEL_WRONG, 5, "=note"),
        3: Annotation(3, AMBIGUOUS),
        99: Annotation(99, AMBIGUOUS),
    }
    table = labels_csv(ANSWERS, np.array([3, 3, 4, 0]), ["a.png#1", "b.png#1", "c.png#1", "d.png#1"], marks)
    lines = list(csv.DictReader(table.decode().splitlines()))
    assert [(line["row"], line["file"], line["label"]) for line in lines] == [
        ("0", "a.png#1", "happy"),
        ("2", "c.png#1", "surprise"),
        ("3", "d.png#1", ""),
    ]
    assert lines[0]["answer"] == "happy"
    assert float(lines[0]["confidence"]) == pytest.approx(0.9)
    assert not lines[1]["note"].startswith("=")
