"""Runs measured with LiteRT alone, in the background: one at a time, and what is left when it is killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from factories import make_run, make_vote
from made_up_faces import make_noise

from fer_core import memory
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.errors import RunError
from fer_core.evaluation import measuring
from fer_core.evaluation.measure_litert import measure_with_litert
from fer_core.evaluation.measuring_child import measure_all
from fer_core.inference.models import load_model
from fer_core.runs import ledger
from fer_core.runs.embeddings import read_embeddings
from fer_core.runs.folder import RunFolder
from fer_core.runs.predictions import probabilities_of
from fer_core.settings import PROJECT_ROOT, settings


@pytest.fixture
def noise(home: Path) -> Dataset:
    return make_noise(settings().datasets_dir / "noise")


@pytest.fixture
def shipped(home: Path) -> RunFolder:
    return make_run(settings().models_dir / "shipped")


def test_it_measures_what_the_app_would_answer_and_leaves_a_shipped_run_as_it_is(
    shipped: RunFolder, noise: Dataset
) -> None:
    before = {path: path.read_bytes() for path in shipped.path.rglob("*") if path.is_file()}
    metrics = measure_with_litert(shipped, noise)
    assert {path: path.read_bytes() for path in shipped.path.rglob("*") if path.is_file()} == before
    found = shipped.evaluation(noise.info.fingerprint)
    assert found is not None
    assert found.path.is_relative_to(settings().evaluations_dir)
    table = found.predictions()
    answers = load_model(shipped.path).predict(np.asarray(noise.images[table["row"]]))
    np.testing.assert_allclose(probabilities_of(table), answers, atol=1e-6)
    assert metrics == found.metrics()
    assert metrics["litert"]["PrivateTest"]["accuracy"] == metrics["splits"]["PrivateTest"]["accuracy"]
    assert not shipped.evaluation_problems()


def test_nothing_is_measured_where_too_little_memory_is_left(
    shipped: RunFolder, noise: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 0.1e9)
    with pytest.raises(RunError, match=r"0\.4 GB of memory, and 0\.1 GB are left"):
        measuring.start(noise.info, [shipped.path])
    assert not measuring.record_path().exists()


def test_a_run_of_the_home_keeps_it_itself_and_a_second_time_replaces_it(home: Path, noise: Dataset) -> None:
    run = make_run(settings().runs_dir / "mine")
    for _ in range(2):
        measure_with_litert(run, noise)
        assert [one.path.parent.parent for one in run.evaluations()] == [run.path, run.path]


def test_the_app_opens_private_test_for_what_ships_alone_and_counts_it_once(home: Path, tmp_path: Path) -> None:
    drawn = make_noise(tmp_path / "drawn", kind="sample")
    faces = write_dataset(settings().datasets_dir / "faces", drawn.images, drawn.labels, drawn.splits, title="Faces")
    ships, mine = make_run(settings().models_dir / "ships"), make_run(settings().runs_dir / "mine", seed=1)
    for _ in range(2):
        assert set(measure_with_litert(ships, faces)["splits"]) == {"PublicTest", "PrivateTest"}
        assert set(measure_with_litert(mine, faces)["splits"]) == {"PublicTest"}
    assert [look["run"] for look in ledger.read(home / ledger.FILE)] == ["ships"]
    assert not (settings().models_dir / ledger.FILE).exists()


def test_a_vote_is_measured_by_its_members_and_has_no_embeddings(home: Path, noise: Dataset) -> None:
    members = [make_run(settings().models_dir / name, seed=seed) for seed, name in enumerate(("one", "two"))]
    vote = make_vote(settings().models_dir / "both", members)
    measure_with_litert(vote, noise)
    assert vote.predictions(noise.info.fingerprint) is not None
    assert read_embeddings(vote, noise.info.fingerprint) is None


def test_embeddings_are_what_the_last_dense_layer_reads_whatever_the_batch() -> None:
    from fer_core.evaluation.measure_litert import LitertEmbedder

    embed = LitertEmbedder(PROJECT_ROOT / "models" / "custom_cnn" / "model.tflite")
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    assert embed(faces).shape == (5, 256)
    np.testing.assert_allclose(embed(faces[:2]), embed(faces)[:2], rtol=1e-4, atol=1e-5)


def test_one_that_cannot_be_measured_is_told_and_keeps_no_other_from_it(
    shipped: RunFolder, noise: Dataset, home: Path
) -> None:
    problems = measure_all(noise.path, ["nobody", str(shipped.path)])
    assert len(problems) == 1
    assert "nobody" in problems[0]
    assert shipped.evaluation(noise.info.fingerprint) is not None
    found = measuring.status()
    assert found is not None
    assert (found.state, found.done, found.share, list(found.problems)) == ("done", 2, 1.0, problems)


def test_only_one_measures_at_a_time(shipped: RunFolder, noise: Dataset) -> None:
    with measuring.held() as free:
        assert free
        assert measuring.status() is None
        measuring.settings().evaluations_dir.mkdir(exist_ok=True)
        measuring.write_json(measuring.record_path(), measuring.new_record(noise.info.record(), ["shipped"]))
        os.utime(measuring.record_path(), (0, 0))
        found = measuring.status()
        assert found is not None
        assert found.running
        with pytest.raises(RunError, match="right now"):
            measuring.start(noise.info, [shipped.path])
    found = measuring.status()
    assert found is not None
    assert found.state == "interrupted", "nobody holds the lock any more"


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_on_a_host_with_another_clock_one_that_begins_counted_as_interrupted(
    shipped: RunFolder, noise: Dataset, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    settings().evaluations_dir.mkdir(exist_ok=True)
    measuring.write_json(measuring.record_path(), measuring.new_record(noise.info.record(), ["shipped"]))
    other = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: other)
    found = measuring.status()
    assert found is not None
    assert found.running


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_killed_in_the_middle_it_is_told_and_can_be_done_again(shipped: RunFolder, noise: Dataset) -> None:
    measuring.start(noise.info, [shipped.path] * 50)
    deadline = time.monotonic() + 120
    while not (shipped.evaluation(noise.info.fingerprint) and measuring._is_held()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # Children of other tests of this process may have ended, and not been waited for.
    living = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    [child] = [one for one in living if "fer_core.evaluation.measuring_child" in one.cmdline()]
    assert child.nice() == measuring.LOWEST_PRIORITY
    child.send_signal(signal.SIGKILL)
    child.wait()
    os.utime(measuring.record_path(), (0, 0))
    found = measuring.status()
    assert found is not None
    assert found.state == "interrupted"
    assert shipped.predictions(noise.info.fingerprint) is not None
    assert measure_all(noise.path, [str(shipped.path)]) == []
    assert not list(settings().evaluations_dir.rglob(".change-*"))
