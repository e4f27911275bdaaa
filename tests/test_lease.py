"""Leases: who works on something, and whether they still do, on this host and on others."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from fer_core import lease
from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.lease import Heart, HeldError, HolderUnknownError, Lease
from fer_core.leftovers import abandoned
from fer_core.processes import ProcessMark
from fer_core.writable import explained

ELSEWHERE = "0" * 12


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".lease.json"


def of_another_host(path: Path, age_s: float, token: str = "t") -> Lease:
    """A lease as a process of another host wrote it and touched it so long ago."""
    found = replace(Lease.of(os.getpid(), path.parent, token), place=ELSEWHERE, host="lab-2")
    write_json(path, found.__dict__)
    touched = time.time() - age_s
    os.utime(path, (touched, touched))
    return found


def test_what_is_taken_is_held_by_this_process_alone_and_given_back(path: Path) -> None:
    mine = Lease.of(os.getpid(), path.parent)
    lease.take(path, mine, path.with_suffix(".lock"))
    assert lease.alive(path) == mine
    lease.release(path, replace(mine.process, pid=1), path.with_suffix(".lock"))
    assert lease.alive(path) == mine
    lease.release(path, mine.process, path.with_suffix(".lock"))
    assert not path.exists()


def test_a_fresh_lease_of_another_host_is_alive_and_an_old_one_after_a_second_look_is_not(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    held = of_another_host(path, age_s=1)
    assert lease.alive(path) == held
    held = of_another_host(path, age_s=lease.FRESH_S + 5)
    assert lease.alive(path) == held, "the disk's clock may just have been set: in doubt, it lives"
    now[0] = lease.WATCH_S + 1
    assert lease.alive(path) is None


@pytest.mark.parametrize("age", [-10_000, 10_000])
def test_a_living_process_of_another_host_is_alive_whatever_step_the_disks_clock_takes(
    path: Path, monkeypatch: pytest.MonkeyPatch, age: float
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    of_another_host(path, age)
    for _ in range(10):
        # It goes on touching, and each touch is far from what the disk calls now.
        age -= lease.BEAT_S
        of_another_host(path, age)
        assert lease.alive(path) is not None
        now[0] += lease.BEAT_S
    # Whoever wants to act on it is not kept waiting for ever.
    of_another_host(path, age - lease.BEAT_S)
    assert lease.settled(path) is not None


def test_of_two_who_take_over_a_stale_lease_at_once_one_gets_it(path: Path) -> None:
    mine = Lease.of(os.getpid(), path.parent)
    for _ in range(5):
        write_json(path, replace(mine, pid=4_000_000, start=1).__dict__)
        contenders = [replace(mine, run_dir=f"/{number}") for number in range(4)]

        def take(one: Lease) -> bool:
            try:
                lease.take(path, one, path.with_suffix(".lock"))
            except HeldError:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(take, contenders)) == 1


def test_a_heart_touches_the_lease_and_not_that_of_who_took_it_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "BEAT_S", 0.01)
    mine = Lease.of(os.getpid(), path.parent)
    lease.take(path, mine, path.with_suffix(".lock"))
    os.utime(path, (1, 1))
    heart = Heart(path)
    while path.stat().st_mtime == 1:
        time.sleep(0.005)
    write_json(path, replace(mine, place=ELSEWHERE).__dict__)
    os.utime(path, (1, 1))
    assert lease.is_lost(path)
    time.sleep(0.1)
    heart.stop()
    assert path.stat().st_mtime == 1


@pytest.fixture
def failing_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease of a dead process, on a disk that does not give it."""
    write_json(path, replace(Lease.of(os.getpid(), path.parent), pid=4_000_000).__dict__)

    def fail(_: Path) -> BinaryIO:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("fer_core.reading.open_file", fail)


def test_a_lease_that_could_not_be_read_was_taken_for_none(path: Path, failing_disk: None) -> None:
    before = path.read_bytes()
    mine = Lease.of(os.getpid(), path.parent)
    for act in (lease.read, lease.alive, lease.settled, lambda path: lease.take(path, mine, path.with_suffix(".lock"))):
        with pytest.raises(HolderUnknownError, match="Input/output error"):
            act(path)
    lease.release(path, mine.process, path.with_suffix(".lock"))
    assert path.read_bytes() == before


def test_a_heart_goes_on_when_the_disk_is_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_S", 0.01)
    lease.take(path, Lease.of(os.getpid(), path.parent), path.with_suffix(".lock"))
    asked = threading.Event()

    def away(path: Path) -> bool:
        asked.set()
        raise HolderUnknownError("The disk is away.")

    with monkeypatch.context() as patch:
        patch.setattr(lease, "is_lost", away)
        heart = Heart(path)
        assert asked.wait(60)
    os.utime(path, (1, 1))
    deadline = time.monotonic() + 60
    while path.stat().st_mtime == 1:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    heart.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_process_that_the_system_hides_was_taken_for_dead(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``/proc`` may show each account its own processes alone: then only the touches of a lease tell of others'."""
    me = ProcessMark.me()
    held = Lease.of(os.getpid(), path.parent)
    write_json(path, held.__dict__)
    (path.parent / "proc").mkdir()
    monkeypatch.setattr("fer_core.processes._PROC", path.parent / "proc")
    assert me.alive() is None
    assert lease.alive(path) == held
    assert not abandoned(path.with_name(f".x.{me}.abcd.part"))
    assert replace(me, pid=2**22 + 1).alive() is False
    assert replace(me, pid=10**30).alive() is False
    with pytest.raises(ProcessLookupError, match="hidden"):
        ProcessMark.of(os.getpid())


def test_a_process_is_told_by_ticks_and_not_by_its_number(path: Path) -> None:
    me = ProcessMark.me()
    assert me.alive()
    assert replace(me, start=me.start - 1).alive() is False
    assert replace(me, place=ELSEWHERE).alive() is None
    assert ProcessMark.find(f".x.{me}.abcd.part") == me


def raise_absent() -> Path:
    raise FileNotFoundError


@pytest.mark.parametrize("rename_hidden", [False, True])
def test_a_lease_that_the_network_disk_did_not_show_yet_was_written_over(
    path: Path, monkeypatch: pytest.MonkeyPatch, rename_hidden: bool
) -> None:
    """Such disks remember for a while that there was no file, and each of two hosts took the lease."""
    monkeypatch.setattr(lease, "BEAT_S", 0.01)
    held = of_another_host(path, age_s=1)
    plainly, looks = lease.read, iter(range(100))
    monkeypatch.setattr(lease, "read", lambda one: None if one == path and next(looks) < 2 else plainly(one))
    if rename_hidden:
        # Nor does it give away what it does not show.
        renames, rename = iter(range(100)), Path.rename
        monkeypatch.setattr(Path, "rename", lambda one, to: rename(one, to) if next(renames) else raise_absent())
    before = path.stat().st_mtime_ns
    with pytest.raises(HeldError, match="lab-2"):
        lease.take(path, Lease.of(os.getpid(), path.parent), path.with_suffix(".lock"))
    assert (plainly(path), path.stat().st_mtime_ns) == (held, before)
    assert sorted(one.name for one in path.parent.iterdir()) == [".lease.json", ".lease.lock"]


def test_a_disk_without_second_names_keeps_leases_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    mine = Lease.of(os.getpid(), path.parent)
    lease.take(path, mine, path.with_suffix(".lock"))
    assert lease.alive(path) == mine


def test_a_disk_without_locks_is_told_and_nothing_is_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file used to stand for the lock there, which another host's process may have left for good."""
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RunError, match=r"locks.*cluster\.md"), explained("The lock cannot be written", RunError):
        lease.take(path, Lease.of(os.getpid(), path.parent), path.with_suffix(".lock"))
    assert not path.exists()


def test_what_was_asked_of_the_one_before_goes_when_its_lease_is_taken_over(path: Path) -> None:
    mine, request = Lease.of(os.getpid(), path.parent), path.with_name("stop")
    write_json(path, replace(mine, pid=4_000_000, start=1).__dict__)
    request.touch()
    lease.take(path, mine, path.with_suffix(".lock"), clear=[request])
    assert not request.exists()
    request.touch()
    lease.take(path, mine, path.with_suffix(".lock"), clear=[request])
    assert request.exists(), "it is meant for who holds it already"
