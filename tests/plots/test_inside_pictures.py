"""Kernels and channels as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.plots.inside import CELL, GAP, SIDE, channel_picture, kernel_picture


def test_kernels_are_grey_about_zero_each_on_its_own_scale() -> None:
    kernels = np.zeros((17, 2, 2))
    kernels[0, 0, 0], kernels[16, 1, 1] = 0.1, -5
    sheet = kernel_picture(kernels)
    assert sheet.shape == (2 * CELL + GAP, 16 * CELL + 15 * GAP, 4)
    assert sheet[0, 0].tolist() == [255, 255, 255, 255]
    assert sheet[CELL - 1, CELL - 1, 0] == 128
    assert sheet[-1, CELL - 1, 0] == 0
    assert sheet[0, CELL, 3] == 0  # see-through between two
    with pytest.raises(ValueError, match="kernels"):
        kernel_picture(np.zeros((3, 3)))


def test_a_channel_is_black_where_it_is_silent() -> None:
    picture = channel_picture(np.array([[0.0, 1.0], [0.5, 0.0]]))
    assert picture.shape == (SIDE, SIDE, 3)
    assert picture[0, 0].sum() < 10
    assert picture[0, -1].sum() > 500
