"""Histories out of TensorBoard's files: which tag is which column, and files that end early or are none."""

from __future__ import annotations

import struct
from pathlib import Path

import event_files
import pytest

from fer_core.bring.history import column_of, is_tensorboard, words_of
from fer_core.bring.tensorboard import _records, read_events
from fer_core.errors import ModelError


@pytest.mark.parametrize(
    ("tag", "folder", "column"),
    [
        ("epoch_loss", "train", "loss"),
        ("epoch_accuracy", "validation", "val_accuracy"),
        ("epoch_sparse_categorical_accuracy", "train", "accuracy"),
        ("Loss/train", "", "loss"),
        ("Loss/val", "run_3", "val_loss"),
        ("train/loss", "test", "loss"),
        ("valid acc", "", "val_accuracy"),
        ("test_accuracy", "", "val_accuracy"),
        ("epoch_learning_rate", "train", "learning_rate"),
        ("lr-Adam", "", "learning_rate"),
        ("batch_loss", "train", ""),
        ("evaluation_loss_vs_iterations", "validation", ""),
        ("conv/kernel", "train", ""),
    ],
)
def test_the_usual_tags_are_known(tag: str, folder: str, column: str) -> None:
    assert column_of(tag, set(words_of(folder))) == column


def test_the_last_record_of_a_training_that_was_killed_is_left(tmp_path: Path) -> None:
    whole = event_files.write_events(tmp_path / "a", {"loss": [1, 2]})
    cut = event_files.write_events(tmp_path / "b", {"loss": [1, 2]}, cut=3)
    assert len(list(_records(whole))) == 3
    assert list(_records(cut)) == list(_records(whole))[:2]
    assert is_tensorboard(cut)
    assert is_tensorboard(tmp_path)


@pytest.mark.parametrize("data", [struct.pack("<QI", 2**60, 0) + bytes(100), b"", b"x"])
def test_what_is_no_event_file_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(data)
    with pytest.raises(ModelError, match=r"no file of TensorBoard|has no loss"):
        read_events(tmp_path, tmp_path)


def test_a_folder_without_event_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not 0"):
        read_events(tmp_path, tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        read_events(tmp_path / "no", tmp_path)
