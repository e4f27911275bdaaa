"""Faces gathered batch by batch: the same faces, never a whole split at once, and no page of the file held."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.face_rows import FaceRows, batches, in_batches
from fer_core.errors import DataError

FACES = np.random.default_rng(0).integers(0, 256, (50, 48, 48), dtype=np.uint8)
ROWS = np.array([4, 9, 1, 30, 49, 7])


def test_what_is_indexed_is_what_the_copy_would_give() -> None:
    rows, copy = FaceRows(FACES, ROWS), FACES[ROWS]
    assert rows.shape == copy.shape
    assert len(rows) == 6
    np.testing.assert_array_equal(rows[1:4], copy[1:4])
    np.testing.assert_array_equal(rows[np.array([5, 0])], copy[[5, 0]])
    found = rows[0:2]
    found[:] = 0
    assert FACES[4].any(), "a batch is an array of its own"


def test_batches_are_all_faces_in_order() -> None:
    found = list(batches(FaceRows(FACES, ROWS), 4))
    assert [len(batch) for batch in found] == [4, 2]
    np.testing.assert_array_equal(np.concatenate(found), FACES[ROWS])


def test_answers_batch_by_batch_are_those_of_all_at_once() -> None:
    def answer(faces: np.ndarray) -> np.ndarray:
        return faces.reshape(len(faces), -1)[:, :3].astype(np.float32)

    np.testing.assert_array_equal(in_batches(answer, FaceRows(FACES, ROWS), (3,), 4), answer(FACES[ROWS]))
    assert in_batches(answer, FaceRows(FACES, ROWS[:0]), (3,), 4).shape == (0, 3)


def test_faces_are_read_from_the_file_in_any_order(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", FACES)
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    rows = FaceRows(images, ROWS)
    np.testing.assert_array_equal(rows[:], FACES[ROWS])
    np.testing.assert_array_equal(FaceRows(images, np.arange(3, 40))[5:20], FACES[8:23])
    np.testing.assert_array_equal(FaceRows(images[10:], ROWS[:4])[:], FACES[10:][ROWS[:4]])
    assert rows[:0].shape == (0, 48, 48)


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="there the mapping is looked at")
def test_a_file_that_has_become_shorter_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", FACES)
    rows = FaceRows(np.load(tmp_path / "images.npy", mmap_mode="r"), ROWS)
    os.truncate(tmp_path / "images.npy", 1000)
    with pytest.raises(DataError, match=r"images\.npy is shorter"):
        rows[:]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system alone decides what stays mapped")
def test_reading_all_faces_of_a_mapped_file_does_not_hold_all_of_it(tmp_path: Path) -> None:
    """300 MB of faces, read in any order: a mapping alone would come to hold them all."""
    written = np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.uint8, (130_000, 48, 48))
    for start in range(0, len(written), 10_000):
        written[start : start + 10_000] = 7  # not holes, which the system maps otherwise
    written.flush()
    script = (
        "import sys, numpy as np\n"
        "from fer_core.data.face_rows import FaceRows, batches\n"
        "images = np.load(sys.argv[1], mmap_mode='r')\n"
        "order = np.random.default_rng(0).permutation(len(images))\n"
        "for _ in batches(FaceRows(images, order), 256): pass\n"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "images.npy")]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) * 1024
    assert peak < 120e6
