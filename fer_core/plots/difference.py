"""Where two models' confusion matrices differ: B minus A, clickable, coloured where chance is excluded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.emotions import COUNT, NAMES
from fer_core.plots.class_grid import LABEL_ORDER, checked_order, class_axes, click_squares, frame_cell
from fer_core.plots.style import Scale, blank, readable_on, scale_colour
from fer_core.stats.paired_tests import p_words

LIGHT_DIVERGING: Scale = ((0.0, "#1D5C9E"), (0.25, "#82AFD6"), (0.5, "#F3F3FB"), (0.75, "#E9AC6B"), (1.0, "#A34E00"))
DARK_DIVERGING: Scale = ((0.0, "#8CC2F2"), (0.25, "#3F6E9C"), (0.5, "#23232E"), (0.75, "#99602A"), (1.0, "#F7AE5F"))
"""Blue where B says it less often, orange where more often: the two hues that all common forms of colour blindness
keep apart. Equal is near the background; both ends differ from it in lightness, too. The sign is in each number."""

SMALLEST_REACH = 5.0
"""Percentage points at which colours end, at least: with less, two equal models would look worlds apart."""
PAGES = {False: "#FFFFFF", True: "#16161C"}
"""The page's background, by whether it is dark, as in ``.streamlit/config.toml``."""
FRAMES = {False: "#22222B", True: "#E9E9F0"}
"""What frames the selected cell or set: the text's colour, since every hue means something here."""


def difference_matrix(
    points: npt.ArrayLike,
    significant: npt.ArrayLike,
    *,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    adjusted: npt.ArrayLike,
    support: npt.ArrayLike,
    names: tuple[str, str] = ("A", "B"),
    title: str = "",
    dark: bool = False,
    height: int = 420,
    selected: tuple[int, int] | None = None,
    order: Sequence[int] = LABEL_ORDER,
) -> go.Figure:
    """A 7×7 matrix of differences, with a signed number in each cell.

    The arrays are those of :class:`fer_core.stats.paired_tests.DifferenceMatrix`, all (7, 7) with rows true:
    ``points`` float, B minus A in percentage points of the true class, NaN for classes without a face; ``significant``
    bool; ``low``, ``high`` float, the 95 % interval in points; ``adjusted`` float, p after Holm's correction. Only
    ``support``, faces of each true class, is int (7,). ``names``: A and B.

    Cells that are not significant have no colour, the others have one and a bold number. Colours reach from the
    largest difference to its opposite, at least :data:`SMALLEST_REACH`. ``dark``, ``selected`` and ``order`` are as in
    :func:`fer_core.plots.confusion.matrix`, and so is the last trace of click targets; its ``customdata`` is [true,
    predicted, points, adjusted p], the last two None for a class without a face. Raises ``ValueError`` for other
    shapes or another ``order``.
    """
    tables = [_seven_by_seven(values) for values in (points, low, high, adjusted)]
    certain, faces = np.asarray(significant, dtype=bool), np.asarray(support, dtype=np.int64)
    if certain.shape != (COUNT, COUNT) or faces.shape != (COUNT,):
        raise ValueError(f"significant {certain.shape} and support {faces.shape} must be (7, 7) and (7,)")
    classes = checked_order(order)
    places = np.ix_(classes, classes)
    # From here on by position; only the click targets speak of labels.
    shown, certain = tables[0][places], certain[places]
    reach = max(SMALLEST_REACH, float(np.nanmax(np.abs(shown), initial=0.0)))
    scale = DARK_DIVERGING if dark else LIGHT_DIVERGING
    figure = blank(height, title)
    figure.add_trace(_heatmap(np.where(certain, np.nan_to_num(shown), 0.0), reach, scale))
    figure.update_layout(annotations=_numbers(shown, certain, reach, scale))
    figure.add_trace(_click_targets([table[places] for table in tables], faces, classes, names))
    frame_cell(figure, classes, selected, FRAMES[dark])
    class_axes(figure, classes, "answer (points of the true class)")
    return figure


def describe(points: npt.ArrayLike, significant: npt.ArrayLike, names: tuple[str, str] = ("A", "B")) -> str:
    """What the matrix shows, in words: each difference that chance does not explain, the largest first."""
    values, certain = _seven_by_seven(points), np.asarray(significant, dtype=bool)
    start = f"Difference matrix, {names[1]} minus {names[0]}, in percentage points of the true class."
    if np.isnan(values).all():
        return f"{start} There is no face."
    cells = sorted(zip(*np.nonzero(certain), strict=True), key=lambda cell: -abs(values[cell]))
    if not cells:
        return f"{start} Each difference may well be chance (Holm's correction, 5 %)."
    found = [f"{_what(int(true), int(predicted))} {_cell(float(values[true, predicted]))}" for true, predicted in cells]
    return (
        f"{start} More than chance explains (Holm's correction, 5 %): {', '.join(found)}. Every other difference may "
        "well be chance."
    )


def _heatmap(values: npt.NDArray[np.float64], reach: float, scale: Scale) -> go.Heatmap:
    return go.Heatmap(
        z=values,
        x=list(range(COUNT)),
        y=list(range(COUNT)),
        zmin=-reach,
        zmax=reach,
        colorscale=[list(stop) for stop in scale],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
    )


def _numbers(
    points: npt.NDArray[np.float64], certain: npt.NDArray[np.bool_], reach: float, scale: Scale
) -> list[dict[str, Any]]:
    """The number in each cell as an annotation, black or white by the colour of the cell."""
    notes = []
    for cell in np.ndindex(COUNT, COUNT):
        value = float(points[cell])
        coloured = float(np.nan_to_num(value)) if certain[cell] else 0.0
        text = _cell(value)
        notes.append(
            {
                "x": cell[1],
                "y": cell[0],
                "text": f"<b>{text}</b>" if certain[cell] else text,
                "showarrow": False,
                "font": {"color": readable_on(scale_colour(scale, 0.5 + coloured / (2 * reach))), "size": 13},
            }
        )
    return notes


def _click_targets(
    tables: Sequence[npt.NDArray[np.float64]],
    support: npt.NDArray[np.int64],
    classes: Sequence[int],
    names: tuple[str, str],
) -> go.Scatter:
    cells = list(np.ndindex(COUNT, COUNT))
    customdata: list[list[int | float | None]] = []
    texts = []
    for cell in cells:
        true, predicted = (classes[position] for position in cell)
        value, low, high, p = (float(table[cell]) for table in tables)
        head = f"<b>{NAMES[true]}</b> taken for <b>{NAMES[predicted]}</b>" if true != predicted else _bold(true)
        if np.isnan(value):
            customdata.append([true, predicted, None, None])
            texts.append(f"{head}<br>no face of {NAMES[true]}")
            continue
        customdata.append([true, predicted, value, p])
        faces = f"{support[true]:,} {'face' if support[true] == 1 else 'faces'}"
        texts.append(
            f"{head}<br>{names[1]} minus {names[0]}: {_cell(value)} points ({_signed(low)} to {_signed(high)}), "
            f"of {faces}<br>{p_words(p)} after Holm's correction"
        )
    # Neither hue of the scale.
    columns, rows = [column for _, column in cells], [row for row, _ in cells]
    return click_squares(columns, rows, customdata, texts, picked="rgba(127,127,143,0.45)")


def _what(true: int, predicted: int) -> str:
    return f"{NAMES[true]} taken for {NAMES[predicted]}" if true != predicted else f"{NAMES[true]} recognised"


def _bold(label: int) -> str:
    return f"<b>{NAMES[label]}</b>, recognised"


def _cell(value: float) -> str:
    """``+3.2``, ``−1.4``; ``0.0`` has no sign, and no value is a dash."""
    if np.isnan(value):
        return "–"
    text = _signed(value)
    return text if text == "0.0" or text.startswith("−") else f"+{text}"


def _signed(value: float) -> str:
    text = f"{value:.1f}".replace("-", "−")
    return "0.0" if text == "−0.0" else text


def _seven_by_seven(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    table = np.asarray(values, dtype=np.float64)
    if table.shape != (COUNT, COUNT):
        raise ValueError(f"a {COUNT}×{COUNT} matrix was expected, not shape {table.shape}")
    return table
