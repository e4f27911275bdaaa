"""Loss and accuracy of a run that is still training, also within an epoch. Training is grey and dashed, PublicTest
in colour and solid.

As numbers and a Vega-Lite specification, for the reason that :mod:`fer_core.plots.timeline` gives: they change each
second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from fer_core.plots.style import ACCENT, MUTED
from fer_core.runs.events import BatchEvent, EpochEvent

Metric = Literal["loss", "accuracy"]
TRAINING, PUBLIC = "training, running mean of the epoch", "PublicTest"
METRICS: tuple[Metric, ...] = ("loss", "accuracy")
_TITLES: dict[Metric, str] = {"loss": "loss (nats)", "accuracy": "accuracy (%)"}


def running(batches: Sequence[BatchEvent], epochs: Sequence[EpochEvent]) -> pd.DataFrame:
    """One line a point, from journal events, oldest first.

    ``batches`` carry the running means of their epoch, ``epochs`` the PublicTest values. Columns: ``epoch`` (2.5 is
    half way through the third), ``loss`` (nats), ``accuracy`` (%), ``what`` (:data:`TRAINING` or :data:`PUBLIC`), and
    ``piece``: a running mean starts anew with each epoch, and its line with it.
    """
    rows = [
        (
            event["epoch"] - 1 + event["step"] / event["steps"],
            event["loss"],
            event["accuracy"],
            TRAINING,
            event["epoch"],
        )
        for event in batches
    ]
    rows += [(float(event["epoch"]), event["val_loss"], event["val_accuracy"], PUBLIC, 0) for event in epochs]
    table = pd.DataFrame(rows, columns=["epoch", "loss", "accuracy", "what", "piece"])
    table["accuracy"] = 100 * table["accuracy"].astype(float)
    # Rounded, because they are sent to the browser every second.
    return table.round({"epoch": 3, "loss": 4, "accuracy": 2})


def running_spec(metric: Metric, *, total_epochs: int | None = None, height: int = 300) -> dict[str, object]:
    """How one metric of :func:`running` is drawn, in Vega-Lite. ``total_epochs`` fixes the end. ``height`` in pixels.

    Raises ``ValueError`` for another metric.
    """
    if metric not in _TITLES:
        raise ValueError(f"metric must be loss or accuracy, not {metric!r}")
    end = {"domain": [0, total_epochs], "nice": False} if total_epochs else {"zero": True}
    along = {"field": "epoch", "type": "quantitative", "title": "epoch", "scale": end, "axis": {"tickMinStep": 1}}
    value = {"field": metric, "type": "quantitative", "title": _TITLES[metric], "scale": {"zero": False}}
    formats = {"accuracy": ".1f", "loss": ".3f"}
    only_public = [{"filter": {"field": "what", "equal": PUBLIC}}]
    tooltip = [
        {"field": "what", "type": "nominal", "title": "of"},
        {"field": "epoch", "type": "quantitative", "title": "epoch", "format": ".2~f"},
        {"field": metric, "type": "quantitative", "title": _TITLES[metric], "format": formats[metric]},
    ]
    return {
        "height": height,
        "usermeta": {"embedOptions": {"renderer": "canvas"}},
        "encoding": {"x": along, "y": value, "tooltip": tooltip},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2.5},
                "encoding": {
                    "detail": {"field": "piece", "type": "nominal"},
                    "color": {
                        "field": "what",
                        "type": "nominal",
                        "scale": {"domain": [TRAINING, PUBLIC], "range": [MUTED, ACCENT]},
                        "legend": None,
                    },
                    "strokeDash": {
                        "field": "what",
                        "type": "nominal",
                        "scale": {"domain": [TRAINING, PUBLIC], "range": [[5, 3], [1, 0]]},
                        # A legend would be wider than half a page; the page says it in words.
                        "legend": None,
                    },
                },
            },
            {"transform": only_public, "mark": {"type": "point", "color": ACCENT, "filled": True, "size": 60}},
        ],
    }


def describe(batches: Sequence[BatchEvent], epochs: Sequence[EpochEvent]) -> str:
    """What is drawn of :func:`running`, in words."""
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
        ended = epochs[-1]
        words += f" PublicTest accuracy after epoch {ended['epoch']}: {100 * ended['val_accuracy']:.1f} %."
    return words
