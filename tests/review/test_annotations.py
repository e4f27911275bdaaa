"""Marks: saved at once, the last one wins, and labels corrected by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from some_marks import FINGERPRINT, LABELS, some_annotations

from fer_core.errors import DataError
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

pytestmark = pytest.mark.usefixtures("home")


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
