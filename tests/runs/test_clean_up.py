"""What a killed process left is taken away when the app starts; what a living one, or another host's, holds is not."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from browser import AppServer
from factories import make_run
from readonly import read_only

from fer_core.data.dataset import load_dataset, write_dataset
from fer_core.emotions import SPLITS
from fer_core.files import temporary_name, write_json
from fer_core.lease import Lease
from fer_core.leftovers import temporary_folder
from fer_core.processes import ProcessMark
from fer_core.runs import clean_up
from fer_core.runs.clean_up import CleanedUp, recently
from fer_core.runs.listing import list_runs
from fer_core.settings import settings
from fer_core.training import jobs, lock

ROOT = Path(__file__).resolve().parent.parent.parent
IN_THE_MIDDLE = """
import io, sys, threading
from pathlib import Path
import numpy as np
from fer_core.data.writer import DatasetWriter
from fer_core.inference.stream import video_job
from fer_core.emotions import SPLITS
from fer_core.leftovers import temporary_folder
from fer_core.settings import settings

home = settings()
home.cache_dir.mkdir()
(temporary_folder("upload", home.cache_dir) / "fer2013.csv").write_bytes(b"emotion,pixels")
DatasetWriter(home.datasets_dir / "mine", kind="csv", source="x").__enter__().add(
    np.zeros((7, 48, 48), np.uint8), range(7), ["Training"] * 7
)
video_job.analyse_video = lambda *_, **__: (print("ready", flush=True), threading.Event().wait())
job = video_job.VideoJob(io.BytesIO(b"a visitor's face"), "me.mp4", None, None)
threading.Event().wait()
"""
"""A server in the middle of an upload, its import, and a visitor's video."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's folder of temporary files, also that of child processes."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    tempfile.tempdir = None


@pytest.fixture(autouse=True)
def nothing_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_up, "_last", None)


def interrupted() -> None:
    """``kill -9`` of a process that does :data:`IN_THE_MIDDLE`."""
    child = subprocess.Popen([sys.executable, "-c", IN_THE_MIDDLE], cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.fixture
def kept(home: Path) -> Iterator[None]:
    """A dataset, and a mark on one of its faces, which nothing that happens may touch."""
    settings().datasets_dir.mkdir()
    images, splits = np.arange(21 * 48 * 48, dtype=np.uint8).reshape(21, 48, 48), np.repeat(SPLITS, 7)
    dataset = write_dataset(settings().datasets_dir / "kept", images, np.arange(21) % 7, splits)
    before = load_dataset(dataset.info.path).info.fingerprint
    yield
    assert load_dataset(dataset.info.path).info.fingerprint == before


def test_after_a_server_was_killed_nothing_of_imports_and_visitors_is_left(
    home: Path, temporary: Path, kept: None
) -> None:
    interrupted()
    assert len(list(temporary.rglob("source.mp4"))) == 1
    assert clean_up.clean_up() == CleanedUp(("mine",), 1, 1, 0) == recently()
    assert [list(folder.iterdir()) for folder in (temporary, settings().cache_dir)] == [[], []]
    assert [path.name for path in settings().datasets_dir.iterdir()] == ["kept"]
    assert clean_up.clean_up() == CleanedUp()


@pytest.mark.slow
def test_the_next_server_takes_it_away_before_anybody_comes(home: Path, temporary: Path, kept: None) -> None:
    """It used to stay until the next import; a visitor's video for good."""
    interrupted()
    server = AppServer(home.parent / "log").start()
    try:
        assert not list(temporary.glob("fer-explorer-*"))
        assert not list(settings().cache_dir.glob("upload-*"))
        assert hidden(settings().datasets_dir) == []
    finally:
        server.stop()


def test_what_a_living_process_holds_stays(home: Path, temporary: Path) -> None:
    settings().cache_dir.mkdir()
    mine = [temporary_folder("upload", settings().cache_dir), temporary_folder("fer-explorer", temporary)]
    assert clean_up.clean_up() == CleanedUp()
    assert all(path.is_dir() for path in mine)


def test_a_model_that_was_being_tried_stayed_among_the_temporary_files(home: Path, temporary: Path) -> None:
    gone = temporary / f"bring-{ProcessMark(ProcessMark.me().place, 2**30, 1)}.aaaax"
    living = temporary / temporary_name("fer-score-")
    for path in (gone, living, temporary / "bring-a-friend"):
        path.mkdir()
        (path / "model.keras").write_bytes(b"somebody's model")
    assert clean_up.clean_up().others == 1
    assert not gone.exists()
    assert len(list(temporary.iterdir())) == 2


def test_of_another_host_only_what_was_not_touched_for_a_day_goes(home: Path) -> None:
    run = settings().runs_dir / "mine"
    run.mkdir(parents=True)
    elsewhere = ProcessMark("0123456789ab", 1, 1)
    new, old = run / f".change-{elsewhere}.aaaa", run / f".change-{elsewhere}.bbbb"
    for path in (new, old):
        path.mkdir()
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    assert clean_up.clean_up().others == 1
    assert (new.is_dir(), old.exists()) == (True, False)


def test_a_change_that_has_happened_keeps_what_it_still_has_to_move(home: Path) -> None:
    run = settings().runs_dir / "mine"
    gone = ProcessMark(ProcessMark.me().place, 2**30, 1)
    prepared = run / f".change-{gone}.aaaa"
    prepared.mkdir(parents=True)
    (run / ".commit.json").write_text("{}")
    assert clean_up.clean_up() == CleanedUp()
    (run / ".commit.json").unlink()
    assert clean_up.clean_up().others == 1
    assert not prepared.exists()


def test_folders_of_earlier_versions_without_a_mark_stayed_in_a_run(home: Path) -> None:
    run = settings().runs_dir / "mine"
    new, old = run / ".half-aaaa", run / ".half-bbbb"
    for path in (new, old):
        path.mkdir(parents=True)
    made_old(old)
    assert clean_up.clean_up().others == 1
    assert (new.is_dir(), old.exists()) == (True, False)


def made_old(*paths: Path) -> None:
    long_ago = time.time() - 2 * 24 * 3600
    for path in paths:
        os.utime(path, (long_ago, long_ago))


def test_leases_of_a_host_that_was_started_again_stayed_for_good(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = settings().runs_dir
    (runs / "living").mkdir(parents=True)
    mine, leases = Lease.of(os.getpid(), runs / "x"), {}
    for number, (name, run_dir) in enumerate(
        {
            "before": runs / "gone",
            "elsewhere": runs / "living",
            "of another mount": Path("/mnt/shared/runs/living"),
            "just begun": runs / "new",
        }.items()
    ):
        monkeypatch.setattr(lock, "place", lambda number=number: f"{number:012x}")
        leases[name] = lock.lock_path()
        write_json(leases[name], asdict(replace(mine, place=f"{number:012x}", run_dir=str(run_dir))))
    own = runs / f".training-{mine.place}.json"
    write_json(own, asdict(mine))
    write_json(lock.lease_path(runs / "living"), asdict(mine))
    made_old(own, *(path for name, path in leases.items() if name != "just begun"))
    assert clean_up.clean_up().others == 1
    assert [name for name, path in leases.items() if path.exists()] == ["elsewhere", "of another mount", "just begun"]
    assert own.exists()
    made_old(lock.lease_path(runs / "living"))
    assert clean_up.clean_up().others == 2


def test_a_temporary_file_beside_what_it_was_to_replace_goes(home: Path) -> None:
    settings().reviews_dir.mkdir()
    gone = ProcessMark(ProcessMark.me().place, 2**30, 1)
    part = settings().reviews_dir / f".kept.{gone}.aaaa.part.csv"
    part.write_text("half")
    other = settings().reviews_dir / ".a-file-of-mine"
    other.write_text("mine")
    assert clean_up.clean_up().others == 1
    assert (part.exists(), other.exists()) == (False, True)


def test_a_run_of_which_a_network_disk_kept_an_open_file_was_deleted_by_half(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a disk renames the file, so that its folder is not empty: what was left was listed as damaged."""
    run = make_run(settings().runs_dir / "mine")
    plainly = os.rmdir

    def rmdir(path: str | Path, **options: int) -> None:
        if Path(path).parent == settings().runs_dir:
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        plainly(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", rmdir)
        jobs.delete(run.path)
    assert not run.path.exists()
    assert [info.name for info in list_runs()] == []
    (rest,) = settings().runs_dir.glob(".deleted-*")
    assert clean_up.clean_up() == CleanedUp(), "this process is still there, and may have it open"
    rest.rename(rest.with_name(f".deleted-{ProcessMark(ProcessMark.me().place, 2**30, 1)}.aaaa"))
    assert clean_up.clean_up().others == 1
    assert list(settings().runs_dir.iterdir()) == []


def test_where_there_is_no_home_yet_there_is_nothing_to_do(home: Path) -> None:
    home.rmdir()
    assert clean_up.clean_up() == CleanedUp()
    assert not home.exists()


def test_it_is_told_for_an_hour(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_up, "_last", (time.monotonic(), CleanedUp(("mine",))))
    assert recently().imports == ("mine",)
    monkeypatch.setattr(clean_up, "_last", (time.monotonic() - clean_up.TOLD_S, CleanedUp(("mine",))))
    assert recently() == CleanedUp()


def test_a_persons_own_folder_that_is_called_so_stays(home: Path, temporary: Path) -> None:
    """A clone of two days ago, unpacked among the temporary files, would have been deleted."""
    mine = temporary / "fer-explorer-main"
    mine.mkdir()
    os.utime(mine, (1, 1))
    clean_up.clean_up()
    assert mine.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_looked_at_stops_nothing(home: Path, temporary: Path) -> None:
    closed = settings().runs_dir / "theirs"
    closed.mkdir(parents=True)
    closed.chmod(0)
    try:
        clean_up.clean_up()
    finally:
        closed.chmod(0o700)


def test_a_home_that_is_read_only_stops_no_start_and_loses_nothing(home: Path, temporary: Path, kept: None) -> None:
    interrupted()
    before = sorted(path.relative_to(home) for path in home.rglob("*"))
    with read_only(home):
        # The visitor's video lies elsewhere, and goes.
        assert clean_up.clean_up() == CleanedUp((), 0, 1, 0)
        assert sorted(path.relative_to(home) for path in home.rglob("*")) == before
    assert clean_up.clean_up() == CleanedUp(("mine",), 1, 0, 0)
