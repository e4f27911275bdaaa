"""What a view is about: which faces, under whose labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from factories import make_labels, make_run

from fer_core.data.audit import Twins
from fer_core.data.ferplus import ANSWERS, Crowd
from fer_core.emotions import PRIVATE_TEST
from fer_core.errors import RunError
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, MODEL_WRONG, NOT_A_FACE, Marks
from fer_core.review.scope import CORRECTED, CROWD, UNMARKED, scope
from fer_core.stats.metrics import confusion_matrix


@pytest.fixture
def runs(home: Path):
    twin = np.zeros(420, dtype=bool)
    twin[::5] = True
    twins = Twins(exact=twin, near=twin)
    return [make_run(home / "runs" / name, accuracy=0.6, seed=seed, twins=twins) for seed, name in enumerate("ab")]


@pytest.fixture
def old_runs(home: Path):
    return [make_run(home / "runs" / "old", accuracy=0.6)]


def test_everything_is_in_view_by_default(runs):
    found = scope(runs, PRIVATE_TEST)
    assert len(found.joined) == len(found.whole) == 140
    assert found.left_out == ()
    assert found.confusions.shape == (2, 7, 7)
    np.testing.assert_array_equal(found.confusions[1], confusion_matrix(found.whole.labels, found.whole.predicted[1]))


def test_twins_are_left_out_and_told(runs):
    found = scope(runs, PRIVATE_TEST, twins=False)
    gone = int((found.whole.rows % 5 == 0).sum())
    assert len(found.joined) == 140 - gone
    assert not (found.joined.rows % 5 == 0).any()
    assert found.left_out == (f"{gone} faces with a twin in Training",)
    np.testing.assert_array_equal(found.whole.rows[found.position], found.joined.rows)
    np.testing.assert_array_equal(found.doubt, found.whole_doubt.score[found.position])


def test_runs_that_do_not_know_their_twins_say_what_to_do(old_runs):
    with pytest.raises(RunError, match="evaluate"):
        scope(old_runs, PRIVATE_TEST, twins=False)


def test_twins_may_come_from_an_audit(old_runs):
    twin = np.arange(420) % 2 == 0
    found = scope(old_runs, PRIVATE_TEST, twins=False, twin=twin)
    assert (found.joined.rows % 2 == 1).all()
    assert len(found.joined)


def test_the_crowds_labels_count_and_faces_without_one_are_left_out(runs):
    labels, _ = make_labels(seed=2013)
    votes = np.zeros((420, len(ANSWERS)), dtype=np.int8)
    votes[np.arange(420), (labels + 1) % 7] = 10
    rows = scope(runs, PRIVATE_TEST).whole.rows
    votes[rows[0]] = 0
    votes[rows[0], ANSWERS.index("not a face")] = 10
    found = scope(runs, PRIVATE_TEST, labels=CROWD, crowd=Crowd(votes))
    assert len(found.joined) == 139
    np.testing.assert_array_equal(found.joined.labels, (found.whole.labels[1:] + 1) % 7)
    assert found.left_out == ("1 face to which the crowd gives none of the seven classes",)


def test_reviewed_labels_are_corrected_or_their_faces_left_out(runs):
    whole = scope(runs, PRIVATE_TEST).whole
    marks = Marks(whole.fingerprint)
    first, second, third, fourth = (int(row) for row in whole.rows[:4])
    new = int(whole.labels[0] + 1) % 7
    marks.set(first, LABEL_WRONG, new)
    marks.set(second, AMBIGUOUS)
    marks.set(third, NOT_A_FACE)
    marks.set(fourth, MODEL_WRONG)

    corrected = scope(runs, PRIVATE_TEST, labels=CORRECTED, marks=marks)
    assert len(corrected.joined) == 138
    assert corrected.joined.labels[0] == new
    assert whole.labels[0] != new
    unmarked = scope(runs, PRIVATE_TEST, labels=UNMARKED, marks=marks)
    assert len(unmarked.joined) == 137
    assert fourth in unmarked.joined.rows
    assert unmarked.left_out == ("3 faces whose label you doubted",)


@pytest.mark.parametrize("labels", ["nobody's", CROWD, CORRECTED])
def test_labels_that_cannot_be_had_are_an_error(runs, labels):
    with pytest.raises(ValueError, match=r"labels|votes"):
        scope(runs, PRIVATE_TEST, labels=labels)
