"""The dataset folder: what is written is read back, in milliseconds, and a damaged one is told."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_sources import Faces

import fer_core
from fer_core.data.dataset import Dataset, DatasetWriter, load_dataset, write_dataset
from fer_core.errors import DataError

FACES = Faces(each=2)


def write(out: Path, **options: Any) -> Dataset:
    return write_dataset(out, FACES.images, FACES.labels, FACES.splits, **options)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    boxes = {"mouth": np.arange(42 * 4).reshape(42, 4)}
    names = [f"face {i}" for i in range(42)]
    write(tmp_path / "d", title="Mine", notes=["A note."], regions=boxes, source_names=names, source="here")
    dataset = fer_core.load_dataset(tmp_path / "d")
    assert np.array_equal(dataset.images, FACES.images)
    assert isinstance(dataset.images, np.memmap)
    assert not dataset.images.flags.writeable
    assert dataset.labels.dtype == np.int8
    assert np.array_equal(dataset.labels, FACES.labels)
    assert list(dataset.splits) == FACES.splits
    assert len(dataset) == 42
    assert list(dataset.rows("PublicTest")) == list(range(14, 28))
    with pytest.raises(ValueError, match="unknown split 'Test'"):
        dataset.rows("Test")
    info = dataset.info
    assert (info.name, info.title, info.source, info.notes, info.faces) == ("d", "Mine", "here", ("A note.",), 42)
    assert info.counts == {"Training": (2,) * 7, "PublicTest": (2,) * 7, "PrivateTest": (2,) * 7}
    assert info.split_size("Training") == 14
    assert info.path == tmp_path / "d"
    regions = dataset.regions()
    assert regions is not None
    assert regions["mouth"].dtype == np.int16
    assert np.array_equal(regions["mouth"], boxes["mouth"])


def test_faces_table_has_the_promised_columns(tmp_path: Path) -> None:
    faces = write(tmp_path / "d").faces()
    assert list(faces.columns) == ["row", "label", "split", "source_name", "sha1"]
    assert faces["row"].dtype == np.int32
    assert faces["label"].dtype == np.int8
    assert list(faces["row"]) == list(range(42))
    assert faces["sha1"][5] == hashlib.sha1(FACES.images[5].tobytes()).hexdigest()


def test_fingerprint_tells_any_change(tmp_path: Path) -> None:
    same = [write(tmp_path / name).info.fingerprint for name in ("a", "b")]
    assert same[0] == same[1]
    images, labels, splits = FACES.images.copy(), FACES.labels.copy(), list(FACES.splits)
    images[3, 4, 5] ^= 1
    labels[0] = 6
    splits[0] = "PublicTest"
    others = [
        write_dataset(tmp_path / "c", images, FACES.labels, FACES.splits),
        write_dataset(tmp_path / "d", FACES.images, labels, FACES.splits),
        write_dataset(tmp_path / "e", FACES.images, FACES.labels, splits),
    ]
    assert len({same[0], *(other.info.fingerprint for other in others)}) == 4


def test_writing_in_batches_gives_the_same(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", kind="folder", source="x") as writer:
        for start in range(0, 42, 10):
            part = slice(start, start + 10)
            writer.add(FACES.images[part], FACES.labels[part], FACES.splits[part])
    assert load_dataset(tmp_path / "d").info.fingerprint == write(tmp_path / "e").info.fingerprint


def test_opening_maps_the_pixels_and_reads_none(tmp_path: Path) -> None:
    """What makes opening a matter of milliseconds, however many faces there are."""
    write(tmp_path / "d")
    at_rest = np.load(tmp_path / "d" / "images.npy", mmap_mode="r+")
    at_rest[:] = 0
    at_rest.flush()
    dataset = load_dataset(tmp_path / "d")  # hashing the pixels would find that they are others
    assert isinstance(dataset.images, np.memmap)


def damage_json(folder: Path, **change: Any) -> None:
    file = folder / "dataset.json"
    content = json.loads(file.read_text())
    content.update(change)
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


DAMAGE = {
    "no images": (lambda d: (d / "images.npy").unlink(), "images.npy is missing"),
    "no table": (lambda d: (d / "faces.parquet").unlink(), "faces.parquet is missing"),
    "images cut": (lambda d: os.truncate(d / "images.npy", 50_000), "images.npy cannot be mapped"),
    "images empty": (lambda d: os.truncate(d / "images.npy", 0), "images.npy cannot be mapped"),
    "images of another shape": (
        lambda d: np.save(d / "images.npy", np.zeros((42, 96, 96), np.uint8)),
        "images.npy has shape (42, 96, 96)",
    ),
    "images of another type": (
        lambda d: np.save(d / "images.npy", np.zeros((42, 48, 48), np.float32)),
        "images.npy has shape (42, 48, 48) of float32",
    ),
    "fewer images": (lambda d: np.save(d / "images.npy", FACES.images[:40]), "images.npy holds 40 faces"),
    "table cut": (lambda d: os.truncate(d / "faces.parquet", 500), "faces.parquet cannot be read"),
    "table without splits": (
        lambda d: pd.read_parquet(d / "faces.parquet").drop(columns="split").to_parquet(d / "faces.parquet"),
        "faces.parquet cannot be read",
    ),
    "fewer rows": (
        lambda d: pd.read_parquet(d / "faces.parquet")[:40].to_parquet(d / "faces.parquet"),
        "faces.parquet 40",
    ),
    "rows out of order": (
        lambda d: pd.read_parquet(d / "faces.parquet")[::-1].to_parquet(d / "faces.parquet"),
        "row numbers",
    ),
    "label 9": (
        lambda d: pd.read_parquet(d / "faces.parquet").replace({"label": {6: 9}}).to_parquet(d / "faces.parquet"),
        "label outside 0..6",
    ),
    "split Test": (
        lambda d: (
            pd.read_parquet(d / "faces.parquet")
            .replace({"split": {"PublicTest": "Test"}})
            .to_parquet(d / "faces.parquet")
        ),
        "unknown split ['Test']",
    ),
    "no JSON": (lambda d: (d / "dataset.json").write_text('{"schema": 1,'), "dataset.json cannot be read"),
    "no schema": (lambda d: damage_json(d, schema=None), "does not say its schema"),
    "a list": (lambda d: (d / "dataset.json").write_text("[]"), "JSON object"),
    "no counts": (lambda d: damage_json(d, counts=None), "lacks counts"),
    "six counts": (lambda d: damage_json(d, counts={"Training": [7] * 6}), "other splits or classes"),
    "other number": (lambda d: damage_json(d, faces=43), "counts other than 43 faces"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_told(kind: str, tmp_path: Path) -> None:
    write(tmp_path / "d")
    hurt, fragment = DAMAGE[kind]
    hurt(tmp_path / "d")
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / "d")
    assert fragment in str(caught.value)
    assert str(tmp_path / "d") in str(caught.value)
    assert "import the data again" in str(caught.value)


def test_damaged_regions_are_told(tmp_path: Path) -> None:
    dataset = write(tmp_path / "d", regions={"mouth": np.zeros((42, 4))})
    np.savez(tmp_path / "d" / "regions.npz", mouth=np.zeros((3, 4)))
    with pytest.raises(DataError, match=r"regions.npz has shape \(3, 4\)"):
        dataset.regions()
    (tmp_path / "d" / "regions.npz").write_bytes(b"PK nonsense")
    with pytest.raises(DataError, match=r"regions\.npz cannot be read"):
        dataset.regions()
    (tmp_path / "d" / "regions.npz").unlink()
    assert dataset.regions() is None


def test_newer_schema(tmp_path: Path) -> None:
    write(tmp_path / "d")
    damage_json(tmp_path / "d", schema=3)
    with pytest.raises(DataError, match=r"newer version \(schema 3\)"):
        load_dataset(tmp_path / "d")


@pytest.mark.parametrize("title", ["two\nlines", "\x1b[31mred", "x" * 5_000])
def test_a_title_that_no_reader_would_take_is_refused_before_the_work(tmp_path: Path, title: str) -> None:
    with pytest.raises(DataError, match=r"one line.*--title"):
        write(tmp_path / "d", title=title)
    assert not (tmp_path / "d").exists()


def test_not_a_dataset_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        load_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"is not a dataset folder.*data import"):
        load_dataset(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is not a dataset folder"):
        load_dataset(tmp_path / "file")
