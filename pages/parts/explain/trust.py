"""Beside each map: may it be trusted? Deletion and insertion, the pointing game, and whether the models agree."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.explain.base import at_face_size
from fer_core.explain.baselines import centre_map
from fer_core.explain.blank_maps import why_blank
from fer_core.explain.faithfulness import Effort, Faithfulness
from fer_core.explain.map_agreement import TOLERANCE, hit_by_chance, pointing_game, rank_correlations
from fer_core.explain.regions import Corners, region_masks
from fer_core.explain.trust import LUCK, Judgement, judge
from fer_core.formatting import percent, plain, plural
from pages.parts.face_answers import Answer
from pages.parts.result_cache import ResultCache

MAY_BE_LUCK = "luck"
WORDS: dict[str, str] = {
    "trust": "✓ passes the test",
    "care": "~ trust with care",
    "no": "✗ do not trust",
    MAY_BE_LUCK: "? may be luck",
    "untestable": "? cannot be tested",
}
"""By :func:`verdict_key`."""
COLOURS: dict[str, str] = {
    "trust": "#1B7837",
    "care": "#8A5A00",
    "no": "#B2182B",
    MAY_BE_LUCK: "#5F5F6B",
    "untestable": "#5F5F6B",
}
"""Behind white words: 4.5:1 or better."""
BLOB = "round blob"


def judgements(tested: Faithfulness) -> dict[int, Judgement]:
    """The verdict on each measured map, by class 0..6."""
    return {NAMES.index(name): judge(tested, name, NAMES.index(name)) for name in tested.names}


def verdict_key(judged: Judgement) -> str:
    """The verdict, or that the map did better than chance on average, but not beyond what luck can do."""
    return MAY_BE_LUCK if judged.verdict == "no" and judged.sentences[0] == LUCK else judged.verdict


def badge(judged: Judgement, *, title: str = "") -> str:
    """The verdict's word on its colour, as HTML. ``title``: what resting the mouse on it shows."""
    more = f' title="{html.escape(title, quote=True)}"' if title else ""
    style = f"background:{COLOURS[verdict_key(judged)]};color:#FFFFFF;padding:0.1em 0.5em;border-radius:0.3em"
    return f'<div style="margin:0.3em 0"><span{more} style="{style}">{WORDS[verdict_key(judged)]}</span></div>'


def pointed(one_map: npt.NDArray[np.floating], boxes: Mapping[str, Corners]) -> str:
    """On which known part of the face the strongest point of a map (h, w) lies, in words."""
    masks = region_masks(boxes)
    hit = [name for name, mask in masks.items() if name != "any" and pointing_game(one_map, mask)[0] >= 0.5]
    return f"Strongest point: on the {' and '.join(hit)}." if hit else f"Strongest point: outside {_parts(boxes)}."


def pointing_rule(boxes: Mapping[str, Corners]) -> str:
    """What the pointing game asks, and what chance would answer."""
    return (
        f"Pointing game: this face is drawn, so it is known where {_parts(boxes)} are. Does a map's strongest point "
        f"lie there, {TOLERANCE} pixels more or less? A point put anywhere would in "
        f"{percent(hit_by_chance(region_masks(boxes)['any']), 0)} of cases."
    )


def explain_test(effort: Effort) -> None:
    """What the verdicts are made of, in a box that opens."""
    with st.popover("How a map is tested", icon=":material/science:"):
        st.markdown(
            f"""
**Deletion.** The pixels that the map marks most are painted grey first, then the next, in {effort.steps} steps. If the
model really uses them its probability falls at once: a **small** area under the curve is good.

**Insertion.** The other way round: from a blurred face, the most marked pixels come back first. If they are what counts
the probability rises at once: a **large** area is good.

**Chance.** The same is done in {effort.orders} random orders, drawn on a grid as coarse as the map's. A map does better
than chance where its area lies outside the range in which one more random order would stay 19 times out of 20.

**Two orders that know nothing of the model** are shown as well: a round blob in the middle of the face, and the face's
own edges. A map that is no better than these may only tell you where faces have eyes and a mouth.

A map passes with both, is to be read with care with one of the two, and is not to be trusted with neither. “May be
luck” means: better than chance was on average, but within its range. The thorough test may tell. An expression with
less than 5 % cannot be tested: there is next to nothing to delete.

All of it is about *this* model on *this* face. It does not say that the model is right.
"""
        )


def sentence(found: Sequence[Answer], classes: Sequence[int], judged: Sequence[Judgement | None]) -> str:
    """What the row of maps shows, in one sentence: which pass the test, and whether the models look at the same places.

    ``classes``: of each model's map, 0..6. ``judged``: the verdict on it; None where there is none, or none yet.
    """
    parts = []
    if verdicts := [one for one in judged if one is not None]:
        good = [answer.name for answer, one in zip(found, judged, strict=True) if one and one.verdict == "trust"]
        who = f": {', '.join(plain(name) for name in good)}" if 0 < len(good) < len(verdicts) else ""
        # "1 of 2 maps passes", and "0 of 1 map passes".
        verb = "passes" if 1 in (len(good), len(verdicts)) else "pass"
        parts.append(f"**{len(good)} of {plural(len(verdicts), 'map')} {verb} the test{who}**")
    matrix = _correlations(found, classes)
    if matrix is not None:
        k = len(matrix)
        between, blob = matrix[:, :k][np.triu_indices(k, 1)], matrix[:, k]
        where = next(words for least, words in _PLACES if between.mean() >= least)
        close = "no more alike than each is like" if blob.mean() >= between.mean() else "more alike than like"
        parts.append(
            f"the models look at {where} (rank correlation {_range(between)}), {close} a round blob in the middle, "
            "which knows nothing"
        )
    if not parts:
        return ""
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


_PLACES = ((0.7, "much the same places"), (0.4, "partly the same places"), (-1.0, "different places"))
"""By the mean rank correlation that it takes at least."""


def _correlations(found: Sequence[Answer], classes: Sequence[int]) -> npt.NDArray[np.float64] | None:
    """Rank correlations (k, k + 1) of the k maps that say something with each other and, last, with a round blob; None
    where there are fewer than two.
    """
    speaks = [(one, label) for one, label in zip(found, classes, strict=True) if why_blank(one.maps[label]) is None]
    if len(speaks) < 2:
        return None
    key = tuple((one.seal, label, one.maps[label].tobytes()) for one, label in speaks)
    known = _AGREEMENT.get(key)
    if known is None:
        maps = np.concatenate([at_face_size(one.maps[label]) for one, label in speaks])
        known = rank_correlations(np.concatenate([maps, centre_map()[np.newaxis]]))[:-1]
        _AGREEMENT.put(key, known)
    return known


_AGREEMENT: ResultCache[npt.NDArray[np.float64]] = ResultCache(300)


def agreement(found: Sequence[Answer], classes: Sequence[int]) -> None:
    """Rank correlation of the models' maps, each for its class in ``classes`` (0..6), and with a blob, as a table."""
    matrix = _correlations(found, classes)
    if matrix is None:
        return
    speaks = [(one, label) for one, label in zip(found, classes, strict=True) if why_blank(one.maps[label]) is None]
    st.markdown(
        "**Do the models look at the same places?** Rank correlation of their maps: 1 the same order of all pixels, 0 "
        "no relation, −1 the reverse. Read it beside that with a round blob in the middle, which knows nothing."
    )
    names = [one.name for one, _ in speaks]
    table = pd.DataFrame(matrix, columns=[*names, BLOB])
    table.insert(0, "Map", [f"{one.name}: {NAMES[label]}" for one, label in speaks])
    st.dataframe(
        table,
        hide_index=True,
        column_config={title: st.column_config.NumberColumn(format="%.2f") for title in (*names, BLOB)},
        alt="Rank correlation, −1 to 1, of the maps of each two models, and of each with a round blob in the middle.",
    )


def _range(values: npt.NDArray[np.float64]) -> str:
    low, mean, high = (f"{value:.2f}".replace("-", "−") for value in (values.min(), values.mean(), values.max()))
    return low if low == high else f"{low} to {high}, {mean} on average"


def _parts(boxes: Mapping[str, Corners]) -> str:
    names = list(boxes)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
