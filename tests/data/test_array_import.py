"""Faces as NumPy arrays, Parquet, and tables that belong together: read without pickle, batch by batch."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_sources import Faces, csv_text, jpeg, left_behind, write_folder

from fer_core import emotions
from fer_core.data import npy_file, parquet_source
from fer_core.data.array_source import ArraySource
from fer_core.data.dataset import Dataset
from fer_core.data.importer import import_dataset
from fer_core.errors import DataError

FACES = Faces(each=3)
IMAGES, LABELS = FACES.images, FACES.labels.astype(np.int64)
BY_SPLIT = {split: np.array(FACES.splits) == split for split in emotions.SPLITS}
TRAIN, VALID, TEST = (BY_SPLIT[split] for split in emotions.SPLITS)
NAMES = np.array([emotions.NAMES[label] for label in LABELS])


def imported(source: Path) -> Dataset:
    return import_dataset(source, source.parent / "out")


def refused(source: Path, *fragments: str) -> None:
    with pytest.raises(DataError) as caught:
        imported(source)
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert left_behind(source.parent, {source.name}) == []


def npz(path: Path, packed: bool = False, **arrays: Any) -> Path:
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    return path


def npy_folder(path: Path, **arrays: Any) -> Path:
    path.mkdir()
    for name, array in arrays.items():
        np.save(path / f"{name}.npy", array)
    return path


def in_splits(faces: np.ndarray, labels: np.ndarray, x: str = "x_{}", y: str = "y_{}") -> dict[str, np.ndarray]:
    masks = {"train": TRAIN, "val": VALID, "test": TEST}
    return {x.format(word): faces[mask] for word, mask in masks.items()} | {
        y.format(word): labels[mask] for word, mask in masks.items()
    }


def _npz_each(folder: Path) -> Path:
    folder.mkdir()
    for word, mask in {"train": TRAIN, "dev": VALID, "test": TEST}.items():
        npz(folder / f"{word}.npz", X=IMAGES[mask], y=LABELS[mask])
    return folder


SPLIT_FORMS: dict[str, Callable[[Path], Path]] = {
    "npz": lambda path: npz(path / "f.npz", **in_splits(IMAGES, LABELS)),
    "npz, packed": lambda path: npz(path / "f.npz", packed=True, **in_splits(IMAGES, LABELS)),
    "npz, capitals and one channel": lambda path: npz(
        path / "f.npz", **in_splits(IMAGES[..., np.newaxis], LABELS[:, np.newaxis], "X{}", "Y{}")
    ),
    "npz, one-hot and flat": lambda path: npz(
        path / "f.npz", **in_splits(IMAGES.reshape(-1, 2304), np.eye(7)[LABELS], "{}_images", "{}_labels")
    ),
    "npz, 0..1": lambda path: npz(path / "f.npz", **in_splits((IMAGES / 255).astype(np.float32), LABELS)),
    "npz, -1..1 as float64": lambda path: npz(path / "f.npz", **in_splits(IMAGES / 127.5 - 1, LABELS)),
    "npz, grey in three channels": lambda path: npz(
        path / "f.npz", **in_splits(np.repeat(IMAGES[..., np.newaxis], 3, axis=3), NAMES)
    ),
    "npz, channels first": lambda path: npz(path / "f.npz", **in_splits(IMAGES[:, np.newaxis], LABELS)),
    "npz, a column of splits": lambda path: npz(path / "f.npz", X=IMAGES, y=NAMES, usage=np.array(FACES.splits)),
    "npz for each split": lambda path: _npz_each(path / "f"),
    "npz, names of classes": lambda path: npz(
        path / "f.npz",
        **in_splits(IMAGES, 6 - LABELS),
        classes=np.array(list(reversed(emotions.NAMES))),
    ),
    "npz that calls itself zip": lambda path: npz(path / "f.npz", **in_splits(IMAGES, LABELS)).rename(path / "f.zip"),
    "npy in a folder": lambda path: npy_folder(path / "f", **in_splits(IMAGES, LABELS)),
    "npy by columns": lambda path: npy_folder(path / "f", **in_splits(np.asfortranarray(IMAGES), LABELS)),
}


@pytest.mark.parametrize("form", SPLIT_FORMS)
def test_every_form_gives_the_same_faces(form: str, tmp_path: Path) -> None:
    dataset = imported(SPLIT_FORMS[form](tmp_path))
    where = {split: dataset.splits == split for split in emotions.SPLITS}
    for split, mask in BY_SPLIT.items():
        assert np.array_equal(dataset.images[where[split]], IMAGES[mask])
        assert np.array_equal(dataset.labels[where[split]], LABELS[mask])
    assert ("scaled to 0 to 255" in " ".join(dataset.info.notes)) == ("1" in form.split(",")[-1])


@pytest.mark.parametrize(
    ("faces", "labels"), [("X", "y"), ("data_set_fer2013", "data_labels_fer2013"), ("fdataX", "flabels"), ("a", "b")]
)
def test_two_arrays_beside_each_other_are_split_with_a_seed(faces: str, labels: str, tmp_path: Path) -> None:
    dataset = imported(npy_folder(tmp_path / "f", **{faces: IMAGES, labels: LABELS}))
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.info.counts["Training"] == (7,) * 7
    assert any("seed 2013" in note for note in dataset.info.notes)


def test_larger_colour_faces_are_scaled_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.data.array_source.BATCH_BYTES", 64 * 64 * 3 * 8 * 5)
    colours = np.random.default_rng(0).integers(0, 256, (21, 64, 64, 3), dtype=np.uint8)
    source = ArraySource("f", [npz(tmp_path / "f.npz", X=colours, y=LABELS[:21])])
    assert [len(batch.labels) for batch in source.batches()] == [5, 5, 5, 5, 1]
    assert any("64×64" in note for note in source.notes())
    assert any("colour" in note for note in source.notes())


def test_faces_of_a_split_without_labels_are_left_out(tmp_path: Path) -> None:
    """As many labels of another split as there are faces were taken for theirs."""
    dataset = imported(npz(tmp_path / "f.npz", x_train=IMAGES[TRAIN], y_train=LABELS[TRAIN], x_test=IMAGES[TEST]))
    assert len(dataset) == TRAIN.sum()
    assert any("x_test has no labels" in note for note in dataset.info.notes)


def test_an_array_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    objects = np.empty(21, object)
    objects[:] = [Trap() for _ in range(21)]
    source = npz(tmp_path / "f.npz", X=objects, y=LABELS[:21])
    refused(source, "pickle", "numpy.stack")
    (tmp_path / "f.npz").rename(tmp_path / "g.npz")


def header(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": kind, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("files", "fragment"),
    [
        ({"X.npy": header((10**6, 48, 48)) + b"0" * 100}, "cut off"),
        ({"X.npy": header((10**12, 48, 48))}, "no array of faces"),
        ({"X.npy": b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 70_000}, "no NumPy array"),
        ({"X.npy": header((-1, 48, 48))}, "no array of faces"),
        ({"X.npy": b"\x93NUMPY\x01\x00v\x00{'descr': __import__('os'), }".ljust(128)}, "no NumPy array"),
        ({"X.npy": header((2, 48, 48)) + b"0" * 4608}, "y.npy"),
        ({"y.npy": header((2,)) + b"01"}, "no array of faces"),
        ({"X.npy": header((2, 5, 5, 5)) + b"0" * 250, "y.npy": header((2,)) + b"\0\1"}, "not understood"),
    ],
)
def test_what_is_no_array_gets_one_clear_sentence(files: dict[str, bytes], fragment: str, tmp_path: Path) -> None:
    refused(write_folder(tmp_path / "f", files), fragment)


def test_a_bomb_of_zeros_in_an_npz_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header((60_000, 48, 48)) + bytes(60_000 * 2304))
        archive.writestr("y.npy", header((60_000,)) + bytes(60_000))
    refused(tmp_path / "f.npz", "fill up disks")


def test_arrays_beside_an_npz_leave_it_unclear_which_are_meant(tmp_path: Path) -> None:
    npz(npy_folder(tmp_path / "f", X=IMAGES, y=LABELS) / "all.npz", X=IMAGES, y=LABELS)
    refused(tmp_path / "f", "all.npz", "not clear")


def test_a_pipe_beside_the_arrays_is_not_waited_for(tmp_path: Path) -> None:
    folder = npy_folder(tmp_path / "f", X=IMAGES)
    os.mkfifo(folder / "y.npy")
    refused(folder, "a pipe")


def test_standardised_faces_are_refused_with_their_range(tmp_path: Path) -> None:
    refused(npz(tmp_path / "f.npz", X=(IMAGES - 127.0) / 60, y=LABELS), "standardised")
    values = IMAGES / 255
    values[3, 4, 5] = np.nan
    refused(npz(tmp_path / "f.npz", X=values, y=LABELS), "NaN")


@pytest.mark.parametrize(
    ("content", "fragment"),
    [(b"\x80\x04\x95 pickle", "pickle"), (b"\x89HDF\r\n\x1a\n123", "HDF5"), (b"ARROW1\0\0", "Arrow")],
)
def test_other_files_of_numbers_are_named_and_refused(content: bytes, fragment: str, tmp_path: Path) -> None:
    (tmp_path / "faces.bin").write_bytes(content)
    refused(tmp_path / "faces.bin", fragment, "faces.bin")


def parquet(path: Path, columns: dict[str, Any], names: list[str] | None = None, **options: Any) -> Path:
    table = pa.table(columns)
    if names:
        info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({b"huggingface": json.dumps(info).encode()})
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path, **options)
    return path


def pictures(mask: np.ndarray | slice = slice(None)) -> list[dict[str, Any]]:
    return [{"bytes": jpeg(image, "PNG"), "path": None} for image in IMAGES[mask]]


def hugging_face(folder: Path) -> Path:
    for word, mask in {"train": TRAIN, "validation": VALID, "test": TEST}.items():
        columns = {"image": pictures(mask), "label": 6 - LABELS[mask]}
        parquet(folder / f"{word}-00000-of-00001.parquet", columns, list(reversed(emotions.NAMES)))
    return folder


PARQUET: dict[str, Callable[[Path], Path]] = {
    "Hugging Face, a folder": lambda path: hugging_face(path / "f"),
    "words": lambda path: parquet(
        path / "f.parquet", {"image": pictures(), "label": NAMES.tolist(), "split": FACES.splits}
    ),
    "bytes alone": lambda path: parquet(
        path / "f.parquet",
        {"image": [one["bytes"] for one in pictures()], "emotion": LABELS, "Usage": FACES.splits},
    ),
    "lists of pixels": lambda path: parquet(
        path / "f.parquet", {"pixels": IMAGES.reshape(-1, 2304).tolist(), "emotion": LABELS, "Usage": FACES.splits}
    ),
    "pixels as text": lambda path: parquet(
        path / "f.parquet",
        {"pixels": [row[1] for row in FACES.rows()], "emotion": LABELS, "Usage": FACES.splits},
    ),
}


@pytest.mark.parametrize("form", PARQUET)
def test_every_parquet_gives_the_same_faces(form: str, tmp_path: Path) -> None:
    dataset = imported(PARQUET[form](tmp_path))
    for split, mask in BY_SPLIT.items():
        here = dataset.splits == split
        assert np.array_equal(dataset.images[here], IMAGES[mask])
        assert np.array_equal(dataset.labels[here], LABELS[mask])


def test_a_parquet_of_one_split_is_split_and_contempt_left_out(tmp_path: Path) -> None:
    columns = {"image": [*pictures(), pictures()[0]], "label": [*LABELS.tolist(), 7]}
    dataset = imported(parquet(tmp_path / "train-0.parquet", columns, [*emotions.NAMES, "contempt"]))
    assert len(dataset) == len(LABELS)
    assert dataset.info.counts["Training"] == (7,) * 7
    assert any("contempt" in note for note in dataset.info.notes)


def test_a_broken_picture_in_a_parquet_is_left_out_and_many_end_the_import(tmp_path: Path) -> None:
    broken = [*pictures()[:-1], {"bytes": b"no picture", "path": None}]
    dataset = imported(parquet(tmp_path / "f.parquet", {"image": broken, "label": NAMES.tolist()}))
    assert len(dataset) == len(LABELS) - 1
    assert dataset.info.left_out[0].examples == (f"f.parquet[{len(LABELS) - 1}]",)
    (tmp_path / "two").mkdir()
    nothing = [{"bytes": None, "path": "a.png"}] * len(LABELS)
    refused(parquet(tmp_path / "two" / "f.parquet", {"image": nothing, "label": NAMES.tolist()}), "row 0", "path")


def test_rows_without_a_label_are_left_out_and_a_file_of_them_refused(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    parquet(folder / "train-0.parquet", {"image": pictures(TRAIN), "label": LABELS[TRAIN]}, list(emotions.NAMES))
    parquet(folder / "test-0.parquet", {"image": pictures(TEST), "label": np.full(21, -1)}, list(emotions.NAMES))
    dataset = imported(folder)
    assert len(dataset) == 21
    assert dataset.info.left_out[0].count == 21
    folder.rename(tmp_path / "g")
    (tmp_path / "only").mkdir()
    refused((tmp_path / "g" / "test-0.parquet").rename(tmp_path / "only" / "f.parquet"), "unlabelled", "predict")


def test_splits_that_are_numbers_are_asked_for(tmp_path: Path) -> None:
    refused(npz(tmp_path / "f.npz", X=IMAGES, y=LABELS, split=np.arange(len(LABELS)) % 3), "--splits", "0=train")


def test_hostile_parquet_gets_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = parquet(tmp_path / "f.parquet", {"image": pictures(), "label": NAMES.tolist()})
    whole = source.read_bytes()
    for content in (whole[:-40], whole[:4] + b"x" * 400, whole[: len(whole) // 2], b"PAR1"):
        source.write_bytes(content)
        refused(source, "no Parquet file that can be read")
    source.write_bytes(whole)
    monkeypatch.setattr(parquet_source, "MOST_GROUP_BYTES", 1000)
    refused(source, "row groups")
    refused(parquet(tmp_path / "f.parquet", {"image": [1], "age": [3]}), "no column of labels", "image, age")


def test_one_large_picture_that_stands_in_every_row_is_unpacked_row_by_row(tmp_path: Path) -> None:
    """A file of 1.4 kB filled the memory: its dictionary held one value, and each row the number of that."""
    large = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int32()), pa.array([bytes(20 * 1024**2)]))
    source = parquet(tmp_path / "f.parquet", {"image": large, "label": ["happy"] * 300}, compression="zstd")
    assert source.stat().st_size < 100_000
    with parquet_source._opened(source) as file:
        assert parquet_source._largest_chunk(file, ["image"]) > 20 * 1024**2
    rows = next(parquet_source._columns(source, ["image"]))
    assert len(rows) <= 6


def test_train_and_an_unlabelled_test_give_the_labelled_ones(tmp_path: Path) -> None:
    """The challenge's two files were refused, because it was not clear which one to import."""
    rows = [row[:2] for row in FACES.rows()]
    train = "emotion,pixels\n" + "".join(f"{a},{b}\n" for a, b in rows)
    test = "pixels\n" + "".join(f"{b}\n" for _, b in rows)
    files = {"train.csv": train.encode(), "test.csv": test.encode(), "sample_submission.csv": b"id,emotion\n1,0\n"}
    dataset = imported(write_folder(tmp_path / "f", files))
    assert np.array_equal(dataset.images, IMAGES)
    assert dataset.info.counts["Training"] == (7,) * 7
    assert any("test.csv has no labels" in note and "predict" in note for note in dataset.info.notes)


def test_a_table_for_each_split_is_one_set(tmp_path: Path) -> None:
    rows = np.array(FACES.rows(), dtype=object)
    files = {
        f"{name}.csv": csv_text(rows[mask].tolist(), ["emotion", "pixels"]).encode()
        for name, mask in {"fer_train": TRAIN, "fer_val": VALID, "fer_test": TEST}.items()
    }
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert imported(tmp_path / "f.zip").info.counts == dict.fromkeys(emotions.SPLITS, (3,) * 7)


def test_only_headers_and_labels_are_read_before_the_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npy_file, "MOST_AT_ONCE", 1000)
    source = ArraySource("f", [npz(tmp_path / "f.npz", X=IMAGES, y=LABELS.astype(np.uint8))])
    assert source.understanding.faces == len(LABELS)
