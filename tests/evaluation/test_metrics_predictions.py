"""predictions.parquet, twins, and the scores per split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from factories import make_labels, make_probabilities

from fer_core.data.dataset import write_dataset
from fer_core.data.importer import import_dataset
from fer_core.errors import RunError
from fer_core.evaluation.metrics import score
from fer_core.evaluation.predictions import (
    COLUMNS,
    exact_twins,
    probabilities_of,
    read_predictions,
    score_splits,
    write_predictions,
)


def test_round_trip(tmp_path: Path) -> None:
    labels, splits = make_labels(100)
    probabilities = make_probabilities(labels, 0.5)
    rows = np.arange(1000, 1100)[::-1]
    path = tmp_path / "predictions.parquet"
    write_predictions(path, rows, splits, labels, probabilities)
    frame = read_predictions(path)
    assert tuple(frame.columns) == COLUMNS
    assert frame["row"].tolist() == rows.tolist()
    assert (frame["row"].dtype, frame["label"].dtype, frame["p6"].dtype) == ("int32", "int8", "float32")
    assert frame["split"].tolist() == splits.tolist()
    np.testing.assert_array_equal(probabilities_of(frame), probabilities)
    assert [file.name for file in tmp_path.iterdir()] == ["predictions.parquet"]


def test_refuses_mismatches(tmp_path: Path) -> None:
    labels, splits = make_labels(30)
    probabilities = make_probabilities(labels, 0.5)
    with pytest.raises(ValueError, match="must be"):
        write_predictions(tmp_path / "p", np.arange(29), splits, labels, probabilities)
    with pytest.raises(ValueError, match="twice"):
        write_predictions(tmp_path / "p", np.zeros(30), splits, labels, probabilities)
    assert not list(tmp_path.iterdir())


def test_missing_and_damaged_files_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"does not exist.*evaluate"):
        read_predictions(tmp_path / "predictions.parquet")
    (tmp_path / "predictions.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(RunError, match=r"damaged.*evaluate"):
        read_predictions(tmp_path / "predictions.parquet")


def test_twins_are_test_faces_whose_pixels_are_in_training(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 48, 48), dtype=np.uint8)
    splits = np.array(["Training"] * 7 + ["PublicTest"] * 2 + ["PrivateTest"] * 3)
    images[7] = images[3]  # PublicTest face that is in Training
    images[10] = images[9]  # two equal PrivateTest faces, neither in Training
    images[1] = images[0]  # two equal Training faces
    images[11] = images[5]
    images[11, 0, 0] ^= 1  # one grey level in one pixel: not exact
    labels = [*range(7), 0, 0, 0, 0, 0]
    dataset = write_dataset(tmp_path / "d", images, labels, splits)
    assert np.flatnonzero(exact_twins(dataset)).tolist() == [7]


def test_splits_are_scored_with_and_without_twins(tmp_path: Path) -> None:
    labels, splits = make_labels(210)
    probabilities = make_probabilities(labels, 0.6)
    test = splits != "Training"
    path = tmp_path / "predictions.parquet"
    write_predictions(path, np.flatnonzero(test), splits[test], labels[test], probabilities[test])
    frame = read_predictions(path)
    assert all(scores["without_twins"] is None for scores in score_splits(frame).values())

    twins = np.zeros(210, dtype=bool)
    public, private = np.flatnonzero(splits == "PublicTest"), np.flatnonzero(splits == "PrivateTest")
    twins[private[:10]] = True
    scores = score_splits(frame, twins, resamples=100, seed=4)
    assert list(scores) == ["PublicTest", "PrivateTest"]
    left = private[10:]
    expected = score(labels[left], probabilities[left], resamples=100, seed=4)
    found = dict(scores["PrivateTest"]["without_twins"])
    assert found.pop("rule").startswith("Left out: 10 of the 70 faces of PrivateTest (14.3 %)")
    assert found == expected
    assert "nothing was left out" in scores["PublicTest"]["without_twins"]["rule"]
    twins[public] = True
    assert score_splits(frame, twins)["PublicTest"]["without_twins"] is None


@pytest.mark.real
def test_twins_of_the_real_data(tmp_path: Path, fer2013_csv: Path) -> None:
    dataset = import_dataset(fer2013_csv, tmp_path / "fer2013")
    twins = exact_twins(dataset)
    assert twins[dataset.rows("PrivateTest")].sum() == 288
    assert not twins[dataset.rows("Training")].any()
