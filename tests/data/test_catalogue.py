"""Which datasets there are, and which is shown first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data_sources import Faces

from fer_core.data.catalogue import ensure_sample, list_damaged, list_datasets
from fer_core.data.dataset import load_dataset, write_dataset

FACES = Faces()


def write(folder: Path, kind: str = "csv") -> None:
    write_dataset(folder, FACES.images, FACES.labels, FACES.splits, kind=kind)


def test_nothing_yet(home: Path) -> None:
    assert list_datasets() == []
    assert list_damaged() == []


def test_real_data_first_newest_first_then_the_sample(home: Path) -> None:
    for day, (name, kind) in enumerate((("z", "csv"), ("sample", "sample"), ("a", "folder"), ("m", "kaggle")), start=1):
        write(home / "datasets" / name, kind)
        about = home / "datasets" / name / "dataset.json"
        content = json.loads(about.read_text())
        about.write_text(json.dumps({**content, "created": f"2026-01-0{day}T00:00:00+00:00"}))
    assert [info.name for info in list_datasets()] == ["m", "a", "z", "sample"]


def test_incomplete_and_foreign_folders_are_no_datasets(home: Path) -> None:
    write(home / "datasets" / "good")
    (home / "datasets" / "empty").mkdir()
    (home / "datasets" / "notes.txt").write_text("x")
    write(home / "datasets" / "hidden")
    (home / "datasets" / "hidden").rename(home / "datasets" / ".hidden.importing-1")
    assert [info.name for info in list_datasets()] == ["good"]
    assert list_damaged() == []


def test_a_damaged_dataset_is_left_out_and_told(home: Path) -> None:
    write(home / "datasets" / "good")
    write(home / "datasets" / "bad")
    (home / "datasets" / "bad" / "images.npy").unlink()
    assert [info.name for info in list_datasets()] == ["good"]
    (message,) = list_damaged()
    assert "bad" in message
    assert "images.npy is missing" in message


def test_the_sample_is_drawn_once_and_is_the_default(home: Path) -> None:
    path = ensure_sample()
    dataset = load_dataset(path)
    assert path == home / "datasets" / "sample"
    assert dataset.info.is_sample
    assert len(dataset) == 2100
    assert any("drawn" in note for note in dataset.info.notes)
    regions = dataset.regions()
    assert regions is not None
    assert set(regions) == {"brows", "eyes", "mouth"}
    assert all(boxes.shape == (2100, 4) and boxes.dtype == np.int16 for boxes in regions.values())
    before = (path / "dataset.json").stat().st_mtime_ns
    assert ensure_sample() == path
    assert (path / "dataset.json").stat().st_mtime_ns == before
    # Damaged, it is drawn again, the very same.
    (path / "images.npy").unlink()
    assert load_dataset(ensure_sample()).info.fingerprint == dataset.info.fingerprint


@pytest.mark.slow
def test_two_processes_may_ask_for_the_sample_at_once(home: Path) -> None:
    command = [sys.executable, "-c", "from fer_core.data.catalogue import ensure_sample; print(ensure_sample())"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate()[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers == [str(home / "datasets" / "sample")] * 2
    assert len(load_dataset(answers[0])) == 2100
    assert [path.name for path in (home / "datasets").iterdir()] == ["sample"]
