"""Plotly figures: the numbers in them, what a click reports, and the words that go with them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from factories import make_run

from fer_core.emotions import COLOURS, NAMES
from fer_core.plots import bars, confusion, history, style
from fer_core.runs.folder import RunFolder

COUNTS = np.arange(49).reshape(7, 7)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return make_run(tmp_path_factory.mktemp("runs") / "one", epochs=4)


def all_figures(run: RunFolder) -> list[go.Figure]:
    table = run.history()
    return [
        confusion.matrix(COUNTS),
        history.learning_curves(table),
        history.learning_overlay({"a": table}, "loss"),
        bars.class_counts({"Training": range(7)}),
    ]


def test_every_figure_takes_the_theme(run: RunFolder) -> None:
    for figure in all_figures(run):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.font.color is None
        assert figure.layout.font.family is None
        figure.to_json()


# --- confusion matrix


def test_a_click_reports_true_and_predicted() -> None:
    figure = confusion.matrix(COUNTS)
    targets = figure.data[-1]
    assert targets.type == "scatter"
    assert targets.marker.symbol == "square"
    assert targets.marker.color == "rgba(0,0,0,0)"
    assert len(targets.customdata) == 49
    for x, y, (true, predicted, faces, share) in zip(targets.x, targets.y, targets.customdata, strict=True):
        assert (x, y) == (predicted, true)
        assert faces == COUNTS[true, predicted]
        assert share == pytest.approx(100 * faces / COUNTS[true].sum())
    assert "event" in figure.layout.clickmode
    assert figure.layout.hovermode == "closest"


@pytest.mark.parametrize(
    ("normalise", "expected"),
    [("none", COUNTS), ("row", 100 * COUNTS / COUNTS.sum(1)[:, None]), ("column", 100 * COUNTS / COUNTS.sum(0))],
)
def test_numbers_in_the_cells(normalise: str, expected: np.ndarray) -> None:
    figure = confusion.matrix(COUNTS, normalise=normalise)
    texts = {(note.y, note.x): note.text for note in figure.layout.annotations}
    assert len(texts) == 49
    for cell in np.ndindex(7, 7):
        assert texts[cell] == f"{expected[cell]:,.0f}"
    assert figure.layout.yaxis.title.text == "label"
    assert figure.layout.xaxis.title.text.startswith("answer")
    assert list(figure.layout.xaxis.ticktext) == list(NAMES)
    # The first row is on top.
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]


def test_a_class_without_faces_has_no_share() -> None:
    counts = COUNTS.copy()
    counts[1] = 0
    figure = confusion.matrix(counts, normalise="row")
    assert {note.text for note in figure.layout.annotations if note.y == 1} == {"–"}
    assert "NaN" not in figure.to_json()
    assert np.isnan(confusion.percentages(counts, "row")[1]).all()


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_are_readable_on_every_cell(dark: bool) -> None:
    counts = np.zeros((7, 7), int)
    counts[0] = [0, 2, 10, 18, 20, 24, 26]
    counts[1] = [60, 40, 0, 0, 0, 0, 0]
    figure = confusion.matrix(counts, dark=dark)
    scale = style.DARK_SCALE if dark else style.LIGHT_SCALE
    for note in figure.layout.annotations:
        share = figure.data[0].z[note.y][note.x] / 100
        cell = style.relative_luminance(style.scale_colour(scale, share))
        text = style.relative_luminance(style.rgb(note.font.color))
        assert (max(cell, text) + 0.05) / (min(cell, text) + 0.05) >= 4.5


def test_the_scale_is_sequential() -> None:
    for scale, sign in ((style.LIGHT_SCALE, -1), (style.DARK_SCALE, 1)):
        steps = [style.relative_luminance(style.scale_colour(scale, value)) for value in np.linspace(0, 1, 50)]
        assert all(sign * (after - before) > 0 for before, after in pairwise(steps))
        assert style.scale_colour(scale, 0) == style.rgb(scale[0][1])
        assert style.scale_colour(scale, 2) == style.rgb(scale[-1][1])


def test_a_selected_cell_is_framed() -> None:
    assert not confusion.matrix(COUNTS).layout.shapes
    [frame] = confusion.matrix(COUNTS, selected=(2, 4)).layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (3.5, 4.5, 1.5, 2.5)


def test_matrix_refuses_other_input() -> None:
    with pytest.raises(ValueError, match="7×7"):
        confusion.matrix(np.zeros((6, 7)))
    with pytest.raises(ValueError, match="7×7"):
        confusion.describe(np.full((7, 7), -1))
    with pytest.raises(ValueError, match="normalise"):
        confusion.matrix(COUNTS, normalise="rows")  # type: ignore[arg-type]


def test_matrix_in_words() -> None:
    counts = np.eye(7, dtype=int) * 500
    counts[2, 4] = 132
    counts[4, 2] = 90
    assert confusion.describe(counts, "Custom CNN") == (
        "Confusion matrix of Custom CNN, 3,722 faces, 94.0 % right; most confused: fear taken for sad, 132 faces."
    )
    assert confusion.describe(np.eye(7)).endswith("100.0 % right; nothing is confused.")
    assert confusion.describe(np.zeros((7, 7))) == "Confusion matrix, 0 faces."


# --- histories


def test_curves_of_one_run(run: RunFolder) -> None:
    table = run.history()
    figure = history.learning_curves(table, best_epoch=3)
    training_loss, public_loss, star, training, public, _ = figure.data
    assert (training.line.dash, public.line.dash) == ("dash", None)
    assert list(training_loss.y) == pytest.approx(table["loss"].tolist())
    assert list(public_loss.y) == pytest.approx(table["val_loss"].tolist())
    assert list(public.y) == pytest.approx((100 * table["val_accuracy"]).tolist())
    assert list(public.x) == [1, 2, 3, 4]
    assert (star.x[0], star.y[0]) == (3, table["val_loss"][2])
    names = [trace.name for trace in figure.data if trace.showlegend]
    assert names == ["training", "PublicTest", "kept epoch"]
    assert len(history.learning_curves(table, best_epoch=99).data) == 4
    words = history.describe_learning_curves(table, best_epoch=3)
    assert "over 4 epochs" in words
    assert words.endswith("Epoch 3 was kept.")


def test_no_epoch_yet(run: RunFolder) -> None:
    empty = run.history().iloc[:0]
    assert history.learning_curves(empty).data[0].x == ()
    assert "no epoch" in history.describe_learning_curves(empty)
    assert "No epochs yet" in history.describe_learning_overlay({"a": empty}, "accuracy")


def test_several_runs_have_a_colour_each(run: RunFolder) -> None:
    table = run.history()
    figure = history.learning_overlay({"a": table, "b": table[:2]}, "accuracy")
    assert [trace.line.dash for trace in figure.data] == [None, "dash", None, "dash"]
    colours = [trace.line.color for trace in figure.data]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert not set(colours) & set(COLOURS)
    assert [trace.name for trace in figure.data if trace.showlegend] == ["a", "b"]
    last = 100 * table["val_accuracy"].iloc[-1]
    assert f"a: accuracy (%) on PublicTest {last:.2f} after 4 epochs" in history.describe_learning_overlay(
        {"a": table}, "accuracy"
    )
    with pytest.raises(ValueError, match="metric"):
        history.learning_overlay({"a": table}, "seconds")  # type: ignore[arg-type]


def test_histories_can_be_aligned_by_time(run: RunFolder) -> None:
    quick, slow = run.history(), run.history()
    quick["seconds"] = [60.0, 30.0, 60.0, 30.0]
    figure = history.learning_overlay({"quick": quick}, "accuracy", along="time")
    assert list(figure.data[0].x) == [1.0, 1.5, 2.5, 3.0]
    assert figure.layout.xaxis.title.text.startswith("training time (min;")
    assert list(figure.data[0].customdata) == [1, 2, 3, 4]
    slow["seconds"] = 3600.0
    figure = history.learning_overlay({"quick": quick, "slow": slow}, "accuracy", along="time")
    assert figure.layout.xaxis.title.text.startswith("training time (h;")
    assert list(figure.data[2].x) == [1.0, 2.0, 3.0, 4.0]
    assert figure.data[0].x[-1] == pytest.approx(180 / 3600)
    assert figure.data[0].marker.symbol != figure.data[2].marker.symbol
    assert "after 4 epochs, 3 min" in history.describe_learning_overlay({"quick": quick}, "accuracy", along="time")
    assert history.learning_overlay({"a": quick.iloc[:0]}, "loss", along="time").data[0].x == ()
    with pytest.raises(ValueError, match="along"):
        history.learning_overlay({"a": quick}, "accuracy", along="steps")  # type: ignore[arg-type]


# --- bars and intervals


def test_class_counts() -> None:
    counts = {"Training": [3995, 436, 4097, 7215, 4830, 3171, 4965], "PublicTest": [0] * 7}
    figure = bars.class_counts(counts)
    assert [trace.text[1] for trace in figure.data] == ["436", "0"]
    assert [note.text for note in figure.layout.annotations] == ["Training, 28,709 faces", "PublicTest, 0 faces"]
    assert "Training, 28,709 faces: angry 3,995, disgust 436" in bars.describe_class_counts(counts)


def test_run_colours_repeat_but_never_are_a_class() -> None:
    assert style.run_colour(0) == style.run_colour(len(style.RUN_COLOURS))
    assert not set(style.RUN_COLOURS) & set(COLOURS)


def test_histories_read_from_disk_work(run: RunFolder, tmp_path: Path) -> None:
    table = pd.read_csv(run.history_path)
    assert len(history.learning_curves(table, best_epoch=1).data) == 6
