"""The benchmark of memory with many faces: its table, and that each stage runs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks import many_faces
from fer_core.errors import FerError
from fer_core.settings import PROJECT_ROOT

ABOUT = {"processor": "p", "cores": 2, "memory_gb": 8.0, "system": "s", "load": 0.0, "versions": {"python": "3.11"}}


def test_the_report_says_which_stage_stays_below_the_goal() -> None:
    figures = [
        {"stage": stage, "faces": faces, "own": own, "resident": 1_300_000_000}
        for stage, faces, own in (
            ("training", 100_000, 899_000_000),
            ("training", 500_000, 999_000_000),
            ("evaluation", 500_000, 1_000_000_000),
        )
    ]
    text = many_faces.report({"machine": ABOUT, "figures": figures, "goal": many_faces.GOAL})
    assert "1152" in text
    assert text.count("met") == 2
    assert text.count("missed") == 1
    (line,) = [line for line in text.splitlines() if line.replace(" ", "").startswith("|training|500,000|")]
    assert line.endswith(" 25 |")


def test_too_few_faces_are_refused() -> None:
    with pytest.raises(FerError, match="at least 1,000"):
        many_faces.measure_memory(10, many_faces.STAGES, 1)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads Linux's /proc")
def test_every_stage_is_measured() -> None:
    command = [sys.executable, "benchmarks/many_faces.py", "--faces", "1000", "--steps", "2", "--json"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["figures"]
    assert {(one["stage"], one["faces"]) for one in found} == {(stage, 1000) for stage in many_faces.STAGES}
    assert all(10e6 < one["own"] < one["resident"] for one in found)
