from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from fer_core.plots import confusion
from pages.parts.charts import drawn


def test_equal_arguments_draw_once_and_others_anew() -> None:
    built = []

    def build(counts: np.ndarray, *, dark: bool) -> go.Figure:
        built.append(dark)
        return go.Figure(go.Heatmap(z=counts))

    counts = np.arange(49).reshape(7, 7)
    first = drawn(build, counts, dark=True)
    assert drawn(build, counts.copy(), dark=True) is first
    assert drawn(build, counts, dark=False) is not first
    assert drawn(build, counts + 1, dark=True) is not first
    assert built == [True, False, True]


def test_what_a_kept_figure_says_is_worked_out_once_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.arange(49).reshape(7, 7) + 1
    figure = drawn(confusion.matrix, counts)
    assert figure.to_dict() is figure.to_dict()
    assert figure.to_dict() == confusion.matrix(counts).to_dict()
