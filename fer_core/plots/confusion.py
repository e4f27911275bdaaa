"""The confusion matrix, clickable: which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise, permutations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fer_core.emotions import COUNT, NAMES
from fer_core.plots.class_grid import LABEL_ORDER, checked_order, class_axes, click_squares, frame_cell
from fer_core.plots.style import DARK_SCALE, LIGHT_SCALE, PICKED, SELECTED, Scale, blank, readable_on, scale_colour

Normalise = Literal["none", "row", "column"]

_UNITS = {"none": "faces", "row": "% of the true class", "column": "% of the predicted class"}


def matrix(
    counts: npt.ArrayLike,
    *,
    normalise: Normalise = "none",
    title: str = "",
    dark: bool = False,
    height: int = 420,
    selected: tuple[int, int] | None = None,
    order: Sequence[int] = LABEL_ORDER,
    diagonal: bool = True,
    most: float = 100.0,
) -> go.Figure:
    """A 7×7 confusion matrix with a number in each cell. ``counts``: int (7, 7), rows true.

    ``normalise``: ``none`` shows faces, ``row`` per cent of the true class (the diagonal is recall),
    ``column`` per cent of the predicted class (the diagonal is precision). Colours always follow per cent of
    the true class in the first two cases, so that rare classes can be read too. ``dark`` picks the scale for
    a dark page. ``selected``: (true, predicted) of a cell to frame. ``order``: the seven classes from the top down and
    from left to right, for example from :func:`order_by_confusion`; ``counts`` and ``selected`` stay in label order.
    ``diagonal``: False leaves the right answers empty, so that mistakes can be told apart; shares are those of all
    answers still. ``most``: per cent at which colours end, above 0; matrices side by side need one.

    Heatmaps report no clicks to Streamlit (streamlit/streamlit#8760), so the last trace is a scatter of
    transparent squares, whose ``customdata`` is [true, predicted, faces, per cent], the classes as labels
    0..6 in any order. Raises ``ValueError`` for another shape, an unknown ``normalise`` or another ``order``.
    """
    numbers = _checked(counts)
    if normalise not in _UNITS:
        raise ValueError(f"normalise must be one of {', '.join(_UNITS)}, not {normalise!r}")
    classes = checked_order(order)
    # From here on by position; only the click targets speak of labels.
    percent = percentages(numbers, "column" if normalise == "column" else "row")[np.ix_(classes, classes)]
    numbers = numbers[np.ix_(classes, classes)]
    shown: npt.NDArray[Any] = numbers if normalise == "none" else percent
    coloured = np.nan_to_num(percent)
    if not diagonal:
        shown, coloured = shown.astype(np.float64), coloured.copy()
        np.fill_diagonal(shown, np.nan)
        np.fill_diagonal(coloured, 0)
    scale = DARK_SCALE if dark else LIGHT_SCALE
    figure = blank(height, title)
    if not title:
        figure.update_layout(margin={"t": 8})
    figure.add_trace(
        go.Heatmap(
            z=coloured,
            x=list(range(COUNT)),
            y=list(range(COUNT)),
            zmin=0,
            zmax=most,
            colorscale=[list(stop) for stop in scale],
            showscale=False,
            xgap=2,
            ygap=2,
            hoverinfo="skip",
        )
    )
    # All at once: added one by one, 49 annotations take 0.2 s.
    figure.update_layout(annotations=_numbers(shown, coloured / most, scale, diagonal))
    figure.add_trace(_click_targets(numbers, percent, classes, _UNITS["column" if normalise == "column" else "row"]))
    frame_cell(figure, classes, selected, SELECTED)
    class_axes(figure, classes, f"answer ({_UNITS[normalise]})")
    return figure


def describe(counts: npt.ArrayLike, title: str = "") -> str:
    """What the matrix shows, for those who cannot see it: faces, share of right answers, the worst mix-up."""
    numbers = _checked(counts)
    faces = int(numbers.sum())
    start = f"Confusion matrix{f' of {title}' if title else ''}, {faces:,} {'face' if faces == 1 else 'faces'}"
    if not faces:
        return f"{start}."
    right = int(np.trace(numbers))
    words = f"{start}, {100 * right / faces:.1f} % right"
    wrong = numbers.copy()
    np.fill_diagonal(wrong, 0)
    if not wrong.any():
        return f"{words}; nothing is confused."
    true, predicted = np.unravel_index(int(wrong.argmax()), wrong.shape)
    n = int(wrong[true, predicted])
    noun = "face" if n == 1 else "faces"
    return f"{words}; most confused: {NAMES[true]} taken for {NAMES[predicted]}, {n:,} {noun}."


def order_by_confusion(counts: npt.ArrayLike) -> tuple[int, ...]:
    """The seven labels in the order that puts the most confused classes next to each other.

    ``counts``: int (7, 7), rows true. Two classes are as close as the share of the one taken for the other plus the
    share of the other taken for the one, so that a rare class counts like a frequent one. Of all orders the one whose
    neighbours' shares add up to the most is returned, found by trying each (2,520: an order and its reverse are the
    same). Of equals, and where nothing is confused, the first by label. To give several matrices one order, add their
    counts up. Raises ``ValueError`` for another shape.
    """
    shares = np.nan_to_num(percentages(counts, "row"))
    closeness = shares + shares.T
    orders = _orders()
    sums = sum(closeness[orders[:, left], orders[:, right]] for left, right in pairwise(range(COUNT)))
    # Orders of the same neighbours must tie, in whatever sequence their shares were added.
    return tuple(int(label) for label in orders[np.round(sums, 9).argmax()])


def percentages(counts: npt.ArrayLike, of: Literal["row", "column"]) -> npt.NDArray[np.float64]:
    """Per cent of each row's (or column's) sum, float (7, 7); NaN where that sum is zero."""
    numbers = _checked(counts)
    totals = numbers.sum(axis=1 if of == "row" else 0, keepdims=True)
    return np.divide(100.0 * numbers, totals, out=np.full((COUNT, COUNT), np.nan), where=totals > 0)


def _numbers(
    shown: npt.NDArray[Any], shares: npt.NDArray[np.float64], scale: Scale, diagonal: bool
) -> list[dict[str, Any]]:
    """The number in each cell as an annotation, black or white by the cell's colour (``shares``, 0..1)."""
    return [
        {
            "x": predicted,
            "y": true,
            "text": _cell(float(shown[true, predicted])) if diagonal or true != predicted else "",
            "showarrow": False,
            "font": {"color": readable_on(scale_colour(scale, float(shares[true, predicted]))), "size": 13},
        }
        for true, predicted in np.ndindex(COUNT, COUNT)
    ]


@lru_cache(maxsize=1)
def _orders() -> npt.NDArray[np.int8]:
    """Every order of the classes, int8 (2520, 7), of each and its reverse only the one that starts lower."""
    return np.array([order for order in permutations(LABEL_ORDER) if order[0] < order[-1]], dtype=np.int8)


def _click_targets(
    counts: npt.NDArray[np.int64], percent: npt.NDArray[np.float64], classes: Sequence[int], unit: str
) -> go.Scatter:
    rows, columns = (axis.ravel() for axis in np.indices((COUNT, COUNT)))
    true, predicted = np.take(classes, rows), np.take(classes, columns)
    words = [
        f"<b>{NAMES[t]}</b> taken for <b>{NAMES[p]}</b>" if t != p else f"<b>{NAMES[t]}</b>, recognised"
        for t, p in zip(true, predicted, strict=True)
    ]
    shares = ["–" if np.isnan(value) else f"{value:.1f}" for value in percent.ravel()]
    customdata = [
        [int(t), int(p), int(n), None if np.isnan(share) else float(share)]
        for t, p, n, share in zip(true, predicted, counts.ravel(), percent.ravel(), strict=True)
    ]
    texts = [
        f"{what}<br>{n:,} faces, {share} {unit}" for what, n, share in zip(words, counts.ravel(), shares, strict=True)
    ]
    return click_squares(columns, rows, customdata, texts, picked=PICKED)


def _cell(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:,.0f}"


def _checked(counts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    numbers = np.asarray(counts, dtype=np.int64)
    if numbers.shape != (COUNT, COUNT) or numbers.min() < 0:
        raise ValueError(f"a {COUNT}×{COUNT} matrix of counts was expected, not shape {numbers.shape}")
    return numbers
