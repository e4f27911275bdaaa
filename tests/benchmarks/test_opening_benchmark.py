"""The benchmark of opening a mistake in Explain runs from start to finish, with one face."""

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
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "opening.py"), *options]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=1000, check=False)


@pytest.mark.browser
def test_a_mistake_is_timed_from_the_click_to_the_last_verdict(home: Path) -> None:
    import_dataset("sample", settings().datasets_dir / "sample")
    dataset = load_dataset(settings().datasets_dir / "sample")
    for seed, name in enumerate(("one", "two")):
        make_evaluated_run(settings().runs_dir / name, dataset, seed=seed)
    done = run_script("--home", str(home), "--repeats", "1", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["models"] == ["one", "two"]
    maps, verdicts = (result["milliseconds"][kind]["all"] for kind in ("maps", "verdicts"))
    assert len(maps) == len(verdicts) == 1
    assert 0 < maps[0] <= verdicts[0]
    assert result["met"] == (verdicts[0] < result["goal"])


@pytest.mark.slow
def test_data_that_nobody_was_measured_on_are_refused(home: Path) -> None:
    import_dataset("sample", settings().datasets_dir / "sample")
    done = run_script("--home", str(home))
    assert done.returncode == 2
    assert "no model was measured" in done.stderr
