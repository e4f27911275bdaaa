"""The process that opens a stranger's model: limited, watched, ended, and whatever becomes of it told in a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import model_files as files
import numpy as np
import psutil
import pytest

from fer_core.bring.bounds import Bounds
from fer_core.bring.kinds import OtherFrameworkError
from fer_core.bring.session import COMMAND, Session
from fer_core.errors import ModelError
from fer_core.settings import PROJECT_ROOT

FACES = np.zeros((70, 48, 48), np.uint8)
LABELS = np.arange(70) % 7


def refusal(source: Path, program: str = "", **options: object) -> str:
    command = (sys.executable, "-c", program) if program else COMMAND
    with pytest.raises(ModelError) as refused:
        Session(source, FACES, LABELS, command=command, **options)  # type: ignore[arg-type]
    assert not [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return str(refused.value)


def test_a_hostile_file_is_refused_before_any_library_of_models_is_loaded(tmp_path: Path) -> None:
    path = files.write_hdf5(tmp_path / "a.h5", files.sequential(files.lambda_layer()))
    said: list[str] = []
    began = time.process_time()
    assert "Lambda" in refusal(path, told=said.append)
    assert said == ["reading it as data"]
    assert time.process_time() - began < 5


def test_other_frameworks_come_with_their_script(tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(b"\x80\x04pickle" + bytes(100))
    with pytest.raises(OtherFrameworkError) as refused:
        Session(tmp_path / "m.h5", FACES, LABELS)
    assert len(refused.value.script) == 3


@pytest.mark.parametrize(
    ("program", "word"),
    [
        ("import time; time.sleep(600)", "minutes"),
        ("x = bytearray(300 * 1024**2); x[::4096] = b'1' * len(x[::4096]); import time; time.sleep(600)", "memory"),
        ("import sys; sys.exit('its last words')", "its last words"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "SIGXCPU"),
        ("print('no JSON', flush=True); import time; time.sleep(600)", "no answer"),
        ('print(\'{"kind": "built"}\', flush=True); import time; time.sleep(600)', "out of turn"),
        ("print('x' * 10**7, flush=True)", "no answer"),
    ],
)
def test_whatever_becomes_of_the_process_is_one_sentence(program: str, word: str, tmp_path: Path) -> None:
    seconds = 0.5 if word == "minutes" else 60.0
    assert word in refusal(tmp_path / "m.h5", program, bounds=Bounds(seconds, 200 * 1024**2))


LIMITED = """
import json, os, resource, socket, sys
from fer_core.bring.limits import limit_this_process
limits = limit_this_process()
names = ("RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE")
found = {name: resource.getrlimit(getattr(resource, name)) for name in names}
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
    reached = True
except OSError:
    reached = False
print(json.dumps({"cut": limits.network, "reached": reached, "limits": found}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")
def test_the_process_is_limited_and_cut_off_from_the_network() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        result = subprocess.run(
            [sys.executable, "-c", LIMITED, str(server.getsockname()[1])],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    found = json.loads(result.stdout)
    # A container may forbid it. Then it is not claimed either.
    assert found["cut"] is not found["reached"]
    assert all(0 <= soft == hard for soft, hard in found["limits"].values())


def test_a_process_that_ended_before_it_was_asked_is_told_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing the pipe that it had not read from broke off with BrokenPipeError."""
    start = Session._start

    def and_wait(self: Session, command: tuple[str, ...]) -> None:
        start(self, command)
        assert self._child is not None
        self._child.wait()

    monkeypatch.setattr(Session, "_start", and_wait)
    assert "its last words" in refusal(tmp_path / "m.h5", "import sys; sys.exit('its last words')")


def test_the_process_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    program = "import os, sys; sys.exit(' '.join(name for name in os.environ if name in ('HOME', 'KAGGLE_KEY')))"
    words = refusal(tmp_path / "m.h5", program)
    assert "KAGGLE_KEY" not in words
    assert "HOME" in words
    assert os.environ["KAGGLE_KEY"] == "secret"
