"""One interpreter a model file: shared, closed when unused, opened again by the next question, in turns."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from factories import TINY_MODEL

from fer_core.errors import RunError
from fer_core.inference import interpreter
from fer_core.inference.interpreter import Turns, close_unused, interpreter_of, open_interpreters
from fer_core.inference.predictor import Predictor

FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(TINY_MODEL / "model.tflite", tmp_path / "model.tflite"))


def opened(path: Path) -> list[Path]:
    return [one.path for one in open_interpreters() if one.path.parent == path.parent]


def test_predictors_of_one_file_share_what_costs_memory(file: Path) -> None:
    """A vote used to open every member a second time."""
    one, other = Predictor(file, threads=1), Predictor(file, threads=1, temperature=2.0)
    assert one._interpreter is other._interpreter
    assert opened(file) == [file]
    assert not np.allclose(one.predict(FACES), other.predict(FACES)), "each has its own temperature"
    del one, other
    assert opened(file) == []


def test_another_file_at_the_same_place_is_another_model(file: Path) -> None:
    before = interpreter_of(file, 1)
    again = file.with_name("new")
    shutil.copy(file, again)
    again.replace(file)
    assert interpreter_of(file, 1) is not before


def test_what_nobody_asks_is_closed_and_opens_again_with_the_same_answers(file: Path) -> None:
    model = Predictor(file, threads=1)
    before = model.predict(FACES)
    close_unused(3600)
    assert opened(file) == [file]
    close_unused(0)
    assert opened(file) == []
    np.testing.assert_array_equal(model.predict(FACES), before)
    assert opened(file) == [file]


def test_the_longest_unused_goes_where_open_models_take_too_much(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_unused(0)
    files = [Path(shutil.copy(file, tmp_path / f"{name}.tflite")) for name in ("a", "b", "c")]
    monkeypatch.setattr(interpreter, "IN_USE_SECONDS", 0.0)
    monkeypatch.setattr(interpreter, "BUDGET", 2.5 * file.stat().st_size * interpreter.BYTES_PER_BYTE)
    models = [Predictor(path, threads=1) for path in files[:2]]
    models[0].predict(FACES)
    models.append(Predictor(files[2], threads=1))
    assert sorted(opened(file)) == [files[0], files[2]]
    models[1].predict(FACES)
    assert sorted(opened(file)) == [files[1], files[2]]


def test_models_that_are_asked_in_turn_stay_open_however_much_they_take(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a stream with many models would open each of them anew at every frame."""
    files = [Path(shutil.copy(file, tmp_path / f"{name}.tflite")) for name in ("a", "b", "c")]
    monkeypatch.setattr(interpreter, "BUDGET", 1.0)
    models = [Predictor(path, threads=1) for path in files]
    assert len(models) == len(opened(file)) == 3


def test_a_file_that_has_gone_is_said_when_it_is_opened_again(file: Path) -> None:
    model = Predictor(file, threads=1)
    close_unused(0)
    file.unlink()
    with pytest.raises(RunError, match="no model file"):
        model.predict(FACES)


def test_turns_are_taken_in_order() -> None:
    """A thread with a thousand faces used to take the lock again before another that waited for it had woken up."""
    turns, order, waiting = Turns(), list[int](), threading.Event()

    def other() -> None:
        waiting.set()
        with turns:
            order.append(2)

    with turns:
        thread = threading.Thread(target=other)
        thread.start()
        waiting.wait()
        while not turns._waiting:
            pass
        order.append(1)
    with turns:
        order.append(3)
    thread.join()
    assert order == [1, 2, 3]
    assert turns.free
