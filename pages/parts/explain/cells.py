"""The grid of maps, models × expressions: one piece of HTML a model, with pictures, words and verdicts.

A piece of HTML, because a browser asks for each ``st.image`` on its own, and the whole row is drawn again when its
tests are done.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.explain.blank_maps import coarseness, why_blank
from fer_core.explain.regions import Corners
from fer_core.explain.trust import Judgement
from fer_core.formatting import percent
from fer_core.plots.faces import describe_overlay
from fer_core.plots.maps import colour_scale, map_on_face
from pages.parts.chosen_face import ChosenFace
from pages.parts.explain import trust
from pages.parts.face_answers import Answer, picture_uri
from pages.parts.faces import label_words

SMOOTH, BLOCKS = "smooth", "blocks"
OF_MODEL, OF_MAP, OF_ALL = "each model", "each map", "all maps"
LABEL, ANSWER = "the label", "its answer"
SIDE = 184
"""Pixels of a map on the page: two beside each other, and the curves, on a common screen."""


@dataclass(frozen=True)
class MapStyle:
    """How maps are drawn. ``opacity``: 0..1. ``scale``: whose strongest cell gets the full colour."""

    smooth: bool
    opacity: float
    scale: str


@dataclass(frozen=True)
class Shown:
    """One map that is shown: class 0..6, and why it is among them, such as ``the label``."""

    label: int
    roles: tuple[str, ...]


def maps_to_show(answer: Answer, label: int | None, chosen: Sequence[int]) -> list[Shown]:
    """The maps to show of one model: the label's, its answer's, then the chosen ones; each class once."""
    roles: dict[int, list[str]] = {}
    if label is not None:
        roles.setdefault(label, []).append(LABEL)
    roles.setdefault(answer.predicted, []).append(ANSWER)
    for other in chosen:
        roles.setdefault(other, [])
    return [Shown(which, tuple(why)) for which, why in roles.items()]


TO_COME = '<div style="margin-top:0.3em">Testing this map …</div>'


def top_of(scale: str, answer: Answer, found: Sequence[Answer], shown: Mapping[str, Sequence[Shown]]) -> float | None:
    """The value with the full colour in the maps of one model; None: each map's own largest."""
    if scale == OF_MAP:
        return None
    whose = found if scale == OF_ALL else [answer]
    return max(float(one.maps[which.label].max()) for one in whose for which in shown[one.name])


def scale_legend(look: MapStyle, found: Sequence[Answer], shown: Mapping[str, Sequence[Shown]]) -> None:
    """The one colour scale of all maps."""
    most = "the strongest cell of that map"
    if look.scale == OF_MODEL:
        most = "the strongest cell shown of that model"
    elif look.scale == OF_ALL:
        most = (
            f"{top_of(OF_ALL, found[0], found, shown):.2f} on the logit’s scale, the strongest cell of all maps shown"
        )
    st.html(
        '<div style="font-size:0.875rem;display:flex;align-items:center;gap:0.5em;flex-wrap:wrap">'
        "<span>Colour: nothing speaks for the expression</span>"
        f'<img alt="Colour scale, from no colour over violet and orange to bright yellow" '
        f'src="{picture_uri(colour_scale(look.opacity))}" style="height:14px;width:180px;max-width:100%">'
        f"<span>{most}</span></div>"
    )


def row(
    about: ChosenFace,
    answer: Answer,
    shown: Sequence[Shown],
    top: float | None,
    look: MapStyle,
    judged: Mapping[int, Judgement] | None,
    boxes: Mapping[str, Corners] | None,
) -> str:
    """One model's maps as HTML. ``judged``: the verdicts by class; None while they are still to come."""
    cells = "".join(_cell(about, answer, one, top, look, judged, boxes) for one in shown)
    summary = f"says {label_words(answer.predicted)}, {percent(answer.probabilities[answer.predicted], 0)}"
    if about.label is not None:
        summary += ", ✓ right" if answer.predicted == about.label else ", ✗ wrong"
    name, grid = html.escape(answer.name), "×".join(map(str, answer.grid))
    coarse = coarseness(answer.grid)
    return (
        f'<section aria-label="{html.escape(answer.name, quote=True)}">'
        f'<h3 style="font-size:1.1rem;padding:0;margin:0.4em 0 0.1em">{name}</h3>'
        f'<p style="margin:0 0 0.5em;font-size:0.9rem">{summary}. Maps of {grid} cells.'
        f"{'' if coarse is None else ' ' + html.escape(coarse)}</p>"
        f'<div style="display:flex;flex-wrap:wrap;gap:0.8rem">{cells}</div></section>'
    )


def _cell(
    about: ChosenFace,
    answer: Answer,
    one: Shown,
    top: float | None,
    look: MapStyle,
    judged: Mapping[int, Judgement] | None,
    boxes: Mapping[str, Corners] | None,
) -> str:
    name, one_map = NAMES[one.label], answer.maps[one.label]
    why = why_blank(one_map, model=answer.name, emotion=name)
    if why is None:
        picture = map_on_face(about.image, one_map, top=top, opacity=look.opacity, smooth=look.smooth)
        alt = html.escape(f"{answer.name}: {describe_overlay(one_map, name)}", quote=True)
        seen = f'<img alt="{alt}" src="{picture_uri(picture)}" style="width:100%;aspect-ratio:1;display:block">'
        below = TO_COME if judged is None else _verdict(judged.get(one.label))
        if boxes is not None:
            below += f'<div style="font-size:0.8rem">{trust.pointed(one_map, boxes)}</div>'
    else:
        seen = (
            '<div style="aspect-ratio:1;border:1px dashed #7F7F8F;padding:0.8em;font-size:0.85rem;overflow:auto">'
            f"{html.escape(why)}</div>"
        )
        below = ""
    roles = f", {' and '.join(one.roles)}" if one.roles else ""
    strongest = f"strongest cell {float(np.max(one_map)):.2f} (logit)"
    return (
        f'<figure style="margin:0;width:min({SIDE}px, calc(50% - 0.4rem))">{seen}'
        f'<figcaption style="font-size:0.875rem;line-height:1.35;margin-top:0.3em"><b>{name}</b>{roles}: '
        f'{percent(answer.probabilities[one.label])}<div style="font-size:0.8rem">{strongest}</div>{below}'
        "</figcaption></figure>"
    )


def _verdict(judged: Judgement | None) -> str:
    """The verdict's word on its colour and the sentences below it; nothing where the test failed."""
    if judged is None:
        return ""
    sentences = html.escape(" ".join(judged.sentences))
    return f'{trust.badge(judged)}<div style="font-size:0.8rem">{sentences}</div>'
