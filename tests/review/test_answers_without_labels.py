"""Faces without labels, sorted by what models say, and the labels that people give them."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from fer_core.emotions import COUNT, PUBLIC_TEST
from fer_core.errors import DataError
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, MODEL_WRONG, Annotation
from fer_core.review.answers_without_labels import aligned_of, line, vectors, what_they_say
from fer_core.review.labels_csv import read_labels_csv, write_labels_csv
from fer_core.review.ordering import order

ROWS = np.arange(4)
FILES = ["=a.png#1", "b.png#1", "c.png#1", "d.png#1"]
MARKS = {
    0: Annotation(0, MODEL_WRONG),
    2: Annotation(2, LABEL_WRONG, 5, "=note"),
    3: Annotation(3, AMBIGUOUS),
    99: Annotation(99, AMBIGUOUS),
}


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
ALIGNED = aligned_of(ANSWERS, np.array([3, 3, 4, 0]), ROWS, split=PUBLIC_TEST, fingerprint="f" * 64)
ONE = aligned_of({"one": ANSWERS["one"]}, np.array([3, 3, 4, 0]), ROWS, split=PUBLIC_TEST, fingerprint="f" * 64)


@pytest.mark.parametrize(
    ("by", "expected"),
    [("row", [0, 1, 2, 3]), ("unsure", [2, 1, 0, 3]), ("disagreement", [2, 1, 0, 3]), ("similarity", [1, 0, 2, 3])],
)
def test_orders(by: str, expected: list[int]) -> None:
    assert order(ALIGNED, ROWS, by, embeddings=vectors(ALIGNED), like=1).tolist() == expected


def test_only_the_faces_that_are_asked_for_are_joined() -> None:
    part = aligned_of(ANSWERS, np.array([3, 3, 4, 0]), np.array([1, 3]), split=PUBLIC_TEST, fingerprint="f" * 64)
    assert (part.rows.tolist(), part.labels.tolist()) == ([1, 3], [3, 0])
    assert np.array_equal(part.probabilities[1], ANSWERS["two"][[1, 3]])


def test_a_sentence_counts_where_models_waver_and_where_they_part() -> None:
    text = what_they_say(ALIGNED, ROWS)
    assert "below 50 % sure on 2" in text
    assert "differently on 1" in text
    assert "differently" not in what_they_say(ALIGNED, ROWS, models=["one"])
    assert what_they_say(ALIGNED, []) == ""


def test_a_line_says_that_there_is_no_label_and_who_says_what() -> None:
    assert line(ALIGNED, 0, None) == "No label to compare with: both models say happy, 90 % sure together."
    parted = line(ALIGNED, 2, None)
    assert "1 of 2 models says sad, 1 angry" in parted
    assert "together they say" in parted
    assert line(ONE, 2, None) == "No label to compare with: the model says sad, 80 % sure."


@pytest.mark.parametrize(("row", "yours"), [(0, "happy"), (2, "surprise"), (3, "ambiguous")])
def test_a_line_says_what_you_said(row: int, yours: str) -> None:
    assert line(ALIGNED, row, MARKS[row]).startswith(f"You say {yours}: ")


def test_labels_that_people_gave_are_a_table() -> None:
    lines = list(csv.DictReader(write_labels_csv(ALIGNED, FILES, MARKS).decode().splitlines()))
    assert [(one["row"], one["file"], one["label"], one["mark"]) for one in lines] == [
        ("0", "'=a.png#1", "happy", "label"),
        ("2", "c.png#1", "surprise", "label"),
        ("3", "d.png#1", "", "ambiguous"),
    ]
    assert lines[0]["answer"] == "happy"
    assert float(lines[0]["confidence"]) == pytest.approx(0.9)
    assert not lines[1]["note"].startswith("=")


def test_the_table_can_be_taken_in_again() -> None:
    read = read_labels_csv(write_labels_csv(ALIGNED, FILES, MARKS), FILES)
    assert [(one.row, one.kind, one.new_label, one.note) for one in read] == [
        (0, LABEL_WRONG, 3, ""),
        (2, LABEL_WRONG, 5, "=note"),
        (3, AMBIGUOUS, None, ""),
    ]
    assert read[1].time == MARKS[2].time


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0,b.png#1,sad,", "another dataset"),
        ("0,=a.png#1,bliss,", "unknown class"),
        ("0,=a.png#1,,label", "no label"),
        ("9,=a.png#1,sad,", "does not exist"),
        ("0,=a.png#1", "2 columns"),
    ],
)
def test_a_table_with_a_mistake_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(DataError, match=f"line 2: .*{why}"):
        read_labels_csv(f"row,file,label,mark\n{text}\n".encode(), FILES)
