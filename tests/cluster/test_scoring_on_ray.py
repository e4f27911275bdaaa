"""Scoring on Ray: two workers of which one is killed, a killed driver, one processor for many workers."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from scored import make_model, make_pictures, request, rows_of

from fer_core.cluster.engine import Engine, engine
from fer_core.cluster.scoring import listing, on_ray
from fer_core.cluster.scoring.listing import Shard, cut, read_list
from fer_core.cluster.scoring.scorer import Job, Scorer
from fer_core.cluster.scoring.scoring import score
from fer_core.data.scored_folder import FACES, FILES, read_manifest
from fer_core.emotions import NAMES
from fer_core.errors import RunError
from fer_core.inference.models import load_model
from fer_core.processes import ProcessMark

# Not imported here: what Ray reads from the environment then must be set before.
pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(300),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90.0


@pytest.fixture
def source(home: Path, tmp_path: Path) -> Path:
    """Fifty faces under sixty names each, and one file that is no picture."""
    make_model()
    folder = make_pictures(tmp_path / "source", 50)
    for path in list(folder.rglob("*.png")):
        for number in range(59):
            os.link(path, path.with_stem(f"{path.stem}-{number:02}"))
    (folder / "broken.png").write_text("no picture")
    return folder


def at_work(out: Path) -> list[int]:
    """The processes that write a shard at this moment."""
    marks = [ProcessMark.find(path.name) for path in (out / FACES).glob(".*.part.parquet")]
    return [mark.pid for mark in marks if mark is not None and mark.alive()]


def check_rows(source: Path, out: Path) -> None:
    rows = rows_of(out)
    assert [row["file"] for row in rows] == sorted(p.relative_to(source).as_posix() for p in source.rglob("*.png"))
    [broken] = [row for row in rows if row["problem"]]
    assert broken["file"] == "broken.png"
    faces = [row for row in rows if row["face"] is not None]
    pixels = np.frombuffer(b"".join(row["pixels"] for row in faces), np.uint8).reshape(-1, 48, 48)
    kinds, which = np.unique(pixels, axis=0, return_inverse=True)
    # What predict asks, too.
    expected = load_model("one").predict(kinds)[which.ravel()]
    np.testing.assert_allclose([[row[f"one:{name}"] for name in NAMES] for row in faces], expected, atol=1e-6)


def test_every_file_is_scored_once_though_a_worker_is_killed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SHARD", 250)
    out = tmp_path / "out"
    workers: set[int] = set()
    killed: list[int] = []

    def watch() -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and len(killed) < 1:
            found = at_work(out)
            workers.update(found)
            if len(workers) > 1 and found:
                os.kill(found[0], signal.SIGKILL)
                killed.append(found[0])
            time.sleep(0.002)

    watching = threading.Thread(target=watch)
    watching.start()
    outcome = score(request(source, out, workers=2))
    watching.join(timeout=PATIENCE_S)
    assert len(killed) == 1
    assert (outcome.files, outcome.faces, outcome.unreadable, outcome.failed) == (3_001, 3_000, 1, {})
    check_rows(source, out)


def test_a_killed_driver_leaves_nobody_at_work_and_the_next_start_goes_on(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = "import sys; from fer_core.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "score", str(source), "--out", str(out), "--models", "one"]
    driver = subprocess.Popen([*command, "--workers", "2"], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and driver.poll() is None and not at_work(out):
            time.sleep(0.002)
        family = psutil.Process(driver.pid).children(recursive=True)
        busy = at_work(out)
        assert busy
    finally:
        driver.kill()
        driver.wait(timeout=30)
    _, alive = psutil.wait_procs([one for one in family if one.pid in busy], timeout=30)
    assert alive == []
    # Ray's own daemons end by themselves, in their time; those of a test must not outlive it.
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    outcome = score(request(source, out))
    assert (outcome.files, outcome.faces, outcome.manifest["shards"]) == (3_001, 3_000, 4)
    check_rows(source, out)


@pytest.fixture(scope="module")
def one_processor() -> Iterator[Engine]:
    with engine(cpus=1) as found:
        yield found


@pytest.fixture
def on_one_processor(one_processor: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "engine", lambda cpus: contextlib.nullcontext(one_processor))


@pytest.mark.usefixtures("on_one_processor")
def test_many_workers_on_one_processor_take_turns(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline of readers and actors hung here: the actors held the only processor."""
    monkeypatch.setattr(listing, "SHARD", 1_000)
    assert score(request(source, tmp_path / "out", workers=3)).faces == 3_000


@pytest.mark.usefixtures("on_one_processor")
def test_a_shard_whose_worker_dies_each_time_is_told_and_holds_up_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Defined here, so that it is sent to workers as it is: they know no tests.
    def dies_with_the_second(job: Job, shard: Shard) -> object:
        if shard.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return Scorer(job).score(shard)

    monkeypatch.setattr(on_ray, "score_shard", dies_with_the_second)
    monkeypatch.setattr(listing, "SHARD", 1_000)
    outcome = score(request(source, tmp_path / "out", workers=2))
    assert list(outcome.failed) == [1]
    assert "ended 4 times" in outcome.failed[1]
    assert outcome.files == 2_001


@pytest.mark.usefixtures("on_one_processor")
def test_what_a_worker_refuses_ends_the_command_with_its_sentence(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    score(request(source, out))
    about = read_manifest(out)
    other = about | {"models": [about["models"][0] | {"sha256": "0" * 64}], "seal": "1" * 64}
    job = Job(str(source), str(out), (str(load_model("one").path.parent),), other)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="are not those that the scoring began with"):
        list(on_ray.records(job, cut(read_list(out / FILES)), 2))
