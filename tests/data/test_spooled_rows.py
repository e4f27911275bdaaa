"""Rows on disk are the rows that were written, and their file goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from fer_core.data.spooled_rows import SpooledRows
from fer_core.runs.embeddings import write_embeddings

ROWS = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)


def test_slices_are_what_was_written_in_any_order(tmp_path: Path) -> None:
    with SpooledRows(tmp_path) as rows:
        rows.append(ROWS[:10])
        np.testing.assert_array_equal(rows[5:8], ROWS[5:8])
        rows.append(ROWS[10:])
        assert rows.shape == ROWS.shape
        np.testing.assert_array_equal(rows[8:99], ROWS[8:])
        assert rows[40:50].shape == (0, 4)
    assert not list(tmp_path.iterdir())


def test_other_widths_and_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    with SpooledRows(tmp_path) as rows:
        rows.append(ROWS)
        with pytest.raises(ValueError, match="rows of 4"):
            rows.append(ROWS[:, :3])
        with pytest.raises(ValueError, match="finite"):
            rows.append(np.full((1, 4), np.nan, np.float32))


def test_embeddings_are_the_same_from_disk_in_blocks_as_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(1)
    faces, training = (generator.normal(size=(n, 6)).astype(np.float32) for n in (23, 57))
    about = (np.arange(23), ["PublicTest"] * 23)
    write_embeddings(tmp_path / "memory", *about, faces, np.arange(23, 80), training, fingerprint="f")
    monkeypatch.setattr("fer_core.runs.embeddings._READ", 7)
    monkeypatch.setattr("fer_core.runs.embeddings._BLOCK", 5)
    with SpooledRows(tmp_path) as one, SpooledRows(tmp_path) as other:
        one.append(faces)
        other.append(training)
        write_embeddings(tmp_path / "disk", *about, one, np.arange(23, 80), other, fingerprint="f")
    memory, disk = (pq.read_table(tmp_path / name).to_pandas() for name in ("memory", "disk"))
    pd.testing.assert_frame_equal(disk, memory, check_exact=False, atol=1e-3)
    assert (disk.filter(like="nearest") == memory.filter(like="nearest")).all(axis=None)
