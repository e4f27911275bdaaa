"""Loss and accuracy of a run that is still training, also within an epoch, and of twins over each other.

Training is dashed, PublicTest solid, and each line says at its end which of them it is; of one run training is grey,
too.

As numbers and a Vega-Lite specification, for the reason that :mod:`fer_core.plots.timeline` gives: they change each
second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from fer_core.plots.style import ACCENT, LABEL_SHARE, MUTED, apart, run_colour
from fer_core.runs.events import BatchEvent, EpochEvent

Metric = Literal["loss", "accuracy"]
TRAINING, PUBLIC = "training, running mean of the epoch", "PublicTest"
METRICS: tuple[Metric, ...] = ("loss", "accuracy")
_SHORT = {TRAINING: "training", PUBLIC: "PublicTest"}
"""What stands at the end of a line."""
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


def twins(runs: Mapping[str, Sequence[EpochEvent]]) -> pd.DataFrame:
    """Runs over each other, one line a point: name to epochs, oldest first. Columns as of :func:`running`, and ``run``.

    The training points are those of whole epochs.
    """
    rows = [
        (float(event["epoch"]), loss, accuracy, what, 0, name)
        for name, epochs in runs.items()
        for event in epochs
        for loss, accuracy, what in (
            (event["loss"], event["accuracy"], TRAINING),
            (event["val_loss"], event["val_accuracy"], PUBLIC),
        )
    ]
    table = pd.DataFrame(rows, columns=["epoch", "loss", "accuracy", "what", "piece", "run"])
    table["accuracy"] = 100 * table["accuracy"].astype(float)
    return table.round({"epoch": 3, "loss": 4, "accuracy": 2})


def with_labels(table: pd.DataFrame) -> pd.DataFrame:
    """The same with a row for the end of each line, whose ``label`` says what the line is; "" in all other rows.

    Labels that would lie on each other are moved apart, so ``loss`` and ``accuracy`` of these rows are places on the
    axis, not measurements.
    """
    table = table.assign(label="")
    keys = ["what", "run"] if "run" in table else ["what"]
    ends = table.sort_values("epoch", kind="stable").drop_duplicates(keys, keep="last")
    for metric in METRICS:
        shown = table[metric]
        ends[metric] = apart(ends[metric].tolist(), LABEL_SHARE * float(shown.max() - shown.min()))
    ends["label"] = [_SHORT[what] for what in ends["what"]]
    if "run" in table:
        ends["label"] = ends["label"] + ", " + ends["run"]
    return pd.concat([table, ends], ignore_index=True) if len(table) else table


def running_spec(
    metric: Metric, *, total_epochs: int | None = None, dark: bool = False, height: int = 300
) -> dict[str, object]:
    """How one metric of :func:`running` is drawn, in Vega-Lite. ``total_epochs`` fixes the end. ``height`` in pixels.

    ``dark``: whether the page is. Raises ``ValueError`` for another metric.
    """
    return _spec(metric, total_epochs, dark, height, "what", {TRAINING: MUTED, PUBLIC: ACCENT})


def twins_spec(
    metric: Metric, names: Sequence[str], *, total_epochs: int | None = None, dark: bool = False, height: int = 300
) -> dict[str, object]:
    """How one metric of :func:`twins` is drawn, as :func:`running_spec`: a colour for each of ``names``."""
    colours = {name: run_colour(position) for position, name in enumerate(names)}
    return _spec(metric, total_epochs, dark, height, "run", colours)


def _spec(
    metric: Metric, total_epochs: int | None, dark: bool, height: int, told_by: str, colours: Mapping[str, str]
) -> dict[str, object]:
    if metric not in _TITLES:
        raise ValueError(f"metric must be loss or accuracy, not {metric!r}")
    end = {"domain": [0, total_epochs], "nice": False} if total_epochs else {"zero": True}
    along = {"field": "epoch", "type": "quantitative", "title": "epoch", "scale": end, "axis": {"tickMinStep": 1}}
    value = {"field": metric, "type": "quantitative", "title": _TITLES[metric], "scale": {"zero": False}}
    formats = {"accuracy": ".1f", "loss": ".3f"}
    tooltip = [
        {"field": "what", "type": "nominal", "title": "of"},
        {"field": "epoch", "type": "quantitative", "title": "epoch", "format": ".2~f"},
        {"field": metric, "type": "quantitative", "title": _TITLES[metric], "format": formats[metric]},
    ]
    colour = {
        "field": told_by,
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
        # A legend would be wider than half a page; the labels at the lines' ends say it.
        "legend": None,
    }
    measured, labels = {"filter": "datum.label === ''"}, {"filter": "datum.label !== ''"}
    lines = {
        "detail": {"field": "piece", "type": "nominal"},
        "color": colour,
        "strokeDash": {
            "field": "what",
            "type": "nominal",
            "scale": {"domain": [TRAINING, PUBLIC], "range": [[5, 3], [1, 0]]},
            "legend": None,
        },
    }
    only_public = [measured, {"filter": {"field": "what", "equal": PUBLIC}}]
    points = {"type": "point", "filled": True, "size": 60}
    # In the colour of text: the lines' own have too little contrast for words. Of itself Vega-Lite writes in black.
    words = {"type": "text", "align": "left", "dx": 7, "fontSize": 12, "color": "#FAFAFA" if dark else "#31333F"}
    return {
        "height": height,
        "usermeta": {"embedOptions": {"renderer": "canvas"}},
        "encoding": {"x": along, "y": value, "tooltip": tooltip},
        "layer": [
            {"transform": [measured], "mark": {"type": "line", "strokeWidth": 2.5}, "encoding": lines},
            {"transform": only_public, "mark": points, "encoding": {"color": colour}},
            {
                "transform": [labels],
                "mark": words,
                "encoding": {"text": {"field": "label", "type": "nominal"}},
            },
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
