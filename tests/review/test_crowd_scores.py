"""A model under three sets of labels."""

from __future__ import annotations

import numpy as np

from fer_core.data.ferplus import ANSWERS, Crowd
from fer_core.emotions import COUNT, NAMES, PRIVATE_TEST
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.review.crowd_scores import crowd_scores, share_text

FEAR, HAPPY, SAD = NAMES.index("fear"), NAMES.index("happy"), NAMES.index("sad")


def test_each_column_counts_its_own_faces() -> None:
    """One model says the label of each face, the other what the crowd says."""
    rows = np.array([1, 3, 4, 6])
    labels = np.array([FEAR, FEAR, HAPPY, SAD], np.int8)
    votes = np.zeros((7, len(ANSWERS)), np.int8)
    votes[:, HAPPY] = 10
    votes[1] = votes[3] = votes[6] = 0
    votes[1, [SAD, FEAR]] = 7, 3  # not the label, and fewer than eight
    votes[3, [SAD, FEAR]] = 8, 2  # not the label, and just enough
    votes[6, [SAD, FEAR]] = 5, 5  # a tie: no label
    answers = np.stack([labels, [SAD, SAD, HAPPY, FEAR]])
    values = np.eye(COUNT, dtype=np.float32)[answers]
    aligned = AlignedPredictions(("one", "two"), PRIVATE_TEST, "0" * 64, rows, labels, values)
    one, two = crowd_scores(aligned, Crowd(votes))
    assert [(one[name].accuracy, one[name].n) for name in one] == [(1, 4), (1 / 3, 3), (1 / 2, 2)]
    assert [(two[name].accuracy, two[name].n) for name in two] == [(1 / 4, 4), (1, 3), (1, 2)]
    assert share_text(two["agreed"]) == "100.0 % (34.2–100.0) of 2"


def test_a_column_without_faces_is_left_out() -> None:
    votes = np.zeros((1, len(ANSWERS)), np.int8)
    votes[0, ANSWERS.index("unknown")] = 10
    aligned = AlignedPredictions(
        ("one",),
        PRIVATE_TEST,
        "0" * 64,
        np.array([0]),
        np.array([SAD], np.int8),
        np.eye(COUNT, dtype=np.float32)[[[SAD]]],
    )
    assert list(crowd_scores(aligned, Crowd(votes))[0]) == ["dataset"]
