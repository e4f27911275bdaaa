"""The fit of label doubt: no face is judged by a model that saw it or its twin, and counts are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_faces import make_probabilities

from benchmarks import label_doubt_fit as fitting
from benchmarks import label_doubt_measures as measures
from fer_core.emotions import COUNT

EVERY = (0, 1, 2, 3)


def faces(n: int = 280, *, seed: int = 0) -> fitting.Faces:
    """Made-up faces, two of each picture: of a third of the pictures the label is wrong, and the crowd says so."""
    generator = np.random.default_rng(seed)
    true = np.repeat(generator.integers(0, COUNT, n // 2), 2)
    wrong = np.repeat(generator.random(n // 2) < 1 / 3, 2)
    labels = np.where(wrong, (true + 1) % COUNT, true).astype(np.int8)
    return fitting.Faces(
        labels=labels,
        probabilities=np.stack([make_probabilities(true, 0.7, seed=k) for k in EVERY]).astype(np.float64),
        rejected=wrong,
        judged=np.ones(n, bool),
        group=np.repeat(np.arange(n // 2), 2),
        support=np.where(wrong, 0.1, 0.9),
        crowd=true.astype(np.int8),
        twin=np.zeros(n, bool),
        fingerprint="0" * 64,
    )


def test_twins_lie_in_one_fold_and_all_folds_are_used() -> None:
    made = faces()
    fold = fitting.folds(made)
    assert np.array_equal(fold[::2], fold[1::2])
    assert set(fold) == set(range(fitting.FOLDS))


def test_a_face_is_judged_by_a_model_that_did_not_see_its_fold() -> None:
    made = faces()
    fitted = fitting.fit_folds(made, EVERY)
    before = fitting.asked(made, fitted, EVERY)
    here = fitting.folds(made) == 3
    # Turn around what the crowd says of one fold: its own doubts stay as they were, those of others do not.
    turned = replace(made, rejected=made.rejected ^ here)
    after = fitting.asked(turned, fitting.fit_folds(turned, EVERY), EVERY)
    np.testing.assert_array_equal(before[here], after[here])
    assert not np.array_equal(before[~here], after[~here])


def test_what_can_be_learnt_is_learnt_and_chance_is_chance() -> None:
    made = faces()
    found = measures.rated(made, fitting.asked(made, fitting.fit_folds(made, EVERY), EVERY))
    assert found["auroc"] > 0.8  # type: ignore[operator]
    drawn = replace(made, rejected=np.repeat(np.random.default_rng(1).random(140) < 1 / 3, 2))
    found = measures.rated(drawn, fitting.asked(drawn, fitting.fit_folds(drawn, EVERY), EVERY))
    assert found["auroc"] < 0.6  # type: ignore[operator]


def test_shares_of_verdicts_are_means_over_every_choice_of_as_many_runs() -> None:
    made = faces()
    fitted = fitting.fit_folds(made, EVERY)
    found = measures.verdicts_by_runs(made, fitted)
    assert list(found) == ["1", "2", "3", "4"]
    assert found["4"] == measures.verdicts(made, fitting.asked(made, fitted, EVERY), EVERY)
    alone = [measures.verdicts(made, fitting.asked(made, fitted, (k,)), (k,))["label"]["faces"] for k in EVERY]
    assert found["1"]["label"]["faces"] == pytest.approx(np.mean(alone), abs=0.5)  # type: ignore[arg-type]


def test_ties_count_a_half() -> None:
    assert measures.auroc(np.array([True, False]), np.array([0.5, 0.5])) == 0.5
    assert measures.auroc(np.array([True, False, True]), np.array([0.9, 0.1, 0.2])) == 1.0
