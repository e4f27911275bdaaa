"""The running average: what it keeps, and that it goes on where it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fer_core.training.weight_average import WeightAverage


class Weights:
    """Stands in for a model: one kernel, whose value is the number of the step."""

    def __init__(self, value: float) -> None:
        self.value = value

    def get_weights(self) -> list[Any]:
        return [np.full((2, 2), self.value, np.float32)]


def averaged(average: WeightAverage, steps: range) -> float:
    for step in steps:
        average.add(Weights(step))  # type: ignore[arg-type]
    return float(average.values[0][0, 0])


def test_each_step_keeps_its_share_once_there_were_enough() -> None:
    average = WeightAverage(0.5)
    averaged(average, range(50))
    before = float(average.values[0][0, 0])
    average.add(Weights(100))  # type: ignore[arg-type]
    assert average.values[0][0, 0] == pytest.approx((before + 100) / 2)


def test_random_weights_of_the_beginning_are_soon_forgotten() -> None:
    average = WeightAverage(0.999)
    average.add(Weights(1e6))  # type: ignore[arg-type]
    assert averaged(average, range(1, 41)) < 100, "with 0.999 from the start it would be 960,000"


def test_it_goes_on_where_it_was() -> None:
    whole, first, second = WeightAverage(0.9), WeightAverage(0.9), WeightAverage(0.9)
    averaged(first, range(30))
    second.restore(first.state())
    assert averaged(second, range(30, 60)) == averaged(whole, range(60))
    second.begin_anew()
    assert second.state() == {}
    second.restore({})
    assert averaged(second, range(7, 8)) == 7
