"""How much the best of many is flattered."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from fer_core.stats.best_of_many import expected_maximum, flattered_by
from fer_core.stats.intervals import chance_margin, standard_error


@pytest.mark.parametrize(("n", "known"), [(1, 0.0), (2, 1 / np.sqrt(np.pi)), (3, 1.5 / np.sqrt(np.pi))])
def test_expected_maxima_that_are_known_in_closed_form(n: int, known: float) -> None:
    assert expected_maximum(n) == pytest.approx(known, abs=1e-9)


@pytest.mark.parametrize("n", [12, 1000])
def test_expected_maxima_agree_with_an_integration_by_scipy(n: int) -> None:
    exact, _ = quad(lambda x: x * n * norm.pdf(x) * norm.cdf(x) ** (n - 1), -8, 8)
    assert expected_maximum(n) == pytest.approx(exact, abs=1e-6)


def test_the_best_of_equal_models_looks_as_much_better_as_is_said() -> None:
    """Twelve models that are right on 65 % of faces, each measured on faces of its own, ten thousand times."""
    rng = np.random.default_rng(0)
    measured = rng.binomial(3589, 0.65, size=(10_000, 12)) / 3589
    assert flattered_by(0.65, 3589, 12) == pytest.approx(measured.max(axis=1).mean() - 0.65, abs=2e-4)
    assert standard_error(0.65, 3589) == pytest.approx(measured.std(), rel=0.01)
    outside = np.abs(measured - 0.65) > chance_margin(0.65, 3589)
    assert outside.mean() == pytest.approx(0.05, abs=0.003)


def test_no_maximum_of_nothing() -> None:
    with pytest.raises(ValueError, match="no numbers"):
        expected_maximum(0)
