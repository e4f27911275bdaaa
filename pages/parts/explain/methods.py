"""The Methods tab: the same question to several methods. Do they agree, and which of them pass the test?"""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.emotions import NAMES, index_of
from fer_core.errors import BusyError, FerError
from fer_core.explain import layers
from fer_core.explain.base import at_face_size
from fer_core.explain.baselines import centre_map
from fer_core.explain.blank_maps import coarseness, why_blank
from fer_core.explain.faithfulness import QUICK
from fer_core.explain.map_agreement import rank_correlations
from fer_core.explain.methods import CLASS_MAP, GRADCAM_PP, LAYERCAM, METHODS, OCCLUSION, RISE, Method
from fer_core.explain.occlusion import USUAL_PATCH, USUAL_STRIDE
from fer_core.explain.rise import USUAL_MASKS
from fer_core.explain.trust import Judgement
from fer_core.formatting import percent, plural
from fer_core.inference.predictor import Predictor
from fer_core.plots.faces import describe_overlay
from fer_core.plots.maps import map_on_face
from fer_core.runs.folder import RunFolder
from pages.parts import linked, messages, queue
from pages.parts.chosen_face import PREFIX, ChosenFace
from pages.parts.explain import method_maps as maps
from pages.parts.explain import sanity as explain_sanity
from pages.parts.explain import tab_memory, trust, worker
from pages.parts.explain.method_maps import Cell, Drawn, Options
from pages.parts.face_answers import Answer, answers, picture_uri
from pages.parts.faces import label_words
from pages.parts.models import folder_of

FOR, PATCH, STRIDE, MASKS = (PREFIX + name for name in ("for", "patch", "stride", "masks"))
"""Names in the address; a method's is ``explain.by.<name>``, a model's layer ``explain.layer.<name>``."""
BY, LAYER = PREFIX + "by.", PREFIX + "layer."
_MINE = (FOR, PATCH, STRIDE, MASKS, explain_sanity.MODEL, explain_sanity.METHOD)
METHODS_TAB = "Methods"
ANSWER, LABEL = "each model's answer", "the label"
FIRST = (CLASS_MAP, GRADCAM_PP, LAYERCAM, OCCLUSION)
"""Chosen where the address says nothing: cheap ones that look in different ways."""
SIDE = 160
"""Pixels of a map on the page, or more: two beside each other on a phone."""


def show(about: ChosenFace | None, models: list[Predictor], is_open: bool) -> None:
    """The tab. Closed, it draws nothing; opened again, it is as it was left."""
    if not is_open or about is None:
        return
    tab_memory.come_back(METHODS_TAB, _is_mine)
    st.markdown(
        "A map is one method's opinion. Ask several: where they agree, and pass the test, you may believe them more. "
        "Each map is tested on this face, as on the first tab."
    )
    wanted, methods, at, options = _controls(models)
    body, below = st.container(), st.container()
    with below:
        sanity_of = explain_sanity.controls(models)
    tab_memory.remember(METHODS_TAB, _is_mine)
    with body:
        if not models:
            st.info("Choose at least one model above.", icon=":material/info:")
            return
        if wanted == LABEL and about.label is None:
            st.caption("Nobody gave this face a label, so the maps are those of each model's answer.")
        rows = []
        for answer in answers(about, models):
            label = _label(wanted, about, answer)
            rows.append(
                (answer, label, maps.plan_maps(about, answer, label, methods, at.get(answer.name, ""), options))
            )
        cells = [cell for _, _, row in rows for cell in row]
        sanity = explain_sanity.plan_check(
            about, {answer.name: (answer, label) for answer, label, _ in rows}, sanity_of, at
        )
        _draw(about, cells)
        asked = [cell.asked for cell in cells if cell.asked is not None]
        worker.progress_panel([*asked, *([sanity] if sanity is not None else [])])
        for answer, label, row in rows:
            _row(about, answer, label, row)
        st.caption(
            "Colour: the strongest cell of each map, since every method counts in its own units. Occlusion and RISE "
            "also find what speaks against an expression; only what speaks for it is drawn, and all of it is tested. "
            f"Tested quickly, with {QUICK.orders} random orders of the same grid."
        )
        _agreement(about, rows)
    with below:
        explain_sanity.show(about, sanity, sanity_of)


def _is_mine(name: str) -> bool:
    return name in _MINE or name.startswith((BY, LAYER))


def _controls(models: Sequence[Predictor]) -> tuple[str, list[Method], dict[str, str], Options]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="methods-controls"):
        wanted = linked.selectbox("Maps of", (ANSWER, LABEL, *NAMES), key=FOR, width=240)
        with st.popover("Layer", icon=":material/layers:"):
            at = _layers(models)
        with st.popover("Occlusion and RISE", icon=":material/tune:"):
            options = _options()
    chosen = []
    with st.container(horizontal=True, key="methods-choice"):
        for one in METHODS.values():
            cost = f"{options.predictions(one.name):,} predictions" if one.where == "litert" else one.cost
            about = f"{one.shows} Costs {cost}. [{one.paper}]({one.url})"
            if linked.checkbox(one.title, one.name in FIRST, key=BY + one.name, help=about):
                chosen.append(one)
    return wanted, chosen, at, options


def _layers(models: Sequence[Predictor]) -> dict[str, str]:
    """The chosen layer of each model by its name; the last one where it has none to choose from."""
    st.caption(
        "Grad-CAM, Grad-CAM++, LayerCAM and ScoreCAM look at one layer. Early layers have finer cells and know less "
        "about expressions; the last one is what the answer is made from. Saliency and SmoothGrad look at the pixels."
    )
    chosen = {}
    for model in models:
        folder = RunFolder(model.path.parent)
        if folder.is_vote:
            st.caption(f"{model.name} is a vote: it has no layers of its own.")
            continue
        try:
            description = folder.description()
            rows = {row.name: row for row in reversed(layers.spatial_layers(description))}
            first = layers.default_layer(description)
        except FerError as error:
            st.warning(messages.told(error), icon=":material/layers_clear:")
            continue
        named = {name: layers.layer_text(row) for name, row in rows.items()}
        chosen[model.name] = linked.selectbox(
            f"Layer of {model.name}",
            list(rows),
            list(rows).index(first),
            format_func=named.__getitem__,
            key=LAYER + folder_of(model),
        )
    return chosen


def _options() -> Options:
    patch = linked.select_slider(
        "Occlusion: side of the square (pixels of 48)", (4, 6, 8, 12, 16), USUAL_PATCH, key=PATCH
    )
    stride = linked.select_slider(
        "Occlusion: from one square to the next (pixels)", (1, 2, 3, 4, 6, 8), USUAL_STRIDE, key=STRIDE
    )
    masks = linked.select_slider("RISE: random masks", (500, 1000, 2000, 4000, 8000), USUAL_MASKS, key=MASKS)
    if stride > patch:
        st.caption(f"Squares must touch: steps of {patch} pixels are taken.")
    options = Options(patch, min(stride, patch), masks)
    st.caption(
        f"Occlusion asks each model {options.predictions(OCCLUSION):,} times, RISE {options.predictions(RISE):,}."
    )
    return options


def _label(wanted: str, about: ChosenFace, answer: Answer) -> int:
    if wanted == LABEL and about.label is not None:
        return about.label
    return answer.predicted if wanted in (ANSWER, LABEL) else index_of(wanted)


def _draw(about: ChosenFace, cells: Sequence[Cell]) -> None:
    """The button. What it starts goes on by itself: gradients in the worker, the rest on a thread."""
    left = maps.missing(cells)
    coming = sum(cell.asked is not None for cell in cells) - len(left)
    if st.button(
        f"Draw {plural(len(left), 'map')}" if left else "Every map is drawn or on its way",
        type="primary",
        icon=":material/draw:",
        disabled=not left,
        key="draw-maps",
        help=f"{coming:,} of the others are drawn or on their way." if left and coming else None,
    ):
        try:
            maps.request_maps(about, left)
        except BusyError as error:
            queue.say_busy(error)
        else:
            st.rerun()


def _row(about: ChosenFace, answer: Answer, label: int, cells: Sequence[Cell]) -> None:
    """One model's maps beside each other, as one piece of HTML."""
    judged = maps.verdicts(about, cells)
    summary = f"Says {label_words(answer.predicted)}, {percent(answer.probabilities[answer.predicted])}"
    summary += ": maps of this answer." if label == answer.predicted else "."
    if label != answer.predicted:
        summary += f" Maps of {NAMES[label]}, {percent(answer.probabilities[label])}."
    figures = "".join(_figure(about, cell, judged.get(cell.method.name)) for cell in cells)
    with st.container(key=f"methods-{answer.name}"):
        st.html(
            f'<section aria-label="{html.escape(answer.name, quote=True)}, by method">'
            f'<h2 style="font-size:1.1rem;padding:0;margin:0.4em 0 0.1em">{html.escape(answer.name)}</h2>'
            f'<p style="margin:0 0 0.5em;font-size:0.9rem">{summary}</p>'
            f'<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax({SIDE}px,1fr));gap:1rem">'
            f"{figures or 'Choose a method above.'}</div></section>"
        )


def _figure(about: ChosenFace, cell: Cell, judged: Judgement | None) -> str:
    found, name = maps.drawn(about, cell), NAMES[cell.label]
    below = ""
    why = None if found is None else why_blank(found.values, model=cell.answer.name, emotion=name)
    if found is None or why is not None:
        seen = (
            '<div style="aspect-ratio:1;border:1px dashed #7F7F8F;padding:0.8em;font-size:0.85rem;overflow:auto">'
            f"{html.escape(why or maps.why_not(cell))}</div>"
        )
    else:
        positive = np.maximum(found.values, 0)
        alt = html.escape(f"{cell.answer.name}, {cell.method.title}: {describe_overlay(positive, name)}", quote=True)
        picture = picture_uri(map_on_face(about.image, positive))
        seen = f'<img alt="{alt}" src="{picture}" style="width:100%;aspect-ratio:1;display:block">'
        below = _words(found, judged)
    return (
        f'<figure style="margin:0">{seen}'
        f'<figcaption style="font-size:0.875rem;line-height:1.35;margin-top:0.3em"><b>{cell.method.title}</b>{below}'
        "</figcaption></figure>"
    )


def _words(found: Drawn, judged: Judgement | None) -> str:
    height, width = found.values.shape
    cells = (
        f", {height}×{width} cells"
        if found.values.shape == found.grid
        else f", from a grid of {found.grid[0]}×{found.grid[1]}"
    )
    verdict = ""
    if judged is not None:
        sentences = html.escape(" ".join(judged.sentences))
        verdict = f'{trust.badge(judged)}<div style="font-size:0.8rem">{sentences}</div>'
    notes = " ".join(filter(None, (coarseness((height, width)), found.note)))
    return f'{cells}{verdict}<div style="font-size:0.8rem;opacity:0.8">{html.escape(notes)}</div>'


def _agreement(about: ChosenFace, rows: Sequence[tuple[Answer, int, Sequence[Cell]]]) -> None:
    """Rank correlation between the methods of each model, and with a round blob."""
    tables = {}
    for answer, label, cells in rows:
        there = {
            cell.method.title: found.values
            for cell in cells
            if (found := maps.drawn(about, cell)) is not None and why_blank(found.values) is None
        }
        if len(there) > 1:
            tables[f"{answer.name}: {NAMES[label]}"] = there
    if not tables:
        return
    st.header("Do the methods agree?", anchor=False)
    st.markdown(
        "Rank correlation of each two maps of the same model: 1 the same order of all pixels, 0 no relation, −1 the "
        f"reverse. The last column is a {trust.BLOB} in the middle, which knows nothing: agreeing with each "
        "other no more than with it says little."
    )
    for (title, there), place in zip(tables.items(), _places(len(tables)), strict=True):
        stacked = np.concatenate([at_face_size(one) for one in there.values()])
        matrix = rank_correlations(np.concatenate([stacked, centre_map()[np.newaxis]]))
        names = (*there, trust.BLOB)
        table = pd.DataFrame(matrix[:-1], columns=list(names))
        table.insert(0, title, list(there))
        with place:
            st.dataframe(
                table,
                hide_index=True,
                column_config={name: st.column_config.NumberColumn(format="%.2f") for name in names},
                alt=f"Rank correlation, −1 to 1, of the maps of {title} by each two methods.",
            )


def _places(n: int) -> list[DeltaGenerator]:
    columns = st.columns(2, gap="medium") if n > 1 else [st.container()]
    return [columns[number % len(columns)] for number in range(n)]
