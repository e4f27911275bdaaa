"""The benchmark of our class maps against tf-keras-vis: what it makes of figures, and that it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import explain
from fer_core.errors import FerError
from fer_core.settings import PROJECT_ROOT

ABOUT = {
    "processor": "a processor",
    "cores": 2,
    "memory_gb": 8.0,
    "system": "a system",
    "load": 0.0,
    "versions": {"python": "3.11"},
}


def result(ours: float, theirs: float, *, quick: bool = False) -> dict[str, Any]:
    figures = [
        {"model": "one", "way": implementation, "batch": batch, "median_ms": value, "p95_ms": 2 * value, "calls": 3}
        for batch in explain.BATCHES
        for implementation, value in ((explain.OURS, ours), (explain.THEIRS, theirs))
    ]
    found: dict[str, Any] = {
        "machine": ABOUT,
        "settings": {"models": ["one"], "repeats": 3, "quick": quick},
        "figures": figures,
        "largest_difference": {"one": 6.6e-6},
    }
    found["factors"] = {"one": {str(batch): explain.factor(found, "one", batch) for batch in explain.BATCHES}}
    found["met"] = found["factors"]["one"]["1"] >= explain.GOAL
    return found


def test_a_call_of_ours_is_seven_maps() -> None:
    assert explain.factor(result(7.0, 10.0), "one", 1) == pytest.approx(10)
    assert explain.factor(result(7.0, 5.0), "one", 64) == pytest.approx(5)


def test_the_report_gives_calls_maps_and_whether_the_goal_is_met() -> None:
    text = explain.report(result(7.0, 20.0))
    (call,) = [line for line in text.splitlines() if line.startswith("| one, ours")]
    assert [cell.strip() for cell in call.split("|")[2:5]] == ["7", "7.00 (14.00)", "7.00 (14.00)"]
    (maps,) = [line for line in text.splitlines() if line.startswith("| one ")]
    cells = [cell.strip() for cell in maps.split("|")[2:-1]]
    assert cells == ["1.00", "20.00", "1.00", "20.00", "×20.0", "×20.0", "×2.9", "×2.9", "6.6e-06"]
    assert "is met." in text
    assert "is missed." in explain.report(result(7.0, 5.0))
    assert "do not quote" not in text
    assert "do not quote" in explain.report(result(7.0, 5.0, quick=True))


def test_wrong_settings_are_said() -> None:
    with pytest.raises(FerError, match="at least 1"):
        explain.measure(["one"], 0)
    with pytest.raises(FerError, match="no run called 'nobody'"):
        explain.measure(["nobody"], 1)
    with pytest.raises(FerError, match=r"vote has no model\.keras"):
        explain.measure(["vote"], 1)


@pytest.mark.slow
def test_it_measures_both_and_their_maps_are_the_same() -> None:
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "explain.py")]
    # From elsewhere: a script must find the project by itself.
    done = subprocess.run(
        [*command, "--models", "custom_cnn", "--quick", "--json"],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=1000,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {(one["way"], one["batch"]) for one in found["figures"]} == {
        (implementation, batch) for implementation in (explain.OURS, explain.THEIRS) for batch in explain.BATCHES
    }
    assert all(0 < one["median_ms"] <= one["p95_ms"] for one in found["figures"])
    assert found["largest_difference"]["custom_cnn"] < 1e-4
