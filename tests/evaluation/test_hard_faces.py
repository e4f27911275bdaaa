"""Faces that are hard for a known reason, against others with as many faces of each label; and what ships of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.hard_faces import read_lists
from fer_core.emotions import NAMES
from fer_core.evaluation.hard_faces import GROUPS, hard, shipped_hard_faces
from fer_core.runs.listing import list_runs

HAPPY, SAD = NAMES.index("happy"), NAMES.index("sad")


def test_a_group_is_compared_with_as_many_faces_of_each_label() -> None:
    """People behind glasses smile more, and smiles are easy: plain accuracies would praise glasses."""
    labels = np.repeat([HAPPY, SAD, HAPPY, SAD], [90, 10, 100, 900]).astype(np.int8)
    group = np.arange(len(labels)) < 100
    right = np.zeros(len(labels), bool)
    right[:90] = True  # of the group every smile, no sad face
    right[100:200] = True  # of the others every smile, and half of the sad faces
    right[200:650] = True
    found = hard(labels, right, group)
    assert (found.n, found.accuracy) == (100, 0.9)
    assert found.expected == pytest.approx(0.9 + 0.1 * 0.5)
    assert found.gap_low <= found.gap == pytest.approx(-0.05)
    assert found.gap_high < 0


def test_a_group_that_cannot_be_compared_is_refused() -> None:
    labels = np.array([HAPPY, SAD], np.int8)
    with pytest.raises(ValueError, match="no face"):
        hard(labels, labels == HAPPY, np.zeros(2, bool))
    with pytest.raises(ValueError, match="alone"):
        hard(labels, labels == HAPPY, np.array([True, False]))


def test_the_number_in_a_pictures_name_is_not_its_row(tmp_path: Path) -> None:
    lines = ["Usage,Image name", "PrivateTest,fer0000007.png", "PrivateTest,", "PrivateTest,fer0000008.png"]
    (tmp_path / "fer2013new.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "jianfei_occlusion_list.txt").write_text("1_fer0000008.png 8 3\n")
    (tmp_path / "pose_45_ferplus_list.txt").write_text("0/fer0000007.jpg\n")
    groups = read_lists(tmp_path)
    assert (groups["glasses"], groups["turned"], groups["mouth"]) == ([2], [0], [])


def test_what_ships_is_about_the_models_that_ship() -> None:
    figures = shipped_hard_faces()
    assert set(figures.groups) == set(GROUPS)
    shipped = {info.name: info.folder.evaluation(figures.fingerprint) for info in list_runs() if info.shipped}
    measured = {name: found for name, found in shipped.items() if found and name in figures.models}
    assert measured
    for name, found in measured.items():
        assert set(figures.of(name, found.model)) == set(GROUPS), f"{name} is another model now: measure again"
        assert figures.of(name, "0" * 64) == {}
