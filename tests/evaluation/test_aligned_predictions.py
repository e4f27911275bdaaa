"""Runs aligned face by face: by row number, never by order, and only where they saw the same faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from edited_runs import measured_on, reseal_evaluation, rewrite_predictions
from factories import make_run
from made_up_faces import make_labels

from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.errors import RunError
from fer_core.evaluation.aligned_predictions import align
from fer_core.runs.folder import RunFolder
from fer_core.runs.predictions import PROBABILITY_COLUMNS


@pytest.fixture
def runs(tmp_path: Path) -> list[RunFolder]:
    return [make_run(tmp_path / f"run{seed}", seed=seed) for seed in range(3)]


def test_faces_are_matched_by_row_number_and_not_by_order(runs: list[RunFolder]) -> None:
    expected = align(runs, PRIVATE_TEST)
    frame = measured_on(runs[1]).predictions()
    rewrite_predictions(runs[1], frame.sample(frac=1, random_state=3))
    found = align(runs, PRIVATE_TEST)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)


def test_what_a_joined_set_holds(runs: list[RunFolder]) -> None:
    found = align(runs, PUBLIC_TEST)
    frame = runs[2].predictions()
    assert frame is not None
    part = frame[frame["split"] == PUBLIC_TEST].sort_values("row")
    n = len(part)
    assert found.names == ("run0", "run1", "run2")
    assert (found.split, found.fingerprint, len(found)) == (PUBLIC_TEST, "0" * 64, n)
    assert found.rows.tolist() == part["row"].tolist()
    assert found.labels.tolist() == part["label"].tolist()
    assert (found.probabilities.shape, found.probabilities.dtype) == ((3, n, 7), np.float32)
    np.testing.assert_array_equal(found.probabilities[2], part[list(PROBABILITY_COLUMNS)].to_numpy())
    assert (found.labels.dtype, found.predicted.dtype, found.right.dtype) == (np.int8, np.int8, np.bool_)
    assert found.predicted[2].tolist() == part[list(PROBABILITY_COLUMNS)].to_numpy().argmax(axis=1).tolist()
    assert found.right.tolist() == (found.predicted == found.labels[None]).tolist()
    with pytest.raises(ValueError, match="read-only"):
        found.labels[0] = 3


def test_keep_goes_by_row_number_of_the_dataset(tmp_path: Path) -> None:
    labels, splits = make_labels(84)
    rows = np.arange(84)[::-1] * 3
    run = make_run(tmp_path / "run", labels=labels, splits=splits, rows=rows, data={"faces": 300})
    keep = np.zeros(300, dtype=bool)
    wanted = np.sort(rows[splits == PRIVATE_TEST])[:5]
    keep[wanted] = True
    keep[rows[splits == TRAINING]] = True
    found = align([run], PRIVATE_TEST, keep=keep)
    assert found.rows.tolist() == wanted.tolist()
    by_row = dict(zip(rows, labels, strict=True))
    assert found.labels.tolist() == [by_row[row] for row in wanted]
    with pytest.raises(ValueError, match="each row of the dataset"):
        align([run], PRIVATE_TEST, keep=keep[:10])
    with pytest.raises(ValueError, match="true or false"):
        align([run], PRIVATE_TEST, keep=keep.astype(int))


def test_where_leaves_faces_out_everywhere(runs: list[RunFolder]) -> None:
    whole = align(runs, PRIVATE_TEST)
    mask = whole.labels == 3
    part = whole.where(mask)
    assert part.rows.tolist() == whole.rows[mask].tolist()
    np.testing.assert_array_equal(part.predicted, whole.predicted[:, mask])
    np.testing.assert_array_equal(part.right, whole.right[:, mask])
    empty = whole.where(np.zeros(len(whole), dtype=bool))
    assert len(empty) == 0
    assert empty.right.shape == (3, 0)
    for wrong in (mask[1:], mask.astype(int)):
        with pytest.raises(ValueError, match="mask"):
            whole.where(wrong)


def test_other_labels_change_who_is_right_and_nothing_else(runs: list[RunFolder]) -> None:
    before = align(runs, PRIVATE_TEST)
    assert not before.right[0].all()
    after = before.with_labels(before.predicted[0])
    assert after.right[0].all()
    np.testing.assert_array_equal(after.predicted, before.predicted)
    assert before.labels.tolist() != after.labels.tolist()
    for wrong in (before.labels[1:], before.labels + 7, before.labels.astype(float), before.labels - 1):
        with pytest.raises(ValueError, match=r"labels"):
            before.with_labels(wrong)


def test_runs_measured_on_other_data_are_refused(runs: list[RunFolder], tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", data={"fingerprint": "ab" * 32, "title": "Other faces"})
    with pytest.raises(
        RunError,
        match=r"other was not measured on the faces that run0.*Made-up faces \(fingerprint 00000000\).*evaluate",
    ):
        align([runs[0], other], PRIVATE_TEST)


def test_a_missing_face_or_another_label_is_damage(runs: list[RunFolder]) -> None:
    frame = measured_on(runs[1]).predictions()
    rewrite_predictions(runs[1], frame.iloc[:-1])
    with pytest.raises(RunError, match="the same faces of PrivateTest"):
        align(runs, str(frame["split"].iloc[-1]))
    changed = frame.copy()
    changed["label"] = (changed["label"] + 1) % 7
    rewrite_predictions(runs[1], changed)
    with pytest.raises(RunError, match="the same labels"):
        align(runs, PRIVATE_TEST)


def test_a_run_without_predictions_or_faces_says_so(runs: list[RunFolder]) -> None:
    with pytest.raises(RunError, match="run0 has no predictions on Training"):
        align(runs, TRAINING)
    measured_on(runs[1]).predictions_path.unlink()
    with pytest.raises(RunError, match=r"predictions\.parquet is missing\. Measure again.*run1"):
        align(runs, PRIVATE_TEST)
    manifest = measured_on(runs[0]).path / "evaluation.json"
    manifest.write_text('{"schema": 2}')
    with pytest.raises(RunError, match=r"evaluation\.json is damaged.*run0"):
        align(runs, PRIVATE_TEST)
    manifest.unlink()
    with pytest.raises(RunError, match="run0 was not evaluated"):
        align(runs, PRIVATE_TEST)
    with pytest.raises(ValueError, match="no run"):
        align([], PRIVATE_TEST)


def test_a_row_that_occurs_twice_is_damage(runs: list[RunFolder]) -> None:
    frame = measured_on(runs[0]).predictions()
    frame.loc[frame["split"] == PRIVATE_TEST, "row"] = 5
    reseal_evaluation(runs[0], lambda found: frame.to_parquet(found.predictions_path))
    with pytest.raises(RunError, match="occurs twice"):
        align(runs, PRIVATE_TEST)


def test_the_shipped_run_can_be_joined_without_the_dataset() -> None:
    folder = Path(__file__).parents[2] / "models" / "custom_cnn"
    found = align([RunFolder(folder)] * 2, PRIVATE_TEST)
    assert len(found) == 3589
    metrics = RunFolder(folder).metrics()
    assert metrics is not None
    assert found.right[0].mean() == pytest.approx(metrics["splits"][PRIVATE_TEST]["accuracy"])
