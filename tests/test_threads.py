"""A server that the system gives no more threads says that it is busy, and keeps nothing of what it could not begin."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import pytest
from faulty import faulty_dataset

from fer_core.data.audit.job import AuditJob
from fer_core.errors import BusyError
from fer_core.fair_queue import FairQueue, Lane
from fer_core.inference.stream.latest_frame import LatestWorker
from fer_core.inference.stream.video_job import VideoJob
from fer_core.threads import NICE, start_thread
from pages.parts.dataset import import_job


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_a_thread_does_its_work() -> None:
    done = threading.Event()
    thread = start_thread(done.set, "mine")
    assert done.wait(60)
    assert (thread.name, thread.daemon) == ("mine", True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there threads have priorities of their own")
def test_what_takes_long_gives_way_to_what_answers_visitors() -> None:
    """The tests of maps took as much of a busy machine as everybody's clicks."""
    found: list[int] = []

    def note() -> None:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    for gives_way in (False, True):
        start_thread(note, "mine", gives_way=gives_way).join(60)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert found == [own, max(own, NICE)]


def test_that_there_is_none_is_said(no_threads: None) -> None:
    with pytest.raises(BusyError, match=r"no more threads.*again in a moment"):
        start_thread(lambda: None, "mine")


def test_a_video_that_could_not_begin_kept_its_place_and_its_file(
    no_threads: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    line = FairQueue({Lane.VIDEO: 1}, free=lambda: 1e9)
    with pytest.raises(BusyError):
        VideoJob(io.BytesIO(b"a film"), "me.mp4", None, None, line=line)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    assert line.ask("another", Lane.VIDEO).its_turn


def test_a_stream_that_could_not_begin_stood_still_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    worker: LatestWorker[int, int] = LatestWorker(lambda item: item + 1)
    worker.start()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda _: exec("raise RuntimeError"))
        assert not worker.submit(1)
    with pytest.raises(BusyError):
        worker.latest()
    worker.stop()
    worker.start()
    assert worker.submit(1)
    assert worker.wait(1, 60)
    assert worker.latest() == 2
    worker.stop()


def test_an_audit_that_nobody_could_follow_left_its_process(no_threads: None, home: Path, tmp_path: Path) -> None:
    dataset = faulty_dataset(tmp_path / "d")
    before = {child.pid for child in psutil.Process().children()}
    with pytest.raises(BusyError):
        AuditJob(dataset.path)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_an_import_that_could_not_begin_kept_every_later_one_waiting(
    no_threads: None, home: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    for start in (import_job.start_look, import_job.start_import):
        copied.mkdir()
        with pytest.raises(BusyError):
            start("/nowhere", "mine", temporary=copied)
        assert not copied.exists()
        job = import_job.current_job()
        assert job is not None
        assert job.state == "failed"
        assert "no more threads" in job.message
