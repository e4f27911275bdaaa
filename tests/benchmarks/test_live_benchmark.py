"""The benchmark of the live stream: its clip, its tables, and that it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import make_run, make_vote

from benchmarks import live
from fer_core.data.dataset import write_dataset
from fer_core.data.importer import import_dataset
from fer_core.emotions import PUBLIC_TEST
from fer_core.errors import FerError
from fer_core.inference.detectors import HaarDetector
from fer_core.settings import PROJECT_ROOT, settings

ABOUT = {"processor": "p", "cores": 2, "memory_gb": 8.0, "system": "s", "load": 0.0, "versions": {"python": "3.11"}}


def figures(total: float, stages: tuple[str, ...], models: tuple[str, ...] = ("one",)) -> dict[str, Any]:
    def spread(ms: float) -> dict[str, float]:
        return {"median_ms": ms, "mean_ms": 2 * ms, "p95_ms": 2 * ms, "n": 3}

    return {
        "frames": 3,
        "faces_per_frame": 1.0,
        "stages": {stage: spread(total if stage == "total" else 1.0) for stage in stages},
        "models": {name: spread(2.0) for name in models},
    }


def result(one: float, every: float, plain: float) -> dict[str, Any]:
    ours = [
        {"faces": faces, "kind": kind, **figures(ms, live.STAGES, names)}
        for faces in live.FACES
        for kind, ms, names in (("one model", one, ("one",)), ("2 models with maps", every, ("one", "two")))
    ]
    measured_values: dict[str, Any] = {
        "machine": ABOUT,
        "settings": {
            "cores": 2,
            "detector": "YuNet (OpenCV Zoo)",
            "model": "one",
            "models": ["one", "two"],
            "frames": 3,
            "plain_frames": 3,
        },
        "figures": ours,
        "plain": [{"faces": faces, **figures(plain, live.PLAIN_STAGES)} for faces in live.FACES],
    }
    measured_values["goals"] = live.goals(measured_values)
    return measured_values


def test_the_report_says_which_goals_are_met() -> None:
    text = live.report(result(10.0, 30.0, 90.0))
    assert "one model: median under 15 ms: met (10.0 ms)" in text
    assert "2 models with maps: median under 33 ms: met (30.0 ms)" in text
    assert "at least 8 times the plain loop's rate: met (9.0 times)" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| **total**") and "30.0" in line]
    assert [cell.strip() for cell in line.split("|")[2:6]] == ["10.0 (20.0)", "30.0 (60.0)"] * 2
    assert [line for line in text.splitlines() if line.startswith("| two")]
    text = live.report(result(15.0, 33.0, 90.0))
    assert text.count("missed (") == 3
    assert "not at hand" not in text
    haar = result(1.0, 1.0, 9.0)
    haar["settings"]["detector"] = HaarDetector.title
    assert "YuNet, which was not at hand" in live.report(haar)


def test_rates_come_from_means() -> None:
    """A tracked frame is three times as cheap as one on which faces are looked for, and the median hides those."""
    found = live.spread_of([2.0, 2.0, 2.0, 14.0])
    assert (found["median_ms"], found["mean_ms"]) == (2.0, 5.0)
    values = result(10.0, 30.0, 90.0)
    for figure in values["figures"]:
        figure["stages"]["total"]["mean_ms"] = 20.0
    for figure in values["plain"]:
        figure["stages"]["total"]["mean_ms"] = 100.0
    assert live.goals(values)[2]["found"] == pytest.approx(5)
    assert "50" in next(line for line in live.report(values).splitlines() if line.startswith("| frames a second"))


def test_the_clip_moves_its_faces_inside_the_frame() -> None:
    faces = [np.full((48, 48), 255, np.uint8)] * 4
    frames = list(live.clip(faces, 30))
    assert {frame.shape for frame in frames} == {(480, 640, 3)}
    assert all((frame[120, 160] > 240).all() and (frame[360, 480] > 240).all() for frame in frames)
    assert all(frame[240, 320].max() < 240 for frame in frames), "nothing in the middle of four"
    assert not np.array_equal(frames[0], frames[1])
    again = list(live.clip(faces, 30))
    np.testing.assert_array_equal(frames[-1], again[-1])


def test_data_in_which_nobody_finds_faces_are_refused(tmp_path: Path) -> None:
    images = np.full((20, 48, 48), 128, np.uint8)
    write_dataset(tmp_path / "flat", images, np.zeros(20, np.int8), np.full(20, PUBLIC_TEST), name="flat", kind="csv")
    with pytest.raises(FerError, match=r"only 0 of 20 faces .* --data datasets/fer2013"):
        live.choose_faces(tmp_path / "flat", HaarDetector(), 1)


def run_live(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "live.py"), *options]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=1000, check=False)


def test_a_vote_cannot_be_the_one_model(home: Path) -> None:
    members = [make_run(settings().models_dir / name) for name in ("custom_cnn", "other")]
    make_vote(settings().models_dir / "both", members)
    done = run_live("--data", "/nowhere", "--quick", "--model", "both")
    assert done.returncode == 2
    assert "no model.keras" in done.stderr


@pytest.mark.slow
def test_it_runs_from_start_to_finish(tmp_path: Path) -> None:
    import_dataset("sample", tmp_path / "sample")
    done = run_live("--data", str(tmp_path / "sample"), "--models", "custom_cnn", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert [figure["faces"] for figure in printed["plain"]] == [1, 4]
    assert all(figure["faces_per_frame"] > 0.5 * figure["faces"] for figure in printed["figures"])
    assert all(goal["found"] > 0 for goal in printed["goals"])
