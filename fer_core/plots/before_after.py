"""Seven probabilities before and after a change, as bars in plain HTML: many are redrawn at every move of a slider,
and on a narrow screen they stand below each other.
"""

from __future__ import annotations

import html

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COLOURS, COUNT, NAMES

_CARD = "flex:1 1 15rem;min-width:13rem;max-width:26rem"
_TRACK = "position:relative;flex:1;height:0.95rem;background:rgba(127,127,143,0.16);border-radius:2px"


def change_bars(before: npt.ArrayLike, after: npt.ArrayLike, *, label: int | None = None) -> str:
    """One model's bars: filled as they are now, an outline where they were.

    ``before``, ``after``: float (7,), 0..1. ``label``: the face's label, 0..6, pointed at. Raises ``ValueError`` for
    another shape.
    """
    first, second = (np.asarray(values, dtype=np.float64) for values in (before, after))
    if first.shape != (COUNT,) or second.shape != (COUNT,):
        raise ValueError(f"{COUNT} probabilities were expected, not {first.shape} and {second.shape}")
    best = int(second.argmax())
    rows = "".join(
        _row(at, float(first[at]), float(second[at]), bold=at == best, pointed=at == label) for at in range(COUNT)
    )
    return f'<div style="font-size:0.85rem;line-height:1.35">{rows}</div>'


def card(words: str, inside: str, *, changed: bool) -> str:
    """A model's bars under a sentence; one that changed its answer has a strong frame."""
    frame = "2px solid currentColor" if changed else "1px solid rgba(127,127,143,0.35)"
    return (
        f'<section style="{_CARD};border:{frame};border-radius:6px;padding:0.5rem 0.7rem">'
        f'<div style="font-weight:600;margin-bottom:0.35rem">{_unbroken(words)}</div>{inside}</section>'
    )


def cards(parts: list[str]) -> str:
    """Cards beside each other, as many as there is room for."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:0.6rem">{"".join(parts)}</div>'


def _unbroken(words: str) -> str:
    """As HTML, with no number on another line than its unit."""
    return html.escape(words).replace(" %", "&nbsp;%")


def _row(at: int, before: float, after: float, *, bold: bool, pointed: bool) -> str:
    colour, name = COLOURS[at], NAMES[at]
    was, now = f"{100 * before:.0f}", f"{100 * after:.0f}"
    change = now if was == now else f"{was} → {now}"
    outline = (
        f'<div style="position:absolute;inset:0 auto 0 0;width:{100 * before:.1f}%;box-sizing:border-box;'
        'border:1px solid currentColor;border-radius:2px;opacity:0.75"></div>'
    )
    fill = (
        f'<div style="position:absolute;inset:0 auto 0 0;width:{100 * after:.1f}%;background:{colour};'
        'border-radius:2px"></div>'
    )
    return (
        f'<div style="display:flex;align-items:center;gap:0.45rem;font-weight:{600 if bold else 400}">'
        f'<span style="width:4.6rem">{"▸ " if pointed else ""}{name}</span>'
        f'<div aria-hidden="true" style="{_TRACK}">{fill}{outline}</div>'
        f'<span style="width:5.4rem;text-align:right;white-space:nowrap">{change} %</span></div>'
    )
