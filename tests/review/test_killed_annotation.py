"""``kill -9`` while a mark is saved: it is there or it is not, and the marks of before are."""

from __future__ import annotations

from pathlib import Path

import pytest
from killing import crashes, kill_at, writes

from fer_core.processes import ProcessMark
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, NOT_A_FACE, Annotation, Annotations

FINGERPRINT = "ab" * 32


def said() -> dict[int, str]:
    return {row: mark.words for row, mark in Annotations.load(FINGERPRINT).all().items()}


@pytest.mark.parametrize("first", [False, True])
def test_wherever_it_is_killed_a_mark_is_there_or_is_not(home: Path, first: bool) -> None:
    if not first:
        Annotations.load(FINGERPRINT).set(1, AMBIGUOUS)
    old = said()

    def act() -> None:
        Annotations.load(FINGERPRINT).add([Annotation(1, NOT_A_FACE), Annotation(7, LABEL_WRONG, 2)])

    new = {1: NOT_A_FACE, 7: "label wrong → fear"}
    found = []
    folder = Annotations(FINGERPRINT).path
    assert folder is not None
    for doing in crashes(act, folder, hidden=1):
        found.append(said())
        assert found[-1] in (old, new), f"killed before: {doing}"
        # A line that was cut off stays as it is, and the next one is whole.
        Annotations.load(FINGERPRINT).set(9, AMBIGUOUS)
        assert said() == {**found[-1], 9: AMBIGUOUS}
        act()
        assert said() == {**new, 9: AMBIGUOUS}
    assert len(found) > 2
    assert said() == {**new, 9: AMBIGUOUS}


def test_a_line_cut_off_by_a_kill_is_said(home: Path) -> None:
    marks = Annotations.load(FINGERPRINT)
    marks.set(1, AMBIGUOUS)

    def act() -> None:
        Annotations.load(FINGERPRINT).set(2, NOT_A_FACE)

    planned = writes(act)
    (middle,) = [number for number, words in enumerate(planned, start=1) if words.startswith("rest of")]
    # What that child wrote goes; the next one finds what it found.
    assert marks.path is not None
    for path in marks.path.glob("*.jsonl"):
        if ProcessMark.find(path.name) != ProcessMark.me():
            path.unlink()
    kill_at(middle, act)
    assert said() == {1: AMBIGUOUS}
    assert "cut off" in Annotations.load(FINGERPRINT).problems[0]
