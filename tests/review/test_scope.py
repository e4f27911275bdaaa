"""What a view is about: which faces, under whose labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from made_up_faces import make_labels

from fer_core.data.audit import NearDuplicates
from fer_core.data.ferplus import ANSWERS, Crowd
from fer_core.emotions import PRIVATE_TEST
from fer_core.errors import RunError
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, MODEL_WRONG, NOT_A_FACE, Annotations
from fer_core.review.scope import CORRECTED, CROWD, WITHOUT_ANNOTATED, scope
from fer_core.stats.metrics import confusion_matrix


@pytest.fixture
def runs(home: Path):
    near_duplicate = np.zeros(420, dtype=bool)
    near_duplicate[::5] = True
    near_duplicates = NearDuplicates(exact=near_duplicate, exact_or_near=near_duplicate)
    return [
        make_run(home / "runs" / name, accuracy=0.6, seed=seed, near_duplicates=near_duplicates)
        for seed, name in enumerate("ab")
    ]


@pytest.fixture
def old_runs(home: Path):
    return [make_run(home / "runs" / "old", accuracy=0.6)]


def test_everything_is_in_view_by_default(runs):
    found = scope(runs, PRIVATE_TEST)
    assert len(found.aligned) == len(found.whole) == 140
    assert found.left_out == ()
    assert found.confusions.shape == (2, 7, 7)
    np.testing.assert_array_equal(found.confusions[1], confusion_matrix(found.whole.labels, found.whole.predicted[1]))


def test_twins_are_left_out_and_told(runs):
    found = scope(runs, PRIVATE_TEST, with_near_duplicates=False)
    gone = int((found.whole.rows % 5 == 0).sum())
    assert len(found.aligned) == 140 - gone
    assert not (found.aligned.rows % 5 == 0).any()
    assert found.left_out == (f"{gone} faces with a twin in Training",)
    np.testing.assert_array_equal(found.whole.rows[found.position], found.aligned.rows)
    np.testing.assert_array_equal(found.label_issue_score, found.whole_label_issues.score[found.position])


def test_runs_that_do_not_know_their_twins_say_what_to_do(old_runs):
    with pytest.raises(RunError, match="evaluate"):
        scope(old_runs, PRIVATE_TEST, with_near_duplicates=False)


def test_twins_may_come_from_an_audit(old_runs):
    near_duplicate = np.arange(420) % 2 == 0
    found = scope(old_runs, PRIVATE_TEST, with_near_duplicates=False, near_duplicate=near_duplicate)
    assert (found.aligned.rows % 2 == 1).all()
    assert len(found.aligned)


def test_the_crowds_labels_count_and_faces_without_one_are_left_out(runs):
    labels, _ = make_labels(seed=2013)
    votes = np.zeros((420, len(ANSWERS)), dtype=np.int8)
    votes[np.arange(420), (labels + 1) % 7] = 10
    rows = scope(runs, PRIVATE_TEST).whole.rows
    votes[rows[0]] = 0
    votes[rows[0], ANSWERS.index("not a face")] = 10
    found = scope(runs, PRIVATE_TEST, labels=CROWD, crowd=Crowd(votes))
    assert len(found.aligned) == 139
    np.testing.assert_array_equal(found.aligned.labels, (found.whole.labels[1:] + 1) % 7)
    assert found.left_out == ("1 face to which the crowd gives none of the seven classes",)


def test_reviewed_labels_are_corrected_or_their_faces_left_out(runs):
    whole = scope(runs, PRIVATE_TEST).whole
    annotations = Annotations(whole.fingerprint)
    first, second, third, fourth = (int(row) for row in whole.rows[:4])
    new = int(whole.labels[0] + 1) % 7
    annotations.set(first, LABEL_WRONG, new)
    annotations.set(second, AMBIGUOUS)
    annotations.set(third, NOT_A_FACE)
    annotations.set(fourth, MODEL_WRONG)

    corrected = scope(runs, PRIVATE_TEST, labels=CORRECTED, annotations=annotations)
    assert len(corrected.aligned) == 138
    assert corrected.aligned.labels[0] == new
    assert whole.labels[0] != new
    unmarked = scope(runs, PRIVATE_TEST, labels=WITHOUT_ANNOTATED, annotations=annotations)
    assert len(unmarked.aligned) == 137
    assert fourth in unmarked.aligned.rows
    assert unmarked.left_out == ("3 faces whose label you doubted",)


@pytest.mark.parametrize("labels", ["nobody's", CROWD, CORRECTED])
def test_labels_that_cannot_be_had_are_an_error(runs, labels):
    with pytest.raises(ValueError, match=r"labels|votes"):
        scope(runs, PRIVATE_TEST, labels=labels)
