"""The seven probabilities of one face as a table with bars: as HTML, since a Plotly figure costs a server fifty times
as much, and screen readers read a table.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COLOURS, NAMES
from fer_core.formatting import percent

CELL = "padding:1px 6px;vertical-align:middle"
"""The style of each cell; rows above the bars share it."""


def table(by_model: Mapping[str, npt.ArrayLike], *, head: str = "", label: int | None = None, alt: str = "") -> str:
    """A line an expression, a column a model. HTML.

    ``by_model``: title to float (7,), 0..1. ``head``: HTML of rows above, whose first cell stands over the names.
    ``label``: the face's label, 0..6, which is pointed at and in bold. ``alt``: what a screen reader calls the table.
    """
    rows = []
    for at, name in enumerate(NAMES):
        words, weight = (f"▸ {name}", 600) if at == label else (name, 400)
        shares = [float(np.asarray(values)[at]) for values in by_model.values()]
        cells = "".join(bar(share, COLOURS[at], percent(share, 0)) for share in shares)
        rows.append(f'<tr><th scope="row" style="{CELL};text-align:left;font-weight:{weight}">{words}</th>{cells}</tr>')
    called = f' aria-label="{html.escape(alt, quote=True)}"' if alt else ""
    return (
        f'<table{called} style="border-collapse:collapse;width:100%;max-width:{90 + 260 * len(by_model)}px;'
        f'font-size:0.85rem"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'
    )


def large(values: npt.ArrayLike | None, *, answer: int | None = None, alt: str) -> str:
    """Seven bars to be read from afar, float (7,), 0..1; empty ones where there are no values. HTML.

    ``answer``: 0..6, in bold. ``alt``: what a screen reader calls the table.
    """
    rows = []
    for at, name in enumerate(NAMES):
        value = 0.0 if values is None else float(np.asarray(values)[at])
        number = "" if values is None else percent(value, 0)
        rows.append(
            f'<tr style="font-weight:{700 if at == answer else 400}"><th scope="row" style="{CELL};text-align:left;'
            f'font-weight:inherit">{name}</th><td style="{CELL};width:100%"><div style="height:1.35rem;'
            f'background:rgba(127,127,143,0.2)"><div style="height:100%;width:{100 * value:.0f}%;'
            f'background:{COLOURS[at]}"></div></div></td>'
            f'<td style="{CELL};text-align:right;white-space:nowrap">{number}</td></tr>'
        )
    return (
        f'<table aria-label="{html.escape(alt, quote=True)}" style="border-collapse:collapse;width:100%;'
        f'font-size:1rem">{"".join(rows)}</table>'
    )


def bar(share: float, colour: str, words: str) -> str:
    """A cell with a bar of this length, 0..1 of all there is room for, and what it stands for beside it. HTML."""
    return (
        f'<td style="{CELL};min-width:86px"><div style="display:flex;align-items:center;gap:4px">'
        f'<div style="flex:1;height:0.7em;background:rgba(127,127,143,0.2)">'
        f'<div style="height:100%;width:{100 * share:.0f}%;background:{colour}"></div></div>'
        f'<span style="min-width:2.9em;text-align:right;white-space:nowrap">{words}</span></div></td>'
    )
