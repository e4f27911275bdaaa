"""Findings: each number of an audit with the groups, pairs and faces that it counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from faulty import faulty_dataset, noisy, smooth

from fer_core.data.audit import Audit, audit_dataset, findings
from fer_core.data.audit.findings import Finding
from fer_core.data.dataset import Dataset, write_dataset


@pytest.fixture
def known(tmp_path: Path) -> Dataset:
    return faulty_dataset(tmp_path / "d")


@pytest.fixture
def audit(known: Dataset) -> Audit:
    return audit_dataset(known)


def units(finding: Finding) -> list[list[int]]:
    return [rows.tolist() for rows in finding.units]


def test_every_finding_has_the_rows_that_it_counts(audit: Audit) -> None:
    found = findings.findings(audit)
    assert {name: units(finding) for name, finding in found.items()} == {
        # Blank images come after the faces.
        "exact duplicates": [[0, 1], [3, 7], [11, 12], [6, 13]],
        "redundant faces": [[1], [7], [12], [13]],
        "duplicates across splits": [[3, 7], [6, 13]],
        "conflicting labels": [[0, 1], [3, 7], [11, 12]],
        "near duplicates": sorted([[4, 8], [5, 10]], key=lambda pair: -audit.near_duplicates(pair[0])[0].ncc),
        "exact twins in Training": [[7, 3], [13, 6]],
        "near twins in Training": [[8, 4], [10, 5]],
        "mirrored twins": [[10, 5]],
        "constant images": [[6], [13]],
        "nearly constant images": [[14]],
    }


def test_totals_are_those_of_the_summary(audit: Audit) -> None:
    found, summary = findings.findings(audit), audit.summary()
    exact = found[findings.EXACT]
    assert (exact.total, exact.faces) == (summary["exact"]["groups"], summary["exact"]["rows"])
    assert found[findings.REDUNDANT].total == summary["exact"]["redundant"]
    assert found[findings.ACROSS].total == summary["exact"]["groups_across_splits"]
    assert found[findings.CONFLICTS].total == summary["conflicts"]["groups"]
    assert (found[findings.NEAR_DUPLICATES].total, found[findings.NEAR_DUPLICATES].faces) == (2, 4)
    for split, duplicates in summary["twins_in_training"].items():
        for name, key in (
            ("EXACT_IN_TRAINING", "exact"),
            ("NEAR_IN_TRAINING", "near"),
            ("MIRRORED_IN_TRAINING", "mirrored"),
        ):
            here = findings.of_split(found[getattr(findings, name)], audit, split)
            assert (here.total, here.faces, here.of) == (duplicates[key], duplicates[key], duplicates["faces"])


def test_shares_are_of_all_faces_or_of_the_test_faces(audit: Audit) -> None:
    found = findings.findings(audit)
    assert found[findings.EXACT].share == 8 / 15
    assert found[findings.EXACT_IN_TRAINING].share == 2 / 8
    assert findings.of_split(found[findings.EXACT_IN_TRAINING], audit, "PublicTest").share == 1 / 3


def test_more_near_pairs_are_counted_than_are_kept(tmp_path: Path) -> None:
    images = np.stack([noisy(smooth(1)[0], 2, seed=seed) for seed in range(14)])
    finding = findings.findings(audit_dataset(write_dataset(tmp_path / "d", images, [0] * 14, ["Training"] * 14)))[
        findings.NEAR_DUPLICATES
    ]
    assert finding.total == 14 * 13 // 2
    assert finding.faces == 14
    assert 70 <= len(finding.units) <= 91
    pairs = {tuple(rows.tolist()) for rows in finding.units}
    assert len(pairs) == len(finding.units)
    assert all(a < b for a, b in pairs)


def test_relatives_are_exact_ones_then_near_ones(tmp_path: Path) -> None:
    images = smooth(4)
    images[1] = images[0]
    images[2] = noisy(images[0][:, ::-1], 3, seed=0)
    audit = audit_dataset(write_dataset(tmp_path / "d", images, [0] * 4, ["Training"] * 4))
    assert [(duplicate.row, duplicate.mirrored) for duplicate in findings.relatives(audit, 0)] == [
        (1, False),
        (2, True),
    ]
    assert findings.relatives(audit, 0)[0].ncc == 1
    assert findings.relatives(audit, 3) == []


def test_a_twin_in_training_is_a_relative_though_ten_others_are_nearer(tmp_path: Path) -> None:
    base = smooth(1)[0]
    images = np.stack([base, *(noisy(base, 1, seed=seed) for seed in range(12)), noisy(base, 12, seed=99)])
    splits = ["PrivateTest"] * 13 + ["Training"]
    audit = audit_dataset(write_dataset(tmp_path / "d", images, [0] * 14, splits))
    assert 13 not in [duplicate.row for duplicate in audit.near_duplicates(0)]
    assert findings.relatives(audit, 0)[-1].row == 13


def test_the_face_beside_shows_what_the_finding_is_about(tmp_path: Path) -> None:
    images = np.repeat(smooth(1), 4, axis=0)
    splits = ["Training", "Training", "PublicTest", "Training"]
    audit = audit_dataset(write_dataset(tmp_path / "d", images, [0, 0, 0, 5], splits))
    found = findings.findings(audit)
    (unit,) = found[findings.EXACT].units
    assert [findings.face_to_compare(audit, found[findings.EXACT], unit, row) for row in range(4)] == [1, 0, 0, 0]
    assert [findings.face_to_compare(audit, found[findings.ACROSS], unit, row) for row in range(4)] == [2, 2, 0, 2]
    assert [findings.face_to_compare(audit, found[findings.CONFLICTS], unit, row) for row in range(4)] == [3, 3, 3, 0]


def test_beside_a_single_face_is_the_one_most_like_it(audit: Audit) -> None:
    redundant = findings.findings(audit)[findings.REDUNDANT]
    assert findings.face_to_compare(audit, redundant, np.array([7]), 7) == 3
    assert findings.face_to_compare(audit, redundant, np.array([9]), 9) is None


def test_the_headline_names_the_twins_the_conflicts_and_the_blank_images(audit: Audit) -> None:
    text = findings.headline(audit)
    assert "2 of the 5 faces of PrivateTest (40.0 %)" in text
    assert "1 pixel for pixel, 1 nearly so" in text
    assert "3 groups of equal faces carry labels that contradict each other, and 3 images show little" in text


def test_the_headline_of_clean_data_says_so(tmp_path: Path) -> None:
    audit = audit_dataset(
        write_dataset(tmp_path / "d", smooth(4), [0] * 4, ["Training", "Training", "PublicTest"] * 1 + ["PrivateTest"])
    )
    assert findings.headline(audit) == (
        "**No face of PrivateTest also occurs in Training**, neither exactly nor nearly. No equal faces carry "
        "different labels, and no image is blank."
    )
    only_training = replace(audit, splits=np.array(["Training"] * 4))
    assert findings.headline(only_training).startswith("No equal faces")
