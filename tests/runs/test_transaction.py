"""Several files of a run folder changed as one."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from killing import crashes

from fer_core.errors import RunError
from fer_core.processes import ProcessMark
from fer_core.runs import transaction
from fer_core.runs.transaction import COMMIT_FILE, LOCK_FILE, change, exclusive, new_folder, settle


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A file to be replaced, one to go, one to stay; a folder to be replaced, and one to go."""
    folder = tmp_path / "run"
    for name in ("a", "gone", "stays", "d/old", "away/x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"old {name}")
    return folder


def prepare(run: Path) -> None:
    with change(run) as prepared:
        prepared.file("a").write_text("new a")
        prepared.file("sub/b").write_text("new b")
        (prepared.directory("d") / "new").write_text("new d")
        prepared.remove("gone")
        prepared.remove("away")
        prepared.remove("never there")
        prepared.file("announced and not written")


def content(run: Path) -> dict[str, str]:
    return {
        path.relative_to(run).as_posix(): path.read_text()
        for path in run.rglob("*")
        if path.is_file() and path.name != LOCK_FILE
    }


def visible(run: Path) -> dict[str, str]:
    """Without what a killed process left in a hidden folder: the next change sweeps it."""
    return {name: text for name, text in content(run).items() if not name.startswith(".")}


OLD = {name: f"old {name}" for name in ("a", "gone", "stays", "d/old", "away/x")}
NEW = {"a": "new a", "sub/b": "new b", "d/new": "new d", "stays": "old stays"}


def test_a_change_takes_effect_as_a_whole_and_leaves_nothing_else(run: Path) -> None:
    prepare(run)
    assert content(run) == NEW
    assert {path.name for path in run.iterdir()} == {"a", "sub", "d", "stays", LOCK_FILE}


def test_where_the_block_raises_nothing_has_happened(run: Path) -> None:
    def broken() -> None:
        with change(run) as prepared:
            prepared.file("a").write_text("new a")
            assert content(run)["a"] == "old a", "nothing changes before the end"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert content(run) == OLD


def test_killed_while_it_is_finished_it_is_finished_by_the_next_reader_even_if_that_is_killed_too(run: Path) -> None:
    once, twice = 0, 0
    keep = run.with_name("keep")
    for doing in crashes(lambda: prepare(run), run):
        pending = (run / COMMIT_FILE).is_file()
        if not pending:
            settle(run)
            assert content(run).items() >= ({"a": "old a"} if not once else {"a": "new a"}).items(), doing
            continue
        once += 1
        shutil.copytree(run, keep)
        for _ in crashes(lambda: settle(run), run):
            twice += 1
            settle(run)
            assert visible(run) == NEW, doing
        shutil.rmtree(run)
        keep.rename(run)
    assert once > 5
    assert twice > 20


def test_a_disk_that_fails_while_it_is_finished_loses_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, done = transaction._move, []

    def fails(*args: Path) -> None:
        if done:
            raise OSError("the disk is gone")
        done.append(plain(*args))

    with monkeypatch.context() as patch:
        patch.setattr(transaction, "_move", fails)
        with pytest.raises(OSError, match="the disk is gone"):
            prepare(run)
    settle(run)
    assert content(run) == NEW


def test_where_it_cannot_be_finished_that_is_said(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in crashes(lambda: prepare(run), run):
        if (run / COMMIT_FILE).is_file():
            break

    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(transaction, "_move", read_only)
    with pytest.raises(RunError, match=r"cut short.*Read-only.*copy it to a place"):
        settle(run)


def test_what_a_dead_process_prepared_is_swept_and_what_a_living_one_does_is_not(run: Path) -> None:
    me = ProcessMark.me()
    dead = run / f".change-{replace(me, pid=4_000_000)}.abcd"
    elsewhere = run / f".change-{replace(me, place='0' * 12)}.abcd"
    living = run / f".change-{me}.abcd"
    for path in (dead, elsewhere, living):
        path.mkdir()
    prepare(run)
    assert [path.exists() for path in (dead, elsewhere, living)] == [False, True, True]


def test_a_number_that_a_process_has_by_now_is_no_living_one(run: Path) -> None:
    me = ProcessMark.me()
    late = run / f".change-{replace(me, start=me.start - 1)}.abcd"
    late.mkdir()
    prepare(run)
    assert not late.exists()


def test_what_is_new_cannot_lie_in_what_goes(run: Path) -> None:
    """A vote that replaced another removed its new evaluation with the old ones."""

    def both() -> None:
        with change(run) as prepared:
            prepared.file("d/new").write_text("new")
            prepared.remove("d")

    with pytest.raises(ValueError, match="d/new is new, and d is to be removed"):
        both()
    assert content(run) == OLD


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"prepared": ".change-x", "moves": []}', "damaged"),
        ('{"prepared": ".change-gone", "moves": ["a"], "removals": []}', "which is not there"),
        ('{"prepared": ".change-x", "moves": ["../a"], "removals": []}', "not in the run"),
        ('{"prepared": ".change-x", "moves": [], "removals": ["/etc"]}', "not in the run"),
        ('{"prepared": ".change-x", "moves": [], "removals": [""]}', "not in the run"),
    ],
)
def test_a_record_that_was_tampered_with_moves_nothing_and_says_what_to_do(run: Path, record: str, words: str) -> None:
    (run / ".change-x").mkdir()
    (run / ".change-x" / "a").write_text("other")
    (run / COMMIT_FILE).write_text(record)
    with pytest.raises(RunError, match=rf"{words}.*Delete that file"):
        settle(run)
    assert content(run).items() >= OLD.items()


def test_settling_is_free_where_there_is_nothing(run: Path) -> None:
    settle(run)
    assert not (run / LOCK_FILE).exists()
    settle(run / "nowhere")


def test_only_one_at_a_time_and_changes_may_lie_within(run: Path) -> None:
    order: list[str] = []
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        inside.wait(10)
        with change(run) as prepared:
            prepared.file("a").write_text("second")
        order.append("other")
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with exclusive(run):
        inside.set()
        assert not done.wait(0.2)
        with change(run) as prepared:
            prepared.file("a").write_text("first")
        order.append("this")
    thread.join(10)
    assert order == ["this", "other"]
    assert (run / "a").read_text() == "second"


def test_a_new_folder_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "new"

    def broken() -> None:
        with new_folder(out) as prepared:
            (prepared / "a").write_text("a")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        broken()
    assert list(out.parent.iterdir()) == []
    (out.parent / f".change-{replace(ProcessMark.me(), pid=4_000_000)}.abcd").mkdir()
    with new_folder(out) as prepared, change(prepared) as within:
        within.file("a").write_text("a")
        assert not out.exists()
    assert content(out) == {"a": "a"}
    assert [path.name for path in out.parent.iterdir()] == ["new"], "what a dead process left is swept"


def test_the_record_is_plain(run: Path) -> None:
    for _ in crashes(lambda: prepare(run), run, hidden=1000):
        if (run / COMMIT_FILE).is_file():
            record = json.loads((run / COMMIT_FILE).read_text())
            assert record["moves"] == ["a", "sub/b", "d"]
            assert record["removals"] == ["gone", "away", "never there"]
            return
    raise AssertionError("never seen")
