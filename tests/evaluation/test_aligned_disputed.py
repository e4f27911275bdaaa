"""Which face is worth explaining."""

from __future__ import annotations

import numpy as np

from fer_core.evaluation.aligned_predictions import AlignedPredictions, any_wrong, most_disputed

HAPPY, SAD, FEAR = 3, 4, 2


def aligned(labels: list[int], *answers: list[tuple[int, float]]) -> AlignedPredictions:
    """One list of (answer, its probability) a run, one pair a face."""
    probabilities = np.zeros((len(answers), len(labels), 7), dtype=np.float32)
    for run, said in enumerate(answers):
        for face, (label, sure) in enumerate(said):
            probabilities[run, face] = (1 - sure) / 6
            probabilities[run, face, label] = sure
    rows = np.arange(10, 10 + len(labels))
    names = tuple(f"run {number}" for number in range(len(answers)))
    return AlignedPredictions(names, "PrivateTest", "0" * 64, rows, np.array(labels, dtype=np.int8), probabilities)


def test_more_different_answers_come_first_even_if_unsure() -> None:
    found = aligned(
        [HAPPY, HAPPY], [(SAD, 0.99), (HAPPY, 0.5)], [(HAPPY, 0.99), (SAD, 0.5)], [(SAD, 0.99), (FEAR, 0.5)]
    )
    assert most_disputed(found) == 1


def test_of_equal_disputes_one_that_someone_gets_right_and_then_the_surest() -> None:
    labels = [HAPPY, HAPPY, HAPPY]
    found = aligned(labels, [(SAD, 0.99), (HAPPY, 0.6), (HAPPY, 0.7)], [(FEAR, 0.99), (SAD, 0.6), (SAD, 0.6)])
    assert most_disputed(found) == 2


def test_no_face_no_dispute() -> None:
    assert most_disputed(aligned([HAPPY], [(SAD, 0.9)]).where(np.array([False]))) is None


def test_rows_that_someone_gets_wrong() -> None:
    found = aligned([HAPPY, SAD, FEAR], [(HAPPY, 0.9), (SAD, 0.9), (SAD, 0.9)], [(SAD, 0.9), (SAD, 0.9), (SAD, 0.9)])
    np.testing.assert_array_equal(any_wrong(found), [10, 12])
