"""A search on Poke: the smallest patch that makes a model change its mind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from fer_core.emotions import NAMES
from fer_core.explain.base import Fill
from fer_core.explain.poke.smallest_patch import SIZES, Flip, smallest_flip
from fer_core.fair_queue import Lane
from fer_core.formatting import percent
from fer_core.inference.predictor import Predictor
from fer_core.plots.faces import contact_sheet
from fer_core.progress import Progress
from pages.parts import queue
from pages.parts.face_answers import cache_key
from pages.parts.poke.state import Poked, current_steps, make_steps
from pages.parts.result_cache import ResultCache

FILLS: dict[str, Fill] = {"the face's mean grey": "mean", "black": 0, "white": 255}


@dataclass(frozen=True)
class _Found:
    flip: Flip | None


_found: ResultCache[_Found] = ResultCache(200)
"""By model, face and grey. Searches take seconds, and depend on nothing else."""


def show(face: Poked, models: Sequence[Predictor]) -> None:
    """Choose a model, search, and look at what was found."""
    by_name = {model.name: model for model in models}
    name = st.selectbox("Whose mind shall change", list(by_name), key="poke-patch-model")
    words = st.selectbox("Cover with", list(FILLS), key="poke-patch-fill")
    model, key = by_name[name], (cache_key(by_name[name]), face.key, words)
    known = _found.get(key)
    if known is None:
        st.caption(
            f"Tries squares of {SIZES[0]} to {SIZES[-1]} pixels all over the face as it is now, the smallest first. "
            "This takes seconds; whatever else you click ends it."
        )
        if not st.button("Search", icon=":material/search:", type="primary", key="poke-search"):
            return
        with queue.turn(Lane.LONG, "The search waits"):
            known = _search(model, face, FILLS[words])
        _found.put(key, known)
    _result(name, known.flip)


def _search(model: Predictor, face: Poked, fill: Fill) -> _Found:
    bar = st.progress(0.0, "Looking for the smallest patch")

    def report(progress: Progress) -> None:
        share = progress.done / progress.total if progress.total else 0.0
        bar.progress(min(1.0, share), f"Tried {progress.done:,} of {progress.total or 0:,} patches")

    flip = smallest_flip(model.predict, face.image, fill=fill, progress=report)
    bar.empty()
    return _Found(flip)


def _result(name: str, flip: Flip | None) -> None:
    if flip is None:
        st.info(
            f"No square of up to {SIZES[-1]} pixels changes what {name} says about this face.", icon=":material/lock:"
        )
        return
    x0, y0, x1, y1 = flip.box
    st.markdown(
        f"A square of **{x1 - x0}×{y1 - y0} pixels**, {percent(flip.share)} of the face, is enough: **{name}** says "
        f"**{NAMES[flip.after]}**, {percent(flip.probabilities[flip.after], 0)}, and no longer {NAMES[flip.before]}, "
        f"{percent(flip.untouched[flip.before], 0)}."
    )
    st.image(
        contact_sheet(flip.face[None], 1, scale=3, gap=0),
        alt=f"The face with a patch from {x0} to {x1} pixels across and {y0} to {y1} pixels down.",
        width=144,
    )
    st.button(
        "Apply this patch",
        icon=":material/texture:",
        on_click=lambda: make_steps((*current_steps(), flip.step)),
        key="poke-apply",
    )
    st.caption(
        f"{flip.tried:,} patches were tried. It shows how little the answer hangs on. That this part is the reason, it "
        "does not show: a model has an opinion about the patch, too."
    )
