"""The benchmark of a first visit runs from start to finish: the way of a first visitor, in a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from fer_core.settings import PROJECT_ROOT


@pytest.mark.browser
def test_a_first_visitor_sees_figures_faces_and_four_models_maps_of_a_mistake_within_two_clicks() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FER_EXPLORER_")}
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / "first_visit.py"), "--repeats", "1", "--json"]
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    seconds = json.loads(done.stdout)["seconds"]
    assert {name: len(values) for name, values in seconds.items()} == dict.fromkeys(
        ("face", "home", "explain", "random"), 1
    )
    assert 0 < seconds["face"][0] <= seconds["home"][0]
