"""One trial as Ray Tune sees it: the project's own ``train`` in a child process, its journal told epoch by epoch.

A class and not a function: Tune ends a function's process without waiting for what it has started. Tune never has to
end this one at all. Whoever wants a trial to stop writes so into the sweep (the scheduler: its outcome; a person: the
file ``stop``); the trial asks its training in the ordinary way and waits until the best epoch is evaluated, exported
and sealed. Tune itself would wait for ten minutes in the midst of an experiment, and for five seconds at its end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

import psutil
from ray import get_runtime_context, tune

from fer_core.cluster.results import Result
from fer_core.errors import FerError, SweepError
from fer_core.files import is_there, write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import epochs_of
from fer_core.settings import PROJECT_ROOT
from fer_core.sweeps.contracts import Outcome, TrialRecord
from fer_core.sweeps.folder import FILE, Sweep, read_sweep
from fer_core.training.jobs import LOW_PRIORITY, tail_of_log
from fer_core.training.lock import worker
from fer_core.training.resume_state import remember_data
from fer_core.training.scheduled import ORPHANED, SCHEDULED
from fer_core.training.status import JobState, status
from fer_core.zoo.backend import VARIABLE

POLL_S = 0.25
INTERRUPTED = 130
"""Exit code of a command that was asked to end before it had begun to train."""
FREE_S = 120.0
"""Seconds for which a run may seem to be trained elsewhere: the lease of a lost computer counts for half a minute."""


class TrialConfig(TypedDict):
    """What Tune hands a trial: the sweep's folder, its ``id``, and the name of the trial's run."""

    sweep: str
    id: str
    run: str


class KilledError(RuntimeError):
    """The training was killed: Tune starts the trial again, and the run goes on after its last whole epoch."""


class Trial(tune.Trainable):
    """Trains one run, or goes on with it. Each :meth:`step` tells of one epoch, the last one of how it ended."""

    def setup(self, config: TrialConfig) -> None:
        self.told = 0
        self.node = os.getppid()
        self.child: subprocess.Popen[bytes] | None = None
        self.problem = ""
        self.began = False
        try:
            self.sweep = _find(config)
            self.trial: TrialRecord = self.sweep.trial(config["run"])
            self.read = _state(self.sweep.path / FILE)
        except (FerError, OSError) as error:
            # Told by the first step: an error here would be tried again, and again.
            self.problem = f"{_here()}: {error}"

    def step(self) -> Result:
        if self.problem:
            return self._ended(failed=self.problem)
        if not self.began:
            self.began = True
            if (already := self._begin()) is not None:
                return already
        while True:
            # Asked before the journal is read, so that nothing that it wrote is missed.
            code = 0 if self.child is None else self.child.poll()
            epochs = epochs_of(self.folder.events())
            if self.told < len(epochs):
                event = epochs[self.told]
                self.told += 1
                # After a retry these are told from the first one on: the scheduler knows them by their epoch.
                return {"run": self.trial["run"], "epoch": event["epoch"], "val_accuracy": event["val_accuracy"]}
            if code is not None:
                return self._after(code)
            if os.getppid() != self.node:
                # Ray's process of this computer was killed: it tells its workers only after many seconds, in which
                # another computer may go on with the run.
                os._exit(ORPHANED)
            self._pass_on_a_wish_to_stop()
            time.sleep(POLL_S)

    def cleanup(self) -> None:
        """Where Tune ends the trial after all: its training goes with it, and stays as any kill leaves it."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()

    @property
    def folder(self) -> RunFolder:
        return self.sweep.folder(self.trial)

    def _begin(self) -> Result | None:
        """Start the training; or what there is to tell where nothing needs to be trained."""
        folder = self.folder
        if (busy := _wait_until_free(folder)) is not None:
            return self._ended(failed=busy)
        if not folder.recipe_path.exists() and not folder.complete:
            if self._is_wanted_to_stop():
                return self._ended()
            try:
                # As a job does: recipe.json last, since it makes the folder a run.
                folder.path.mkdir(parents=True, exist_ok=True)
                remember_data(folder, self.sweep.data)
                write_json(folder.recipe_path, self.sweep.recipe(self.trial).to_dict())
            except (FerError, OSError) as error:
                return self._ended(failed=f"{_here()}: {error}")
        now = status(folder.path)
        if now.state == JobState.DAMAGED:
            return self._ended(failed=now.message)
        # Sealed, and not just at its end: one that was killed while it was evaluated still has to be.
        if folder.complete and (now.state == JobState.DONE or self._is_wanted_to_stop()):
            return None  # its epochs are told, and nothing is started
        self._spawn(folder)
        return None

    def _spawn(self, folder: RunFolder) -> None:
        # A run that has a journal goes on; before that there is nothing to go on with.
        command = [sys.executable, "-m", "fer_core", "train", "--data", str(self.sweep.data)]
        if folder.journal_path.exists():
            command += ["--resume", str(folder.path)]
        else:
            command += ["--recipe", str(folder.recipe_path), "--run-dir", str(folder.path)]
        with folder.log_path.open("ab") as log:
            # In this process's session and with a pipe that only this process holds: however it ends, the child sees
            # the pipe's end and goes, too. One in a session of its own would outlive a killed actor.
            self.child = subprocess.Popen(
                command,
                env={**os.environ, **_environment(self.sweep, self.sweep.recipe(self.trial).backend)},
                cwd=PROJECT_ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if sys.platform != "win32":
            psutil.Process(self.child.pid).nice(LOW_PRIORITY)

    def _pass_on_a_wish_to_stop(self) -> None:
        if self._is_wanted_to_stop() and self.child is not None and not self.folder.stop_path.exists():
            found = worker(self.folder.path)
            # Not before the child holds the run: it takes away what was asked of earlier processes.
            if found is not None and found.is_here and found.pid == self.child.pid:
                self.folder.stop_path.touch()

    def _is_wanted_to_stop(self) -> bool:
        if is_there(self.sweep.stop_path):
            return True
        if (now := _state(self.sweep.path / FILE)) != self.read:
            self.sweep, self.read = read_sweep(self.sweep.path), now
            self.trial = self.sweep.trial(self.trial["run"])
        return self.trial.get("outcome") == Outcome.STOPPED_EARLY

    def _after(self, code: int) -> Result:
        """What to tell when the training's process has ended."""
        if code == 0:
            return self._ended()
        if code < 0 or code in (ORPHANED, INTERRUPTED):
            raise KilledError(f"{self.folder.name}: the training was killed ({code})")
        # Any other code is a wrong recipe, or a defect: it would end so again.
        now = status(self.folder.path)
        said = now.message if now.state == JobState.FAILED else tail_of_log(self.folder.path, 1)
        return self._ended(failed=said or f"exit code {code}")

    def _ended(self, *, failed: str = "") -> Result:
        epochs = [] if self.problem else epochs_of(self.folder.events())
        return {
            "run": self.config["run"],
            "epoch": len(epochs),
            "val_accuracy": epochs[-1]["val_accuracy"] if epochs else 0.0,
            "done": True,
            "failed": failed,
        }


def _find(config: TrialConfig) -> Sweep:
    """The sweep, as this computer sees it. Raises ``SweepError`` where it sees another home."""
    sweep = read_sweep(Path(config["sweep"]))
    if sweep.manifest["id"] != config["id"]:
        raise SweepError(f"{sweep.path} is another sweep here. All computers of a cluster must share one home.")
    return sweep


def _state(path: Path) -> tuple[int, int, int]:
    """Changes whenever the file is written anew."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _wait_until_free(folder: RunFolder) -> str | None:
    """None when nobody works on the run; who does after two minutes, in a sentence."""
    end = time.monotonic() + FREE_S
    while (found := worker(folder.path, wait=True)) is not None:
        if time.monotonic() > end:
            return f"{folder.name} is being trained by process {found.pid} on {found.host}."
        time.sleep(POLL_S)
    return None


def _environment(sweep: Sweep, backend: str) -> dict[str, str]:
    """Of the child: as many threads as the trial has processors. Ray tells OpenMP; TensorFlow and JAX ask nobody."""
    threads = str(max(1, int(sweep.manifest["cpus_per_trial"])))
    shares_a_card = 0 < sweep.manifest["gpus_per_trial"] < 1
    return {
        SCHEDULED: "1",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": "1",
        "PJRT_NPROC": threads,
        VARIABLE: backend,
        # Each would otherwise take all of the card's memory for itself.
        **({"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"} if shares_a_card else {}),
    }


def _here() -> str:
    return f"on the computer {get_runtime_context().get_node_id()[:8]}"
