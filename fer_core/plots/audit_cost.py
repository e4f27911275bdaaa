"""Accuracy with and without the faulty faces of a dataset: a dot and its interval a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fer_core.evaluation.audit_cost import FACES, Cost
from fer_core.plots.style import blank, error_bars, run_colour, run_symbol

Costs = Mapping[str, Sequence[Cost]]

_SPREAD = 0.62
"""How much of a line the runs share; the rest keeps lines apart."""


def cost_dots(costs: Costs) -> go.Figure:
    """One line for each choice of faces, all faces on top, with a dot and a 95 % interval a run, in per cent.

    ``costs``: run's name to its costs on one split, the same choices of faces for each. A dotted line of each run's
    colour marks its accuracy on all faces. Where no face is left there is no dot. Raises ``ValueError`` for no run, or
    where the choices differ.
    """
    first = _check(costs)
    figure = blank(100 + len(first) * (26 + 14 * len(costs)))
    for position, (name, entries) in enumerate(costs.items()):
        shown = [(line, cost) for line, cost in enumerate(entries) if cost.accuracy is not None]
        offset = ((position + 0.5) / len(costs) - 0.5) * _SPREAD
        values, lows, highs = ([100 * getattr(cost, key) for _, cost in shown] for key in ("accuracy", "low", "high"))
        colour = run_colour(position)
        figure.add_trace(
            go.Scatter(
                x=values,
                y=[line + offset for line, _ in shown],
                mode="markers",
                name=name,
                marker={"color": colour, "size": 9, "symbol": run_symbol(position)},
                error_x=error_bars(values, lows, highs, colour),
                text=[f"{name}<br>{_words(cost)}" for _, cost in shown],
                hovertemplate="%{text}<extra></extra>",
            )
        )
        whole = entries[0].accuracy
        if whole is not None:
            figure.add_shape(
                type="line",
                x0=100 * whole,
                x1=100 * whole,
                y0=offset,
                y1=len(first) - 0.5,
                line={"color": colour, "width": 1, "dash": "dot"},
                layer="below",
            )
    figure.update_yaxes(
        tickvals=list(range(len(first))),
        ticktext=[f"{FACES[cost.faces]}<br>n = {cost.n:,}" for cost in first],
        range=[len(first) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        ticksuffix=" ",
    )
    figure.update_layout(showlegend=True, hovermode="closest")
    figure.update_xaxes(title_text="accuracy (%), with 95 % interval", zeroline=False)
    return figure


def describe_costs(costs: Costs) -> str:
    """What :func:`cost_dots` shows, in words."""
    _check(costs)
    parts = [f"{name}: {'; '.join(map(_words, entries))}" for name, entries in costs.items()]
    return f"Accuracy with and without the faulty faces. {'. '.join(parts)}."


def _words(cost: Cost) -> str:
    if cost.accuracy is None or cost.low is None or cost.high is None:
        return f"{FACES[cost.faces]}: no face is left"
    return (
        f"{FACES[cost.faces]}: {100 * cost.accuracy:.1f} % ({100 * cost.low:.1f} to {100 * cost.high:.1f}), "
        f"{cost.n:,} faces"
    )


def _check(costs: Costs) -> Sequence[Cost]:
    if not costs:
        raise ValueError("the figure needs at least one run")
    first, *others = costs.values()
    if any([cost.faces for cost in entries] != [cost.faces for cost in first] for entries in others):
        raise ValueError("all runs must have the same choices of faces")
    return first
