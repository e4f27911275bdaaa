"""Smoothing in seconds, "unsure", and a shown class that does not flicker, on made sequences."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from fer_core.emotions import COUNT
from fer_core.inference.stream.smoothing import Smoother, Steadiness, shown_class


def pure(label: int, share: float = 1.0) -> np.ndarray:
    values = np.full(COUNT, (1 - share) / (COUNT - 1))
    values[label] = share
    return values


def after_step(rate: float, constant_s: float, wait_s: float) -> float:
    """Five seconds of class 0, then class 3: the smoothed probability of class 3 ``wait_s`` seconds later."""
    smoother = Smoother()
    for index in range(round(5 * rate)):
        smoother.update(pure(0), index / rate, constant_s)
    start = round(5 * rate) / rate
    result = np.zeros(COUNT)
    for index in range(round(wait_s * rate)):
        result = smoother.update(pure(3), start + index / rate, constant_s)
    return float(result[3])


@pytest.mark.parametrize("rate", [5.0, 10.0, 30.0, 60.0])
def test_the_time_constant_is_the_same_at_every_frame_rate(rate: float) -> None:
    assert after_step(rate, 0.4, 0.4) == pytest.approx(1 - math.exp(-1), abs=1e-6)
    assert after_step(rate, 0.4, 1.2) == pytest.approx(1 - math.exp(-3), abs=1e-6)


def test_rows_still_add_up_and_types_hold() -> None:
    rng = np.random.default_rng(0)
    smoother = Smoother()
    for index in range(50):
        result = smoother.update(rng.dirichlet(np.ones(COUNT)), index * 0.03, 0.5)
        assert result.dtype == np.float32
        assert result.sum() == pytest.approx(1, abs=1e-5)


def test_the_first_frames_weigh_alike() -> None:
    smoother = Smoother()
    smoother.update(pure(0), 0.0, 10.0)
    smoother.update(pure(1), 0.1, 10.0)
    result = smoother.update(pure(2), 0.2, 10.0)
    np.testing.assert_allclose(result[:3], 1 / 3, atol=1e-6)


def test_no_smoothing_and_time_that_starts_again() -> None:
    smoother = Smoother()
    smoother.update(pure(0), 0.0, 1.0)
    np.testing.assert_allclose(smoother.update(pure(1), 0.1, 0.0), pure(1))
    smoother.update(pure(2), 5.0, 1.0)
    np.testing.assert_allclose(smoother.update(pure(4), 0.0, 1.0), pure(4), err_msg="the clip started again")
    with pytest.raises(ValueError, match="7 probabilities"):
        smoother.update(np.ones(6), 1.0, 1.0)
    with pytest.raises(ValueError, match="at least 0"):
        smoother.update(pure(0), 1.0, -1.0)


def changes(sequence: list[np.ndarray], steadiness: Steadiness) -> tuple[int, list[int | None]]:
    shown: list[int | None] = []
    current = None
    for probabilities in sequence:
        current = shown_class(current, probabilities, steadiness)
        shown.append(current)
    return sum(a != b for a, b in itertools.pairwise(shown)), shown


def two(first: float, second: float) -> np.ndarray:
    values = np.full(COUNT, (1 - first - second) / (COUNT - 2))
    values[3], values[6] = first, second
    return values


def test_two_close_classes_do_not_flicker() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, 300)
    sequence = [two(0.46 + off, 0.46 - off) for off in noise]
    assert sum(int(a.argmax() != b.argmax()) for a, b in itertools.pairwise(sequence)) > 100
    assert changes(sequence, Steadiness(0.4))[0] == 0
    assert changes(sequence, Steadiness(0.4, margin=0.0))[0] > 100, "without the margin it does flicker"


def test_a_clear_winner_takes_over() -> None:
    _, shown = changes([two(0.6, 0.3), two(0.44, 0.46), two(0.40, 0.50), two(0.46, 0.44)], Steadiness(0.4))
    assert shown == [3, 3, 6, 6]


def test_unsure_below_the_limit_without_blinking_around_it() -> None:
    steadiness = Steadiness(0.5, slack=0.05)
    _, shown = changes([pure(2, p) for p in (0.49, 0.51, 0.47, 0.46, 0.44, 0.48, 0.5)], steadiness)
    assert shown == [None, 2, 2, 2, None, None, 2]


def test_the_best_class_comes_when_the_shown_one_falls_below_the_limit() -> None:
    assert shown_class(3, two(0.44, 0.51), Steadiness(0.5, slack=0.05, margin=0.2)) == 6
    assert shown_class(3, two(0.44, 0.45), Steadiness(0.5, slack=0.05)) is None


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match=r"0\.\.1"):
        Steadiness(1.5)
    with pytest.raises(ValueError, match=r"shape \(2, 7\)"):
        shown_class(None, np.ones((2, COUNT)), Steadiness())
