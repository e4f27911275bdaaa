"""A training that is asked to end by Ctrl+C or SIGTERM was stopped, whatever a library makes of it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.errors import ExportError
from fer_core.evaluation import training_run
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.signals import Interruption, asked_to_end
from fer_core.training.pause_and_stop import Control
from fer_core.training.status import JobState, status

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture(autouse=True)
def usual_signals() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def folder(home: Path) -> RunFolder:
    made = RunFolder(settings().runs_dir / "asked")
    made.path.mkdir(parents=True)
    write_json(made.recipe_path, Recipe("custom_cnn").to_dict())
    return made


def ask_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()


@pytest.mark.parametrize("error", [RuntimeError("in a library"), OSError("in a call"), ExportError("no conversion")])
def test_sigterm_inside_a_library_was_journalled_as_a_defect(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def train(*_: object) -> None:
        try:
            ask_to_end()
        except KeyboardInterrupt:
            raise error from None

    monkeypatch.setattr(training_run, "_run", train)
    with pytest.raises(KeyboardInterrupt), Interruption():
        training_run._train(folder, folder.path)
    now = status(folder.path)
    assert now.state == JobState.STOPPED, now.message
    assert now.resumable
    assert not asked_to_end(), "the next command is another one"


def test_a_failure_by_itself_is_still_one(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> None:
        raise RuntimeError("in a library")

    monkeypatch.setattr(training_run, "_run", train)
    with pytest.raises(RuntimeError), Interruption():
        training_run._train(folder, folder.path)
    assert status(folder.path).state == JobState.FAILED


def test_a_request_that_a_library_swallowed_is_honoured_after_the_batch(folder: RunFolder) -> None:
    control = Control(folder, Journal(folder.journal_path))
    with Interruption():
        assert not control.stop_wanted(1, 1)
        with contextlib.suppress(KeyboardInterrupt):
            ask_to_end()
        with pytest.raises(KeyboardInterrupt):
            control.stop_wanted(1, 2)
