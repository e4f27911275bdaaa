"""The benchmark of many runs does all that pages do with them, and says what one more costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from factories import make_run

from benchmarks import many_runs
from fer_core.errors import FerError
from fer_core.settings import PROJECT_ROOT, settings


@pytest.mark.slow
def test_it_tells_what_one_run_and_one_mark_cost(home: Path) -> None:
    make_run(settings().models_dir / "shipped")
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "many_runs.py"), "--json", "--run", "shipped"]
    done = subprocess.run([*command, "--runs", "1", "3"], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert len(result["each"]) == 5
    assert all(cost["read"] > cost["looked at again"] > 0 for cost in result["of_marks"].values())
    assert list(home.iterdir()) == [], "all of it happens elsewhere"
    text = many_runs.report(result)
    assert "1 and 3" in text
    assert "its state and journal" in text


def test_what_makes_no_sense_is_refused(home: Path) -> None:
    with pytest.raises(FerError, match="no run called nobody"):
        many_runs.measure((1, 2), "nobody")
    with pytest.raises(FerError, match="the smaller one"):
        many_runs.measure((2, 2), "nobody")
