"""The real FER-2013: counts, duplicates and memory. Needs FER2013_PATH."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.dataset import Dataset, load_dataset

pytestmark = [pytest.mark.real, pytest.mark.slow]

TESTS = str(Path(__file__).resolve().parents[1])
# Prints how the import told of its progress, and its own peak memory in MB.
CHILD = f"""
import json, sys
sys.path.insert(0, {TESTS!r})
from peak_memory import peak_bytes
from fer_core.data.importer import import_dataset
reports = []
import_dataset(sys.argv[1], sys.argv[2], progress=reports.append)
peak = peak_bytes()
print(json.dumps({{
    "megabytes": peak / 1e6, "reports": len(reports), "done": reports[-1].done,
    "first_total": next(report.total for report in reports if report.total),
}}))
"""


@pytest.fixture(scope="module")
def imported(fer2013_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, dict[str, float]]:
    out = tmp_path_factory.mktemp("real") / "fer2013"
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(fer2013_csv), str(out)], capture_output=True, text=True, check=True
    )
    return load_dataset(out), json.loads(child.stdout)


def test_counts_are_the_official_ones(imported: tuple[Dataset, dict[str, float]]) -> None:
    dataset, _ = imported
    sizes = [dataset.info.split_size(split) for split in ("Training", "PublicTest", "PrivateTest")]
    assert sizes == [28_709, 3_589, 3_589]
    assert dataset.info.counts["Training"] == (3995, 436, 4097, 7215, 4830, 3171, 4965)
    assert dataset.info.counts["PublicTest"] == (467, 56, 496, 895, 653, 415, 607)
    assert dataset.info.counts["PrivateTest"] == (491, 55, 528, 879, 594, 416, 626)
    assert dataset.info.title == "FER-2013"
    assert dataset.info.notes == ()


def test_known_duplicates_and_blanks(imported: tuple[Dataset, dict[str, float]]) -> None:
    dataset, _ = imported
    faces = dataset.faces()
    sizes = faces.groupby("sha1").size()
    assert (sizes > 1).sum() == 1_514
    assert sizes[sizes > 1].sum() == 3_365
    flat = np.asarray(dataset.images).reshape(len(dataset), -1)
    assert (flat.min(axis=1) == flat.max(axis=1)).sum() == 12


def test_under_a_gigabyte_and_telling_how_far_it_is(imported: tuple[Dataset, dict[str, float]]) -> None:
    _, resources = imported
    assert resources["megabytes"] < 1000
    assert resources["reports"] > 2
    assert resources["done"] == 35_887
    assert abs(resources["first_total"] - 35_887) < 4_000, "the estimate is good from the start"
