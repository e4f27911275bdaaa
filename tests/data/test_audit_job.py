"""An audit in a child process: its progress, its end, and what stops it."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from faulty import faulty_dataset
from readonly import full

from fer_core import memory
from fer_core.cli.progress import progress_text
from fer_core.data.audit import AUDIT_FILE, job, read_audit
from fer_core.data.audit.job import AuditJob
from fer_core.data.dataset import load_dataset
from fer_core.errors import DataError
from fer_core.progress import Progress

pytestmark = pytest.mark.usefixtures("home")


def test_an_audit_runs_to_its_end_and_is_kept(tmp_path: Path) -> None:
    dataset = faulty_dataset(tmp_path / "d")
    running = AuditJob(dataset.path)
    assert running.wait(600) == "done"
    assert running.message == ""
    assert running.progress is not None
    assert (running.progress.done, running.progress.total) == (15, 15)
    assert running.progress.message == "Comparing all faces"
    assert read_audit(dataset) is not None


def test_a_folder_that_is_no_dataset_is_told(tmp_path: Path) -> None:
    running = AuditJob(tmp_path)
    assert running.wait(600) == "failed"
    assert str(tmp_path) in running.message


def test_a_result_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    dataset = faulty_dataset(tmp_path / "d")
    # A folder in the file's place stands in for missing rights, which do not bind root.
    (dataset.path / AUDIT_FILE).mkdir()
    running = AuditJob(dataset.path)
    assert running.wait(600) == "done"
    assert "could not be kept" in running.message


def test_a_stopped_audit_leaves_nothing(tmp_path: Path) -> None:
    dataset = faulty_dataset(tmp_path / "d")
    before = sorted(path.name for path in dataset.path.iterdir())
    running = AuditJob(dataset.path)
    running.stop()
    assert running.wait(600) == "stopped"
    assert "stopped" in running.message
    assert sorted(path.name for path in dataset.path.iterdir()) == before


def test_a_child_that_breaks_off_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "audit_command", lambda folder: ["-c", "raise SystemError('no memory left')"])
    running = AuditJob(tmp_path)
    assert running.wait(600) == "failed"
    assert "exit code 1" in running.message
    assert "no memory left" in running.message


def test_a_child_that_is_killed_is_told_as_every_child_is(tmp_path: Path) -> None:
    """It used to be "exit code -9", which says nothing to anybody."""
    dataset = faulty_dataset(tmp_path / "d")
    running = AuditJob(dataset.path)
    running._child.kill()
    assert running.wait(600) == "failed"
    assert "SIGKILL" in running.message
    assert "memory" in running.message
    assert not (dataset.path / AUDIT_FILE).exists()


def test_a_long_result_does_not_block_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "import json; print(json.dumps({'constant': list(range(100_000)), 'note': ''}))"
    monkeypatch.setattr(job, "audit_command", lambda folder: ["-c", long])
    assert AuditJob(tmp_path).wait(600) == "done"


@pytest.mark.parametrize("left", [None, 41.0])
def test_the_command_lines_progress_is_understood(left: float | None) -> None:
    text = progress_text(Progress(21_504, 35_887, "rows", left, "Comparing all faces"))
    found = re.search(job._AMOUNT, text)
    assert found is not None, text
    assert found.groups() == ("21,504", "35,887", None if left is None else "41")


def test_an_audit_that_has_no_room_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 0.1e9)
    with pytest.raises(DataError, match=r"0\.4 GB of memory, and 0\.1 GB are left"):
        AuditJob(faulty_dataset(tmp_path / "d").path)


def test_a_disk_that_is_full_or_fills_up_is_told_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    made, folder = faulty_dataset(tmp_path / "d"), tmp_path / "disk"
    folder.mkdir()
    with full(folder, room=150_000) as fill:
        dataset = load_dataset(shutil.copytree(made.path, folder / "d"))
        before = sorted(path.name for path in dataset.path.iterdir())
        running = AuditJob(dataset.path)
        fill()
        assert running.wait(600) == "done"
        assert "could not be kept" in running.message
        assert "No space left" in running.message
        with pytest.raises(DataError, match="the disk is full"):
            AuditJob(dataset.path)
        assert sorted(path.name for path in dataset.path.iterdir()) == before
        assert load_dataset(dataset.path).info.fingerprint == made.info.fingerprint


def test_a_full_disk_of_temporary_files_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = faulty_dataset(tmp_path / "d")
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with full(folder):
        running = AuditJob(dataset.path)
        assert running.wait(600) == "failed"
        assert "No space left" in running.message
