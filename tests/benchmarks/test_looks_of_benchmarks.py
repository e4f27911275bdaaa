"""Benchmarks that open PrivateTest count their look, and open nothing that they may not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up_faces import make_labels

from benchmarks import crowd_labels, label_doubt
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.emotions import PRIVATE_TEST
from fer_core.files import sha256_of
from fer_core.leaderboard.crowd import CrowdFigures
from fer_core.review.crowd_scores import Share
from fer_core.runs import ledger
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings

MODEL = "ab" * 32


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    labels, splits = make_labels(140, seed=3)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    return write_dataset(tmp_path / "data", images, labels, splits, title="Noise", kind="folder")


def looks() -> list[ledger.Look]:
    return ledger.read(settings().models_dir / ledger.FILE)


def test_the_crowds_labels_open_private_test_only_when_asked_and_count_each_new_model(
    home: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(settings().models_dir / "net")
    figures = CrowdFigures(
        dataset.info.fingerprint, {"net": MODEL}, {PRIVATE_TEST: {"net": {"crowd": Share(1, 1, 1, 9)}}}
    )
    monkeypatch.setattr(crowd_labels, "shipped_crowd_figures", lambda: figures)
    assert crowd_labels.may_open(run, MODEL, dataset, final=False), "figures that are there tell nothing new"
    assert not crowd_labels.may_open(run, "cd" * 32, dataset, final=False)
    assert looks() == []
    assert crowd_labels.may_open(run, "cd" * 32, dataset, final=True)
    assert [(look["run"], look["model"], "crowd" in look["note"]) for look in looks()] == [("net", "cd" * 32, True)]


def test_the_last_figure_of_the_doubt_is_a_look(home: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_doubt, "TABLE_LOOK", settings().models_dir / "label_doubt")
    label_doubt.look(dataset.path)
    [look] = looks()
    assert look["run"] == "label_doubt"
    assert look["model"] == sha256_of(label_doubt.TABLE)
