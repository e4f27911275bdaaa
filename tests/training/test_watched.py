"""The faces that a training keeps an eye on."""

from __future__ import annotations

import numpy as np

from fer_core.training.watched import WATCHED, choose_watched


def test_one_of_each_class_and_then_second_ones() -> None:
    labels = np.array([3, 3, 0, 1, 2, 4, 5, 6, 0, 3], dtype=np.int8)
    chosen = choose_watched(labels)
    assert chosen.tolist() == [2, 3, 4, 0, 5, 6, 7, 8]
    assert labels[chosen].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]


def test_few_faces_of_one_class_are_all_watched() -> None:
    assert choose_watched(np.array([3, 3], dtype=np.int8)).tolist() == [0, 1]
    assert len(choose_watched(np.full(50, 3, dtype=np.int8))) == WATCHED
