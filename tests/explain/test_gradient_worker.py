"""The life of the gradient worker: start, queue, progress, cancel, crash, idle end. No TensorFlow here."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from fer_core import memory
from fer_core.errors import ExplainError
from fer_core.explain.task import CANCELLED, DONE, FAILED, FORGOTTEN_S, QUEUED, RUNNING
from fer_core.explain.worker.client import BUSY, CRASHED, IDLE, OFF, STARTING, Worker
from fer_core.settings import PROJECT_ROOT

FAKE = (sys.executable, "-c", "import runpy, sys; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')")
FAKE = (*FAKE, str(Path(__file__).parent / "fake_worker.py"))
PATIENCE = 120.0
Make = Callable[..., Worker]


@pytest.fixture
def make() -> Iterator[Make]:
    """Workers over the fake process, ended at the end of the test."""
    made: list[Worker] = []

    def one(*arguments: str, **options: Any) -> Worker:
        made.append(Worker((*FAKE, *arguments), **options))
        return made[-1]

    yield one
    for worker in made:
        worker.stop()
        until(lambda worker=worker: worker.status().pid is None)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_nothing_starts_before_the_first_request_and_one_process_serves_all(make: Make) -> None:
    worker = make()
    assert worker.status().state == OFF
    assert worker.status().pid is None
    pid = worker.run("pid", timeout=PATIENCE)
    assert pid != os.getpid()
    assert worker.run("pid again", timeout=PATIENCE) == pid
    assert worker.status().state == IDLE
    assert worker.status().pid == pid


def test_the_same_request_is_computed_once(make: Make) -> None:
    worker = make()
    first = worker.submit("steps 3")
    assert worker.submit("steps 3") is first
    assert first.result(PATIENCE) == "stepped"
    assert worker.submit("steps 3") is first
    assert worker.find("steps 3") is first
    assert worker.find("steps 4") is None


def test_one_at_a_time_with_a_place_in_the_queue_and_progress(make: Make) -> None:
    worker = make()
    long, second, third = (worker.submit(word) for word in ("steps 50", "echo", "steps 1"))
    until(lambda: long.progress is not None)
    status = worker.status()
    assert (status.state, status.running, status.queued) == (BUSY, long, 2)
    assert [worker.position(one) for one in (long, second, third)] == [0, 1, 2]
    assert (second.stage, long.stage) == (QUEUED, RUNNING)
    assert long.progress is not None
    assert (long.progress.total, long.progress.message) == (50, "Stepping")
    assert third.result(PATIENCE) == "stepped"
    assert (long.stage, second.stage) == (DONE, DONE)
    assert worker.position(third) == 0


def test_run_reports_progress(make: Make) -> None:
    reports = []
    assert make().run("steps 40", timeout=PATIENCE, progress=reports.append) == "stepped"
    assert reports
    assert reports[-1].done <= 40


def test_what_it_prints_does_not_disturb_the_answers(make: Make) -> None:
    worker = make()
    assert worker.run("print", timeout=PATIENCE) == "print"
    assert worker.run("echo", timeout=PATIENCE) == "echo"


def test_cancel_between_two_pieces_keeps_the_process(make: Make) -> None:
    worker = make()
    long, waiting = worker.submit("steps 2000"), worker.submit("steps 2001")
    until(lambda: long.progress is not None)
    pid = worker.status().pid
    worker.cancel(waiting)
    assert waiting.stage == CANCELLED
    worker.cancel(long)
    with pytest.raises(ExplainError, match="Cancelled"):
        long.result(PATIENCE)
    assert worker.run("pid", timeout=PATIENCE) == pid
    # What was cancelled can be asked for again.
    assert worker.submit("steps 2001") is not waiting


def test_cancel_ends_a_process_that_does_not_listen(make: Make) -> None:
    worker = make(cancel_seconds=0.2)
    deaf = worker.submit("deaf")
    until(lambda: deaf.progress is not None)
    assert worker.status().state == BUSY
    pid = worker.status().pid
    worker.cancel(deaf)
    with pytest.raises(ExplainError, match="by ending the worker's process"):
        deaf.result(PATIENCE)
    assert deaf.stage == CANCELLED
    assert worker.status().message == ""
    assert worker.run("pid", timeout=PATIENCE) != pid


def test_killed_in_the_middle_it_says_so_serves_the_next_and_recovers(make: Make) -> None:
    worker = make()
    long, waiting = worker.submit("steps 2000"), worker.submit("pid")
    until(lambda: long.progress is not None)
    killed = worker.status().pid
    assert killed is not None
    psutil.Process(killed).kill()
    with pytest.raises(ExplainError, match=r"ended unexpectedly in the middle of this map.*(SIGKILL|exit code)"):
        long.result(PATIENCE)
    assert long.stage == FAILED
    assert waiting.result(PATIENCE) != killed
    assert worker.submit("steps 2").result(PATIENCE) == "stepped"
    assert worker.status().message == ""


def test_a_crash_is_a_state_with_its_last_words_until_the_next_start(make: Make) -> None:
    worker = make()
    with pytest.raises(ExplainError, match=r"exit code 3.*my last words"):
        worker.run("die", timeout=PATIENCE)
    status = worker.status()
    assert (status.state, status.pid) == (CRASHED, None)
    assert "my last words" in status.message
    worker.start()
    until(lambda: worker.status().state == IDLE)
    # Told until something has gone well again.
    assert "my last words" in worker.status().message
    worker.run("echo", timeout=PATIENCE)
    assert worker.status().message == ""


def test_dying_while_idle_is_noticed(make: Make) -> None:
    worker = make()
    pid = worker.run("pid", timeout=PATIENCE)
    psutil.Process(pid).kill()
    until(lambda: worker.status().state == CRASHED)
    assert "while it had nothing to do" in worker.status().message
    assert worker.run("echo", timeout=PATIENCE) == "echo"


def test_a_refusal_and_a_defect_leave_it_alive(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    worker = make()
    pid = worker.run("pid", timeout=PATIENCE)
    with pytest.raises(ExplainError, match=r"^This cannot be drawn\.$"):
        worker.run("refuse", timeout=PATIENCE)
    with pytest.raises(ExplainError, match="ZeroDivisionError: by hand"):
        worker.run("defect", timeout=PATIENCE)
    assert "fake_worker.py" in caplog.text
    assert worker.run("pid too", timeout=PATIENCE) == pid


def test_it_ends_after_idling_and_starts_again(make: Make) -> None:
    worker = make(idle_seconds=0.3)
    pid = worker.run("pid", timeout=PATIENCE)
    until(lambda: worker.status().state == OFF)
    until(lambda: not psutil.pid_exists(pid))
    assert worker.run("pid again", timeout=PATIENCE) != pid


def test_stop_ends_what_runs_and_what_waits(make: Make) -> None:
    worker = make()
    long, waiting = worker.submit("steps 2000"), worker.submit("echo")
    until(lambda: long.progress is not None)
    worker.stop()
    for task in (long, waiting):
        with pytest.raises(ExplainError, match="was stopped"):
            task.result(PATIENCE)
    until(lambda: worker.status().state == OFF)
    assert worker.status().message == ""
    assert worker.run("echo", timeout=PATIENCE) == "echo"


def test_start_and_stop_while_it_starts(make: Make) -> None:
    worker = make("--slow")
    task = worker.submit("echo")
    until(lambda: worker.status().state == STARTING)
    worker.stop()
    with pytest.raises(ExplainError, match="was stopped"):
        task.result(PATIENCE)
    until(lambda: worker.status().state == OFF)


def test_a_start_that_hangs_or_fails_is_told(make: Make) -> None:
    with pytest.raises(ExplainError, match=r"while it was starting: it was not ready after 0\.3 seconds"):
        make("--slow", start_seconds=0.3).run("echo", timeout=PATIENCE)
    failing = make("--no-start")
    with pytest.raises(ExplainError, match="TensorFlow is missing"):
        failing.run("echo", timeout=PATIENCE)
    assert failing.status().state == CRASHED


def test_a_command_that_is_not_there_is_told() -> None:
    worker = Worker(("/nowhere/python",))
    with pytest.raises(ExplainError, match="could not be started"):
        worker.run("echo", timeout=PATIENCE)
    assert worker.status().state == CRASHED


def test_it_ends_with_the_app_however_that_ends() -> None:
    program = (
        "import os, signal\n"
        "from fer_core.explain.worker.client import Worker\n"
        f"worker = Worker({FAKE!r})\n"
        "print(worker.run('pid', timeout=100), flush=True)\n"
        "worker.submit('steps 100000')\n"
        "os.kill(os.getpid(), getattr(signal, 'SIGKILL', signal.SIGTERM))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    pid = int(done.stdout)
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_finished_requests_are_forgotten_oldest_first(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.explain.worker.client.MOST_TASKS", 2)
    worker = make()
    for word in ("one", "two", "three"):
        worker.run(word, timeout=PATIENCE)
    assert worker.find("one") is None
    assert worker.find("three") is not None


def test_a_request_of_a_module_that_was_loaded_anew_fails_and_breaks_nothing(make: Make) -> None:
    # What a name stands for is no longer the class that the request is of.
    stale = type("Progress", (str,), {"__module__": "fer_core.progress"})
    worker = make()
    with pytest.raises(ExplainError, match="Reload the page"):
        worker.run(stale("echo"), timeout=PATIENCE)
    assert worker.run("pid", timeout=PATIENCE) != os.getpid()


def test_a_request_that_no_pickle_holds_escaped_into_the_page(make: Make) -> None:
    """Which exception a class that is not the same any more gives is Python's affair."""
    worker = make()
    with pytest.raises(ExplainError, match="Reload the page"):
        worker.run(lambda: None, timeout=PATIENCE)
    assert worker.run("pid", timeout=PATIENCE) != os.getpid()


def test_a_request_outlived_the_visit_that_had_asked_for_it(make: Make) -> None:
    now = [0.0]
    worker = make(clock=lambda: now[0])
    long, left, seen = (worker.submit(word) for word in ("steps 30", "left", "seen"))
    until(lambda: long.progress is not None)
    now[0] = FORGOTTEN_S + 1
    assert worker.find("seen") is seen
    with pytest.raises(ExplainError, match="Nobody waited"):
        left.result(PATIENCE)
    assert seen.result(PATIENCE) == "seen"


def test_whoever_waits_in_a_thread_is_not_forgotten(make: Make) -> None:
    now, ended = [0.0], list[object]()
    worker = make(clock=lambda: now[0])
    long = worker.submit("steps 100000")
    waiting = threading.Thread(target=lambda: ended.append(worker.run("late", timeout=PATIENCE)))
    waiting.start()
    task = worker.submit("late")
    for now[0] in (0.8 * FORGOTTEN_S, 1.6 * FORGOTTEN_S):
        until(lambda: task.looked == now[0])
    worker.cancel(long)
    waiting.join(PATIENCE)
    assert ended == ["late"]


def test_a_thread_that_could_not_be_started_kept_its_place_for_ever(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    worker = make()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(ExplainError, match="no more threads"):
            worker.run("pid", timeout=PATIENCE)
        worker.start()
    assert (worker.status().state, worker.status().queued) == (CRASHED, 0)
    assert worker.run("pid", timeout=PATIENCE) != os.getpid()


def test_it_does_not_start_where_too_little_memory_is_left_and_says_so(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container of 690 MB the process used to start all the same, and the whole app was killed."""
    monkeypatch.setattr(memory, "free_memory", lambda: 0.2e9)
    worker = make()
    assert "0.9 GB of memory" in worker.no_room()
    with pytest.raises(ExplainError, match=r"0\.2 GB are left"):
        worker.run("pid", timeout=PATIENCE)
    assert worker.status().state == OFF
    assert worker.status().pid is None
    monkeypatch.setattr(memory, "free_memory", lambda: 2e9)
    assert worker.no_room() == ""
    pid = worker.run("pid", timeout=PATIENCE)
    monkeypatch.setattr(memory, "free_memory", lambda: 0.2e9)
    assert worker.no_room() == "", "it runs already"
    assert worker.run("pid again", timeout=PATIENCE) == pid


def test_visitors_take_turns(make: Make) -> None:
    """Whoever asked for forty maps used to be served before the next visitor's first."""
    worker = make()
    long = worker.submit("steps 2000", "a")
    until(lambda: long.stage == RUNNING)
    many = [worker.submit(f"steps {number}", "a") for number in (3, 4, 5)]
    other = worker.submit("echo", "b")
    assert [worker.position(one) for one in (*many, other)] == [1, 3, 4, 2]
    worker.cancel(long)
    assert other.result(PATIENCE) is not None
