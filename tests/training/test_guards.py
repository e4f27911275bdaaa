"""What must never break, with a tiny network: a training goes on where it was, keeps its best epoch, exports the same.

The slow tests beside this file do the same with real networks, as people run them. All of this is one child process:
loading TensorFlow takes longer than the trainings.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fer_core.settings import PROJECT_ROOT


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("guards")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("tiny_training.py")), str(home)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "FER_EXPLORER_HOME": str(home), "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_training_that_broke_off_goes_on_after_its_last_whole_epoch(found: dict[str, Any]) -> None:
    assert found["broken off"] == "the power went out"
    assert found["first epochs"] == [1, 3]
    assert found["epochs"] == [1, 2, 3, 4]
    assert found["went on with the same"], "weights and optimiser"


def test_the_epoch_that_is_best_on_public_test_is_kept(found: dict[str, Any]) -> None:
    assert found["kept"] == [1, 2, 2, 4], "of two that are equally accurate, the one with the lower loss"
    assert found["best epoch"] == 4


def test_averaged_weights_are_what_is_measured_and_kept_and_go_on_after_a_break(found: dict[str, Any]) -> None:
    averaged = found["averaged"]
    assert averaged["steps"] == [4, 4]
    assert averaged["went on with the same"]
    assert averaged["kept was measured"]
    assert not averaged["kept was trained"]


def test_the_export_gives_what_keras_gives(found: dict[str, Any]) -> None:
    faces, difference, map_difference = found["parity"]
    assert faces == 42
    assert difference < 1e-4
    assert map_difference < 1e-4


def test_an_export_that_disagrees_is_refused_and_the_old_file_stays(found: dict[str, Any]) -> None:
    assert "disagrees" in found["refused"]
    assert found["left"] == "the old one"
    assert found["beside"] == ["model.tflite"], "nothing half-written"
