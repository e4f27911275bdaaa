"""Several computers, one home. Containers stand for the others: process numbers, host name and network of their own.

Their first process has the number 1 in each, and all have the same host name, as containers may.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from fer_core import lease
from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.review.annotations import AMBIGUOUS, NOT_A_FACE, Annotations
from fer_core.runs import clean_up
from fer_core.runs.clean_up import CleanedUp
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.training import jobs
from fer_core.training.lock import TrainingLock, worker

ROOT = Path(__file__).resolve().parent.parent
CONTAINER = [
    *("unshare", "--pid", "--uts", "--net", "--ipc", "--mount-proc", "--fork", "--kill-child"),
    *(() if not hasattr(os, "geteuid") or os.geteuid() == 0 else ("--user", "--map-root-user")),
]
FINGERPRINT = "ab" * 32
HUNG_S = 60

CLOCK = """
import sys, time
real, real_ns = time.time, time.time_ns
time.time = lambda: real() + float(sys.argv[1])
time.time_ns = lambda: real_ns() + round(1e9 * float(sys.argv[1]))
"""
"""A host whose clock is that many seconds ahead."""
TRAINS = f"""{CLOCK}
from pathlib import Path
from fer_core import lease
from fer_core.errors import RunError
from fer_core.training.lock import TrainingLock
lease.BEAT_S, lease.FRESH_S, lease.WATCH_S = 0.1, 2.0, 1.0
print("ready", flush=True)
input()
try:
    with TrainingLock(Path(sys.argv[2])):
        print("trains", flush=True)
        input()
except RunError as error:
    print(error, flush=True)
"""
MARKS = f"""{CLOCK}
from fer_core.review.annotations import AMBIGUOUS, Annotations
marks, first = Annotations.load("{FINGERPRINT}"), int(sys.argv[2])
print("ready", flush=True)
for line in sys.stdin:
    for row in range(first, first + int(line)):
        marks.set(row, AMBIGUOUS)
    marks.refresh()
    print(" ".join(f"{{row}}:{{mark.kind}}" for row, mark in marks.all().items()), flush=True)
"""
IMPORTS = """
import sys
import numpy as np
from pathlib import Path
from fer_core.data.writer import DatasetWriter
from fer_core.leftovers import temporary_folder
from fer_core.settings import settings
home = settings()
home.cache_dir.mkdir()
(temporary_folder("upload", home.cache_dir) / "fer2013.csv").write_bytes(b"emotion,pixels")
(temporary_folder("fer-explorer", Path(sys.argv[1])) / "source.mp4").write_bytes(b"a visitor's face")
with DatasetWriter(home.datasets_dir / "mine", kind="csv", source="x") as writer:
    writer.add(np.zeros((7, 48, 48), np.uint8), range(7), ["Training"] * 7)
    print("ready", flush=True)
    input()
print("done", flush=True)
"""


class Host:
    """A process on another computer, which speaks by lines. To it the home is the folder ``disk``, where given."""

    def __init__(self, code: str, *arguments: object, disk: Path | None = None) -> None:
        mounted = ["sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", str(disk), str(settings().home)]
        self._process = subprocess.Popen(
            [*CONTAINER, *(mounted if disk else ()), sys.executable, "-c", code, *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def hears(self, line: object = "") -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def kill(self) -> None:
        """``kill -9`` of the process itself, the first one in there."""
        for child in psutil.Process(self._process.pid).children():
            child.kill()
        self._process.communicate()


@pytest.fixture
def host() -> Iterator[Callable[..., Host]]:
    """Starts processes on other computers."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here, as elsewhere than on Linux")
    tried = subprocess.run([*CONTAINER, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no containers here: {tried.stderr.strip()}")
    hosts: list[Host] = []

    def start(code: str, *arguments: object, disk: Path | None = None) -> Host:
        hosts.append(Host(code, *arguments, disk=disk))
        return hosts[-1]

    yield start
    for one in hosts:
        if one._process.poll() is None:
            one.kill()


@pytest.fixture
def run(home: Path) -> RunFolder:
    """A run in its first epoch."""
    folder = RunFolder(home / "runs" / "shared")
    folder.path.mkdir(parents=True)
    write_json(folder.recipe_path, Recipe("custom_cnn", epochs=4).to_dict())
    journal = Journal(folder.journal_path)
    journal.write("phase", name="loading", detail="")
    data = {"name": "d", "title": "D", "kind": "csv", "fingerprint": "f" * 64, "faces": 100}
    journal.write("start", epochs=4, steps=10, batch_size=8, first_epoch=1, data=data)
    journal.write("phase", name="training", detail="")
    return folder


@pytest.mark.slow
def test_of_all_computers_one_trains_a_run_and_all_see_it(
    home: Path, run: RunFolder, host: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = [host(TRAINS, seconds, run.path) for seconds in (10**6, -(10**6), 0)]
    assert [one.says() for one in hosts] == ["ready"] * 3
    for one in hosts:
        one.hears()
    said = [one.says() for one in hosts]
    assert said.count("trains") == 1
    trains = hosts[said.index("trains")]
    assert all("shared is training on another computer" in one for one in said if one != "trains")
    # Here, and by the command on yet another computer.
    here = jobs.status(run.path)
    assert (here.state, here.alive, here.resumable, here.can_stop) == ("running", True, False, True)
    command = [*CONTAINER, sys.executable, "-m", "fer_core", "runs", "shared", "--json"]
    there = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    assert there["state"] == here.state
    with pytest.raises(RunError, match="Stop it first"):
        jobs.delete(run.path)
    own = home / "runs" / "own"
    own.mkdir()
    with TrainingLock(own):
        assert jobs.current() == own, "one training a computer"
    monkeypatch.setattr(lease, "FRESH_S", 2.0)
    monkeypatch.setattr(lease, "WATCH_S", 1.0)
    trains.kill()
    deadline = time.monotonic() + HUNG_S
    while worker(run.path, wait=True) is not None:
        assert time.monotonic() < deadline
    assert (jobs.status(run.path).state, jobs.status(run.path).resumable) == ("died", True)
    # Of those who take it over at once, one gets it.
    hosts = [host(TRAINS, seconds, run.path) for seconds in (-(10**6), 10**6)]
    assert [one.says() for one in hosts] == ["ready"] * 2
    for one in hosts:
        one.hears()
    assert [one.says() for one in hosts].count("trains") == 1
    assert worker(run.path) is not None


@pytest.fixture
def late_disks(tmp_path: Path) -> Iterator[list[Path]]:
    """The same folder, mounted three times: each remembers for a while which names it did not find, as NFS does."""
    server, options = tmp_path / "server", "attr_timeout=0,entry_timeout=0,negative_timeout=600"
    server.mkdir()
    disks = [tmp_path / f"disk{number}" for number in range(3)]
    if shutil.which("bindfs") is None:
        pytest.skip("there is no bindfs here")
    mounted = []
    try:
        for disk in disks:
            disk.mkdir()
            command = ["bindfs", "-o", options, "--multithreaded", "--enable-lock-forwarding", str(server), str(disk)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
            mounted.append(disk)
        yield disks
    finally:
        for disk in mounted:
            subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.slow
def test_on_a_disk_that_shows_new_files_late_each_computer_trained_the_run(
    home: Path, late_disks: list[Path], host: Callable[..., Host]
) -> None:
    (late_disks[0] / "runs" / "shared").mkdir(parents=True)
    assert not (late_disks[1] / "runs" / "shared" / ".lease.json").exists()
    look = TRAINS.replace("input()\n", "(Path(sys.argv[2]) / '.lease.json').exists()\ninput()\n", 1)
    hosts = [host(look, 0, home / "runs" / "shared", disk=disk) for disk in late_disks]
    assert [one.says() for one in hosts] == ["ready"] * 3
    said = []
    for one in hosts:
        one.hears()
        said.append(one.says())
    assert said[0] == "trains"
    assert all("is training on another computer" in one for one in said[1:])


@pytest.mark.slow
def test_marks_of_all_computers_are_kept_and_seen_by_all(home: Path, host: Callable[..., Host]) -> None:
    hosts = [host(MARKS, seconds, first) for first, seconds in ((0, 10**6), (100, -(10**6)), (200, 0))]
    assert [one.says() for one in hosts] == ["ready"] * 3
    for one in hosts:
        one.hears(50)
    for one in hosts:
        one.says()
    marks = Annotations.load(FINGERPRINT)
    assert list(marks.all()) == [first + row for first in (0, 100, 200) for row in range(50)]
    # Whoever sees a mark changes it, whosever clock is ahead.
    marks.set(7, NOT_A_FACE)
    hosts[1].hears(0)
    seen = hosts[1].says().split(" ")
    assert "7:not" in seen
    hosts[2].hears(100_000)
    path = marks.path
    assert path is not None
    deadline = time.monotonic() + HUNG_S
    while len(marks) < 200:
        marks.refresh()
        assert time.monotonic() < deadline
    hosts[2].kill()
    assert len(list(path.iterdir())) == 4
    again = Annotations.load(FINGERPRINT)
    assert len(again) >= len(marks)
    assert all(mark.kind == AMBIGUOUS for row, mark in again.all().items() if row != 7)
    assert all("is cut off" in problem for problem in again.problems)
    again.set(10**6, AMBIGUOUS)
    assert len(list(path.iterdir())) == 4, "a month may pass before another computer's file is gone on with"


@pytest.mark.slow
def test_what_another_computer_imports_is_not_swept_away(
    home: Path, tmp_path: Path, host: Callable[..., Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(clean_up, "_last", None)
    hosts = [host(IMPORTS, temporary)]
    assert hosts[0].says() == "ready"
    assert clean_up.clean_up() == CleanedUp()
    assert [path.name.split(".")[1] for path in settings().datasets_dir.iterdir()] == ["mine"]
    hosts[0].hears()
    assert hosts[0].says() == "done"
    assert [path.name for path in settings().datasets_dir.iterdir()] == ["mine"]
    shutil.rmtree(settings().datasets_dir / "mine")
    shutil.rmtree(settings().cache_dir)
    hosts.append(host(IMPORTS, temporary))
    assert hosts[1].says() == "ready"
    hosts[1].kill()
    # It cannot be seen from here that it is gone.
    assert clean_up.clean_up() == CleanedUp()
    long_ago = time.time() - 2 * 24 * 3600
    for path in (*home.rglob("*"), *temporary.rglob("*")):
        os.utime(path, (long_ago, long_ago))
    assert clean_up.clean_up() == CleanedUp(("mine",), 1, 2, 0)
