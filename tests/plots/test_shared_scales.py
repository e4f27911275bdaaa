"""Plots that lie side by side share their scales, as a property of the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from fer_core.corruptions.kinds import CORRUPTIONS, SEVERITIES
from fer_core.corruptions.robustness import Robustness
from fer_core.plots import bars, confusion, live_history, robustness


def scales(figure: go.Figure) -> dict[str, tuple[Any, ...]]:
    """What the figure's numbers are drawn against: the range of each axis of values, and of each colour scale."""
    layout = figure.to_dict()["layout"]
    axes = {
        name: tuple(round(float(end), 6) for end in axis["range"])
        for name, axis in layout.items()
        if name.startswith(("xaxis", "yaxis")) and "range" in axis and not axis.get("ticktext")
    }
    colours = {
        f"colours {at}": (trace.zmin, trace.zmax) for at, trace in enumerate(figure.data) if trace.type == "heatmap"
    }
    return axes | colours


def corruption_grid() -> list[go.Figure]:
    generator = np.random.default_rng(0)
    names = tuple(CORRUPTIONS)
    labels = generator.integers(0, 7, 60).astype(np.int8)
    runs = {}
    for run, right in (("good", 0.9), ("bad", 0.3)):
        kept = generator.random((len(names), len(SEVERITIES), len(labels))) < right
        # One corruption that helps, so that its own scale would reach higher than the others'.
        kept[3] = True
        answers = np.where(kept, labels, (labels + 1) % 7).astype(np.int8)
        clean = np.where(generator.random(len(labels)) < right, labels, (labels + 1) % 7).astype(np.int8)
        runs[run] = Robustness(names, labels, clean, answers, np.arange(len(labels)), 0)
    return [robustness.severity_curves(name, runs) for name in names]


def counts_by_split() -> list[go.Figure]:
    counts = {"Training": [3995, 436, 4097, 7215, 4830, 3171, 4965], "PublicTest": [467, 56, 496, 895, 653, 415, 607]}
    most = bars.largest_share(counts)
    return [bars.class_counts({split: numbers}, most=most) for split, numbers in counts.items()]


def panels_of_counts() -> list[go.Figure]:
    """The same in one figure, panel by panel."""
    figure = bars.class_counts({"Training": [70, 1, 2, 3, 4, 5, 6], "PublicTest": [1, 1, 1, 1, 1, 1, 1]})
    return [go.Figure(layout={"xaxis": {"range": axis.range}}) for axis in figure.select_xaxes()]


def matrices() -> list[go.Figure]:
    generator = np.random.default_rng(1)
    return [confusion.matrix(generator.integers(0, most, (7, 7)), normalise="row") for most in (5, 500)]


@pytest.mark.parametrize("grid", [corruption_grid, counts_by_split, panels_of_counts, matrices])
def test_plots_side_by_side_share_their_scales(grid: Callable[[], Sequence[go.Figure]]) -> None:
    first, *others = (scales(figure) for figure in grid())
    assert first
    assert others
    for other in others:
        assert other == first


def test_the_two_curves_of_a_training_share_their_epochs() -> None:
    loss, accuracy = (
        live_history.running_spec(metric, total_epochs=7)["encoding"]["x"]["scale"] for metric in live_history.METRICS
    )
    assert loss == accuracy == {"domain": [0, 7], "nice": False}
