"""The benchmark of Poke runs from start to finish, with one stroke."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from factories import make_run

from fer_core.data.importer import import_dataset
from fer_core.settings import PROJECT_ROOT, settings


def run_script(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "poke.py"), *options]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=1000, check=False)


@pytest.mark.browser
def test_a_stroke_is_timed_from_the_mouse_to_the_bars(home: Path) -> None:
    make_run(settings().runs_dir / "net")
    import_dataset("sample", settings().datasets_dir / "sample")
    done = run_script("--home", str(home), "--repeats", "2", "--row", "7", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["models"] == ["net"]
    figures = result["milliseconds"]
    assert figures["n"] == len(figures["all"]) == 2
    assert all(value > 0 for value in figures["all"])
    assert result["met"] == (figures["median"] < result["goal"])


@pytest.mark.slow
def test_too_many_strokes_are_refused() -> None:
    done = run_script("--repeats", "1000")
    assert done.returncode == 2
    assert "1 to 58" in done.stderr
