"""The files of marks: one a process, merged by order, torn lines told, and nothing lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from some_marks import FINGERPRINT, TIME, only_file, some_annotations

from fer_core.processes import ProcessMark
from fer_core.review.annotations import AMBIGUOUS, MODEL_WRONG, NOT_A_FACE, Annotations

pytestmark = pytest.mark.usefixtures("home")


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


def test_the_file_says_what_the_docs_say() -> None:
    annotations = some_annotations()
    first = json.loads(only_file(annotations).read_text(encoding="utf-8").splitlines()[0])
    assert list(first) == ["row", "mark", "new_label", "note", "time", "order"]
    assert first["new_label"] == "neutral"


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
