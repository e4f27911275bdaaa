"""Ctrl+C, wherever a command is: "interrupted", 130, and no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from fer_core.cli import architectures, main
from fer_core.settings import PROJECT_ROOT
from fer_core.signals import Interruption

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture(autouse=True)
def usual_signals() -> Iterator[None]:
    """A shell that runs the tests in the background has SIGINT ignored, and what is ignored stays so."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGTERM: signal.signal(signal.SIGTERM, signal.SIG_DFL),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_an_interruption_even_where_a_library_makes_another_error_of_it(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interrupted while it loads, a library may raise ImportError: that was a traceback."""

    def loading(args: object) -> None:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        except KeyboardInterrupt:
            raise ImportError("numpy could not be loaded") from None

    monkeypatch.setattr(architectures, "run", loading)
    before = signal.getsignal(number)
    assert main(["architectures"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert signal.getsignal(number) == before


def test_a_second_signal_does_not_disturb_cleaning_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It left half-written files: the removal was interrupted in its turn."""
    cleaned = []

    def work(args: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            cleaned.append(True)

    monkeypatch.setattr(architectures, "run", work)
    assert main(["architectures"]) == 130
    assert cleaned == [True]


def test_a_signal_that_is_ignored_stays_so() -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption():
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_signals_are_the_callers() -> None:
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(["architectures"])))
    thread.start()
    thread.join()
    assert codes == [0]


def test_interrupted_while_it_loads() -> None:
    """The modules of the command line themselves take a while."""
    code = (
        "import os, runpy, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'fer_core.cli':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "            import time; time.sleep(1)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.argv = ['fer_core', 'architectures']\n"
        "runpy.run_module('fer_core', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")
