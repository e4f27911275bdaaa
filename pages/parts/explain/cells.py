"""The face and its maps beside each other: one piece of HTML, with pictures, words and verdicts.

A piece of HTML, because a browser asks for each ``st.image`` on its own, and the whole row is drawn again when its
tests are done.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import NAMES
from fer_core.explain.blank_maps import why_blank
from fer_core.explain.trust import Judgement
from fer_core.formatting import percent
from fer_core.plots.faces import describe_overlay
from fer_core.plots.maps import colour_scale, map_on_face
from pages.parts.chosen_face import ChosenFace
from pages.parts.explain import trust
from pages.parts.face_answers import Answer, picture_uri
from pages.parts.faces import data_uri, label_words
from pages.parts.result_cache import ResultCache

SMOOTH, BLOCKS = "smooth", "blocks"
OF_MODEL, OF_MAP, OF_ALL = "each model", "each map", "all maps"
LABEL, ANSWER = "the label", "its answer"
LEAST = 120
"""Pixels of a map on the page, or more: the face and five models beside each other on a common screen."""
_HEAD = "font-size:0.875rem;line-height:1.35;margin-bottom:0.3em;overflow-wrap:anywhere"
_PART = "margin:0;display:grid;grid-row:span 2;grid-template-rows:subgrid;row-gap:0"
"""What is said, and the maps below it: all maps of a line begin at the same height."""


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


def maps_to_show(answer: Answer, first: int, label: int | None, chosen: Sequence[int]) -> list[Shown]:
    """The maps to show of one model: of the class ``first``, then of the chosen ones; each class once.

    ``label``: the face's, 0..6 or None.
    """
    shown = []
    for which in dict.fromkeys([first, *chosen]):
        roles = [*([LABEL] if which == label else []), *([ANSWER] if which == answer.predicted else [])]
        shown.append(Shown(which, tuple(roles)))
    return shown


TO_COME = '<div style="margin-top:0.3em">Testing …</div>'
_PICTURES: ResultCache[str] = ResultCache(300)
"""Maps on faces as addresses, about 15 kB each: a page is drawn again when its tests are done."""


def top_of(scale: str, answer: Answer, found: Sequence[Answer], shown: Mapping[str, Sequence[Shown]]) -> float | None:
    """The value with the full colour in the maps of one model; None: each map's own largest."""
    if scale == OF_MAP:
        return None
    whose = found if scale == OF_ALL else [answer]
    return max(float(one.maps[which.label].max()) for one in whose for which in shown[one.name])


def legend(look: MapStyle, found: Sequence[Answer], shown: Mapping[str, Sequence[Shown]]) -> str:
    """The one colour scale of all maps, as HTML."""
    most = "most of what this map marks"
    if look.scale == OF_MODEL:
        most = "most of what this model’s maps mark"
    elif look.scale == OF_ALL:
        most = f"most of all maps, {top_of(OF_ALL, found[0], found, shown):.2f} on the logit’s scale"
    picture = _kept(("legend", look.opacity), lambda: colour_scale(look.opacity))
    return (
        '<div style="font-size:0.8rem;display:flex;align-items:center;gap:0.5em;flex-wrap:wrap">'
        "<span>What speaks for the expression named at each map:</span>"
        '<span style="display:flex;align-items:center;gap:0.5em"><span>nothing</span>'
        '<img alt="Colour scale, from no colour over violet and orange to bright yellow" '
        f'src="{picture}" style="height:12px;width:120px;max-width:100%"><span>{most}</span></span></div>'
    )


def face(about: ChosenFace) -> str:
    """The face itself as HTML, to stand before its maps."""
    labelled = "nobody labelled it" if about.label is None else f"labelled {label_words(about.label)}"
    alt = html.escape(f"{about.title}, a face of 48×48 grey pixels, enlarged.", quote=True)
    return (
        f'<figure style="{_PART}"><figcaption style="{_HEAD}"><b>The face</b><br>{labelled}</figcaption>'
        f'<img alt="{alt}" src="{data_uri(about.image)}" style="width:100%;aspect-ratio:1;display:block;'
        'image-rendering:pixelated"></figure>'
    )


def row(parts: Sequence[str]) -> str:
    """Face and models beside each other, as HTML; on a phone two in a line."""
    cells = "".join(parts)
    return (
        f'<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax({LEAST}px,1fr));gap:0.8rem">{cells}'
        "</div>"
    )


def model(
    about: ChosenFace,
    answer: Answer,
    shown: Sequence[Shown],
    top: float | None,
    look: MapStyle,
    judged: Mapping[int, Judgement] | None,
) -> str:
    """One model's maps as HTML. ``judged``: the verdicts by class; None while they are still to come."""
    said = f"{label_words(answer.predicted)} {percent(answer.probabilities[answer.predicted], 0)}"
    if about.label is not None:
        said += " ✓" if answer.predicted == about.label else " ✗"
    name = html.escape(answer.name)
    cells = "".join(_cell(about, answer, one, top, look, judged) for one in shown)
    return (
        f'<section aria-label="{html.escape(answer.name, quote=True)}" style="{_PART}">'
        f'<div style="{_HEAD}"><b>{name}</b><br>{said.replace(" %", "&nbsp;%")}</div><div>{cells}</div></section>'
    )


def _cell(
    about: ChosenFace,
    answer: Answer,
    one: Shown,
    top: float | None,
    look: MapStyle,
    judged: Mapping[int, Judgement] | None,
) -> str:
    name, one_map = NAMES[one.label], answer.maps[one.label]
    why = why_blank(one_map, model=answer.name, emotion=name)
    if why is None:
        key = (about.key, answer.seal, one.label, top, look)
        picture = _kept(
            key, lambda: map_on_face(about.image, one_map, top=top, opacity=look.opacity, smooth=look.smooth)
        )
        alt = html.escape(f"{answer.name}: {describe_overlay(one_map, name)}", quote=True)
        seen = f'<img alt="{alt}" src="{picture}" style="width:100%;aspect-ratio:1;display:block">'
        below = TO_COME if judged is None else _verdict(judged.get(one.label))
    else:
        seen = (
            '<div style="aspect-ratio:1;border:1px dashed #7F7F8F;padding:0.6em;font-size:0.85rem;overflow:auto">'
            f"{html.escape(why)}</div>"
        )
        below = ""
    chance = "" if one.label == answer.predicted else f": {percent(answer.probabilities[one.label])}"
    return (
        f'<figure style="margin:0 0 0.6rem">{seen}<figcaption style="font-size:0.875rem;line-height:1.35;'
        f'margin-top:0.3em">for <b>{name}</b>{chance}{below}</figcaption></figure>'
    )


def _kept(key: Hashable, draw: Callable[[], npt.NDArray[np.uint8]]) -> str:
    """The address of a picture, drawn once."""
    known = _PICTURES.get(key)
    if known is None:
        known = picture_uri(draw())
        _PICTURES.put(key, known)
    return known


def _verdict(judged: Judgement | None) -> str:
    """The verdict's word on its colour; nothing where the test failed."""
    if judged is None:
        return ""
    return trust.badge(judged, title=" ".join(judged.sentences))
