"""The benchmark of many visitors runs from start to finish, with one visitor on the drawn sample."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from factories import make_evaluated_run

from fer_core.data.dataset import load_dataset
from fer_core.data.importer import import_dataset
from fer_core.settings import PROJECT_ROOT, settings


def run_script(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "visitors.py"), *options]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=1000, check=False)


@pytest.mark.slow
def test_two_visitors_are_measured_without_a_failure(home: Path) -> None:
    import_dataset("sample", settings().datasets_dir / "sample")
    dataset = load_dataset(settings().datasets_dir / "sample")
    for seed, name in enumerate(("one", "two")):
        make_evaluated_run(settings().runs_dir / name, dataset, seed=seed)
    done = run_script(
        "--home", str(home), "--servers", "2", "--visitors", "1", "2", "--seconds", "12", "--after", "0", "--json"
    )
    assert done.returncode == 0, done.stderr
    alone, together = json.loads(done.stdout)["rounds"]
    for one in (alone, together):
        assert not one["failures"]
        assert one["kinds"]["open Compare"]["n"] >= 1
        assert one["during"]["megabytes"] > 0
    assert alone["cpu"]["open Compare"] > 0
    assert not together["cpu"]


def test_no_visitors_are_refused() -> None:
    done = run_script("--visitors", "0")
    assert done.returncode == 2
    assert "above 0" in done.stderr
