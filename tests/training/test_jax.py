"""A training with JAX: killed, resumed and sealed like any other. Skipped where JAX is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.dataset import write_dataset
from fer_core.emotions import COUNT, SPLITS
from fer_core.runs.events import starts_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import epochs_of
from fer_core.settings import PROJECT_ROOT, settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed"),
]
SMALL_NETWORK = PROJECT_ROOT / "tests" / "cluster" / "site"
PATIENCE_S = 600.0
EPOCHS = 12


def train(*arguments: str, backend: str | None) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (SMALL_NETWORK, PROJECT_ROOT)))}
    environment.pop("KERAS_BACKEND", None)
    if backend:
        environment["KERAS_BACKEND"] = backend
    command = [sys.executable, "-m", "fer_core", "train", *arguments]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdin=subprocess.DEVNULL)


def test_a_training_with_jax_is_killed_resumed_and_sealed(home: Path) -> None:
    labels = np.arange(210) % COUNT
    images = (labels[:, None, None] * 30 + np.random.default_rng(0).integers(0, 20, (210, 48, 48))).astype(np.uint8)
    data = settings().datasets_dir / "bright"
    write_dataset(data, images, labels, np.repeat(SPLITS, 70), title="Bright")
    folder = RunFolder(settings().runs_dir / "with-jax")

    first = train(
        "custom_cnn", "--data", str(data), "--run-dir", str(folder.path), "--epochs", str(EPOCHS), "--batch-size", "7",
        "--set", "precision=float32", "--set", "averaging=0.9", backend="jax",
    )  # fmt: skip
    end = time.monotonic() + PATIENCE_S
    while first.poll() is None and len(epochs_of(folder.events())) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    first.kill()
    first.wait()
    before = len(epochs_of(folder.events()))
    assert 2 <= before < EPOCHS

    # It goes on with the library that it began with, whatever the environment says now.
    assert train("--resume", str(folder.path), backend=None).wait(timeout=PATIENCE_S) == 0
    assert starts_of(folder.events())[-1].get("first_epoch", 1) in (before, before + 1)
    assert [int(epoch) for epoch in folder.history()["epoch"]] == list(range(1, EPOCHS + 1))
    assert folder.recipe().backend == "jax"
    assert "Trained with JAX" in folder.card_path.read_text()
    assert folder.tflite_path.exists()
    assert folder.metrics() is not None
