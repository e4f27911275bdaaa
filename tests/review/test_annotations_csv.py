"""Marks in and out as CSV, and what is said of a CSV that is none of ours."""

from __future__ import annotations

import pytest
from some_marks import LABELS, SPLITS, only_file, some_annotations

from fer_core.errors import DataError
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, NOT_A_FACE, Annotation, Annotations
from fer_core.review.annotations_csv import read_annotations_csv, write_annotations_csv

pytestmark = pytest.mark.usefixtures("home")


def test_csv_goes_out_and_comes_back() -> None:
    annotations = some_annotations()
    content = write_annotations_csv(annotations.all(), LABELS, SPLITS)
    lines = content.decode().split("\n")
    assert lines[0] == "row,split,label,mark,new_label,note,time"
    assert lines[2].startswith("4,PublicTest,sad,ambiguous,,,20")
    assert {
        annotation.row: annotation for annotation in read_annotations_csv(content, LABELS, SPLITS)
    } == annotations.all()
    other = Annotations.load("cd" * 32)
    assert other.add(read_annotations_csv(content, LABELS, SPLITS)) == 5
    assert other.all() == annotations.all()
    # One import is one line: all of it or nothing.
    assert len(only_file(other).read_text(encoding="utf-8").splitlines()) == 1
    assert other.add(read_annotations_csv(content, LABELS, SPLITS)) == 0
    assert other.set(4, NOT_A_FACE).row == 4
    assert other.add(read_annotations_csv(content, LABELS, SPLITS)) == 1
    assert Annotations.load("cd" * 32).all() == annotations.all()


def test_csv_as_spreadsheets_write_it() -> None:
    text = "﻿label;row;split;mark;new_label\r\n2;2;training;Label wrong;Sad\r\n;;;;\r\nHAPPY;3;Training;ambiguous;\r\n"
    annotations = read_annotations_csv(text.encode(), LABELS, SPLITS)
    assert [(annotation.row, annotation.kind, annotation.new_label, annotation.note) for annotation in annotations] == [
        (2, LABEL_WRONG, 4, ""),
        (3, AMBIGUOUS, None, ""),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x,Training,fear,ambiguous,,,", "line 3: 'x' is no row number"),
        ("10,Training,fear,ambiguous,,,", "line 3: row 10 does not exist; the dataset has 10 faces"),
        ("2,PublicTest,fear,ambiguous,,,", "line 3: row 2 is in Training, not in 'PublicTest'"),
        ("2,Training,sad,ambiguous,,,", "line 3: row 2 is labelled fear, not 'sad'"),
        ("2,Training,joy,ambiguous,,,", "line 3: unknown class 'joy'"),
        ("2,Training,fear,odd,,,", "line 3: unknown mark 'odd'"),
        ("2,Training,fear,label wrong,,,", "line 3: 'label wrong' needs the right class"),
        ("2,Training,fear,label wrong,9,,", "line 3: unknown class '9'"),
        ("2,Training,fear,label wrong,fear,,", "line 3: new_label fear is the label that the face has"),
        ("2,Training,fear,ambiguous,sad,,", "line 3: only 'label wrong' has a new_label"),
        ("2,Training,fear,ambiguous,,,yesterday", "line 3: 'yesterday' is no time"),
        ("2,Training,fear,ambiguous,,,2026-01-01", "line 3: .*time zone"),
        (f"2,Training,fear,ambiguous,,{'x' * 1001},", "line 3: a note has at most"),
        ("2,Training,fear,ambiguous", "line 3: 4 columns instead of 7"),
        ("4,PublicTest,sad,ambiguous,,,", "line 3: row 4 was marked in an earlier line"),
        ('2,Training,fear,ambiguous,,"x', "line 3: not a well-formed CSV"),
    ],
)
def test_a_bad_csv_line_is_named(line: str, message: str) -> None:
    text = f"row,split,label,mark,new_label,note,time\n4,PublicTest,sad,ambiguous,,,\n{line}\n"
    with pytest.raises(DataError, match=message) as caught:
        read_annotations_csv(text.encode(), LABELS, SPLITS)
    assert str(caught.value).startswith("Nothing was imported.")


def test_many_bad_lines_are_counted_and_line_numbers_see_through_long_notes() -> None:
    text = 'row,split,label,mark,new_label,note,time\n4,PublicTest,sad,ambiguous,,"a\nb",\n' + "x,,,,,,\n" * 8
    with pytest.raises(DataError, match=r"line 4: 'x'.*line 8: 'x' is no row number; and 3 more\. "):
        read_annotations_csv(text.encode(), LABELS, SPLITS)


def test_csv_with_other_columns_or_no_text() -> None:
    with pytest.raises(DataError, match="no column split and no column label"):
        read_annotations_csv(b"row,mark,new_label\n", LABELS, SPLITS)
    with pytest.raises(DataError, match="the column note occurs more than once"):
        read_annotations_csv(b"row,split,label,mark,new_label,note,note\n", LABELS, SPLITS)
    with pytest.raises(DataError, match="there is no column row"):
        read_annotations_csv(b"", LABELS, SPLITS)
    with pytest.raises(DataError, match="UTF-8"):
        read_annotations_csv(b"\x89PNG\xff", LABELS, SPLITS)
    assert read_annotations_csv(b"row,split,label,mark,new_label\n", LABELS, SPLITS) == []


HOSTILE = {
    "no end of columns": b"row,split,label,mark,new_label" + b",x" * 400_000,
    "one endless cell": b'row,split,label,mark,new_label,note\n1,Training,happy,ambiguous,,"' + b"x" * 900_000,
    "no end of lines": b"row,split,label,mark,new_label\n" + b"x,,,,\n" * 150_000,
    "zeros": b"row,split,label,mark,new_label\n" + bytes(900_000),
    "a huge number": b"row,split,label,mark,new_label\n" + b"9" * 100_000 + b",Training,happy,ambiguous,\n",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_csv_made_to_hang_or_to_fill_is_refused_in_a_sentence(content: bytes) -> None:
    if content.startswith(HOSTILE["no end of columns"]):
        content += b"\n1,Training,happy,ambiguous,"
    with pytest.raises(DataError) as found:
        read_annotations_csv(content, LABELS, SPLITS)
    assert len(str(found.value)) < 1000


def test_marks_beyond_the_dataset_are_told() -> None:
    with pytest.raises(DataError, match="Row 12 is marked"):
        write_annotations_csv({12: Annotation(12, AMBIGUOUS)}, LABELS, SPLITS)
