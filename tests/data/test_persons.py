"""Whose face is whose, by names alone: known naming schemes, and no persons where there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from factories import make_run

from fer_core.data.dataset import load_dataset, write_dataset
from fer_core.data.persons import persons_in
from fer_core.emotions import COUNT, PUBLIC_TEST
from fer_core.evaluation.measure import measure
from fer_core.runs.card import _drawn_anew
from fer_core.runs.metrics import persons_lines
from fer_core.runs.predictions import read_predictions, write_predictions


@pytest.mark.parametrize(
    "names",
    [
        ["angry/S005_001_00000011.png", "S005_002_00000014.png", "S010_001_00000003.png", "S010_009_00000001.png"],
        ["KA.AN1.39.tiff", "test/KA.HA2.30.tiff", "KL.AN1.167.tiff", "KL.SU3.12.tiff"],
        ["AF01ANS.JPG", "BF01HAFL.JPG", "x/AM10NES.JPG", "AM10SUHR.JPG"],
        ["happy/subject1_a.png", "sad/Subject-01.png", "subject12_x.png", "subject12_y.png"],
        ["Actor_03/happy/1.png", "Actor_03/sad/2.png", "Actor_04/1.png", "Actor_04/2.png"],
        ["person 1\\1.png", "person 1\\2.png", "person 2\\1.png", "person 2\\2.png"],
    ],
    ids=["CK+", "JAFFE", "KDEF", "subjects", "actors", "backslashes"],
)  # fmt: skip
def test_names_that_tell_persons(names: list[str]) -> None:
    found = persons_in(names)
    assert found is not None
    assert found.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "names",
    [
        ["happy/Training_1.jpg", "happy/Training_2.jpg", "sad/Training_3.jpg", "sad/Training_3.jpg"],
        ["test_0001_aligned.jpg", "test_0001_aligned.jpg", "test_0002_aligned.jpg", "test_0002_aligned.jpg"],
        ["fer2013.csv[0]", "fer2013.csv[1]", "fer2013.csv[2]", "fer2013.csv[3]"],
        ["person1.png", "person2.png", "person3.png", "person4.png"],
        ["subject1_a.png", "subject1_b.png", "subject2_a.png", "somebody.png"],
        ["subject1_a.png", "subject1_b.png", "subject1_c.png", "subject1_d.png"],
        [],
        ["", ""],
    ],
    ids=["FER-2013", "RAF-DB", "rows", "a number a face", "one without", "one person", "none", "nameless"],
)
def test_names_that_tell_none(names: list[str]) -> None:
    assert persons_in(names) is None


@pytest.mark.parametrize(("persons", "says"), [(12, "over 12 persons"), (3, "too few")])
def test_a_measurement_says_over_how_many_persons_its_intervals_are(
    tmp_path: Path, home: Path, persons: int, says: str
) -> None:
    random = np.random.default_rng(0)
    n = persons * 14
    labels = np.arange(n, dtype=np.int8) % COUNT
    names = [f"x/S{row // 14:03}_001_{row:08}.png" for row in range(n)]
    images = random.integers(0, 256, (n, 48, 48), dtype=np.uint8)
    folder = tmp_path / "strangers"
    write_dataset(
        folder, images, labels, [PUBLIC_TEST] * n, name="strangers", title="Strangers", kind="folder", source="x",
        source_names=names,
    )  # fmt: skip
    said = np.eye(COUNT)[np.where(random.random(n) < 0.6, labels, (labels + 1) % COUNT)]
    path = tmp_path / "predictions.parquet"
    write_predictions(
        path, np.arange(n), [PUBLIC_TEST] * n, labels, said, fingerprint=load_dataset(folder).info.fingerprint
    )
    metrics = measure(read_predictions(path), load_dataset(folder), None, {}, flipped=said)
    scores = metrics["splits"][PUBLIC_TEST]
    # Of a vote it was over faces: whoever measured handed the persons in, or forgot to.
    flip = scores["flip_average"]
    assert (flip["accuracy_low"], flip["accuracy_high"]) == (scores["accuracy_low"], scores["accuracy_high"])
    assert scores["by_person"]["persons"] == persons
    [line] = persons_lines(metrics)
    assert says in line
    assert ("recall of fear" in line) == (persons >= 5)
    assert "S00" not in line
    assert _drawn_anew(metrics) == "persons"


def test_without_persons_nothing_is_said(tmp_path: Path, home: Path) -> None:
    metrics = make_run(tmp_path / "run").metrics()
    assert metrics is not None
    assert not persons_lines(metrics)
    assert _drawn_anew(metrics) == "faces"
