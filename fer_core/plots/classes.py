"""Precision, recall or F1 of each class for several models: a dot and its interval, not a bar.

Bars (:mod:`fer_core.plots.bars`) hide how little some of these numbers are based on; disgust has 55 faces a test split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fer_core.emotions import COUNT, NAMES
from fer_core.plots.style import blank, error_bars, run_colour, run_symbol
from fer_core.stats.metrics import ClassIntervals, Measure, interval_of

Entries = Sequence[ClassIntervals]
_TITLES = {
    "precision": "precision (% of the answers)",
    "recall": "recall (% of the class's faces)",
    "f1": "F1 (%)",
}
_WORDS = {"precision": "precision", "recall": "recall", "f1": "F1"}
_SPREAD = 0.66
"""How much of a class's row its models share; the rest keeps rows apart."""


def class_dots(models: Mapping[str, Entries], *, measure: Measure = "recall", height: int | None = None) -> go.Figure:
    """One row a class, in label order from the top, with a dot and a 95 % interval a model, in per cent.

    ``models``: title to the seven entries of :func:`fer_core.stats.metrics.per_class_intervals`, up to six. A
    class without faces, or for precision without answers, has no dot. ``customdata`` of a dot is its label 0..6, and
    the trace's number the model's place. ``height`` in pixels; by default it fits. Raises ``ValueError`` for another
    measure or number of classes.
    """
    _check(models, measure)
    figure = blank(height or 110 + COUNT * (24 + 13 * max(1, len(models))))
    for position, (title, entries) in enumerate(models.items()):
        figure.add_trace(_trace(title, entries, measure, position, len(models)))
    supports = [[entry["support"] for entry in entries] for entries in models.values()]
    same = supports and all(support == supports[0] for support in supports)
    figure.update_yaxes(
        tickvals=list(range(COUNT)),
        ticktext=[f"{name}<br>n = {supports[0][label]:,}" if same else name for label, name in enumerate(NAMES)],
        range=[COUNT - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        ticksuffix=" ",
    )
    # Rows apart by a line between them, not by a grid through their middles.
    figure.update_layout(
        shapes=[
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": label - 0.5,
                "y1": label - 0.5,
                "line": {"color": "rgba(127,127,143,0.3)", "width": 1},
                "layer": "below",
            }
            for label in range(1, COUNT)
        ],
        showlegend=True,
        hovermode="closest",
        clickmode="event",
    )
    figure.update_xaxes(title_text=f"{_TITLES[measure]}, with 95 % interval", range=[-1, 101], zeroline=False)
    return figure


def describe_dots(models: Mapping[str, Entries], *, measure: Measure = "recall") -> str:
    """What :func:`class_dots` shows, in words: every model's value of every class with its interval."""
    _check(models, measure)
    parts = []
    for title, entries in models.items():
        classes = ", ".join(f"{entry['emotion']} {_value(entry, measure)}" for entry in entries)
        parts.append(f"{title}: {classes}")
    word = _WORDS[measure]
    start = f"{word[0].upper()}{word[1:]} of each expression with its 95 % interval"
    return f"{start}. {'. '.join(parts) or 'No model'}."


def _trace(title: str, entries: Entries, measure: Measure, position: int, models: int) -> go.Scatter:
    # The precision of a class that is never answered is 0 by convention, not by measurement: it has no interval.
    # Of a class without faces every answer is wrong, which says nothing about the model either.
    found = {
        label: ends
        for label, entry in enumerate(entries)
        if entry["support"] and (ends := interval_of(entry, measure)) is not None
    }
    shown = list(found)
    values = [100 * (entries[label][measure] or 0.0) for label in shown]
    lows, highs = ([100 * ends[at] for ends in found.values()] for at in (0, 1))
    offset = ((position + 0.5) / models - 0.5) * _SPREAD
    colour = run_colour(position)
    return go.Scatter(
        x=values,
        y=[label + offset for label in shown],
        mode="markers",
        name=title,
        marker={"color": colour, "size": 9, "symbol": run_symbol(position)},
        error_x=error_bars(values, lows, highs, colour),
        customdata=shown,
        text=[
            f"{title}<br>{entries[label]['emotion']}: {_WORDS[measure]} {_value(entries[label], measure)}"
            f"<br>{entries[label]['support']:,} faces, {entries[label]['answered']:,} answers"
            for label in shown
        ],
        hovertemplate="%{text}<extra></extra>",
        cliponaxis=False,
    )


def _value(entry: ClassIntervals, measure: Measure) -> str:
    value, ends = entry[measure], interval_of(entry, measure)
    if value is None or not entry["support"]:
        return "has no faces"
    if ends is None:
        return "is never answered"
    return f"{100 * value:.1f} % ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})"


def _check(models: Mapping[str, Entries], measure: str) -> None:
    if measure not in _WORDS:
        raise ValueError(f"measure must be one of {', '.join(_WORDS)}, not {measure!r}")
    if any(len(entries) != COUNT for entries in models.values()):
        raise ValueError(f"each model must have {COUNT} classes")
