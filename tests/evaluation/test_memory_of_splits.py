"""Neither training nor measuring copies a split: what is gathered from the mapped faces is a batch at most."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from edited_runs import measured_on
from factories import make_run, make_vote
from stand_ins import without_keras

from fer_core.data.audit import audit_dataset, near_duplicates
from fer_core.data.dataset import Dataset, DatasetWriter, load_dataset, write_dataset
from fer_core.data.face_rows import BATCH, FaceRows
from fer_core.data.folds import folds_of
from fer_core.evaluation.evaluate import evaluate_run, parity_faces
from fer_core.evaluation.measure_litert import measure_with_litert
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.training.loop import Trainer

FACES = 3 * (BATCH + 200)


class Watched(np.ndarray):
    """Faces that remember how many of them were copied at most at once."""

    most = 0

    def __getitem__(self, which: Any) -> Any:
        found = super().__getitem__(which)
        if not isinstance(which, slice):
            Watched.most = max(Watched.most, len(found) if np.ndim(found) == 3 else 0)
        return found

    def __array_finalize__(self, _: Any) -> None:
        pass


@pytest.fixture
def watched(home: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A split of more faces than any batch, of which no more than :data:`BATCH` may be copied at once."""
    images = np.random.default_rng(0).integers(0, 256, (FACES, 48, 48), dtype=np.uint8)
    splits = np.repeat(["Training", "PublicTest", "PrivateTest"], FACES // 3)
    dataset = write_dataset(settings().datasets_dir / "many", images, np.arange(FACES) % 7, splits, kind="sample")
    dataset.images = np.asarray(dataset.images).view(Watched)
    monkeypatch.setattr(Watched, "most", 0)
    nothing = np.zeros(FACES, bool)
    near_duplicates = type("None", (), {"exact": nothing, "exact_or_near": nothing, "threshold": 0.93})()
    for module in ("measure", "measure_litert"):
        monkeypatch.setattr(f"fer_core.evaluation.{module}.near_duplicates_of", lambda *_: near_duplicates)
    return dataset


def test_training_gathers_batch_by_batch(watched: Dataset) -> None:
    run = RunFolder(settings().runs_dir / "mine")
    run.path.mkdir(parents=True)
    trainer = Trainer(run, Recipe("custom_cnn", batch_size=64), watched)
    assert sum(len(images) for images, _, _ in trainer.batches.epoch(1)) == len(trainer.batches) * 64
    assert 0 < Watched.most <= 64
    assert isinstance(trainer.validation_images, FaceRows)


def test_looking_for_duplicates_and_folds_gathers_batch_by_batch(
    watched: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folds copied all of Training; the audit's vectors were all in memory, 2.3 kB a face."""
    monkeypatch.setattr(near_duplicates, "IN_MEMORY", FACES - 1)
    audit = audit_dataset(watched)
    assert not audit.near_count.any()
    folds_of(watched, 3)
    assert 0 < Watched.most <= BATCH


def test_splits_are_drawn_without_a_copy_of_the_faces(tmp_path: Path) -> None:
    """Where some faces had a split and others none, all of those were copied."""
    images = np.random.default_rng(0).integers(0, 256, (7, 48, 48), dtype=np.uint8)
    seen: list[object] = []

    def draw(chosen: object, labels: np.ndarray) -> tuple[list[str], str]:
        seen.append(chosen)
        return ["PublicTest"] * len(labels), "drawn"

    with DatasetWriter(tmp_path / "some", kind="folder", source="x") as writer:
        writer.add(images, np.arange(7), ["Training"] * 2 + [""] * 5)
        writer.draw_unstated(draw)
    assert load_dataset(tmp_path / "some").splits.tolist() == ["Training"] * 2 + ["PublicTest"] * 5
    (chosen,) = seen
    assert isinstance(chosen, FaceRows)
    assert len(chosen) == 5


def test_an_import_keeps_a_few_bytes_of_each_face(tmp_path: Path) -> None:
    """Four lists of Python's words took 300 bytes a face."""
    faces, blank = 20_000, np.zeros((1000, 48, 48), np.uint8)
    with DatasetWriter(tmp_path / "many", kind="folder", source="x") as writer:
        writer.add(blank[:1], [0], ["Training"])
        tracemalloc.start()
        arrow = pa.total_allocated_bytes()
        for start in range(0, faces, 1000):
            names = [f"train/happy/{start + place:07}.jpg" for place in range(1000)]
            writer.add(blank, np.zeros(1000), np.repeat(["Training"], 1000), names)
        del names
        kept = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - arrow
        tracemalloc.stop()
    assert 60 * faces < kept < 110 * faces, f"{kept / faces:.0f} bytes a face"


def test_measuring_with_litert_gathers_batch_by_batch(watched: Dataset) -> None:
    members = [make_run(settings().models_dir / name, seed=seed) for seed, name in enumerate(("one", "two"))]
    vote = make_vote(settings().models_dir / "vote", members)
    for run in (members[0], vote):
        measure_with_litert(run, watched)
    assert 0 < Watched.most <= BATCH


def test_evaluating_gathers_batch_by_batch(watched: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    without_keras(monkeypatch)
    monkeypatch.setattr(
        "fer_core.evaluation.evaluate.predict",
        lambda model, faces: np.concatenate(
            [model.predict(np.asarray(faces[start : start + 256])) for start in range(0, len(faces), 256)]
        ),
    )
    monkeypatch.setattr("fer_core.evaluation.evaluate.write_embeddings_of", lambda path, *_: asked.append(1))
    run = make_run(settings().runs_dir / "mine")
    evaluate_run(run, watched, average="flip")
    assert len(measured_on(run, watched.info.fingerprint).predictions()) == 2 * FACES // 3
    assert 0 < Watched.most <= BATCH
    assert isinstance(parity_faces(watched), FaceRows)
