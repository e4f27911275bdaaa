"""ROC, precision-recall and risk-coverage curves: of one model's classes, and of several models.

Axes are in per cent, areas 0..1 as in the literature. A class has its own colour; a run has its own colour and dash, so
that no run's line depends on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go

from fer_core.emotions import COLOURS, NAMES
from fer_core.plots.style import MUTED, blank, places, run_colour, run_dash, run_symbol

if TYPE_CHECKING:
    from fer_core.stats.curves import Curve, OneVsRest
    from fer_core.stats.risk_coverage import Answered, RiskCoverage

Kind = Literal["roc", "precision_recall"]
_AREA = {"roc": "AUC", "precision_recall": "AP"}
_AXES = {
    "roc": ("false alarms (% of the other classes' faces)", "recall (% of the class's faces)"),
    "precision_recall": ("recall (% of the class's faces)", "precision (% of the answers)"),
}
_HOVER = {
    "roc": "recall %{y:.1f} %, false alarms %{x:.1f} %",
    "precision_recall": "precision %{y:.1f} %, recall %{x:.1f} %",
}
_MACRO = "mean of the classes"


_STEADY = 0.05
"""With a lower coverage a single wrong answer can mean a risk of 100 %: the risk axis does not follow that."""


def by_class(curves: OneVsRest, kind: Kind, *, height: int = 420) -> go.Figure:
    """One model's curve of each class against the rest, and their mean (dashed).

    ``curves`` from :func:`fer_core.stats.curves.roc` or ``precision_recall``, as ``kind`` says. A class without a
    curve is left out. The legend gives the areas, 0..1; a click in it hides a line. ``height`` in pixels.
    """
    figure = _panel(kind, height)
    for label, curve in enumerate(curves.classes):
        if curve is not None:
            figure.add_trace(_line(curve, kind, NAMES[label], {"color": COLOURS[label], "width": 2}))
    if curves.macro is not None:
        figure.add_trace(_line(curves.macro, kind, _MACRO, {"color": MUTED, "width": 3, "dash": "dash"}))
    return figure


def across_models(
    models: Mapping[str, OneVsRest], kind: Kind, *, label: int | None = None, height: int = 420
) -> go.Figure:
    """One curve a model: of class ``label`` (0..6), or the mean of the classes (None).

    ``models``: title to curves, up to six, in the order of the comparison. A model without that curve is left out.
    """
    figure = _panel(kind, height)
    for position, (title, curves) in enumerate(models.items()):
        curve = _pick(curves, label)
        if curve is not None:
            line = {"color": run_colour(position), "width": 2.5, "dash": run_dash(position)}
            figure.add_trace(_line(curve, kind, title, line))
    if kind == "precision_recall":
        chances = [curve.chance for curves in models.values() if (curve := _pick(curves, label)) is not None]
        if chances:
            figure.add_hline(y=100 * chances[0], line={"color": MUTED, "width": 1, "dash": "dot"})
    return figure


def describe_by_class(curves: OneVsRest, kind: Kind) -> str:
    """What :func:`by_class` shows, in words: the area of each class."""
    _check(kind)
    named = zip((*NAMES, _MACRO), (*curves.classes, curves.macro), strict=True)
    return f"{_start(kind)}, each expression against the rest. {_areas(named)}."


def describe_across_models(models: Mapping[str, OneVsRest], kind: Kind, *, label: int | None = None) -> str:
    """What :func:`across_models` shows, in words: the area of each model."""
    _check(kind)
    what = _MACRO if label is None else f"{NAMES[label]} against the rest"
    return f"{_start(kind)}, {what}. {_areas((title, _pick(curves, label)) for title, curves in models.items())}."


def risk_coverage(
    curves: Mapping[str, RiskCoverage],
    operating_points: Mapping[str, Answered] | None = None,
    *,
    order: Sequence[str] = (),
    height: int = 380,
) -> go.Figure:
    """Wrong answers by the share of faces answered, one line a model; the slider's point marked on each.

    ``curves``: title to :func:`fer_core.stats.risk_coverage.risk_coverage`, up to six. ``operating_points``: title to
    :func:`~fer_core.stats.risk_coverage.at_threshold` with the slider's least confidence, drawn with its 95 %
    interval; one that answers no face has no mark. ``customdata`` of a line is the least confidence of each point, of a
    mark its own, so that a click can move the slider. ``order``: as in :func:`fer_core.plots.style.places`. Raises
    ``ValueError`` for a mark without a curve.
    """
    points = operating_points or {}
    if not points.keys() <= curves.keys():
        raise ValueError(f"a mark has no curve: {', '.join(sorted(points.keys() - curves.keys()))}")
    figure = blank(height)
    positions = dict(zip(curves, places(curves, order), strict=True))
    for title, curve in curves.items():
        position = positions[title]
        figure.add_trace(
            go.Scatter(
                x=100 * curve.coverage,
                y=100 * curve.risk,
                mode="lines",
                name=f"{title} · AURC {curve.aurc:.3f}",
                line={"color": run_colour(position), "width": 2.5, "dash": run_dash(position)},
                legendgroup=title,
                customdata=curve.threshold,
                text=[f"{100 * least:.1f} %" for least in curve.threshold],
                hovertemplate=f"{title}<br>answers %{{x:.1f}} % of the faces, %{{y:.1f}} % of them wrong"
                "<br>least confidence %{text}<extra></extra>",
            )
        )
    # After all lines, so that no line covers a mark.
    for title, position in positions.items():
        operating_point = points.get(title)
        if (
            operating_point
            and operating_point.accuracy is not None
            and operating_point.low is not None
            and operating_point.high is not None
        ):
            figure.add_trace(
                _operating_point(
                    title,
                    operating_point,
                    operating_point.accuracy,
                    operating_point.low,
                    operating_point.high,
                    position,
                )
            )
    tops = [float(curve.risk[curve.coverage >= _STEADY].max()) for curve in curves.values()]
    tops += [
        1 - operating_point.low
        for operating_point in points.values()
        if operating_point.low is not None and operating_point.coverage >= _STEADY
    ]
    figure.update_xaxes(title_text="faces answered (%)", range=[0, 101], zeroline=False)
    figure.update_yaxes(title_text="wrong answers (% of those answered)", range=[0, 105 * max([*tops, 0.02])])
    figure.update_layout(showlegend=True, hovermode="closest", clickmode="event")
    return figure


def describe_risk_coverage(
    curves: Mapping[str, RiskCoverage], operating_points: Mapping[str, Answered] | None = None
) -> str:
    """What :func:`risk_coverage` shows, in words: each model's error, its AURC and the marked point."""
    parts = []
    for title, curve in curves.items():
        words = f"{title}: {100 * curve.risk[-1]:.1f} % wrong when it answers all {curve.n:,} faces"
        words += f", AURC {curve.aurc:.3f}"
        if operating_points and title in operating_points:
            words += f"; {describe_answered(operating_points[title])}"
        parts.append(words)
    return f"Wrong answers by the share of faces answered. {'. '.join(parts) or 'No model'}."


def describe_answered(point: Answered) -> str:
    """One threshold's result in words, for example beside the slider."""
    start = f"with a least confidence of {100 * point.least_confidence:.4g} %"
    if point.accuracy is None or point.low is None or point.high is None:
        return f"{start} it answers none of the {point.n:,} faces"
    return (
        f"{start} it answers {point.answered:,} of {point.n:,} faces ({100 * point.coverage:.1f} %), "
        f"{100 * point.accuracy:.1f} % of them right ({100 * point.low:.1f} to {100 * point.high:.1f} %)"
    )


def _operating_point(
    title: str, operating_point: Answered, accuracy: float, low: float, high: float, position: int
) -> go.Scatter:
    return go.Scatter(
        x=[100 * operating_point.coverage],
        y=[100 * (1 - accuracy)],
        mode="markers",
        marker={"symbol": run_symbol(position), "size": 13, "color": run_colour(position)},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [100 * (accuracy - low)],
            "arrayminus": [100 * (high - accuracy)],
            "color": run_colour(position),
            "thickness": 2,
            "width": 6,
        },
        legendgroup=title,
        showlegend=False,
        customdata=[operating_point.least_confidence],
        hovertemplate=f"{title}<br>{describe_answered(operating_point)}<extra></extra>",
        # Not cut off at full coverage.
        cliponaxis=False,
    )


def _panel(kind: Kind, height: int) -> go.Figure:
    _check(kind)
    figure = blank(height)
    across, up = _AXES[kind]
    # A little beyond the ends, where much of a good curve runs.
    figure.update_xaxes(title_text=across, range=[-1, 101], zeroline=False)
    figure.update_yaxes(title_text=up, range=[0, 102], zeroline=False)
    figure.update_layout(showlegend=True, hovermode="closest")
    if kind == "roc":
        guessing = {"color": MUTED, "width": 1, "dash": "dot"}
        figure.add_shape(type="line", x0=0, y0=0, x1=100, y1=100, line=guessing, layer="below")
    return figure


def _line(curve: Curve, kind: Kind, name: str, line: Mapping[str, Any]) -> go.Scatter:
    reached = None
    if curve.threshold is not None:
        reached = [
            "no face" if np.isinf(least) else f"at least {100 * least:.1f} % probability" for least in curve.threshold
        ]
    tail = "" if reached is None else "<br>%{text}"
    return go.Scatter(
        x=100 * curve.x,
        y=100 * curve.y,
        mode="lines",
        name=f"{name} · {_AREA[kind]} {curve.area:.3f}",
        line={**line, "shape": "linear" if kind == "roc" else "vh"},
        text=reached,
        hovertemplate=f"{name}<br>{_HOVER[kind]}{tail}<extra></extra>",
    )


def _pick(curves: OneVsRest, label: int | None) -> Curve | None:
    return curves.macro if label is None else curves.classes[label]


def _start(kind: Kind) -> str:
    return "ROC curves and areas under them" if kind == "roc" else "Precision-recall curves and average precisions"


def _areas(named: Iterable[tuple[str, Curve | None]]) -> str:
    parts = [f"{name} {curve.area:.3f}" if curve else f"{name}: nothing to measure" for name, curve in named]
    return "; ".join(parts) or "No model"


def _check(kind: str) -> None:
    if kind not in _AREA:
        raise ValueError(f"kind must be one of {', '.join(_AREA)}, not {kind!r}")
