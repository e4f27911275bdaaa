"""Loss and accuracy over epochs: of one run, and of several.

Training is dashed, PublicTest solid, everywhere, and lines say at their ends which of them they are; of one run
training is grey, too. A run that was trained elsewhere has faces of its own in place of PublicTest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_core.formatting import duration
from fer_core.plots.style import (
    ACCENT,
    MUTED,
    SELECTED,
    apply_style,
    blank,
    places,
    run_colour,
    run_symbol,
)

if TYPE_CHECKING:
    import pandas as pd

Metric = Literal["loss", "accuracy"]
Along = Literal["epoch", "time"]
_LABELS = {"loss": "loss (nats)", "accuracy": "accuracy (%)"}
_MINUTES_UP_TO = 3 * 3600
"""Seconds of training up to which an axis of time counts in minutes."""
END = "end of a line"
"""What annotations are called that say what a line is."""
_ROOM = 1.05
"""How much longer an axis is than its lines, so that those words do not begin on the last point."""
PUBLIC, OWN = "PublicTest", "its own validation faces"
"""What the solid lines are about: of a run trained here, and of one whose history came with it."""
_TRAINING = {"color": MUTED, "width": 2, "dash": "dash"}
_PUBLIC = {"color": ACCENT, "width": 3}


def learning_curves(
    history: pd.DataFrame, *, best_epoch: int | None = None, height: int = 320, own: bool = False
) -> go.Figure:
    """One run: loss on the left, accuracy on the right. ``history`` as in ``history.csv``.

    ``best_epoch`` (from 1) is marked: its weights are the ones kept. ``height`` in pixels. ``own``: trained elsewhere.
    """
    figure = _two_panels(height)
    epochs = history["epoch"].tolist()
    for column, metric in enumerate(_LABELS, start=1):
        training, public = _values(history, metric), _values(history, f"val_{metric}")
        first = column == 1
        figure.add_trace(_line(epochs, training, "training", _TRAINING, first, metric), row=1, col=column)
        figure.add_trace(_line(epochs, public, OWN if own else PUBLIC, _PUBLIC, first, metric), row=1, col=column)
        if epochs:
            _name_ends(figure, epochs[-1], training, public, own=own, row=1, col=column)
            figure.update_xaxes(range=[0, epochs[-1] * _ROOM], row=1, col=column)
        if best_epoch in epochs:
            figure.add_trace(
                go.Scatter(
                    x=[best_epoch],
                    y=[public[epochs.index(best_epoch)]],
                    mode="markers",
                    marker={"symbol": "star", "size": 14, "color": SELECTED},
                    name="kept epoch",
                    showlegend=first,
                    hovertemplate=f"kept: epoch {best_epoch}<extra></extra>",
                ),
                row=1,
                col=column,
            )
    return figure


def describe_learning_curves(history: pd.DataFrame, *, best_epoch: int | None = None, own: bool = False) -> str:
    """What :func:`learning_curves` shows, in words."""
    if history.empty:
        return "Loss and accuracy over epochs; no epoch has ended yet."
    first, last = history.iloc[0], history.iloc[-1]
    words = (
        f"Loss and accuracy over {len(history)} epochs. Training loss went from {first['loss']:.2f} to "
        f"{last['loss']:.2f} nats, accuracy on {OWN if own else PUBLIC} from {100 * first['val_accuracy']:.1f} to "
        f"{100 * last['val_accuracy']:.1f} %."
    )
    return words if best_epoch is None else f"{words} Epoch {best_epoch} was kept."


def learning_overlay(
    histories: Mapping[str, pd.DataFrame],
    metric: Metric,
    *,
    along: Along = "epoch",
    height: int = 360,
    own: Collection[str] = (),
    order: Sequence[str] = (),
) -> go.Figure:
    """Several runs in one panel, one colour and marker a run, each value where its epoch ended.

    ``histories``: title to table as in ``history.csv``; ``metric``: loss or accuracy. ``along``: ``epoch``, or
    ``time``: minutes of training since each run's own start, hours where the longest run took over three. ``height`` in
    pixels. ``own``: the titles of those trained elsewhere. ``order``: as in
    :func:`fer_core.plots.style.places`. Raises ``ValueError`` for another metric or axis.
    """
    _check(metric, along)
    figure = blank(height)
    ends = {title: _ends(history, along) for title, history in histories.items()}
    unit, per_unit = "epoch", 1.0
    if along == "time":
        longest = max((values[-1] for values in ends.values() if values), default=0.0)
        unit, per_unit = ("h", 3600.0) if longest > _MINUTES_UP_TO else ("min", 60.0)
    place = "epoch %{x:.2~f}" if along == "epoch" else f"epoch %{{customdata}}, after %{{x:.1f}} {unit}"
    for position, (title, history) in zip(places(histories, order), histories.items(), strict=True):
        xs, colour = [end / per_unit for end in ends[title]], run_colour(position)
        public = {"color": colour, "width": 2.5}
        training = {"color": colour, "width": 1.5, "dash": "dash"}
        for values, line, what in (
            (_values(history, f"val_{metric}"), public, OWN if title in own else PUBLIC),
            (_values(history, metric), training, "training"),
        ):
            trace = _line(xs, values, title, line, line is public, metric, extra=f"{title}, {what}", place=place)
            trace.update(customdata=history["epoch"].tolist(), marker={"size": 6, "symbol": run_symbol(position)})
            figure.add_trace(trace)
    if (said := _to_name(histories, metric, along)) is not None:
        last = ends[said][-1] / per_unit
        lines = _values(histories[said], metric), _values(histories[said], f"val_{metric}")
        _name_ends(figure, last, *lines, own=said in own)
        right = max(values[-1] for values in ends.values() if values) / per_unit
        figure.update_xaxes(range=[0, max(right, last * _ROOM)])
    start = "epoch (" if along == "epoch" else f"training time ({unit}; "
    figure.update_xaxes(
        title_text=f"{start}solid: {_solid(histories, own)}, dashed: training)", rangemode="tozero", zeroline=False
    )
    figure.update_yaxes(title_text=_LABELS[metric])
    # A single run is named in the legend, too.
    figure.update_layout(showlegend=True)
    return figure


def _solid(titles: Collection[str], own: Collection[str]) -> str:
    """What the solid lines of these runs are about."""
    theirs = [title for title in titles if title in own]
    if not theirs:
        return PUBLIC
    return "validation faces" if len(theirs) == len(titles) else f"{PUBLIC} or own validation faces"


def describe_learning_overlay(
    histories: Mapping[str, pd.DataFrame], metric: Metric, *, along: Along = "epoch", own: Collection[str] = ()
) -> str:
    """What :func:`learning_overlay` shows, in words."""
    _check(metric, along)
    parts = []
    for title, history in histories.items():
        if not len(history):
            continue
        words = f"{title}: {_LABELS[metric]} on {OWN if title in own else PUBLIC} "
        words += f"{_values(history, f'val_{metric}')[-1]:.2f}"
        words += f" after {len(history)} epochs"
        parts.append(words + (f", {duration(history['seconds'].sum())}" if along == "time" else ""))
    name = metric.capitalize()
    over = "epochs" if along == "epoch" else "training time"
    solid = _solid(histories, own)
    return f"{name} over {over}, training dashed, {solid} solid. {'; '.join(parts) or 'No epochs yet'}."


def _to_name(histories: Mapping[str, pd.DataFrame], metric: Metric, along: Along) -> str | None:
    """The run whose lines say what they are; more words would lie on others.

    The one that learned longest, beside whose ends there is nothing, if these are half as far apart as any; else the
    one whose lines end farthest apart.
    """
    gaps = {
        title: abs(_values(history, metric)[-1] - _values(history, f"val_{metric}")[-1])
        for title, history in histories.items()
        if len(history)
    }
    if not gaps:
        return None
    longest = max(gaps, key=lambda title: _ends(histories[title], along)[-1])
    widest = max(gaps, key=gaps.__getitem__)
    return longest if gaps[longest] >= gaps[widest] / 2 else widest


def _name_ends(
    figure: go.Figure,
    x: float,
    training: Sequence[float],
    public: Sequence[float],
    *,
    own: bool,
    **panel: int,
) -> None:
    """Write "training" and "PublicTest" beside the ends of the two lines, which end at ``x``.

    ``own``: the second one's faces are the run's own: "validation". In the theme's text colour: the lines' have too
    little contrast for words.
    """
    ends = {"training": training[-1], "validation" if own else PUBLIC: public[-1]}
    upper = max(ends, key=ends.__getitem__)
    for name, y in ends.items():
        figure.add_annotation(
            # Ends where the axis does, so that nothing of it is cut off where the panel is narrow.
            x=x * _ROOM,
            y=y,
            text=f"<b>{name}</b>",
            showarrow=False,
            xanchor="right",
            # Over the upper line and under the lower one, where there is nothing.
            yanchor="bottom" if name == upper else "top",
            yshift=5 if name == upper else -5,
            font={"size": 12},
            name=END,
            **panel,
        )


def _two_panels(height: int) -> go.Figure:
    # Titles above the panels: beside them, the second one would lie over the first panel on a phone.
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.1, subplot_titles=list(_LABELS.values()))
    apply_style(figure, height)
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
    place: str = "epoch %{x:.2~f}",
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
        hovertemplate=f"{extra or name}<br>{place}: {value}<extra></extra>",
    )


def _values(history: pd.DataFrame, column: str) -> list[float]:
    factor = 100.0 if column.endswith("accuracy") else 1.0
    return [factor * float(value) for value in history[column]]


def _ends(history: pd.DataFrame, along: Along) -> list[float]:
    """Where each epoch ended: its number, or the seconds of training up to there (pauses not counted)."""
    values = history["epoch"] if along == "epoch" else history["seconds"].cumsum()
    return [float(value) for value in values]


def _check(metric: str, along: str) -> None:
    if metric not in _LABELS:
        raise ValueError(f"metric must be loss or accuracy, not {metric!r}")
    if along not in ("epoch", "time"):
        raise ValueError(f"along must be epoch or time, not {along!r}")
