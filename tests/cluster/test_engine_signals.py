"""Signals while Ray is there: they mean what the command has made of them, and a sweep says how it goes on."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from factories import make_run
from made_up_faces import make_noise

from fer_core.cluster.engine import _own_signals
from fer_core.cluster.sweep import LastWords
from fer_core.errors import ClusterError
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.signals import Interruption
from fer_core.sweeps.folder import Plan, Sweep, create

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture
def sweep(home: Path) -> Sweep:
    """Three trials, of which one has ended."""
    data = make_noise(settings().datasets_dir / "few").info.path
    made = create(Plan("rates", Recipe("custom_cnn"), {"learning_rate": [0.001, 0.002, 0.003]}, data))
    make_run(settings().runs_dir / "rates-002")
    return made


def test_a_signal_that_ray_took_for_itself_interrupts_the_command_again() -> None:
    """Ray's own handler printed a stack and killed the process, which left its lease and its folder behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _own_signals():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as Ray does
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_that_comes_while_ray_starts_is_an_interruption() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def starting() -> None:
        with _own_signals():
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # as Ray's is
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        starting()
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("as_what", [KeyboardInterrupt, ClusterError])
def test_an_interrupted_sweep_says_once_how_it_goes_on(sweep: Sweep, as_what: type[BaseException]) -> None:
    """Also where Ray made an error of its own of the interruption: that was told as if the engine had failed."""
    told: list[str] = []
    words = LastWords(sweep, told.append)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def driving() -> None:
        with Interruption(), words, words:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                signal.pause()
            except KeyboardInterrupt:
                raise as_what("the engine broke off") from None

    try:
        with pytest.raises(KeyboardInterrupt):
            driving()
    finally:
        signal.signal(signal.SIGINT, before)
    [said] = told
    assert "1 of 3 trials" in said
    assert said.endswith("sweep resume rates")


def test_what_is_no_interruption_comes_out_as_it_is(sweep: Sweep) -> None:
    told: list[str] = []
    with pytest.raises(ClusterError), LastWords(sweep, told.append):
        raise ClusterError("no computer has as many processors")
    assert told == []
