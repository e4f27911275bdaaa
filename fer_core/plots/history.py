"""Loss and accuracy over epochs: of one run, of several, and of one that is still training.

Training is dashed, PublicTest solid, everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_core.plots.style import ACCENT, blank, run_colour, settle

if TYPE_CHECKING:
    import pandas as pd

Metric = Literal["loss", "accuracy"]
_LABELS = {"loss": "loss (nats)", "accuracy": "accuracy (%)"}
_TRAINING = {"color": ACCENT, "width": 2, "dash": "dash"}
# An epoch's piece of the line is short: short dashes, so that it has some.
_RUNNING = {**_TRAINING, "dash": "5px,3px"}
_PUBLIC = {"color": ACCENT, "width": 2.5}


def curves(history: pd.DataFrame, *, best_epoch: int | None = None, height: int = 320) -> go.Figure:
    """One run: loss on the left, accuracy on the right. ``history`` as in ``history.csv``.

    ``best_epoch`` (from 1) is marked: its weights are the ones kept. ``height`` in pixels.
    """
    figure = _two_panels(height)
    epochs = history["epoch"].tolist()
    for column, metric in enumerate(_LABELS, start=1):
        training, public = _values(history, metric), _values(history, f"val_{metric}")
        first = column == 1
        figure.add_trace(_line(epochs, training, "training", _TRAINING, first, metric), row=1, col=column)
        figure.add_trace(_line(epochs, public, "PublicTest", _PUBLIC, first, metric), row=1, col=column)
        if best_epoch in epochs:
            figure.add_trace(
                go.Scatter(
                    x=[best_epoch],
                    y=[public[epochs.index(best_epoch)]],
                    mode="markers",
                    marker={"symbol": "star", "size": 14, "color": "#E69F00"},
                    name="kept epoch",
                    showlegend=first,
                    hovertemplate=f"kept: epoch {best_epoch}<extra></extra>",
                ),
                row=1,
                col=column,
            )
    return figure


def describe_curves(history: pd.DataFrame, *, best_epoch: int | None = None) -> str:
    """What :func:`curves` shows, in words."""
    if history.empty:
        return "Loss and accuracy over epochs; no epoch has ended yet."
    first, last = history.iloc[0], history.iloc[-1]
    words = (
        f"Loss and accuracy over {len(history)} epochs. Training loss went from {first['loss']:.2f} to "
        f"{last['loss']:.2f} nats, PublicTest accuracy from {100 * first['val_accuracy']:.1f} to "
        f"{100 * last['val_accuracy']:.1f} %."
    )
    return words if best_epoch is None else f"{words} Epoch {best_epoch} was kept."


def overlay(histories: Mapping[str, pd.DataFrame], metric: Metric, *, height: int = 360) -> go.Figure:
    """Several runs in one panel, one colour a run. ``histories``: title to table; ``metric``: loss or
    accuracy.
    """
    _check(metric)
    figure = blank(height)
    for position, (title, history) in enumerate(histories.items()):
        epochs, colour = history["epoch"].tolist(), run_colour(position)
        public = {"color": colour, "width": 2.5}
        training = {"color": colour, "width": 1.5, "dash": "dash"}
        values = _values(history, f"val_{metric}")
        figure.add_trace(_line(epochs, values, title, public, True, metric, extra=f"{title}, PublicTest"))
        values = _values(history, metric)
        figure.add_trace(_line(epochs, values, title, training, False, metric, extra=f"{title}, training"))
    figure.update_xaxes(title_text="epoch (solid: PublicTest, dashed: training)", rangemode="tozero", zeroline=False)
    figure.update_yaxes(title_text=_LABELS[metric])
    return figure


def describe_overlay(histories: Mapping[str, pd.DataFrame], metric: Metric) -> str:
    """What :func:`overlay` shows, in words."""
    _check(metric)
    parts = [
        f"{title}: {_LABELS[metric]} on PublicTest {_values(history, f'val_{metric}')[-1]:.2f} "
        f"after {len(history)} epochs"
        for title, history in histories.items()
        if len(history)
    ]
    name = metric.capitalize()
    return f"{name} over epochs, training dashed, PublicTest solid. {'; '.join(parts) or 'No epochs yet'}."


def live(
    batches: Sequence[Mapping[str, Any]],
    epochs: Sequence[Mapping[str, Any]],
    *,
    total_epochs: int | None = None,
    height: int = 320,
) -> go.Figure:
    """A run in training, also within an epoch. Both arguments are journal events, oldest first.

    ``batches`` carry the running means of their epoch (dashed; the line breaks where an epoch ends),
    ``epochs`` the PublicTest values (solid). The x axis counts epochs: 2.5 is half way through the third.
    ``total_epochs`` fixes its end.
    """
    figure = _two_panels(height)
    xs: list[float | None] = []
    kept: list[Mapping[str, Any] | None] = []
    for event in batches:
        if kept and kept[-1] is not None and kept[-1]["epoch"] != event["epoch"]:
            # The running mean starts anew: a gap, not a jump.
            xs.append(None)
            kept.append(None)
        xs.append(event["epoch"] - 1 + event["step"] / event["steps"])
        kept.append(event)
    ends = [event["epoch"] for event in epochs]
    for column, metric in enumerate(_LABELS, start=1):
        factor = 100.0 if metric == "accuracy" else 1.0
        running = [None if event is None else factor * event[metric] for event in kept]
        public = [factor * event[f"val_{metric}"] for event in epochs]
        first = column == 1
        figure.add_trace(
            _line(xs, running, "training, running mean of the epoch", _RUNNING, first, metric, "lines"),
            row=1,
            col=column,
        )
        figure.add_trace(_line(ends, public, "PublicTest", _PUBLIC, first, metric), row=1, col=column)
    if total_epochs:
        figure.update_xaxes(range=[0, total_epochs * 1.02])
    # The same value from one redraw to the next keeps a visitor's zoom.
    figure.update_layout(uirevision="live")
    return figure


def describe_live(batches: Sequence[Mapping[str, Any]], epochs: Sequence[Mapping[str, Any]]) -> str:
    """What :func:`live` shows, in words."""
    if not batches and not epochs:
        return "Loss and accuracy while training; nothing has been measured yet."
    words = "Loss and accuracy while training."
    if batches:
        last = batches[-1]
        words += (
            f" Epoch {last['epoch']}, batch {last['step']} of {last['steps']}: loss {last['loss']:.2f} nats, "
            f"accuracy {100 * last['accuracy']:.1f} %."
        )
    if epochs:
        last = epochs[-1]
        words += f" PublicTest accuracy after epoch {last['epoch']}: {100 * last['val_accuracy']:.1f} %."
    return words


def _two_panels(height: int) -> go.Figure:
    # Titles above the panels: beside them, the second one would lie over the first panel on a phone.
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.1, subplot_titles=list(_LABELS.values()))
    settle(figure, height)
    figure.update_annotations(font_size=13)
    figure.update_layout(legend={"yanchor": "top", "y": -0.22})
    figure.update_xaxes(title_text="epoch", rangemode="tozero", zeroline=False)
    return figure


def _line(
    xs: Sequence[float | None],
    ys: Sequence[float | None],
    name: str,
    line: Mapping[str, Any],
    in_legend: bool,
    metric: str,
    mode: str = "lines+markers",
    extra: str | None = None,
) -> go.Scatter:
    value = "%{y:.1f} %" if metric == "accuracy" else "%{y:.3f} nats"
    return go.Scatter(
        x=list(xs),
        y=list(ys),
        name=name,
        mode=mode,
        line=dict(line),
        marker={"size": 5},
        legendgroup=name,
        showlegend=in_legend,
        hovertemplate=f"{extra or name}<br>epoch %{{x:.2~f}}: {value}<extra></extra>",
    )


def _values(history: pd.DataFrame, column: str) -> list[float]:
    factor = 100.0 if column.endswith("accuracy") else 1.0
    return [factor * float(value) for value in history[column]]


def _check(metric: str) -> None:
    if metric not in _LABELS:
        raise ValueError(f"metric must be loss or accuracy, not {metric!r}")
