"""What the shipped runs were measured on: FER-2013, which they are made for, and the drawn sample."""

from __future__ import annotations

import pytest

from fer_core.runs.evaluations import EMBEDDINGS
from fer_core.runs.folder import RunFolder
from fer_core.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "models"
SHIPPED = sorted(path.parent.name for path in MODELS.glob("*/run.json"))
LIMIT = 160_000_000
"""Bytes of ``models/``: the whole repository is cloned wherever the app is deployed."""


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_run_is_measured_on_photographs_and_on_the_drawn_sample(name: str) -> None:
    folder = RunFolder(MODELS / name)
    assert not folder.evaluation_problems()
    first, sample = folder.evaluations()
    assert (first.data["name"], sample.data["name"], sample.data["kind"]) == ("fer2013", "sample", "sample")
    assert folder.evaluation() == first, "without a word about the data, a shipped figure is about FER-2013"
    for one in (first, sample):
        assert one.has(EMBEDDINGS) != folder.is_vote
        assert len(one.predictions()) == sum(scores["n"] for scores in one.metrics()["splits"].values())


def test_all_shipped_runs_saw_the_same_drawn_faces() -> None:
    """Otherwise the sample of no platform would have all of them."""
    assert len({one.fingerprint for name in SHIPPED for one in RunFolder(MODELS / name).evaluations()}) == 2


def test_the_shipped_models_stay_small() -> None:
    assert sum(path.stat().st_size for path in MODELS.rglob("[!.]*") if path.is_file()) < LIMIT
