"""predictions.parquet, twins, and the scores per split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up_faces import make_labels, make_probabilities

from fer_core.data.audit import NearDuplicates
from fer_core.errors import RunError
from fer_core.evaluation.scores import score_splits
from fer_core.runs.predictions import COLUMNS, probabilities_of, read_predictions, write_predictions
from fer_core.stats.metrics import score


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


def test_splits_are_scored_with_and_without_near_duplicates(tmp_path: Path) -> None:
    labels, splits = make_labels(210)
    probabilities = make_probabilities(labels, 0.6)
    test = splits != "Training"
    path = tmp_path / "predictions.parquet"
    write_predictions(path, np.flatnonzero(test), splits[test], labels[test], probabilities[test])
    frame = read_predictions(path)
    assert all(scores["without_near_duplicates"] is None for scores in score_splits(frame).values())

    near_duplicates = NearDuplicates(exact=np.zeros(210, dtype=bool), exact_or_near=np.zeros(210, dtype=bool))
    public, private = np.flatnonzero(splits == "PublicTest"), np.flatnonzero(splits == "PrivateTest")
    near_duplicates.exact_or_near[private[:10]] = True
    near_duplicates.exact[private[:4]] = True
    scores = score_splits(frame, near_duplicates, resamples=100, seed=4)
    assert list(scores) == ["PublicTest", "PrivateTest"]
    left = private[10:]
    expected = score(labels[left], probabilities[left], resamples=100, seed=4)
    found = dict(scores["PrivateTest"]["without_near_duplicates"])
    assert found.pop("rule") == (
        "Left out: 10 of the 70 faces of PrivateTest (14.3 %). 4 of them have an exact twin in Training, with the very "
        "same pixels; 6 only a near twin: a normalised cross-correlation above 0.93 on 24×24 equalised faces, mirrored "
        "too."
    )
    assert found == expected
    assert "nothing was left out" in scores["PublicTest"]["without_near_duplicates"]["rule"]
    near_duplicates.exact_or_near[public[1:]] = True
    alone = score_splits(frame, near_duplicates)["PublicTest"]["without_near_duplicates"]
    assert alone is not None
    assert alone["n"] == 1
    near_duplicates.exact_or_near[public] = True
    assert score_splits(frame, near_duplicates)["PublicTest"]["without_near_duplicates"] is None
