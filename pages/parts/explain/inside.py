"""The tab Look inside: what a model has learned to look for, and what a face sets off in each of its layers."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.errors import BusyError, ExplainError, RunError
from fer_core.explain.inside import Inside, LayerResponse, read_inside
from fer_core.explain.task import DONE
from fer_core.explain.worker.messages import (
    ActivationsRequest,
    InsideRequest,
    activations_request,
    inside_request,
)
from fer_core.formatting import percent, plain, plural
from fer_core.inference.predictor import Predictor
from fer_core.plots.inside import channel_picture, kernel_picture
from fer_core.runs.folder import RunFolder
from pages.parts import access, linked, messages, queue
from pages.parts.chosen_face import PREFIX, ChosenFace
from pages.parts.explain import tab_memory, worker
from pages.parts.face_answers import Seal, cache_key, picture_uri
from pages.parts.faces import data_uri
from pages.parts.models import choose_one

MODEL, KERNELS = PREFIX + "inside", PREFIX + "inside.kernels"
INSIDE = "Look inside"
SURE = 0.9
"""From this probability on a model is said to be sure."""
ALL = 0.99
"""Above it, whole per cents would say 100."""


def show(about: ChosenFace | None, models: list[Predictor], is_open: bool) -> None:
    """The tab. Closed, it draws nothing; opened again, it is as it was left."""
    if not is_open:
        return
    tab_memory.come_back(INSIDE, (MODEL, KERNELS).__contains__)
    with_layers = {model.name: model for model in models if not RunFolder(model.path.parent).is_vote}
    if not with_layers:
        st.info("Choose at least one model that is no vote above: a vote has no layers.", icon=":material/info:")
        return
    top = st.container()
    name = choose_one("Inside of", list(with_layers.values()), MODEL, width=260)
    tab_memory.remember(INSIDE, (MODEL, KERNELS).__contains__)
    folder = RunFolder(with_layers[name].path.parent)
    with top:
        asked: list[worker.Asked] = [*_ideals(folder, name, cache_key(with_layers[name])), *_layers(folder, about)]
    if asked:
        worker.progress_panel(asked)


def _ideals(folder: RunFolder, called: str, seal: Seal) -> list[InsideRequest]:
    """The seven ideal pictures and the first kernels; returns what the worker is or may be asked for."""
    st.markdown(
        f"**The picture that {plain(called)} would call most …**",
        help="Activation maximisation: a drawn face is changed, pixel by pixel, so that the model's score for one "
        "expression rises, again and again. What comes out is what the model looks for, not what a face looks like.",
    )
    try:
        request = None
        found: Inside | None = _kept(seal)
        if found is None:
            request = inside_request(folder)
            found = _answer(request)
    except (ExplainError, RunError) as error:
        st.warning(messages.told(error), icon=":material/layers_clear:")
        return []
    if found is None:
        if request is not None:
            _ask(request, "Make these pictures", "Takes the worker about a minute, minutes for a large model.")
            return [request]
        return []
    figures = "".join(
        _figure(data_uri(picture), f"The picture that is most {label} to {called}.", label, percent(share, 0))
        for label, picture, share in zip(NAMES, found.ideals, np.diag(found.probabilities), strict=True)
    )
    st.html(_grid(figures, 96))
    st.markdown(sentence(called, found))
    with linked.expander("What its first layer looks for", key=KERNELS, icon=":material/grid_on:") as box:
        if box.open:
            st.caption(
                f"The {plural(len(found.kernels), 'kernel')} of {plain(found.layer)}: each is laid over every place of "
                "the face, and answers where light and dark are as in it. Most find edges, spots or bars."
            )
            uri = data_uri(kernel_picture(found.kernels))
            st.html(f'<img alt="The kernels of {html.escape(found.layer)}" src="{uri}" style="max-width:100%">')
    return [] if request is None else [request]


def sentence(name: str, found: Inside) -> str:
    """What the seven pictures show, in one sentence."""
    shares = np.diag(found.probabilities)
    sure = int((shares >= SURE).sum())
    if sure == len(NAMES):
        least = f"at least {percent(shares.min(), 0)}" if shares.min() < ALL else f"over {percent(ALL, 0)}"
        return (
            f"**{plain(name)} is {least} sure of each of these pictures**, though no photograph ever looked like them: "
            "being sure needs no real face."
        )
    hardest = int(shares.argmin())
    return (
        f"**{plain(name)} is sure of {sure} of these {len(NAMES)} pictures**; the hardest to make is {NAMES[hardest]}, "
        f"which it gives {percent(shares[hardest], 0)}."
    )


def _layers(folder: RunFolder, about: ChosenFace | None) -> list[ActivationsRequest]:
    """What the face sets off; returns what the worker is or may be asked for."""
    st.markdown(
        "**What this face sets off, layer by layer**",
        help="A channel is one kernel's answer at each place. Early layers answer to edges, late ones to parts of "
        "faces; shown are the channels that answer most, bright where they do.",
    )
    if about is None:
        return []
    try:
        request = activations_request(folder, about.image)
    except ExplainError as error:
        st.warning(messages.told(error), icon=":material/layers_clear:")
        return []
    found: list[LayerResponse] | None = _answer(request)
    if found is None:
        _ask(request, "Look at the layers", "Needs TensorFlow in a process of its own; seconds, once it runs.")
        return [request]
    rows = "".join(_layer_row(one) for one in found)
    st.html(rows)
    first, last = found[0], found[-1]
    st.markdown(
        f"Of {last.name}'s {last.channels:,} channels {last.silent:,} are silent on this face, of {first.name}'s "
        f"{first.channels:,} {first.silent:,}: the later the layer, the more its channels wait for something special."
        if last.silent / last.channels > first.silent / first.channels
        else f"Of {last.name}'s {last.channels:,} channels {last.silent:,} are silent on this face, of {first.name}'s "
        f"{first.channels:,} {first.silent:,}."
    )
    return [request]


def _layer_row(one: LayerResponse) -> str:
    height, width = one.maps.shape[1:]
    figures = "".join(
        _figure(
            picture_uri(channel_picture(values)),
            f"Channel {number} of {one.name}",
            f"channel {number}",
            "",
        )
        for number, values in zip(one.picked, one.maps, strict=True)
    )
    title = f"{html.escape(one.name)}, {height}×{width} cells, {one.channels:,} channels"
    return f'<section aria-label="{title}"><div style="font-size:0.875rem">{title}</div>{_grid(figures, 72)}</section>'


def _figure(uri: str, alt: str, name: str, share: str) -> str:
    return (
        f'<figure style="margin:0"><img alt="{html.escape(alt, quote=True)}" src="{uri}" style="width:100%;'
        f'aspect-ratio:1;display:block"><figcaption style="font-size:0.8rem;line-height:1.3">{name} {share}'
        "</figcaption></figure>"
    )


def _grid(figures: str, least: int) -> str:
    return (
        f'<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax({least}px,1fr));gap:0.5rem;'
        f'margin-bottom:0.6rem">{figures}</div>'
    )


def _ask(request: InsideRequest | ActivationsRequest, label: str, cost: str) -> None:
    """The button that has the worker do it, and what stands in the way."""
    task = worker.find_task(request)
    no_room = worker.worker().no_room()
    if task is not None and not task.over:
        st.caption(worker.place_words(task))
        return
    if task is not None and task.message:
        st.caption(messages.words(task.message))
    if st.button(label, icon=":material/visibility:", help=cost, disabled=bool(no_room), key=f"inside-{label}"):
        try:
            worker.worker().submit(request, access.person().token)
        except BusyError as error:
            queue.say_busy(error)
        else:
            st.rerun()
    if no_room:
        st.caption(f"{no_room}")


def _answer(request: InsideRequest | ActivationsRequest) -> Any:
    """What the worker answered, or None."""
    task = worker.find_task(request)
    return task.result(0) if task is not None and task.stage == DONE else None


@st.cache_resource(show_spinner=False, max_entries=32)
def _kept(seal: Seal) -> Inside | None:
    """What is kept with the run, by its seal."""
    return read_inside(RunFolder(Path(seal[0])))
