"""Photo: the faces of the open picture, a few at once, each with every model's answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.formatting import plain
from fer_core.inference.pictures import Reading
from fer_core.inference.vote import VotePredictor
from fer_core.plots.faces import describe_overlay, overlay
from pages.parts import chosen_face, probability_bars
from pages.parts.detection import Answering
from pages.parts.faces import enlarged, label_words
from pages.parts.photo.input import Seen

AT_ONCE = 4
"""Faces drawn at once: each has a figure for every model, and a browser draws some tens of figures a second."""
SIDE = 96
"""Pixels of a face on the page."""
MODEL_WIDTH = 290
"""Pixels that a model gets: four beside each other on a large screen, one on a phone."""


def turn_to(one: Seen, index: int) -> None:
    """Show the faces around face ``index``, from 0."""
    st.session_state[_page_key(one)] = index // AT_ONCE


def show(one: Seen, reading: Reading, models: Sequence[Answering], *, maps: bool) -> None:
    """The faces of one page, and the way to the others."""
    pages = -(-len(reading.faces) // AT_ONCE)
    page = min(int(st.session_state.get(_page_key(one), 0)), pages - 1)
    first, end = page * AT_ONCE, min((page + 1) * AT_ONCE, len(reading.faces))
    if pages > 1:
        _steps(one, page, pages, f"Faces {first + 1} to {end} of {len(reading.faces)}, the largest first", "above")
    for index in range(first, end):
        with st.container(border=True, key=f"face-{one.key}-{index}"):
            _face(one, reading, index, models, maps=maps)
    if maps and models:
        st.caption(
            "In the pictures, bright is what speaks for the model's answer. A map has no more cells than are told with "
            "it, and is smoothed between them. How strong it is cannot be compared between models."
        )
    if pages > 1:
        _steps(one, page, pages, "", "below")


def _face(one: Seen, reading: Reading, index: int, models: Sequence[Answering], *, maps: bool) -> None:
    crop = reading.crops[index]
    key = f"{one.key}-{index}"
    answers = {name: rows[index] for name, rows in reading.answers.items()}
    lead = _lead(models)
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=SIDE):
            st.markdown(f"**Face {index + 1}**")
            st.image(
                enlarged(crop, SIDE),
                caption="48×48 pixels, as a model sees it",
                alt=f"Face {index + 1}, cropped, grey, 48×48 pixels, enlarged.",
            )
            if st.button(
                "Explain",
                icon=":material/psychology_alt:",
                key=f"explain-{key}",
                help="Why each model says so, and what would change its mind",
            ):
                chosen_face.open_own_face(crop, f"{one.name}, face {index + 1}")
        if lead is not None:
            with st.container(width="stretch"):
                _says(lead, answers[lead])
                st.html(probability_bars.large(answers[lead], answer=int(answers[lead].argmax()), alt=f"By {lead}"))
    for name, row in answers.items():
        if name != lead:
            _says(name, row)
    if not answers:
        return
    with st.expander("Every model's bars and numbers", expanded=maps), st.container(horizontal=True, gap="medium"):
        for model, _ in models:
            probabilities = answers[model.name]
            best = int(probabilities.argmax())
            with st.container(width=MODEL_WIDTH):
                st.markdown(f"**{model.name}:** {label_words(best)}, {probabilities[best] * 100:.0f} %")
                alt = f"Probabilities by {model.name}, in per cent"
                st.html(probability_bars.table({model.name: probabilities}, alt=alt))
                if maps and not model.has_maps:
                    st.caption("There are no class maps for this model's head.")
                elif maps:
                    class_map = one.explain(model)[1][index, best]
                    height, width = class_map.shape
                    st.image(
                        overlay(crop, class_map, size=2 * SIDE),
                        width=2 * SIDE,
                        caption=f"What speaks for {NAMES[best]}: {height}×{width} cells",
                        alt=f"{model.name}: {describe_overlay(np.asarray(class_map), NAMES[best])}",
                    )
        with st.container():
            table = pd.DataFrame(
                {name: row * 100 for name, row in answers.items()}, index=pd.Index(NAMES, name="Probability (%)")
            )
            st.dataframe(
                table.reset_index(),
                hide_index=True,
                column_config={name: st.column_config.NumberColumn(format="%.1f") for name in answers},
                key=f"numbers-{key}",
                alt=f"Probabilities of the seven expressions for face {index + 1}, in per cent.",
            )


def _lead(models: Sequence[Answering]) -> str | None:
    """Whose bars are large: a vote where one answers, else the first model."""
    votes = [model.name for model, _ in models if isinstance(model, VotePredictor)]
    return votes[0] if votes else models[0][0].name if models else None


def _says(name: str, probabilities: npt.NDArray[np.float32]) -> None:
    best = int(probabilities.argmax())
    st.markdown(f"**{plain(name)}:** {label_words(best)}, {probabilities[best] * 100:.0f} %")


def _steps(one: Seen, page: int, pages: int, words: str, place: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"face-steps-{place}"):
        for label, icon, target in (
            ("Larger faces", ":material/chevron_left:", page - 1),
            ("Smaller faces", ":material/chevron_right:", page + 1),
        ):
            st.button(
                label,
                icon=icon,
                disabled=not 0 <= target < pages,
                on_click=_turn,
                args=(one, target),
                key=f"{label}-{place}",
            )
        if words:
            st.caption(words)


def _turn(one: Seen, page: int) -> None:
    st.session_state[_page_key(one)] = page


def _page_key(one: Seen) -> str:
    return f"_photo_page_{one.key}"
