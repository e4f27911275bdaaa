"""Who is right: the size of each of the 2^K sets as a bar, over a grid of dots that says which models are in it.

The form is that of UpSet plots (Lex et al., 2014, https://doi.org/10.1109/TVCG.2014.2346248).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer_core.plots.difference import FRAMES, PAGES
from fer_core.plots.style import ACCENT, PICKED, apply_style, run_colour
from fer_core.stats.agreement import MOST_MODELS, describe, members, set_words

__all__ = ["Order", "describe", "lattice", "order_of"]

Order = Literal["size", "models"]

_CLEAR = "rgba(0,0,0,0)"
_GREY = "#8A8A92"
# Without it Plotly dims all that was not clicked.
_AS_EVER: dict[str, Any] = {"unselected": {"marker": {"opacity": 1}}, "hoverinfo": "skip"}
_DOT = 13
_ROW = 34
"""Pixels of height for each model's row of dots."""
_SIDE_BY_SIDE = 8
"""So many numbers stand beside each other on a phone's width, those of three models' sets."""


def lattice(
    counts: npt.ArrayLike,
    names: Sequence[str],
    *,
    order: Order = "size",
    colours: Sequence[str] | None = None,
    title: str = "",
    dark: bool = False,
    height: int = 420,
    selected: int | None = None,
) -> go.Figure:
    """All 2^K sets side by side. ``counts``: int (2^K,), faces by code as from
    :func:`fer_core.stats.agreement.lattice`; ``names``: the K models, 1 to 4, the first on top.

    A filled dot means that the model is right. ``order``: ``size`` puts the largest set first, ``models`` the sets
    where most models are right. ``colours``: one a model, by default those of :func:`fer_core.plots.style.run_colour`
    by position. ``selected``: the code of a set to frame, in a colour for a ``dark`` page or a light one.

    The last two traces are click targets: a clear column over each bar and clear squares over the dots, both with
    ``customdata`` [code, faces]. Raises ``ValueError`` where counts, names, colours, order or code do not fit.
    """
    sizes = _checked(counts, names)
    palette = [run_colour(position) for position in range(len(names))] if colours is None else list(colours)
    if len(palette) != len(names):
        raise ValueError(f"{len(palette)} colours for {len(names)} models")
    if selected is not None and not 0 <= selected < len(sizes):
        raise ValueError(f"selected must be a code in 0..{len(sizes) - 1}, not {selected}")
    codes = order_of(sizes, order)
    figure = _panels(height, title, len(names))
    _add_bars(figure, sizes, codes)
    _add_dots(figure, codes, palette, PAGES[dark])
    _add_targets(figure, sizes, codes, names)
    if selected is not None:
        place = codes.index(selected)
        figure.add_shape(
            type="rect",
            xref="x2",
            yref="paper",
            x0=place - 0.47,
            x1=place + 0.47,
            y0=0,
            y1=1,
            line={"color": FRAMES[dark], "width": 3},
        )
    return figure


def order_of(counts: npt.ArrayLike, order: Order = "size") -> list[int]:
    """The codes of all sets from left to right. Of equals, the set with more models, then the lower code, first.

    ``counts``: int (2^K,), by code. Raises ``ValueError`` for another ``order``.
    """
    sizes = [int(size) for size in np.asarray(counts, dtype=np.int64)]
    if order == "size":
        return sorted(range(len(sizes)), key=lambda code: (-sizes[code], -len(members(code)), code))
    if order == "models":
        return sorted(range(len(sizes)), key=lambda code: (-len(members(code)), code))
    raise ValueError(f"order must be size or models, not {order!r}")


def _panels(height: int, title: str, models: int) -> go.Figure:
    # What margins and titles take is not shared out; 80 pixels is near enough.
    share = min(0.5, _ROW * models / max(1, height - 80))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[1 - share, share], vertical_spacing=0.03)
    apply_style(figure, height, title)
    figure.update_layout(hovermode="closest", clickmode="event+select", showlegend=False, barmode="overlay")
    return figure


def _add_bars(figure: go.Figure, sizes: npt.NDArray[np.int64], codes: Sequence[int]) -> None:
    ordered = sizes[list(codes)]
    figure.add_trace(
        go.Bar(
            x=list(range(len(codes))),
            y=ordered,
            width=0.7,
            marker={"color": ACCENT, "line": {"width": 0}},
            **_AS_EVER,
        ),
        row=1,
        col=1,
    )
    # Not as the bars' own text: Plotly dims that after a click, and only a fixed colour would stop it.
    # The sets of four models are so many that on a phone the numbers over them have no room but upright.
    shared: dict[str, Any] = {"xref": "x", "yref": "y", "yanchor": "bottom", "showarrow": False}
    shared["textangle"] = -90 if len(codes) > _SIDE_BY_SIDE else 0
    numbers = [{"x": place, "y": size, "text": f"{size:,}", **shared} for place, size in enumerate(ordered.tolist())]
    figure.update_layout(annotations=numbers)
    figure.update_yaxes(title_text="faces", range=[0, _top(sizes)], nticks=5, zeroline=False, row=1, col=1)
    figure.update_xaxes(range=[-0.6, len(codes) - 0.4], showticklabels=False, showgrid=False, zeroline=False)


def _add_dots(figure: go.Figure, codes: Sequence[int], palette: Sequence[str], page: str) -> None:
    lines: dict[str, list[float | None]] = {"x": [], "y": []}
    for place, code in enumerate(codes):
        right = members(code)
        if len(right) > 1:
            lines["x"] += [place, place, None]
            lines["y"] += [right[0], right[-1], None]
    figure.add_trace(
        go.Scatter(**lines, mode="lines", line={"color": _GREY, "width": 3}, hoverinfo="skip"), row=2, col=1
    )
    places = [(place, model) for place in range(len(codes)) for model in range(len(palette))]
    colours = [palette[model] if model in members(codes[place]) else None for place, model in places]
    figure.add_trace(
        go.Scatter(
            x=[place for place, _ in places],
            y=[model for _, model in places],
            mode="markers",
            # Filled or hollow says it too, for those who cannot tell the colours apart. Hollow dots hide the line.
            marker={
                "size": _DOT,
                "opacity": 1,
                "color": [colour or page for colour in colours],
                "line": {"width": 1.5, "color": [colour or _GREY for colour in colours]},
            },
            **_AS_EVER,
        ),
        row=2,
        col=1,
    )


def _add_targets(figure: go.Figure, sizes: npt.NDArray[np.int64], codes: Sequence[int], names: Sequence[str]) -> None:
    total = max(1, int(sizes.sum()))
    texts = []
    for code in codes:
        words = set_words(code, names)
        faces = f"{sizes[code]:,} {'face' if sizes[code] == 1 else 'faces'}"
        texts.append(f"<b>{words[0].upper()}{words[1:]}</b><br>{faces}, {100 * sizes[code] / total:.1f} % of all")
    shared: dict[str, Any] = {
        "hovertemplate": "%{text}<extra></extra>",
        # Without these Plotly would dim everything that was not clicked.
        "selected": {"marker": {"color": PICKED, "opacity": 1}},
        "unselected": {"marker": {"color": _CLEAR, "opacity": 1}},
    }
    figure.add_trace(
        go.Bar(
            x=list(range(len(codes))),
            y=[_top(sizes)] * len(codes),
            width=0.94,
            marker={"color": _CLEAR, "line": {"width": 0}},
            customdata=[[int(code), int(sizes[code])] for code in codes],
            text=texts,
            textposition="none",
            **shared,
        ),
        row=1,
        col=1,
    )
    places = [(place, model) for place in range(len(codes)) for model in range(len(names))]
    figure.add_trace(
        go.Scatter(
            x=[place for place, _ in places],
            y=[model for _, model in places],
            mode="markers",
            marker={"symbol": "square", "size": _ROW - 6, "color": _CLEAR, "line": {"width": 0}},
            customdata=[[int(codes[place]), int(sizes[codes[place]])] for place, _ in places],
            text=[texts[place] for place, _ in places],
            **shared,
        ),
        row=2,
        col=1,
    )
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=list(names),
        ticksuffix=" ",
        ticks="",
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        row=2,
        col=1,
    )
    figure.update_xaxes(title_text="● right   ○ wrong", row=2, col=1)


def _top(sizes: npt.NDArray[np.int64]) -> float:
    """Where the faces' axis ends: above the number over the largest bar."""
    return (1.15 if len(sizes) <= _SIDE_BY_SIDE else 1.3) * max(1, int(sizes.max()))


def _checked(counts: npt.ArrayLike, names: Sequence[str]) -> npt.NDArray[np.int64]:
    sizes = np.asarray(counts, dtype=np.int64)
    if not 1 <= len(names) <= MOST_MODELS or sizes.shape != (2 ** len(names),) or sizes.min() < 0:
        raise ValueError(
            f"1 to {MOST_MODELS} models and the sizes of their sets were expected, not {len(names)} and {sizes.shape}"
        )
    return sizes
