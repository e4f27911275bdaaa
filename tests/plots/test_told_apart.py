"""Training and PublicTest are told apart in every curve without colour: by the line's dash and by words at its end."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.plots import curves, history, live_history, reliability, style
from fer_core.plots.style import apart
from fer_core.stats import calibration
from fer_core.stats.risk_coverage import risk_coverage

EPOCHS: list[Any] = [
    {"epoch": at, "loss": 2.0 - at / 10, "accuracy": 0.2 + at / 20, "val_loss": 2.0 - at / 12, "val_accuracy": 0.22}
    for at in (1, 2, 3)
]
HISTORY = pd.DataFrame(EPOCHS).assign(seconds=10.0)


def test_lines_of_one_run_say_at_their_ends_what_they_are() -> None:
    figure = history.learning_curves(HISTORY)
    dashes = {(trace.name, trace.line.dash) for trace in figure.data}
    assert dashes == {("training", "dash"), ("PublicTest", None)}
    ends = [note for note in figure.layout.annotations if note.name == history.END]
    assert sorted(note.text for note in ends) == ["<b>PublicTest</b>"] * 2 + ["<b>training</b>"] * 2
    room = [axis.range[1] for axis in figure.select_xaxes()]
    assert min(room) > 3, "the last points would be cut in half"
    assert {(note.x, note.xanchor) for note in ends} == {(room[0], "right")}, "they would be cut off"
    accuracy = {note.text: note.yanchor for note in ends if note.yref == "y2"}
    assert accuracy == {"<b>training</b>": "bottom", "<b>PublicTest</b>": "top"}, "they would lie on each other"


@pytest.mark.parametrize("along", ["epoch", "time"])
def test_of_several_runs_the_lines_farthest_apart_say_it(along: history.Along) -> None:
    near = HISTORY.assign(accuracy=HISTORY["val_accuracy"])
    figure = history.learning_overlay({"near": near, "far": HISTORY}, "accuracy", along=along)
    ends = {note.text: note.y for note in figure.layout.annotations if note.name == history.END}
    assert ends == pytest.approx({"<b>PublicTest</b>": 22.0, "<b>training</b>": 35.0})


def test_a_run_keeps_its_colour_where_others_are_not_in_the_picture() -> None:
    order = ("a vote", "untimed", "seen")
    rows = np.eye(7)[[0, 1, 2]]
    figures = [
        history.learning_overlay({"seen": HISTORY}, "accuracy", along="time", order=order),
        reliability.diagram({"seen": calibration.reliability([0, 1, 3], rows)}, order=order),
        curves.risk_coverage({"seen": risk_coverage([0, 1, 3], rows)}, order=order),
    ]
    found = {trace.line.color for figure in figures for trace in figure.data if trace.type == "scatter"}
    assert found == {style.run_colour(2)}


def labels_of(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    named = table[table["label"] != ""]
    return {row.label: (row.epoch, row.accuracy) for row in named.itertuples()}


def test_lines_of_a_running_training_say_it_where_they_are_now() -> None:
    batches: list[Any] = [{"epoch": 4, "step": 1, "steps": 2, "loss": 1.5, "accuracy": 0.5}]
    table = live_history.with_labels(live_history.running(batches, EPOCHS))
    assert labels_of(table) == {"training": (3.5, 50.0), "PublicTest": (3.0, 22.0)}
    assert (table["label"] == "").sum() == 4, "labels are rows of their own"
    assert live_history.with_labels(live_history.running([], [])).empty


def test_lines_of_twins_say_whose_they_are_and_never_lie_on_each_other() -> None:
    table = live_history.with_labels(live_history.twins({"with": EPOCHS, "without": EPOCHS}))
    found = labels_of(table)
    assert set(found) == {f"{what}, {who}" for what in ("training", "PublicTest") for who in ("with", "without")}
    heights = sorted(y for _, y in found.values())
    assert min(high - low for low, high in itertools.pairwise(heights)) > 0.5


def test_words_beside_lines_are_moved_apart_and_no_farther() -> None:
    assert apart([1.0, 5.0], 1.0) == [1.0, 5.0]
    assert apart([5.0, 5.0], 1.0) == [4.5, 5.5]
    assert apart([2.0, 1.9, 2.1, 9.0], 1.0) == pytest.approx([2.0, 1.0, 3.0, 9.0])


def test_words_at_lines_ends_stand_where_no_other_line_is() -> None:
    longer = pd.concat([HISTORY, HISTORY.assign(epoch=HISTORY["epoch"] + 3)])
    longer["accuracy"] = 0.22 + 0.6 * (HISTORY["accuracy"].iloc[-1] - 0.22)
    figure = history.learning_overlay({"widest": HISTORY, "longest": longer}, "accuracy")
    ends = {note.text: note.y for note in figure.layout.annotations if note.name == history.END}
    assert ends["<b>training</b>"] == pytest.approx(100 * longer["accuracy"].iloc[-1])
