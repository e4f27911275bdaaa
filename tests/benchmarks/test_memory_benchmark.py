"""The benchmark of memory: its table, its limit, and that it runs inside one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import memory, memory_limit
from fer_core.errors import FerError
from fer_core.settings import PROJECT_ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads Linux's /proc")
ABOUT = {"processor": "p", "cores": 2, "memory_gb": 8.0, "system": "s", "load": 0.0, "versions": {"python": "3.11"}}


def result(home: float, live: float, **more: Any) -> dict[str, Any]:
    steps = [memory.Figures("Home", home, home, home), memory.Figures("Live, 30 s", live, live, live, 12.0)]
    return {
        "machine": ABOUT,
        "data": "sample",
        "limit": None,
        "limit_peak": None,
        "killed": None,
        "survived": True,
        "problem": "",
        "steps": [vars(step) for step in steps],
        "goals": {"home": memory.HOME_GOAL, "all": memory.GOAL},
        **more,
    }


def test_the_report_says_which_goals_are_met_and_where_the_peak_is() -> None:
    text = memory.report(result(200, 599))
    assert "Home: 200 MB (goal: under 250: met)." in text
    assert "All: 599 MB, at Live, 30 s (goal: under 600: met)." in text
    assert memory.report(result(250, 600)).count("missed") == 2


def test_the_report_says_whether_the_app_survived_the_limit() -> None:
    inside = {"limit": "a group of 690 MB", "limit_peak": 650.0, "killed": 0}
    assert "the app survived" in memory.report(result(1, 2, **inside))
    text = memory.report(result(1, 2, **{**inside, "survived": False, "killed": 1, "problem": "the server ended"}))
    assert "did not survive" in text
    assert "1 processes killed" in text
    assert text.endswith("the server ended")


def test_the_memory_of_a_process_is_read_and_that_of_none_is_none() -> None:
    import os

    about = memory.memory_of(os.getpid())
    assert about is not None
    assert 10 < about["Pss"] <= about["Rss"]
    assert memory.memory_of(2**22 + 1) is None


@pytest.mark.parametrize("allowed", [True, False])
def test_what_takes_more_than_the_limit_does_not_survive(allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a control group where one can be made, by RLIMIT_DATA elsewhere."""
    if not allowed:
        monkeypatch.setattr(memory_limit, "_make_group", lambda limit: None)

    def run(megabytes: int) -> int:
        with memory_limit.limited(150) as limit:
            assert ("RLIMIT_DATA" in limit.words) == (limit.group is None)
            code = f"held = bytearray({megabytes} * 10**6); held[::4096] = b'x' * len(held[::4096])"
            command = [*limit.prefix, sys.executable, "-c", code]
            return subprocess.run(command, check=False, capture_output=True).returncode

    assert run(20) == 0
    assert run(300) != 0


def test_a_limit_below_what_python_needs_is_refused() -> None:
    with pytest.raises(FerError, match="at least 100"), memory_limit.limited(50):
        pass


@pytest.mark.browser
@pytest.mark.slow
def test_it_visits_a_page_inside_a_limit(home: Path) -> None:
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "memory.py"), "--only", "limits", "--json"]
    done = subprocess.run(
        [*command, "--limit", "1500", "--after", "1"], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["survived"]
    assert [step["step"] for step in printed["steps"]] == ["Home", "Limits", "left", "1 s later"]
    assert all(20 < step["settled"] <= step["peak"] + 1 for step in printed["steps"])
