"""Bars by class, always in the classes' own colours, always in label order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_core.emotions import COLOURS, COUNT, NAMES
from fer_core.plots.style import apply_style


def class_counts(counts: Mapping[str, npt.ArrayLike], *, most: float | None = None, height: int = 300) -> go.Figure:
    """How many faces each class has, one panel a split. ``counts``: split to int (7,).

    Bars are per cent of the split, on the same scale in each panel, since a test split is a tenth of Training; at their
    ends stand the faces. ``most``: per cent at which the scale ends, by default :func:`largest_share` of these splits;
    figures side by side need one. Raises ``ValueError`` for no split or another shape.
    """
    values = _sevens(counts, np.int64)
    most = largest_share(counts) if most is None else most
    titles = [f"{split}, {row.sum():,} faces" for split, row in values.items()]
    figure = _panels(titles, height)
    for column, row in enumerate(values.values(), start=1):
        shares = 100 * row / max(1, int(row.sum()))
        words = [f"{n:,} faces, {share:.1f} % of the split" for n, share in zip(row, shares, strict=True)]
        _bars(figure, column, shares, [f"{n:,}" for n in row], "%{y}: %{customdata}<extra></extra>", words)
    # Room for the number beside the longest bar.
    figure.update_xaxes(title_text="% of the split", nticks=4, range=[0, 1.3 * most])
    return figure


def largest_share(counts: Mapping[str, npt.ArrayLike]) -> float:
    """The largest class's share of its split, in per cent, of all the splits; 1 where all are empty."""
    rows = _sevens(counts, np.int64).values()
    return float(max(100 * row.max() / max(1, int(row.sum())) for row in rows)) or 1.0


def describe_class_counts(counts: Mapping[str, npt.ArrayLike]) -> str:
    """What :func:`class_counts` shows, in words."""
    parts = []
    for split, row in _sevens(counts, np.int64).items():
        classes = ", ".join(f"{name} {n:,}" for name, n in zip(NAMES, row, strict=True))
        parts.append(f"{split}, {row.sum():,} faces: {classes}")
    return f"Faces per expression. {'; '.join(parts)}."


def _panels(titles: Sequence[str], height: int) -> go.Figure:
    spacing = min(0.06, 0.5 / len(titles))
    figure = make_subplots(
        rows=1, cols=len(titles), shared_yaxes=True, subplot_titles=list(titles), horizontal_spacing=spacing
    )
    apply_style(figure, height)
    figure.update_annotations(font_size=13)
    # Label order from the top down.
    figure.update_yaxes(autorange="reversed", ticksuffix=" ")
    figure.update_xaxes(zeroline=False)
    figure.update_layout(showlegend=False, margin_t=32 if any(titles) else 8)
    return figure


def _bars(
    figure: go.Figure,
    column: int,
    values: npt.NDArray[Any],
    labels: Sequence[str],
    hover: str,
    customdata: Sequence[str] | None = None,
) -> None:
    figure.add_trace(
        go.Bar(
            x=values,
            y=list(NAMES),
            orientation="h",
            marker_color=list(COLOURS),
            text=list(labels),
            textposition="outside",
            cliponaxis=False,
            customdata=customdata,
            hovertemplate=hover,
        ),
        row=1,
        col=column,
    )


def _sevens(rows: Mapping[str, npt.ArrayLike], kind: type) -> dict[str, npt.NDArray[Any]]:
    values: dict[str, npt.NDArray[Any]] = {title: np.asarray(row, dtype=kind) for title, row in rows.items()}
    if not values or any(row.shape != (COUNT,) for row in values.values()):
        raise ValueError(f"at least one row of {COUNT} numbers was expected")
    return values
