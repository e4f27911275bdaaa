"""Seven probabilities before and after a change, as bars in plain HTML: they are redrawn at every move of a slider."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COLOURS, COUNT, NAMES

_TRACK = "position:relative;flex:1;height:1.15rem;background:rgba(127,127,143,0.16);border-radius:2px"


def change_bars(before: npt.ArrayLike, after: npt.ArrayLike, *, label: int | None = None) -> str:
    """Bars of the models' mean: filled as it is now, an outline where it was, and a tick for each model now.

    ``before``, ``after``: float (models, 7), 0..1; of one model there are no ticks. ``label``: the face's label, 0..6,
    pointed at. Raises ``ValueError`` for another shape.
    """
    first, second = (np.atleast_2d(np.asarray(values, dtype=np.float64)) for values in (before, after))
    if first.shape != second.shape or not len(first) or first.shape[1:] != (COUNT,):
        raise ValueError(f"{COUNT} probabilities of each model were expected, not {first.shape} and {second.shape}")
    was, now = first.mean(axis=0), second.mean(axis=0)
    best = int(now.argmax())
    rows = "".join(
        _row(at, float(was[at]), float(now[at]), second[:, at], bold=at == best, pointed=at == label)
        for at in range(COUNT)
    )
    return f'<section style="font-size:0.95rem;line-height:1.65">{rows}</section>'


def answer_list(lines: Sequence[tuple[str, bool]]) -> str:
    """What each model says, beside each other where there is room: its words, and whether it changed its answer, which
    makes them bold.
    """
    items = "".join(
        f'<li style="display:inline-block;margin-right:1.2em;font-weight:{600 if changed else 400}">'
        f"{_unbroken(words)}</li>"
        for words, changed in lines
    )
    return f'<ul style="list-style:none;margin:0;padding:0;font-size:0.9rem">{items}</ul>'


def _unbroken(words: str) -> str:
    """As HTML, with no number on another line than its unit."""
    return html.escape(words).replace(" %", "&nbsp;%")


def _row(at: int, before: float, after: float, each: npt.NDArray[np.float64], *, bold: bool, pointed: bool) -> str:
    colour, name = COLOURS[at], NAMES[at]
    was, now = f"{100 * before:.0f}", f"{100 * after:.0f}"
    change = now if was == now else f"{was} → {now}"
    outline = (
        f'<div style="position:absolute;inset:0 auto 0 0;width:{100 * before:.1f}%;box-sizing:border-box;'
        'border:1px solid currentColor;border-radius:2px;opacity:0.75"></div>'
    )
    fill = (
        f'<div style="position:absolute;inset:0 auto 0 0;width:{100 * after:.1f}%;background:{colour};'
        'border-radius:2px;transition:width 0.2s"></div>'
    )
    ticks = "".join(
        f'<div style="position:absolute;top:-2px;bottom:-2px;left:calc({100 * value:.1f}% - 1px);border-left:2px solid '
        'currentColor"></div>'
        for value in (each if len(each) > 1 else ())
    )
    return (
        f'<div style="display:flex;align-items:center;gap:0.5rem;font-weight:{600 if bold else 400}">'
        f'<span style="width:4.8rem">{"▸ " if pointed else ""}{name}</span>'
        f'<div aria-hidden="true" style="{_TRACK}">{fill}{outline}{ticks}</div>'
        f'<span style="width:5.2rem;text-align:right;white-space:nowrap">{change} %</span></div>'
    )
