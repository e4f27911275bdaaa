"""Writing a dataset folder is all or nothing: taken folders, full disks, interruptions, killed and rival processes."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_sources import Faces, csv_text, left_behind

from fer_core.data.dataset import Dataset, DatasetWriter, load_dataset, write_dataset
from fer_core.data.importer import import_dataset
from fer_core.errors import DataError
from fer_core.processes import ProcessMark

FACES = Faces(each=2)


def write(out: Path, **options: Any) -> Dataset:
    return write_dataset(out, FACES.images, FACES.labels, FACES.splits, **options)


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert len(write(tmp_path / "d")) == 42
    assert left_behind(tmp_path, set()) == ["d"]


def test_parents_are_made(tmp_path: Path) -> None:
    assert len(write(tmp_path / "a" / "b" / "d")) == 42


def test_other_peoples_files_are_safe(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "thesis.txt").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(DataError, match="holds other files and no dataset"):
            write(tmp_path / "d", overwrite=overwrite)
    assert left_behind(tmp_path, set()) == ["d"]
    assert (tmp_path / "d" / "thesis.txt").read_text() == "precious"


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("x")
    with pytest.raises(DataError, match="is a file"):
        write(tmp_path / "d", overwrite=True)


def test_a_dataset_is_replaced_only_when_asked(tmp_path: Path) -> None:
    write(tmp_path / "d", title="old")
    with pytest.raises(DataError, match=r"already holds a dataset.*--overwrite"):
        write(tmp_path / "d", title="new")
    assert load_dataset(tmp_path / "d").info.title == "old"
    assert write(tmp_path / "d", title="new", overwrite=True).info.title == "new"
    assert left_behind(tmp_path, set()) == ["d"]


def test_a_failed_replacement_keeps_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "d", title="old")
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if ".importing-" in self.name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(DataError, match=r"Cannot write .*Permission denied"):
        write(tmp_path / "d", title="new", overwrite=True)
    assert load_dataset(tmp_path / "d").info.title == "old"
    assert left_behind(tmp_path, set()) == ["d"]


def test_no_right_to_write(tmp_path: Path) -> None:
    (tmp_path / "parent").write_text("a file where a folder should be")
    with pytest.raises(DataError, match="Cannot write"):
        write(tmp_path / "parent" / "d")


# --- what can happen in between ---

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "fer2013.csv"
    file.write_text(csv_text(FACES.rows() * 30))
    return file


def test_too_little_disk_space_is_told_before(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 1_000_000))
    with pytest.raises(DataError, match=r"Not enough disk space for .*out: .* MB, and 1 MB are free"):
        import_dataset(source, tmp_path / "out")
    assert left_behind(tmp_path, {source.name}) == []


def test_a_disk_that_fills_up_is_told_in_between(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = Path.open

    class Full:
        """A file on a disk that has room for one megabyte."""

        def __init__(self, file: Any) -> None:
            self._file, self._written = file, 0

        def write(self, data: Any) -> int:
            self._written += len(data)
            if self._written > 1_000_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return int(self._file.write(data))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    def opening(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = real_open(self, mode, *args, **options)
        return Full(file) if self.name == "images.npy" and "w" in mode else file

    monkeypatch.setattr(Path, "open", opening)
    with pytest.raises(DataError, match=r"The disk is full.*nothing of it was kept"):
        import_dataset(source, tmp_path / "out")
    assert left_behind(tmp_path, {source.name}) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full (Linux)")
def test_a_full_disk_at_the_last_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real error of a real full device, when dataset.json is written."""
    write_text = Path.write_text

    def full(self: Path, *args: Any, **options: Any) -> int:
        target = Path("/dev/full") if self.name == "dataset.json" else self
        return write_text(target, *args, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DataError, match="The disk is full"):
        write(tmp_path / "d")
    assert left_behind(tmp_path, set()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_interrupted_import(error: type[BaseException], source: Path, tmp_path: Path) -> None:
    def interrupt(progress: Any) -> None:
        # The temporary folder is there by now, so its absence afterwards means something.
        assert left_behind(tmp_path, {source.name})[0].startswith(".out.importing-")
        raise error

    with pytest.raises(error):
        import_dataset(source, tmp_path / "out", progress=interrupt)
    assert left_behind(tmp_path, {source.name}) == []
    assert len(import_dataset(source, tmp_path / "out")) == 42 * 30, "and the next one works"


def test_nothing_to_import(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no faces"):
        write_dataset(tmp_path / "d", np.empty((0, 48, 48), np.uint8), [], [])
    assert left_behind(tmp_path, set()) == []


def test_arrays_that_do_not_fit_are_a_defect_of_the_caller(tmp_path: Path) -> None:
    wrong: list[tuple[Any, Any, Any]] = [
        (FACES.images.astype(np.float32), FACES.labels, FACES.splits),
        (FACES.images[:, :40], FACES.labels, FACES.splits),
        (FACES.images, FACES.labels[:5], FACES.splits),
        (FACES.images, FACES.labels + 1, FACES.splits),
        (FACES.images, FACES.labels, ["Test"] * 42),
    ]
    for images, labels, splits in wrong:
        with pytest.raises(ValueError, match=r"must be|differ"):
            write_dataset(tmp_path / "d", images, labels, splits)
    assert left_behind(tmp_path, set()) == []


def dead() -> ProcessMark:
    return replace(ProcessMark.me(), pid=4_000_000)


def test_what_a_killed_import_left_is_removed(tmp_path: Path) -> None:
    stale = tmp_path / f".other.importing-{dead()}"
    stale.mkdir()
    (stale / "images.npy").write_bytes(b"half")
    write(tmp_path / "d")
    assert left_behind(tmp_path, set()) == ["d"]


def test_a_running_import_is_left_alone(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        running = tmp_path / f".other.importing-{ProcessMark.of(process.pid)}"
        running.mkdir()
        write(tmp_path / "d")
        assert running.exists()
    finally:
        process.communicate(b"\n")


def test_a_number_that_another_process_has_by_now_is_stale(tmp_path: Path) -> None:
    parent = ProcessMark.of(os.getppid())
    running = tmp_path / f".other.importing-{parent}"
    older = tmp_path / f".older.importing-{replace(parent, start=parent.start - 1)}"
    running.mkdir()
    older.mkdir()
    write(tmp_path / "d")
    assert running.exists()
    assert not older.exists()


def test_a_replacement_that_died_half_way_is_undone(tmp_path: Path) -> None:
    write(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / f".old.replaced-{dead()}")
    write(tmp_path / "d")
    assert left_behind(tmp_path, set()) == ["d", "old"]
    assert len(load_dataset(tmp_path / "old")) == 42


def test_two_imports_into_one_folder_in_one_process(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", kind="folder", source="x") as first:
        first.add(FACES.images, FACES.labels, FACES.splits)
        with pytest.raises(DataError, match="already running"):
            write(tmp_path / "d")
    assert len(load_dataset(tmp_path / "d")) == 42


def test_the_slower_of_two_processes_is_told(tmp_path: Path) -> None:
    slow = DatasetWriter(tmp_path / "d", kind="folder", source="x")
    slow.__enter__()
    slow.add(FACES.images, FACES.labels, FACES.splits)
    code = (
        "import sys, numpy as np; from fer_core.data.dataset import write_dataset; "
        "write_dataset(sys.argv[1], np.zeros((7, 48, 48), np.uint8), range(7), ['Training'] * 7)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "d")], check=True)
    with pytest.raises(DataError, match="already holds a dataset"):
        slow.__exit__(None, None, None)
    assert load_dataset(tmp_path / "d").info.faces == 7
    assert left_behind(tmp_path, set()) == ["d"]
