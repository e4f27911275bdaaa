"""How wrong a finished run still is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from edited_runs import measured_on, reseal_evaluation, rewrite_predictions
from factories import make_run

from fer_core.errors import RunError
from fer_core.evaluation.weak_points import weak_points
from fer_core.runs.folder import RunFolder


def write(run: RunFolder, labels: list[int], probabilities: np.ndarray) -> None:
    table = pd.DataFrame({"row": np.arange(len(labels)), "split": "PrivateTest", "label": labels})
    for label in range(7):
        table[f"p{label}"] = probabilities[:, label].astype(np.float32)
    rewrite_predictions(run, table)


def answers(said: list[int], confidence: list[float]) -> np.ndarray:
    probabilities = np.empty((len(said), 7))
    for row, (label, sure) in enumerate(zip(said, confidence, strict=True)):
        probabilities[row] = (1 - sure) / 6
        probabilities[row, label] = sure
    return probabilities


def test_wrong_sure_and_hardest_are_counted_by_hand(tmp_path: Path) -> None:
    run = make_run(tmp_path / "hand")
    # Ten times: three of six wrong; one of the three sure ones (0.9 counts as sure); class 2 is missed each time.
    write(run, 10 * [0, 0, 0, 2, 2, 3], answers(10 * [0, 0, 1, 3, 3, 3], 10 * [0.95, 0.6, 0.5, 0.92, 0.5, 0.91]))
    points = weak_points(run)
    assert points is not None
    assert points.missed is not None
    assert (points.wrong.count, points.wrong.n, points.wrong.value) == (30, 60, 0.5)
    assert (points.sure_wrong.count, points.sure_wrong.n) == (10, 30)
    assert (points.hardest, points.missed.count, points.missed.n) == ("fear", 20, 20)
    assert 0 < points.wrong.low < 0.5 < points.wrong.high < 1


def test_faces_that_a_model_may_remember_are_left_out(tmp_path: Path) -> None:
    """Disgust looked half found: the faces that were found have twins in Training."""
    run = make_run(tmp_path / "twins")
    label, said = 20 * [1] + 20 * [1] + 40 * [3], answers(20 * [1] + 20 * [0] + 40 * [3], [0.5] * 80)
    table = pd.DataFrame({"row": np.arange(80), "split": "PrivateTest", "label": label})
    for label in range(7):
        table[f"p{label}"] = said[:, label].astype(np.float32)
    table["near_duplicate"] = 20 * [True] + 60 * [False]
    rewrite_predictions(run, table)
    points = weak_points(run)
    assert points is not None
    assert points.without_twins
    assert points.missed is not None
    assert (points.wrong.count, points.wrong.n) == (20, 60)
    assert (points.hardest, points.missed.count, points.missed.n) == ("disgust", 20, 20)


def test_a_class_of_a_few_faces_is_named_as_not_judged(tmp_path: Path) -> None:
    run = make_run(tmp_path / "few")
    labels, said = [6] * 25 + [1] * 7 + [2] * 3, [6] * 14 + [4] * 11 + [0] * 7 + [2] * 3
    write(run, labels, answers(said, [0.5] * 35))
    points = weak_points(run)
    assert points is not None
    assert points.hardest == "neutral"
    assert [(one.emotion, one.found, one.n) for one in points.unjudged] == [("disgust", 0, 7), ("fear", 3, 3)]


def test_where_no_class_has_enough_faces_none_is_called_the_hardest(tmp_path: Path) -> None:
    """As the card has it: two of two missed may be chance."""
    run = make_run(tmp_path / "few")
    write(run, [1, 1, 2], answers([0, 0, 2], [0.5] * 3))
    points = weak_points(run)
    assert points is not None
    assert (points.hardest, points.missed) == (None, None)
    assert [(one.emotion, one.found, one.n) for one in points.unjudged] == [("disgust", 0, 2), ("fear", 1, 1)]


def test_no_sure_answer_gives_no_share_rather_than_zero(tmp_path: Path) -> None:
    run = make_run(tmp_path / "unsure")
    write(run, [0], answers([0], [0.5]))
    points = weak_points(run)
    assert points is not None
    assert points.sure_wrong.n == 0
    assert np.isnan(points.sure_wrong.value)


def test_a_run_without_faces_of_the_split_has_no_weak_points(tmp_path: Path) -> None:
    run = make_run(tmp_path / "other")
    write(run, [0], answers([0], [0.5]))
    assert weak_points(run, "PublicTest") is None
    (measured_on(run).path / "evaluation.json").unlink()
    assert weak_points(run) is None


def test_probabilities_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "nan")
    frame = measured_on(run).predictions().assign(p0=np.float32(np.inf))
    reseal_evaluation(run, lambda found: frame.to_parquet(found.predictions_path))
    with pytest.raises(RunError, match=r"not finite.*evaluate"):
        weak_points(run)
