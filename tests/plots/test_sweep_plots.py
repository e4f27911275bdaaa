"""Parallel coordinates and curves of a sweep's trials."""

from __future__ import annotations

import pytest

from fer_core.plots.style import ACCENT, MUTED
from fer_core.plots.sweep import Axis, Curve, curves, describe_curves, describe_parallel, parallel

AXES = [Axis("learning rate", ("0.001", "0.003"), (0, 1, 1)), Axis("flip", ("true", "false"), (0, 0, 1))]
ACCURACIES = [0.4, 0.62, 0.5]


def test_each_trial_is_a_line_from_its_choices_to_its_accuracy() -> None:
    (trace,) = parallel(AXES, ACCURACIES).data
    rate, flip, accuracy = trace.dimensions
    assert (rate.label, list(rate.values), list(rate.ticktext)) == ("learning rate", [0, 1, 1], ["0.001", "0.003"])
    assert list(flip.values) == [0, 0, 1]
    assert list(accuracy.values) == [40, 62, 50]
    assert accuracy.range[0] < 40
    assert accuracy.range[1] > 62
    words = describe_parallel(AXES, ACCURACIES)
    assert "3 trials" in words
    assert "The best has learning rate 0.003, flip true" in words


@pytest.mark.parametrize(("dark", "page"), [(False, 255), (True, 20)])
def test_the_better_trial_stands_out_on_a_light_and_on_a_dark_page(dark: bool, page: int) -> None:
    """On dark pages the best trials' lines were the dimmest."""
    (trace,) = parallel(AXES, ACCURACIES, dark=dark).data
    distances = [abs(sum(bytes.fromhex(colour[1:])) / 3 - page) for _, colour in trace.line.colorscale]
    assert distances == sorted(distances)


def test_equal_accuracies_still_have_an_axis() -> None:
    (trace,) = parallel([], [0.5]).data
    low, high = trace.dimensions[0].range
    assert low < 50 < high


def test_the_best_trials_curve_lies_above_the_others_and_stands_out() -> None:
    trials = [Curve("two", (0.2, 0.5)), Curve("one", (0.2, 0.3, 0.4))]
    figure = curves(trials, "two")
    assert [trace.name for trace in figure.data] == ["one", "two"]
    assert [trace.line.color for trace in figure.data] == [MUTED, ACCENT]
    assert list(figure.data[0].x) == [1, 2, 3]
    assert list(figure.data[1].y) == [20, 50]
    assert "from 20.0 to 50.0 % in 2 epochs" in describe_curves(trials, "two")
