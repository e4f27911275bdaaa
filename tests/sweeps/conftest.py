"""A sweep of four trials, of which nothing is started, in the test's own home."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_faces import make_noise

from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.sweeps.contracts import Stopper
from fer_core.sweeps.folder import Plan, Sweep, create


@pytest.fixture
def plan(home: Path) -> Plan:
    make_noise(settings().datasets_dir / "few")
    return Plan(
        name="rates",
        recipe=Recipe("custom_cnn", epochs=5, precision="float32"),
        grid={"learning_rate": [0.001, 0.003]},
        data=settings().datasets_dir / "few",
        seeds=2,
        stopper=Stopper.ASHA,
    )


@pytest.fixture
def sweep(plan: Plan) -> Sweep:
    return create(plan)
