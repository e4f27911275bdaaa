"""The sentence about chosen faces: the commonest mistake, what all models fail on, what is doubtful."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.emotions import index_of
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.review.shown import what_they_show

FEAR, SAD, HAPPY = (index_of(name) for name in ("fear", "sad", "happy"))


def aligned(labels: list[int], *answers: list[int]) -> AlignedPredictions:
    """Models that are as sure of their answers as each other, the first a little more."""
    values = np.full((len(answers), len(labels), 7), 0.01, np.float32)
    for model, given in enumerate(answers):
        values[model, np.arange(len(labels)), given] = 0.9 - 0.1 * model
    names = tuple("abcdef"[: len(answers)])
    return AlignedPredictions(
        names, "PrivateTest", "0" * 64, np.arange(len(labels)), np.array(labels, dtype=np.int8), values
    )


def test_the_commonest_mistake_what_all_fail_on_and_what_is_doubtful() -> None:
    one = aligned([FEAR, FEAR, SAD, HAPPY], [SAD, SAD, HAPPY, HAPPY], [SAD, FEAR, HAPPY, HAPPY])
    doubt = np.array([0.9, 0.1, 0.1, 0.9])
    words = what_they_show(one, [0, 1, 2], doubt)
    assert "fear is taken for sad by at least one model, on 2 (67 %)" in words
    assert "both models are wrong on 2 (67 %)" in words
    assert "1 (33 %) bears a label" in words
    assert "label that people" not in what_they_show(one, [0, 1, 2], None), "measured on other data"
    # Of one model's answers alone; and about all faces.
    assert "fear is taken for sad, on 1 (25 %)" in what_they_show(one, [0, 1, 2, 3], doubt, models=("b",))


def test_faces_chosen_by_an_answer_all_count_though_another_model_is_surer_of_another_one() -> None:
    """27 faces that a model took for neutral were "most often taken for neutral, on 23"."""
    one = aligned([FEAR, FEAR], [HAPPY, SAD], [SAD, FEAR])
    assert "fear is always taken for sad by at least one model" in what_they_show(one, [0, 1], None)


def test_what_all_of_them_have_in_common_is_said_so() -> None:
    one = aligned([FEAR, FEAR, HAPPY], [SAD, SAD, HAPPY])
    assert "fear is always taken for sad" in what_they_show(one, [0, 1], np.zeros(3))
    words = what_they_show(one, [2], np.zeros(3))
    assert "None of the 1 face is a mistake" in words
    assert "models" not in words.replace("any model", "")
    assert "none bears a label" in words


def test_of_no_face_there_is_nothing_to_say_and_doubts_must_fit() -> None:
    one = aligned([FEAR], [SAD])
    assert what_they_show(one, [], np.zeros(1)) == ""
    with pytest.raises(ValueError, match="scores"):
        what_they_show(one, [0], np.zeros(2))
