"""A sweep over two nodes through ``kill -9`` of a training, an actor, a node and the command itself.

On the loopback address, with bounded waits, and with a network that trains an epoch in a fraction of a second.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from fer_core import lease
from fer_core.data.dataset import write_dataset
from fer_core.emotions import COUNT, SPLITS
from fer_core.runs.contracts import RunState
from fer_core.runs.events import starts_of
from fer_core.runs.folder import RunFolder
from fer_core.settings import PROJECT_ROOT, settings
from fer_core.sweeps.folder import read_sweep
from fer_core.sweeps.standing import SweepState, TrialState, standing

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(600),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]

HERE = Path(__file__).resolve().parent
EPOCHS = 20
RATES = (0.003, 0.002)
PATIENCE_S = 120.0
"""For whatever has to happen at all; on a busy machine libraries alone take half a minute to load."""
ORPHANS_S = 5.0
"""Within which nothing may be left of a trial whose engine is gone."""


def until(happened: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
    return found


class Nodes:
    """A cluster of this computer alone. ``environment`` is that of whoever uses it; ``raylets``: its nodes' processes,
    the head's first.
    """

    def __init__(self) -> None:
        self.environment = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            # Otherwise Ray would take this host's own address instead of the loopback one.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "PYTHONPATH": os.pathsep.join([str(HERE / "site"), str(PROJECT_ROOT)]),
        }
        self.raylets: list[int] = []
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "two_nodes.py")],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.environment["FER_EXPLORER_CLUSTER"] = self._told()

    def add(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("one more\n")
        self._process.stdin.flush()
        self._told()

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _told(self) -> str:
        assert self._process.stdout is not None
        found = json.loads(self._process.stdout.readline())
        self.raylets.append(found["raylet"])
        return str(found["address"])


@pytest.fixture
def nodes(home: Path) -> Iterator[Nodes]:
    made = Nodes()
    try:
        made.add()
        yield made
    finally:
        made.stop()


@pytest.fixture
def data(home: Path) -> Path:
    """210 faces whose brightness tells their class, so that a good recipe learns and a bad one does not."""
    labels = np.arange(210) % COUNT
    rng = np.random.default_rng(0)
    images = (labels[:, None, None] * 30 + rng.integers(0, 20, (210, 48, 48))).astype(np.uint8)
    write_dataset(settings().datasets_dir / "bright", images, labels, np.repeat(SPLITS, 70), title="Bright")
    return settings().datasets_dir / "bright"


def drive(nodes: Nodes, *arguments: str) -> subprocess.Popen[str]:
    """``sweep`` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "fer_core", "sweep", *arguments],
        cwd=PROJECT_ROOT,
        env=nodes.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=2 * PATIENCE_S)
    return process.returncode, out + err


def run(number: int) -> RunFolder:
    return RunFolder(settings().runs_dir / f"rates-{number:03d}")


def trains(folder: RunFolder) -> psutil.Process | None:
    """The process that trains a run now and has finished an epoch, and not all."""
    held = lease.alive(folder.lease_path)
    starts = starts_of(folder.events())
    if held is None or not starts or starts[-1]["pid"] != held.pid:
        return None
    told = folder.events()[folder.events().index(starts[-1]) :]
    epochs = sum(event["event"] == "epoch" for event in told)
    last = starts[-1].get("first_epoch", 1) + epochs - 1
    return psutil.Process(held.pid) if epochs and last < EPOCHS - 2 else None


def all_training(*numbers: int) -> list[psutil.Process]:
    return [found for number in numbers if (found := trains(run(number)))]


def any_training(*numbers: int) -> psutil.Process | None:
    return next(iter(all_training(*numbers)), None)


def check_gone(*processes: psutil.Process) -> None:
    until(lambda: not any(one.is_running() and one.status() != "zombie" for one in processes), "orphans", ORPHANS_S)


def node_of(process: psutil.Process) -> int:
    """The raylet above a training."""
    return next(one.pid for one in process.parents() if "raylet" in one.name())


def children_of_trials() -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if command[1:4] == ["-m", "fer_core", "train"] and any(str(settings().home) in word for word in command):
            found.append(process)
    return found


def test_a_sweep_survives_kills_of_training_actor_node_and_command_and_is_ended_in_order(
    nodes: Nodes, data: Path
) -> None:
    every = range(1, len(RATES) + 1)
    started = drive(
        nodes, "start", "rates", "--data", str(data), "--epochs", str(EPOCHS), "--batch-size", "7",
        "--grid", f"learning_rate={','.join(map(str, RATES))}", "--set", "precision=float32",
    )  # fmt: skip
    try:
        training = until(lambda: any_training(*every), "a trial trains")
        sweep = read_sweep(settings().sweeps_dir / "rates")
        assert standing(sweep).state == SweepState.RUNNING
        assert TrialState.TRAINING in [trial.state for trial in standing(sweep).trials], "the app shows it live"
        training.kill()
        check_gone(training)

        other = until(lambda: any_training(*every), "a trial trains after the kill of a training")
        actor = other.parent()
        assert actor is not None
        actor.kill()
        check_gone(other)

        second = nodes.raylets[1]
        until(lambda: any(node_of(one) == second for one in all_training(*every)), "a trial trains on the second node")
        there = [one for one in children_of_trials() if node_of(one) == second]
        os.kill(second, signal.SIGKILL)
        check_gone(*there)

        last = until(lambda: any_training(*every), "a trial trains on the node that is left")
        assert node_of(last) == nodes.raylets[0]
        started.kill()
        check_gone(*children_of_trials(), last)
        assert standing(read_sweep(sweep.path)).state == SweepState.INTERRUPTED
    finally:
        started.kill()
        started.communicate()

    nodes.add()
    # Ray dumped its stack then, and the process was gone without a word of what stands.
    asked = drive(nodes, "resume", "rates")
    training = until(lambda: any_training(*every), "a trial trains after the command was given again")
    asked.terminate()
    code, text = ended(asked)
    assert code == 130, text
    assert "sweep resume rates" in text.splitlines()[-2]
    assert text.splitlines()[-1] == "interrupted"
    assert "SIGTERM" not in text
    check_gone(training, *children_of_trials())
    assert lease.alive(sweep.path / ".lease.json") is None
    assert not (sweep.path / ".tune").exists()

    code, text = ended(drive(nodes, "resume", "rates"))
    assert code == 0, text
    now = standing(read_sweep(sweep.path))
    assert now.state == SweepState.FINISHED
    assert {trial.state for trial in now.trials} == {TrialState.DONE}
    attempts = 0
    for folder in map(run, every):
        manifest = folder.manifest()
        assert manifest is not None
        assert manifest["state"] == RunState.DONE
        assert folder.metrics() is not None
        assert [int(epoch) for epoch in folder.history()["epoch"]] == list(range(1, EPOCHS + 1)), "each epoch once"
        trained = 0
        for event in folder.events():
            if event["event"] == "start":
                attempts += 1
                # The epoch in whose end the kill fell may have been told before its state was saved.
                assert event.get("first_epoch", 1) in (trained + 1, max(1, trained))
            elif event["event"] == "epoch":
                trained = event["epoch"]
    assert attempts >= len(RATES) + 5, "each of the four kills, and the signal, hit a trial that was training"
    assert children_of_trials() == []
