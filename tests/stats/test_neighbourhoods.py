"""Whose neighbours the points of a class are."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.stats.neighbourhoods import neighbour_shares


def test_classes_apart_and_classes_mixed() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 300)
    places = rng.normal(size=(900, 2)).astype(np.float32) + np.array([[0, 0], [0, 0], [50, 0]])[labels]
    shares = neighbour_shares(places, labels)
    assert shares[2, 2] == 1
    assert shares[0, 0] == pytest.approx(0.5, abs=0.06)
    assert shares[0, 1] == pytest.approx(1 - shares[0, 0])
    assert np.isnan(shares[3]).all()


def test_a_point_is_no_neighbour_of_its_own() -> None:
    shares = neighbour_shares([[0, 0], [1, 0], [2, 0]], [0, 1, 1], k=1)
    assert shares[0, 1] == 1
    assert np.isnan(neighbour_shares([[0, 0]], [0])).all()
    with pytest.raises(ValueError, match="do not fit"):
        neighbour_shares([[0, 0]], [0, 1])
