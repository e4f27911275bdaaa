"""The Averages tab: where each model looks over a class, a confusion cell, or any selection of faces."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES, index_of
from fer_core.explain.average_maps import SCALES, AverageMap, Scale, average
from fer_core.explain.baselines import centre_map
from fer_core.explain.blank_maps import coarseness
from fer_core.explain.map_agreement import rank_correlation
from fer_core.fair_queue import Lane
from fer_core.formatting import plural
from fer_core.inference.predictor import Predictor
from fer_core.plots.faces import describe_overlay
from fer_core.plots.maps import colour_scale, map_on_face
from fer_core.progress import Progress
from pages.parts import dataset_extras, face_filters, face_selection, frame, linked, links, queue, scope
from pages.parts.chosen_face import ChosenFace
from pages.parts.explain import tab_memory
from pages.parts.face_answers import cache_key, picture_uri
from pages.parts.face_filters import FILTERS
from pages.parts.links_to_explain import AVERAGE, AVERAGES
from pages.parts.result_cache import ResultCache

OF, WEIGHT, MOST = (AVERAGE + name for name in ("of", "weight", "most"))
ANSWER, LABEL = "the model's answer", "the label"
WEIGHTS: dict[str, Scale] = {"every face alike": "peak", "strong evidence more": "none"}
MANY = {"200 faces": 200, "1,000 faces": 1000, "all faces": None}
SEED = 2013
SIDE = 200
"""Pixels of a map on the page."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Faces to average over: ``rows`` int64 (n,), rising, and ``labels`` int8 (n,); drawn from ``total``."""

    rows: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int8]
    total: int

    def words(self) -> str:
        """How many of how many."""
        n = len(self.rows)
        if n == self.total:
            return f"All {plural(n, 'face')}."
        return f"{n:,} of the {self.total:,} faces, drawn at random (seed {SEED}), the same each time."


def show(about: ChosenFace | None, models: list[Predictor], is_open: bool) -> None:
    """The tab. Closed, it draws nothing, since its choice reads predictions; opened again, it is as it was left.

    May end the run of the page where there is nothing to choose from.
    """
    if not is_open:
        return
    tab_memory.come_back(AVERAGES, _is_mine)
    st.markdown(
        "Where does a model look over many faces: over an expression, or whenever it takes one for another? Faces here "
        "are roughly in register, eyes above mouth, so a mean over them means something."
    )
    with st.expander("Which faces: chosen as on Mistakes", icon=":material/filter_alt:"):
        view = scope.choose(AVERAGE)
        choice = face_filters.choose(view, AVERAGE, ordered=False)
    found = face_selection.find_faces(view, choice)
    face_selection.show_summary(view, choice, found, AVERAGE)
    of, weight, most = _controls()
    tab_memory.remember(AVERAGES, _is_mine)
    if found.empty:
        return
    if view.dataset is None:
        dataset_extras.offer_import()
        return
    if not models:
        st.info("Choose at least one model at the top.", icon=":material/info:")
        return
    chosen = sample_faces(view.scope.aligned.rows, view.scope.aligned.labels, found.positions, most)
    _maps(view.dataset, chosen, models, of, weight)
    back = dict(view.query)
    asked = links.copy(AVERAGE + name for name in FILTERS)
    back |= {name.removeprefix(AVERAGE): values for name, values in asked.items()}
    frame.link("mistakes", "See these faces one by one", icon=":material/search:", query=back)


def sample_faces(
    rows: npt.NDArray[np.int64], labels: npt.NDArray[np.int8], positions: npt.NDArray[np.intp], most: int | None
) -> Chosen:
    """The faces at these positions, at most ``most`` of them, drawn at random by a fixed seed."""
    here = np.sort(positions)
    if most is not None and len(here) > most:
        here = np.sort(np.random.default_rng(SEED).choice(here, most, replace=False))
    return Chosen(rows[here], labels[here], len(positions))


def _controls() -> tuple[str, Scale, int | None]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="average-controls"):
        of = linked.selectbox(
            "Maps of",
            (ANSWER, LABEL, *NAMES),
            key=OF,
            width=220,
            help="What spoke for the expression that each model answers, for the label, or for one expression in every "
            "face.",
        )
        weight = linked.segmented_control(
            "What counts",
            tuple(WEIGHTS),
            key=WEIGHT,
            help="Every face alike: each map is divided by its largest value first.",
        )
        most = linked.selectbox(
            "At most",
            tuple(MANY),
            key=MOST,
            width=140,
            help="More faces give a steadier mean and take longer: a large model explains about 200 faces a second.",
        )
    return of, WEIGHTS[weight], MANY[most]


def _maps(dataset: Dataset, chosen: Chosen, models: list[Predictor], of: str, scale: Scale) -> None:
    place = st.empty()
    found: dict[str, AverageMap] = {}
    for model in models:
        found[model.name] = _average(dataset, chosen, model, of, scale)
        place.html(_grid(found, models, of, scale))
    st.caption(
        f"{chosen.words()} {SCALES[scale].capitalize()}. Averages look alike and lie in the middle, because faces do. "
        "Near 1 with a round blob, a map tells little more than where faces are."
    )
    st.markdown(blob_words({name: _with_blob(one) for name, one in found.items()}))
    with st.expander("All numbers as a table", icon=":material/table:"):
        st.dataframe(
            averages_table(found, of),
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%.2f") for name in ("Strongest cell", "With a round blob")
            },
            alt="The average map of each model: number of faces, where it is strongest, correlation with a blob.",
        )


def blob_words(with_blob: Mapping[str, float | None]) -> str:
    """Whose mean map is least, and whose most, like a round blob. ``with_blob``: by model, −1 to 1, or None."""
    known = {name: value for name, value in with_blob.items() if value is not None}
    if not known:
        return ""
    least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    words = f"{least} looks least like a round blob ({known[least]:.2f})"
    return f"{words}, {most} most ({known[most]:.2f})." if least != most else f"{words}."


def averages_table(found: Mapping[str, AverageMap], of: str) -> pd.DataFrame:
    """One line a model: faces, faces left out, cells, the strongest cell, correlation with a blob, words."""
    return pd.DataFrame(
        {
            "Model": name,
            "Faces": one.n,
            "Left out, map says nothing": one.left_out,
            "Cells": "×".join(map(str, one.mean.shape)),
            "Strongest cell": float(one.mean.max()) if one.n else None,
            "With a round blob": _with_blob(one),
            "In words": describe_overlay(one.mean, of) if one.n else one.sentence(),
        }
        for name, one in found.items()
    )


def _average(dataset: Dataset, chosen: Chosen, model: Predictor, of: str, scale: Scale) -> AverageMap:
    digest = hashlib.sha1(chosen.rows.tobytes() + chosen.labels.tobytes(), usedforsecurity=False).hexdigest()
    key = (cache_key(model), dataset.info.fingerprint, digest, of, scale)
    known = _cache().get(key)
    if known is not None:
        return known
    with queue.turn(Lane.LONG, f"{model.name} waits to average maps"):
        result = _computed(dataset, chosen, model, of, scale)
    _cache().put(key, result)
    return result


def _computed(dataset: Dataset, chosen: Chosen, model: Predictor, of: str, scale: Scale) -> AverageMap:
    classes = None if of == ANSWER else chosen.labels if of == LABEL else index_of(of)
    bar = st.progress(0.0, f"{model.name}: averaging maps")

    def report(progress: Progress) -> None:
        total = progress.total or 1
        bar.progress(progress.done / total, f"{model.name}: {progress.done:,} of {plural(total, 'face')}")

    faces = np.asarray(dataset.images[chosen.rows])
    result = average(model.explain, faces, classes, scale=scale, progress=report)
    bar.empty()
    return result


def _grid(found: Mapping[str, AverageMap], models: list[Predictor], of: str, scale: Scale) -> str:
    """The mean face, then each model's average map over its own mean face."""
    first = next(iter(found.values()))
    cells = []
    if first.n:
        plain = map_on_face(_grey(first.mean_face), np.zeros((1, 1)), size=SIDE)
        cells.append(_figure(picture_uri(plain), f"Mean of {plural(first.n, 'face')}.", "<b>mean face</b>"))
    top = max(float(one.mean.max()) for one in found.values())
    for name, one in found.items():
        words = f"<b>{html.escape(name)}</b>, n = {plural(one.n, 'face')}"
        if not one.n:
            words += f"<br>{html.escape(one.sentence())}"
            cells.append(f'<div style="width:{SIDE}px;max-width:100%;font-size:0.875rem">{words}</div>')
            continue
        if one.left_out:
            words += f"; {one.left_out:,} left out, since the map is empty or flat"
        picture = map_on_face(_grey(one.mean_face), one.mean, top=top if scale == "peak" else None, size=SIDE)
        alt = f"{name}, mean over {plural(one.n, 'face')}: {describe_overlay(one.mean, of)}"
        height, width = one.mean.shape
        words += f"<br>{height}×{width} cells, strongest {one.mean.max():.2f}."
        blob = _with_blob(one)
        if blob is not None:
            words += f" Rank correlation with a round blob: {blob:.2f}."
        if (coarse := coarseness((height, width))) is not None:
            words += f" {html.escape(coarse)}"
        cells.append(_figure(picture_uri(picture), alt, words))
    waiting = "".join(
        f'<div style="width:{SIDE}px;max-width:100%;font-size:0.875rem"><b>{html.escape(model.name)}</b><br>'
        "Averaging …</div>"
        for model in models
        if model.name not in found
    )
    most = f"{top:.2f}, the strongest of all models shown" if scale == "peak" else "the strongest cell of that model"
    unit = "0 to 1 of a face's strongest cell" if scale == "peak" else "on the scale of the logit"
    return (
        '<div style="font-size:0.875rem;display:flex;align-items:center;gap:0.5em;flex-wrap:wrap;margin-bottom:0.6em">'
        f'<span>Colour ({unit}): 0</span><img alt="Colour scale, from no colour to bright yellow" '
        f'src="{picture_uri(colour_scale())}" style="height:14px;width:180px;max-width:100%"><span>{most}</span></div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:1rem">{"".join(cells)}{waiting}</div>'
    )


def _figure(uri: str, alt: str, words: str) -> str:
    return (
        f'<figure style="margin:0;width:min({SIDE}px, calc(50% - 0.5rem))"><img alt="{html.escape(alt, quote=True)}" '
        f'src="{uri}" style="width:100%;aspect-ratio:1;display:block"><figcaption style="font-size:0.8rem;'
        f'line-height:1.35;margin-top:0.3em">{words}</figcaption></figure>'
    )


def _grey(mean_face: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    return np.clip(np.rint(mean_face), 0, 255).astype(np.uint8)


def _with_blob(one: AverageMap) -> float | None:
    """Rank correlation with a round blob, −1 to 1; None for a map without an order."""
    value = rank_correlation(one.mean, centre_map())
    return None if np.isnan(value) else value


def _is_mine(name: str) -> bool:
    return name.startswith(AVERAGE)


@st.cache_resource(show_spinner=False)
def _cache() -> ResultCache[AverageMap]:
    """10 KB each."""
    return ResultCache(400)
