"""Completing a run that another library than TensorFlow has trained: in a child process, since Keras has one for good.

LiteRT files come from TensorFlow alone. The training waits for the child, which reads ``model.keras``, evaluates,
exports and seals as any training does at its end; what hinders it comes back as the training's own error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fer_core.data.dataset import load_dataset
from fer_core.endings import how_it_ended
from fer_core.errors import FerError, RunError
from fer_core.evaluation.evaluate import complete_run
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.settings import PROJECT_ROOT
from fer_core.training.resources import use_fast_kernels
from fer_core.training.scheduled import SCHEDULED, end_with_the_engine
from fer_core.writable import sentence
from fer_core.zoo.backend import TENSORFLOW, VARIABLE

HINDERED = 2
"""Exit code of a child that says on standard output, as a JSON text, what hinders it."""


def complete_with_tensorflow(folder: RunFolder, data: Path, state: str) -> None:
    """:func:`fer_core.evaluation.evaluate.complete_run` in a child process, which ends when this one does.

    Raises ``RunError`` with what hinders it.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder.path), str(data.resolve()), state],
        # Its standard input is held open by this process alone, so that it ends with it, however that ends.
        env={**os.environ, VARIABLE: TENSORFLOW, SCHEDULED: "1"},
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        try:
            said = child.stdout.read().decode(errors="replace")
            code = child.wait()
        except BaseException:
            child.kill()
            raise
    if code == HINDERED:
        raise RunError(json.loads(said))
    if code:
        raise RunError(f"the run could not be evaluated with TensorFlow: {how_it_ended(code, said.splitlines()[-4:])}")


def _complete(folder: RunFolder, data: Path, state: str) -> str:
    """What hinders it; empty where all is done."""
    use_fast_kernels()
    try:
        complete_run(folder, load_dataset(data), state, Journal(folder.journal_path))
    except FerError as error:
        return str(error)
    except MemoryError:
        return "memory ran out while the run was evaluated. Close other programs, then resume it."
    except OSError as error:
        return sentence(error)
    return ""


def _main(path: str, data: str, state: str) -> int:
    end_with_the_engine()
    # Libraries print to standard output, where only what hinders it is awaited.
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if problem := _complete(RunFolder(Path(path)), Path(data), state):
        json.dump(problem, told)
        told.close()
        return HINDERED
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
