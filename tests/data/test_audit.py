"""The audit: duplicates, near duplicates, contradicting labels, blank images, and the file that keeps them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from faulty import faulty_dataset, noisy, smooth

from fer_core.data.audit import AUDIT_FILE, Audit, audit_dataset, near_duplicates, near_duplicates_of, read_audit, store
from fer_core.data.catalogue import list_damaged, list_datasets
from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.data.importer import import_dataset
from fer_core.emotions import SPLITS
from fer_core.progress import Progress
from fer_core.settings import settings

Images = npt.NDArray[np.uint8]


def dataset_of(folder: Path, images: Images, splits: Sequence[str], labels: Sequence[int] | None = None) -> Dataset:
    return write_dataset(folder, images, np.arange(len(images)) % 7 if labels is None else labels, splits)


def table(audit: Audit) -> dict[str, Any]:
    """Everything an audit holds by row, as plain lists; NaN as None."""
    ncc = [None if np.isnan(value) else float(value) for value in audit.training_ncc]
    names = ("group", "constant", "nearly_constant", "near_count", "training_row", "training_mirrored")
    return {
        **{name: getattr(audit, name).tolist() for name in names},
        "training_ncc": ncc,
        "near": [audit.near_duplicates(row) for row in range(len(audit))],
    }


@pytest.fixture
def known(tmp_path: Path) -> Dataset:
    """Seven Training faces, three of PublicTest, five of PrivateTest, with one of each thing an audit looks for."""
    return faulty_dataset(tmp_path / "d")


def test_what_there_is_to_find_is_found_and_nothing_else(known: Dataset) -> None:
    audit = audit_dataset(known)
    assert [rows.tolist() for rows in audit.groups()] == [[0, 1], [3, 7], [6, 13], [11, 12]]
    assert audit.group.tolist() == [0, 0, 2, 3, 4, 5, 6, 3, 8, 9, 10, 11, 11, 6, 14]
    assert (audit.exact(7).tolist(), audit.exact(8).tolist()) == ([3], [])
    assert np.flatnonzero(audit.near_count).tolist() == [4, 5, 8, 10]
    assert [(duplicate.row, duplicate.mirrored) for duplicate in audit.near_duplicates(8)] == [(4, False)]
    assert [(duplicate.row, duplicate.mirrored) for duplicate in audit.near_duplicates(5)] == [(10, True)]
    assert 0.93 < audit.near_duplicates(5)[0].ncc < 1
    assert audit.training_row.tolist() == [1, 0, -1, -1, -1, -1, -1, 3, 4, -1, 5, -1, -1, 6, -1]
    assert np.flatnonzero(audit.training_mirrored).tolist() == [10]
    assert audit.training_ncc[[0, 7, 13]].tolist() == [1, 1, 1]
    np.testing.assert_array_equal(np.isnan(audit.training_ncc), audit.training_row < 0)
    assert np.flatnonzero(audit.constant).tolist() == [6, 13]
    assert np.flatnonzero(audit.nearly_constant).tolist() == [14]


def test_twins_are_test_faces_with_a_twin_in_training(known: Dataset) -> None:
    duplicates = near_duplicates_of(known)
    assert np.flatnonzero(duplicates.exact).tolist() == [7, 13]
    assert np.flatnonzero(duplicates.exact_or_near).tolist() == [7, 8, 10, 13]


def test_the_summary_counts(known: Dataset) -> None:
    summary = audit_dataset(known).summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary == {
        "faces": 15,
        "threshold": 0.93,
        "exact": {"groups": 4, "rows": 8, "redundant": 4, "groups_across_splits": 2},
        "near": {"pairs": 2, "rows": 4},
        "twins_in_training": {
            "PublicTest": {"faces": 3, "exact": 1, "near": 1, "exact_or_near": 2, "mirrored": 0},
            "PrivateTest": {"faces": 5, "exact": 1, "near": 1, "exact_or_near": 2, "mirrored": 1},
        },
        # Labels count up from 0 to 6 again and again, so only rows 0 and 7, 1 and 8, … agree.
        "conflicts": {"groups": 3, "rows": 6, "members": [[0, 1], [3, 7], [11, 12]]},
        "constant": [6, 13],
        "nearly_constant": [14],
    }


def reference(images: Images) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """NCC of every pair as NumPy's own correlation coefficient, as they are and with one mirrored: (n, n) each."""
    small = [cv2.resize(cv2.equalizeHist(image), (24, 24), interpolation=cv2.INTER_AREA) for image in images]
    plain = np.stack([image.ravel() for image in small]).astype(np.float64)
    turned = np.stack([image[:, ::-1].ravel() for image in small]).astype(np.float64)
    n = len(images)
    both = np.corrcoef(np.vstack([plain, turned]))
    return both[:n, :n], both[:n, n:]


@pytest.mark.parametrize("in_memory", [70, 69])
def test_every_pair_is_compared_whatever_the_blocks(
    home: Path, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(near_duplicates, "IN_MEMORY", in_memory)
    monkeypatch.setattr(near_duplicates, "BLOCK", 16)
    monkeypatch.setattr(near_duplicates, "_BUFFERED", 0)
    base = smooth(5, seed=3)
    images = np.stack([noisy(base[i % 5][:, :: 1 if i % 3 else -1], 3 + i / 10, seed=i) for i in range(70)])
    training = np.arange(70) % 4 == 0
    reports: list[Progress] = []
    found = near_duplicates.find_near_duplicates(
        images, np.arange(70, dtype=np.int32), training, 0.9, keep=3, progress=reports.append
    )

    upright, turned = reference(images)
    best = np.maximum(upright, turned)
    np.fill_diagonal(best, -1)
    assert np.abs(best - 0.9).min() > 1e-5, "no pair so near the threshold that rounding decides"
    np.testing.assert_array_equal(found.count, (best > 0.9).sum(axis=1))
    assert found.count.sum() > 4 * 70 * 3, "so many that some are dropped on the way"
    for of, keep, allowed in ((found.nearest, 3, np.ones(70, bool)), (found.training, 1, training)):
        for i in range(70):
            part = slice(of.start[i], of.start[i + 1])
            ranked = [j for j in np.argsort(-best[i]) if best[i, j] > 0.9 and allowed[j]][:keep]
            assert of.row[part].tolist() == ranked
            np.testing.assert_allclose(of.ncc[part], best[i, ranked], atol=1e-5)
            assert of.mirrored[part].tolist() == (turned[i, ranked] > upright[i, ranked]).tolist()
    assert reports[-1].done == 70


def test_flat_faces_have_no_near_twin() -> None:
    images = np.full((4, 48, 48), 90, np.uint8)
    images[1] = 91
    images[2:, ::2, ::2] = images[2:, 1::2, 1::2] = 200  # a pattern that shrinking averages away
    images[3] = 255 - images[3]
    found = near_duplicates.find_near_duplicates(images, np.arange(4, dtype=np.int32), np.ones(4, bool), 0.5, keep=3)
    assert found.count.tolist() == [0, 0, 0, 0]
    even, odd = near_duplicates.halves(images)
    assert not even.any()
    assert not odd.any()


def test_many_copies_of_one_face_are_one_group_and_no_near_twins(tmp_path: Path) -> None:
    images = np.repeat(smooth(1), 60, axis=0)
    images[59] = noisy(images[59], 3, seed=0)
    audit = audit_dataset(dataset_of(tmp_path / "d", images, ["PrivateTest"] * 20 + ["Training"] * 40))
    assert [len(rows) for rows in audit.groups()] == [59]
    assert audit.near_count.tolist() == [1] * 59 + [59]
    assert [duplicate.row for duplicate in audit.near_duplicates(59)] == list(range(10)), (
        "ten are kept, the lowest rows of equally near ones"
    )
    assert audit.training_row.tolist() == [20] * 20 + [21] + [20] * 39


def test_a_dataset_without_training_faces_has_no_twins(tmp_path: Path) -> None:
    images = np.repeat(smooth(2), 2, axis=0)
    duplicates = near_duplicates_of(dataset_of(tmp_path / "d", images, ["PublicTest", "PrivateTest"] * 2))
    assert not duplicates.exact_or_near.any()


def test_the_result_is_kept_and_read_again(known: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {path.name for path in known.path.iterdir()}
    assert read_audit(known) is None
    first = audit_dataset(known)
    assert (first.cached, first.note) == (False, "")
    assert {path.name for path in known.path.iterdir()} == files | {AUDIT_FILE}
    monkeypatch.setattr("fer_core.data.audit.find_near_duplicates", None)
    reloaded = load_dataset(known.path)
    again = audit_dataset(reloaded)
    assert again.cached
    assert table(again) == table(first)
    assert again.summary() == first.summary()
    assert reloaded.info == known.info


def test_a_result_for_other_faces_or_by_another_rule_is_not_trusted(
    known: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit_dataset(known)
    labels = [0] * len(known)
    other = dataset_of(tmp_path / "other", np.asarray(known.images), known.splits.tolist(), labels)
    (other.path / AUDIT_FILE).write_bytes((known.path / AUDIT_FILE).read_bytes())
    assert read_audit(other) is None
    assert not audit_dataset(other).cached
    assert read_audit(other) is not None

    monkeypatch.setattr(store, "RULE", store.RULE + 1)
    assert read_audit(known) is None
    assert not audit_dataset(known).cached
    assert read_audit(known) is not None


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing", None])
def test_a_damaged_file_is_replaced(known: Dataset, content: bytes | None) -> None:
    first = audit_dataset(known)
    file = known.path / AUDIT_FILE
    whole = file.read_bytes()
    if content is None:
        # The footer is whole, the data is not.
        content = whole[:4] + bytes(len(whole) // 3) + whole[4 + len(whole) // 3 :]
    file.write_bytes(content)
    again = audit_dataset(known)
    assert not again.cached
    assert table(again) == table(first)
    assert read_audit(known) is not None


def test_a_parquet_file_of_somebody_else_is_not_trusted(known: Dataset) -> None:
    (known.path / AUDIT_FILE).write_bytes((known.path / "faces.parquet").read_bytes())
    assert read_audit(known) is None


def test_a_folder_that_cannot_be_written_to_is_audited_all_the_same(known: Dataset) -> None:
    # A folder in the file's place stands in for missing rights, which do not bind root.
    (known.path / AUDIT_FILE).mkdir()
    audit = audit_dataset(known)
    assert "could not be kept" in audit.note
    assert audit.near_count.sum() == 4
    assert not list(known.path.glob(".*")), "nothing half-written stays"


def test_the_catalogue_and_an_import_do_not_mind_the_file(home: Path) -> None:
    out = settings().datasets_dir / "d"
    images = smooth(21)
    splits = [split for split in SPLITS for _ in range(7)]
    dataset = dataset_of(out, images, splits)
    audit_dataset(dataset)
    assert [info.fingerprint for info in list_datasets()] == [dataset.info.fingerprint]
    assert list_damaged() == []
    write_dataset(out, images[::-1], np.arange(21) % 7, splits, overwrite=True)
    assert not (out / AUDIT_FILE).exists()


TESTS = str(Path(__file__).resolve().parents[1])
# Prints what an audit found, and its own peak memory in MB.
CHILD = f"""
import json, sys
sys.path.insert(0, {TESTS!r})
from peak_memory import peak_bytes
from fer_core.data.audit import audit_dataset
from fer_core.data.dataset import load_dataset
audit = audit_dataset(load_dataset(sys.argv[1]))
peak = peak_bytes()
print(json.dumps({{"megabytes": peak / 1e6, **audit.summary()}}))
"""


@pytest.mark.real
@pytest.mark.slow
def test_the_facts_of_the_real_data(tmp_path: Path, fer2013_csv: Path) -> None:
    dataset = import_dataset(fer2013_csv, tmp_path / "fer2013")
    child = subprocess.run([sys.executable, "-c", CHILD, str(dataset.path)], capture_output=True, text=True, check=True)
    found = json.loads(child.stdout)
    assert found["exact"] == {"groups": 1_514, "rows": 3_365, "redundant": 1_851, "groups_across_splits": 557}
    private = found["twins_in_training"]["PrivateTest"]
    assert private["exact"] == 288
    assert private["exact_or_near"] / private["faces"] == pytest.approx(0.146, abs=0.0005)
    assert found["conflicts"]["groups"] == 59
    assert len(found["constant"]) == 12
    duplicates = near_duplicates_of(dataset)
    assert not duplicates.exact_or_near[dataset.rows("Training")].any()
    assert found["megabytes"] < 1000
