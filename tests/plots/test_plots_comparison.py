"""The difference matrix and the lattice of who is right: numbers, what a click reports, colours, words."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from made_up_faces import make_labels, make_probabilities

from fer_core.emotions import COUNT, NAMES
from fer_core.plots import agreement, difference, style
from fer_core.stats import paired_tests
from fer_core.stats.agreement import members

COUNTS = [5, 0, 7, 1, 2, 2, 3, 900]
THREE = ("A", "B", "C")


@pytest.fixture(scope="module")
def found() -> paired_tests.DifferenceMatrix:
    labels, _ = make_labels(900, seed=4)
    labels = labels[labels != 5]
    a, b = (make_probabilities(labels, accuracy, seed=seed).argmax(axis=1) for seed, accuracy in ((1, 0.5), (2, 0.75)))
    return paired_tests.difference_matrix(labels, a, b, resamples=200)


def draw(found: paired_tests.DifferenceMatrix, **options: Any) -> go.Figure:
    return difference.difference_matrix(
        found.points,
        found.significant,
        low=found.low,
        high=found.high,
        adjusted=found.adjusted,
        support=found.support,
        names=("CNN", "VGG16"),
        **options,
    )


def test_both_take_the_theme(found: paired_tests.DifferenceMatrix) -> None:
    for figure in (draw(found), agreement.lattice(COUNTS, THREE), draw(found, dark=True)):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.font.color is None
        assert "event" in figure.layout.clickmode
        assert figure.layout.hovermode == "closest"
        figure.to_json()


# --- difference matrix


def test_each_cell_shows_its_signed_difference(found: paired_tests.DifferenceMatrix) -> None:
    notes = {(note.y, note.x): note.text for note in draw(found).layout.annotations}
    assert len(notes) == 49
    for cell, text in notes.items():
        value = found.points[cell]
        assert text.startswith("<b>") == bool(found.significant[cell])
        plain = text.removeprefix("<b>").removesuffix("</b>")
        if np.isnan(value):
            assert (plain, cell[0]) == ("–", 5)
        else:
            assert float(plain.replace("−", "-")) == pytest.approx(value, abs=0.051)
            assert plain[0] in ("+−" if abs(value) >= 0.05 else "0")


def test_cells_that_chance_explains_have_no_colour(found: paired_tests.DifferenceMatrix) -> None:
    """They were faint once, and a faint orange still reads as "more"."""
    assert 0 < found.significant.sum() < 42
    (cells,) = (trace for trace in draw(found).data if trace.type == "heatmap")
    np.testing.assert_array_equal(cells.z[found.significant], found.points[found.significant])
    assert not cells.z[~found.significant].any()
    assert cells.zmax == -cells.zmin == np.nanmax(np.abs(found.points))


def test_equal_models_do_not_look_worlds_apart() -> None:
    labels, _ = make_labels(200)
    same = paired_tests.difference_matrix(labels, labels, labels, resamples=10)
    assert draw(same).data[0].zmax == difference.SMALLEST_REACH


def test_a_click_reports_true_predicted_points_and_p(found: paired_tests.DifferenceMatrix) -> None:
    targets = draw(found).data[-1]
    assert targets.marker.color == "rgba(0,0,0,0)"
    assert len(targets.customdata) == 49
    for x, y, (true, said, value, p), text in zip(targets.x, targets.y, targets.customdata, targets.text, strict=True):
        assert (x, y) == (said, true)
        assert NAMES[true] in text
        if true == 5:
            assert (value, p) == (None, None)
            assert "no face of surprise" in text
        else:
            assert (value, p) == (found.points[true, said], found.adjusted[true, said])
            assert f"of {found.support[true]:,} faces" in text
            assert "VGG16 minus CNN" in text


def test_another_order_moves_cells_and_keeps_labels(found: paired_tests.DifferenceMatrix) -> None:
    order = (3, 6, 4, 2, 0, 1, 5)
    plain, figure = draw(found, selected=(2, 4)), draw(found, selected=(2, 4), order=order)
    texts = {(note.y, note.x): note.text for note in plain.layout.annotations}
    for note in figure.layout.annotations:
        assert note.text == texts[order[note.y], order[note.x]]
    targets = figure.data[-1]
    for x, y, (true, said, value, _) in zip(targets.x, targets.y, targets.customdata, strict=True):
        assert (order[y], order[x]) == (true, said)
        assert value is None or value == found.points[true, said]
    assert figure.layout.xaxis.ticktext[0] == "happy"
    frame = figure.layout.shapes[0]
    assert (order[round(frame.y0 + 0.5)], order[round(frame.x0 + 0.5)]) == (2, 4)
    with pytest.raises(ValueError, match="order"):
        draw(found, order=(0, 0, 1, 2, 3, 4, 5))


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_are_readable_on_their_cell(found: paired_tests.DifferenceMatrix, dark: bool) -> None:
    figure = draw(found, dark=dark)
    reach = figure.data[0].zmax
    scale = difference.DARK_DIVERGING if dark else difference.LIGHT_DIVERGING
    for note in figure.layout.annotations:
        value = np.nan_to_num(found.points[note.y, note.x])
        coloured = value if found.significant[note.y, note.x] else 0.0
        cell = style.scale_colour(scale, 0.5 + coloured / (2 * reach))
        lights = sorted([style.relative_luminance(cell), style.relative_luminance(style.rgb(note.font.color))])
        assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5


# Viénot, Brettel and Mollon (1999): red-green blindness, on linear red, green, blue.
PROTAN = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
DEUTAN = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])


def linear(colour: str) -> np.ndarray:
    return (np.array(style.rgb(colour)) / 255) ** 2.2


@pytest.mark.parametrize("scale", [difference.LIGHT_DIVERGING, difference.DARK_DIVERGING])
@pytest.mark.parametrize("sight", [np.eye(3), PROTAN, DEUTAN], ids=["full", "protan", "deutan"])
def test_the_two_hues_stay_apart_for_colour_blind_readers(scale: style.Scale, sight: np.ndarray) -> None:
    # What is left without red and green is yellow against blue: orange must be on one side of grey, blue on the other.
    for less, more in ((scale[0], scale[4]), (scale[1], scale[3])):
        seen_less, seen_more = (np.clip(sight @ linear(colour), 0, 1) for _, colour in (less, more))
        assert seen_less[2] - seen_less[1] > 0.03
        assert seen_more[1] - seen_more[2] > 0.03


def test_a_difference_matrix_in_words(found: paired_tests.DifferenceMatrix) -> None:
    words = difference.describe(found.points, found.significant, ("CNN", "VGG16"))
    assert words.startswith("Difference matrix, VGG16 minus CNN, in percentage points of the true class. More than")
    largest = max(zip(*np.nonzero(found.significant), strict=True), key=lambda cell: abs(found.points[cell]))
    first = words.split("5 %): ")[1].split(",")[0]
    assert first.startswith(NAMES[largest[0]])
    assert words.count("taken for") + words.count("recognised") == found.significant.sum()
    nothing = np.zeros((COUNT, COUNT))
    assert "may well be chance" in difference.describe(nothing, nothing > 0)
    assert "There is no face" in difference.describe(np.full((COUNT, COUNT), np.nan), nothing > 0)


def test_other_shapes_are_refused(found: paired_tests.DifferenceMatrix) -> None:
    with pytest.raises(ValueError, match="7×7"):
        difference.describe(np.zeros((3, 3)), found.significant)
    with pytest.raises(ValueError, match="support"):
        difference.difference_matrix(
            found.points, found.significant, low=found.low, high=found.high, adjusted=found.p, support=[1, 2]
        )


# --- who is right


def test_sixteen_numbers_do_not_lie_over_each_other_on_a_phone() -> None:
    figure = agreement.lattice(np.arange(16), (*THREE, "fourth"))
    assert {note.textangle for note in figure.layout.annotations} == {-90}


def test_bars_are_the_sizes_in_order() -> None:
    figure = agreement.lattice(COUNTS, THREE)
    codes = agreement.order_of(COUNTS)
    assert codes == [7, 2, 0, 6, 5, 4, 3, 1]
    bars = figure.data[0]
    assert list(bars.y) == [COUNTS[code] for code in codes]
    assert bars.text is None
    assert [(note.x, note.y, note.text) for note in figure.layout.annotations][:2] == [(0, 900, "900"), (1, 7, "7")]
    assert [note.text for note in figure.layout.annotations] == ["900", "7", "5", "3", "2", "2", "1", "0"]
    assert {note.textangle for note in figure.layout.annotations} == {0}
    assert agreement.order_of(COUNTS, "models") == [7, 3, 5, 6, 1, 2, 4, 0]
    assert list(agreement.lattice(COUNTS, THREE, order="models").data[0].y) == [900, 1, 2, 3, 0, 7, 2, 5]


def test_filled_dots_say_who_is_right() -> None:
    figure = agreement.lattice(COUNTS, THREE, dark=True)
    codes, dots = agreement.order_of(COUNTS), figure.data[2]
    assert len(dots.x) == 24
    for x, y, colour, edge in zip(dots.x, dots.y, dots.marker.color, dots.marker.line.color, strict=True):
        right = y in members(codes[x])
        assert colour == (style.run_colour(y) if right else difference.PAGES[True])
        assert (edge == colour) == right
    assert list(figure.layout.yaxis2.ticktext) == list(THREE)
    first, last = figure.layout.yaxis2.range
    assert first > last


def test_lines_join_the_right_ones_of_a_set() -> None:
    lines = agreement.lattice(COUNTS, THREE).data[1]
    codes = agreement.order_of(COUNTS)
    found = {codes[x]: (y, end) for x, y, end in zip(lines.x[::3], lines.y[::3], lines.y[1::3], strict=True)}
    assert found == {7: (0, 2), 6: (1, 2), 5: (0, 2), 3: (0, 1)}


def test_a_click_anywhere_in_a_column_reports_its_code() -> None:
    figure = agreement.lattice(COUNTS, THREE)
    codes = agreement.order_of(COUNTS)
    over_bars, over_dots = figure.data[-2:]
    assert [list(entry) for entry in over_bars.customdata] == [[code, COUNTS[code]] for code in codes]
    assert min(over_bars.y) > max(COUNTS)
    for x, (code, faces) in zip(over_dots.x, over_dots.customdata, strict=True):
        assert (code, faces) == (codes[x], COUNTS[codes[x]])
    assert over_bars.text[0] == "<b>All are right</b><br>900 faces, 97.8 % of all"
    assert over_bars.text[6] == "<b>Only C is wrong</b><br>1 face, 0.1 % of all"
    for trace in (over_bars, over_dots):
        assert trace.marker.color == trace.unselected.marker.color == "rgba(0,0,0,0)"
    for trace in (figure.data[0], figure.data[2]):
        assert trace.unselected.marker.opacity == 1


def test_the_selected_set_is_framed() -> None:
    assert not agreement.lattice(COUNTS, THREE).layout.shapes
    (frame,) = agreement.lattice(COUNTS, THREE, selected=0).layout.shapes
    assert frame.x0 < agreement.order_of(COUNTS).index(0) < frame.x1


@pytest.mark.parametrize("models", [1, 2, 3, 4])
def test_one_to_four_models(models: int) -> None:
    names = list("ABCD")[:models]
    figure = agreement.lattice(np.zeros(2**models, dtype=int), names)
    assert len(figure.data[0].y) == 2**models
    assert figure.layout.yaxis.range[1] > 0
    assert agreement.describe(np.zeros(2**models, dtype=int), names) == "There is no face."


@pytest.mark.parametrize(
    ("counts", "names", "options", "words"),
    [
        ([1, 2, 3], ("A", "B"), {}, "sizes of their sets"),
        ([0] * 32, tuple("ABCDE"), {}, "1 to 4 models"),
        ([1, -1], ("A",), {}, "sizes of their sets"),
        ([1, 2], ("A",), {"selected": 2}, "selected"),
        ([1, 2], ("A",), {"colours": []}, "0 colours"),
        ([1, 2], ("A",), {"order": "name"}, "order"),
    ],
)
def test_what_cannot_be_drawn(counts: list[int], names: tuple[str, ...], options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        agreement.lattice(counts, names, **options)
