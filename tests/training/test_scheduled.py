"""A training that an engine has started ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from fer_core.training.scheduled import ORPHANED, SCHEDULED

PROGRAM = """
import time
from fer_core.training.scheduled import end_with_the_engine
end_with_the_engine()
print("waits", flush=True)
time.sleep(60)
"""


def child(**environment: str) -> subprocess.Popen[bytes]:
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"waits\n"
    return started


def test_it_ends_when_the_pipe_of_its_engine_does() -> None:
    started = child(**{SCHEDULED: "1"})
    assert started.stdin is not None
    started.stdin.close()  # the kernel does this, however the engine ends
    assert started.wait(timeout=30) == ORPHANED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_end_is_no_failure_of_the_recipe(number: signal.Signals) -> None:
    """As an exception it came out of NumPy as another one, and the journal called the training failed."""
    started = child(**{SCHEDULED: "1"})
    started.send_signal(number)
    assert started.wait(timeout=30) == ORPHANED


def test_others_do_not_care_about_their_input() -> None:
    started = child()
    assert started.stdin is not None
    started.stdin.close()
    with pytest.raises(subprocess.TimeoutExpired):
        started.wait(timeout=0.5)
    started.kill()
    started.wait()
