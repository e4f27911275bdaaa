"""Marks: saved at once, last one wins, nothing lost, and in and out as CSV."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from fer_core.errors import DataError
from fer_core.processes import ProcessMark
from fer_core.review.annotations import (
    AMBIGUOUS,
    LABEL_WRONG,
    LONGEST_NOTE,
    MODEL_WRONG,
    NOT_A_FACE,
    Annotation,
    Annotations,
    relabel,
    without,
)
from fer_core.review.annotations_csv import read_annotations_csv, write_annotations_csv

FINGERPRINT = "ab" * 32
LABELS = np.array([0, 1, 2, 3, 4, 5, 6, 2, 2, 2], np.int8)
SPLITS = np.array(["Training"] * 4 + ["PublicTest"] * 3 + ["PrivateTest"] * 3)
TIME = "2026-03-01T12:00:00.000+00:00"

pytestmark = pytest.mark.usefixtures("home")


def only_file(annotations: Annotations) -> Path:
    """The file of the one process that has written."""
    assert annotations.path is not None
    (path,) = annotations.path.iterdir()
    return path


def test_marks_survive_and_the_last_one_wins(home: Path) -> None:
    annotations = Annotations.load(FINGERPRINT)
    assert len(annotations) == 0
    assert annotations.path == home / "reviews" / FINGERPRINT
    assert not annotations.path.exists()
    first = annotations.set(7, LABEL_WRONG, 4, "teary “eyes”\nlook")
    annotations.set(3, AMBIGUOUS)
    annotations.set(3, NOT_A_FACE, note="a drawing")
    again = Annotations.load(FINGERPRINT)
    assert list(again.all()) == [3, 7]
    assert again.get(7) == first
    assert first.words == "label wrong → sad"
    third = again.get(3)
    assert third is not None
    assert (third.kind, third.note, third.words) == (NOT_A_FACE, "a drawing", "not a face")
    assert first.time.endswith("+00:00")
    assert again.problems == ()
    assert Annotations.load("cd" * 32).all() == {}


def test_marks_are_counted_by_kind() -> None:
    annotations = Annotations.load(FINGERPRINT)
    assert annotations.counts() == {LABEL_WRONG: 0, AMBIGUOUS: 0, NOT_A_FACE: 0, MODEL_WRONG: 0}
    annotations.set(1, AMBIGUOUS)
    annotations.set(2, AMBIGUOUS)
    annotations.set(2, LABEL_WRONG, 3)
    assert annotations.counts() == {LABEL_WRONG: 1, AMBIGUOUS: 1, NOT_A_FACE: 0, MODEL_WRONG: 0}


def test_a_mark_can_be_taken_back_and_set_again() -> None:
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(1, MODEL_WRONG)
    assert annotations.unset(1)
    assert not annotations.unset(1)
    assert annotations.get(1) is None
    assert Annotations.load(FINGERPRINT).all() == {}
    annotations.set(1, AMBIGUOUS)
    assert list(Annotations.load(FINGERPRINT).all()) == [1]


def test_two_tabs_see_each_other() -> None:
    one, two = Annotations.load(FINGERPRINT), Annotations.load(FINGERPRINT)
    one.set(1, AMBIGUOUS)
    two.set(2, NOT_A_FACE)
    assert sorted(two.all()) == [1, 2]
    one.refresh()
    assert one.all() == two.all()
    assert one.unset(2)
    two.refresh()
    assert list(two.all()) == [1]


def _annotate_many(start: int, count: int = 100) -> None:
    annotations = Annotations.load(FINGERPRINT)
    for row in range(start, start + count):
        annotations.set(row, AMBIGUOUS, note="ä" * (row % 300))


def test_processes_that_write_at_once_lose_nothing() -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(_annotate_many, [0, 100, 200, 300])
    annotations = Annotations.load(FINGERPRINT)
    assert list(annotations.all()) == list(range(400))
    assert all(len(annotation.note) == row % 300 for row, annotation in annotations.all().items())
    assert annotations.problems == ()


def test_a_torn_last_line_is_told_and_what_follows_is_kept() -> None:
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(1, AMBIGUOUS)
    path = only_file(annotations)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"row": 2, "mark": "ambig')
    torn = Annotations.load(FINGERPRINT)
    assert list(torn.all()) == [1]
    assert len(torn.problems) == 1
    assert "line 2 is cut off" in torn.problems[0]
    torn.set(3, NOT_A_FACE)
    after = Annotations.load(FINGERPRINT)
    assert list(after.all()) == [1, 3]
    assert len(after.problems) == 1
    assert "line 2 is damaged" in after.problems[0]
    assert after.problems == torn.problems
    # Nothing is thrown away: the torn line is still there.
    assert path.read_bytes().startswith(whole + b'{"row": 2, "mark": "ambig\n')


@pytest.mark.parametrize(
    "line",
    [
        "7",
        "null",
        '{"row": -1, "mark": null}',
        '{"row": "1", "mark": "ambiguous", "new_label": null, "note": "", "time": "%s"}',
        '{"row": 1, "mark": "odd", "new_label": null, "note": "", "time": "%s"}',
        '{"row": 1, "mark": "ambiguous", "new_label": "fear", "note": "", "time": "%s"}',
        '{"row": 1, "mark": "label wrong", "new_label": "joy", "note": "", "time": "%s"}',
        '{"row": 1, "mark": "label wrong", "new_label": null, "note": "", "time": "%s"}',
        '{"row": 1, "mark": "ambiguous", "new_label": null, "note": ["x"], "time": "%s"}',
        '{"row": 1, "mark": "ambiguous", "new_label": null, "note": "", "time": "yesterday"}',
        '{"row": 1, "mark": "ambiguous", "new_label": null, "note": ""}',
    ],
)
def test_lines_that_are_no_marks_are_told_and_left_out(line: str) -> None:
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(4, AMBIGUOUS)
    with only_file(annotations).open("a", encoding="utf-8") as file:
        file.write(line.replace("%s", TIME) + "\n")
    annotations.set(5, AMBIGUOUS)
    assert list(annotations.all()) == [4, 5]
    assert len(annotations.problems) == 1
    assert "line 2 is damaged" in annotations.problems[0]
    assert Annotations.load(FINGERPRINT).problems == annotations.problems


def test_a_file_put_in_the_place_of_another_is_read_anew() -> None:
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(1, AMBIGUOUS)
    annotations.set(2, AMBIGUOUS)
    path = only_file(annotations)
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")
    annotations.refresh()
    assert list(annotations.all()) == [1]
    path.unlink()
    annotations.refresh()
    assert annotations.all() == {}
    annotations.set(3, AMBIGUOUS)
    assert list(Annotations.load(FINGERPRINT).all()) == [3]


def test_what_cannot_be_saved_is_told(home: Path) -> None:
    (home / "reviews").write_text("in the way")
    annotations = Annotations(FINGERPRINT)
    with pytest.raises(DataError, match="The mark was not saved"):
        annotations.set(1, AMBIGUOUS)
    assert annotations.all() == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, AMBIGUOUS), "row number"),
        ((1, "odd"), "unknown mark 'odd'"),
        ((1, LABEL_WRONG), "needs the right class"),
        ((1, AMBIGUOUS, 3), "needs the right class"),
        ((1, LABEL_WRONG, 7), r"0\.\.6"),
        ((1, AMBIGUOUS, None, "x" * (LONGEST_NOTE + 1)), "at most 1,000 characters"),
        ((1, AMBIGUOUS, None, "", "2026-03-01T12:00:00"), "time zone"),
    ],
)
def test_marks_that_make_no_sense_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Annotation(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("fingerprint", ["", "../../etc/passwd", "AB" * 32, "0" * 15])
def test_only_a_fingerprint_names_a_file(fingerprint: str) -> None:
    with pytest.raises(ValueError, match="no fingerprint"):
        Annotations.load(fingerprint)


def some_annotations() -> Annotations:
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(0, LABEL_WRONG, 6, 'he said "no", = 1; ä')
    annotations.set(4, AMBIGUOUS)
    annotations.set(7, LABEL_WRONG, 5, "two\nlines")
    annotations.set(8, NOT_A_FACE)
    annotations.set(9, MODEL_WRONG, note=" kept as it is ")
    return annotations


def test_labels_corrected_and_faces_left_out() -> None:
    annotations = some_annotations()
    assert relabel(LABELS, annotations).tolist() == [6, 1, 2, 3, 4, 5, 6, 5, 2, 2]
    assert relabel(LABELS, annotations).dtype == np.int8
    rows = np.array([9, 7, 2])
    assert relabel(LABELS[rows], annotations, rows).tolist() == [2, 5, 2]
    assert np.flatnonzero(~without(np.arange(10), annotations)).tolist() == [0, 4, 7, 8]
    assert without(rows, annotations).tolist() == [True, False, True]
    assert without(rows, annotations, [MODEL_WRONG]).tolist() == [False, True, True]
    assert without(rows, annotations, []).all()
    assert LABELS[7] == 2
    with pytest.raises(ValueError, match="unknown mark"):
        without(rows, annotations, ["odd"])
    with pytest.raises(ValueError, match="equal length"):
        relabel(LABELS, annotations, rows)


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


def test_the_file_says_what_the_docs_say() -> None:
    annotations = some_annotations()
    first = json.loads(only_file(annotations).read_text(encoding="utf-8").splitlines()[0])
    assert list(first) == ["row", "mark", "new_label", "note", "time", "order"]
    assert first["new_label"] == "neutral"


def test_marks_of_one_visit_leave_no_file_and_are_nobody_elses(home: Path) -> None:
    mine, another = (Annotations("a" * 64, in_memory=True) for _ in range(2))
    mine.set(3, AMBIGUOUS, note="mine")
    assert mine.all().keys() == {3}
    assert not another.all()
    assert mine.unset(3)
    assert not mine.all()
    assert mine.state_key[0] != another.state_key[0]
    assert not list(home.rglob("*.jsonl"))


def test_marks_of_one_visit_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.review.annotations.MOST_IN_MEMORY", 300)
    mine = Annotations("a" * 64, in_memory=True)
    mine.set(1, AMBIGUOUS)
    with pytest.raises(DataError, match="not saved"):
        mine.set(2, AMBIGUOUS, note="x" * 300)
    assert mine.all().keys() == {1}


def written_elsewhere(name: str, *entries: dict[str, object]) -> Path:
    """The file of a process of another host."""
    path = Annotations(FINGERPRINT).path
    assert path is not None
    path.mkdir(parents=True, exist_ok=True)
    file = path / f"{ProcessMark('0123456789ab', 1, 1)}.{name}.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return file


def entry(row: int, mark: str | None, order: int | None = None, time: str = TIME) -> dict[str, object]:
    order_key = {} if order is None else {"order": order}
    return {"row": row, "mark": mark, "new_label": None, "note": "", "time": time, **order_key}


def test_marks_of_all_hosts_are_merged_by_their_order_and_not_by_file() -> None:
    written_elsewhere("bbbb", entry(3, AMBIGUOUS, 10), entry(1, AMBIGUOUS, 20), entry(2, None, 30))
    written_elsewhere("aaaa", entry(1, NOT_A_FACE, 9), entry(2, AMBIGUOUS, 20), entry(3, None, 21))
    written_elsewhere("cccc", entry(4, AMBIGUOUS, 5))
    annotations = Annotations.load(FINGERPRINT)
    assert {row: mark.kind for row, mark in annotations.all().items()} == {1: AMBIGUOUS, 4: AMBIGUOUS}
    assert annotations.problems == ()


@pytest.mark.parametrize("years", [-30, 30])
def test_whoever_sees_a_mark_and_changes_it_comes_after_it_whatever_the_clocks_say(years: int) -> None:
    """The mark of a host whose clock was ahead could not be changed from another one."""
    theirs = int((datetime.now(UTC) + timedelta(days=365 * years)).timestamp() * 1000)
    file = written_elsewhere("aaaa", entry(1, AMBIGUOUS, theirs), entry(2, AMBIGUOUS, theirs))
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(1, NOT_A_FACE)
    assert annotations.unset(2)
    again = Annotations.load(FINGERPRINT)
    assert (
        {row: mark.kind for row, mark in again.all().items()}
        == {1: NOT_A_FACE}
        == {row: mark.kind for row, mark in annotations.all().items()}
    )
    (mine,) = (path for path in file.parent.iterdir() if path != file)
    order = json.loads(mine.read_text().splitlines()[0])["order"]
    # And the other host, when it has seen that.
    with file.open("a", encoding="utf-8") as more:
        more.write(json.dumps(entry(1, MODEL_WRONG, order + 1)) + "\n")
    annotations.refresh()
    mark = annotations.get(1)
    assert mark is not None
    assert mark.kind == MODEL_WRONG


def test_marks_of_earlier_versions_lie_in_one_file_and_are_kept() -> None:
    folder = Annotations(FINGERPRINT).path
    assert folder is not None
    before = folder.with_suffix(".jsonl")
    folder.parent.mkdir()
    # An import brought an older time; in that file the later line counts.
    lines = (entry(1, AMBIGUOUS), entry(1, NOT_A_FACE, time="2020-01-01T00:00:00+00:00"), entry(2, AMBIGUOUS))
    before.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"row": 3, "ma', encoding="utf-8")
    content = before.read_bytes()
    annotations = Annotations.load(FINGERPRINT)
    assert {row: mark.kind for row, mark in annotations.all().items()} == {1: NOT_A_FACE, 2: AMBIGUOUS}
    assert len(annotations.problems) == 1
    assert "line 4 is cut off" in annotations.problems[0]
    assert annotations.unset(2)
    assert list(Annotations.load(FINGERPRINT).all()) == [1]
    assert before.read_bytes() == content


def test_a_line_torn_on_another_host_costs_that_line_alone() -> None:
    file = written_elsewhere("aaaa", entry(1, AMBIGUOUS, 1))
    with file.open("a", encoding="utf-8") as more:
        more.write('{"row": 2, "mark": "am')
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(3, AMBIGUOUS)
    assert list(annotations.all()) == [1, 3]
    assert len(annotations.problems) == 1
    assert f"{file}, line 2 is cut off" in annotations.problems[0]
    with file.open("a", encoding="utf-8") as more:
        more.write(f'biguous", "new_label": null, "note": "", "time": "{TIME}", "order": 5}}\n')
    annotations.refresh()
    assert (list(annotations.all()), annotations.problems) == ([1, 2, 3], ())


def test_the_file_of_a_process_that_is_gone_is_gone_on_with() -> None:
    for row in range(3):
        child = multiprocessing.get_context("fork").Process(target=_annotate_many, args=(10 * row, 10))
        child.start()
        child.join()
        assert child.exitcode == 0
    annotations = Annotations.load(FINGERPRINT)
    assert ProcessMark.find(only_file(annotations).name) != ProcessMark.me()
    annotations.set(1000, AMBIGUOUS)
    assert ProcessMark.find(only_file(annotations).name) == ProcessMark.me()
    assert len(annotations) == 31
    assert len(Annotations.load(FINGERPRINT)) == 31


def test_the_file_of_another_host_is_left_alone_for_a_month() -> None:
    new, old = written_elsewhere("aaaa", entry(1, AMBIGUOUS, 1)), written_elsewhere("bbbb", entry(2, AMBIGUOUS, 1))
    for path, days in ((new, 29), (old, 31)):
        long_ago = time.time() - days * 24 * 3600
        os.utime(path, (long_ago, long_ago))
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(3, AMBIGUOUS)
    assert new.exists()
    assert not old.exists()
    assert list(annotations.all()) == list(Annotations.load(FINGERPRINT).all()) == [1, 2, 3]
    # Whoever has it, and was only idle, makes a new one.
    (mine,) = (path for path in new.parent.iterdir() if path != new)
    mine.rename(old)
    annotations.set(4, AMBIGUOUS)
    assert list(annotations.all()) == [1, 2, 3, 4]
    assert len(list(new.parent.iterdir())) == 3
