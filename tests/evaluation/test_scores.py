"""Averaging with the mirror image, the LiteRT file's accuracy, and the paired bootstrap under the gain."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import make_run
from made_up_faces import make_labels, make_probabilities

from fer_core.evaluation.scores import accuracies, flip_average
from fer_core.runs.predictions import probabilities_of
from fer_core.stats.intervals import bootstrap_gain
from fer_core.stats.metrics import score


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    found = make_run(tmp_path / "run").predictions()
    assert found is not None
    return found


def test_the_mean_is_scored_and_its_gain_is_over_the_single_pass(frame: pd.DataFrame) -> None:
    flipped = make_probabilities(frame["label"].to_numpy(), 0.7, seed=9)
    found = flip_average(frame, flipped, resamples=300, seed=2)
    assert list(found) == ["PublicTest", "PrivateTest"]
    assert found == json.loads(json.dumps(found, allow_nan=False))
    private = (frame["split"] == "PrivateTest").to_numpy()
    labels, single = frame["label"].to_numpy()[private], probabilities_of(frame)[private]
    mean = (single + flipped[private]) / 2
    expected = score(labels, mean, resamples=300, seed=2)
    scores = found["PrivateTest"]
    for key in ("n", "accuracy", "accuracy_low", "accuracy_high", "macro_f1"):
        assert scores[key] == expected[key]
    before, after = single.argmax(axis=1) == labels, mean.argmax(axis=1) == labels
    assert scores["gain"] == pytest.approx(after.mean() - before.mean())
    assert (scores["gain_low"], scores["gain_high"]) == bootstrap_gain(before, after, resamples=300, seed=2)
    assert scores["gain_low"] < scores["gain"] < scores["gain_high"]


def test_a_model_that_sees_no_difference_gains_nothing(frame: pd.DataFrame) -> None:
    for scores in flip_average(frame, probabilities_of(frame)).values():
        assert scores["gain"] == 0
        # That no face of these changed does not say that none would.
        assert scores["gain_low"] == -scores["gain_high"] < 0


def test_accuracies_are_by_split(frame: pd.DataFrame) -> None:
    right = np.eye(7)[frame["label"]]
    right[(frame["split"] == "PublicTest").to_numpy()] = np.roll(right, 1, axis=1)[frame["split"] == "PublicTest"]
    n = (frame["split"] == "PrivateTest").sum()
    assert accuracies(frame, right) == {
        "PublicTest": {"n": len(frame) - n, "accuracy": 0.0},
        "PrivateTest": {"n": n, "accuracy": 1.0},
    }
    only = frame[frame["split"] == "PrivateTest"]
    assert list(accuracies(only, probabilities_of(only))) == ["PrivateTest"]


def test_other_rows_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="rows of probabilities"):
        accuracies(frame, probabilities_of(frame)[1:])
    with pytest.raises(ValueError, match="rows of probabilities"):
        flip_average(frame, probabilities_of(frame)[:, :6])


def test_the_gain_s_interval_equals_a_paired_bootstrap_with_indices() -> None:
    labels, _ = make_labels(400, seed=3)
    before = make_probabilities(labels, 0.6, seed=1).argmax(axis=1) == labels
    generator = np.random.default_rng(5)
    after = np.where(generator.random(400) < 0.1, ~before, before)
    low, high = bootstrap_gain(before, after, resamples=20_000)
    rows = generator.integers(0, 400, size=(20_000, 400))
    drawn = after[rows].mean(axis=1) - before[rows].mean(axis=1)
    assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.003)
    assert bootstrap_gain(before, after, seed=1) == bootstrap_gain(before, after, seed=1)
    # Paired: the two differ in few faces, so the gain is known far better than either accuracy.
    assert high - low < 0.09


def test_answers_of_other_lengths_have_no_gain() -> None:
    with pytest.raises(ValueError, match="equal length"):
        bootstrap_gain([True], [True, False])
    with pytest.raises(ValueError, match="non-empty"):
        bootstrap_gain([], [])
    with pytest.raises(ValueError, match="resamples"):
        bootstrap_gain([True], [True], resamples=0)
