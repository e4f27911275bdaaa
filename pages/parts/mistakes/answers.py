"""Mistakes: what each run says about one face, and where it looked: its answer, its maps, its seven probabilities."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.emotions import EMOTIONS, IMAGE_SIZE, NAMES
from fer_core.errors import RunError
from fer_core.formatting import percent, plain
from fer_core.inference.vote import VotePredictor
from fer_core.plots.faces import describe_overlay, overlay
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo
from pages.parts import messages, probability_bars
from pages.parts.charts import jpeg_uri
from pages.parts.models import open_model
from pages.parts.scope import View
from pages.parts.vote import seals

SIDE = 96
"""Pixels of one map."""
WIDTH = 250
"""Pixels of a run's probabilities."""
GREEN, RED = "#1a7f37", "#b3261e"
"""Behind white words, in either theme."""
_GRID = (
    "display:grid;grid-template-columns:repeat(auto-fit,minmax(64px,1fr));gap:4px 6px;font-size:0.78rem;"
    "line-height:1.35"
)
NO_LABEL = "In the maps, bright is what speaks for the expression below, each model's own answer."
BRIGHT = "In the maps, bright is what speaks for the expression below."
_TOLD = "font-size:0.78rem;opacity:0.75;margin-top:2px"
_CARD = "display:grid;grid-row:span 3;grid-template-rows:subgrid"
"""What is said, the first map, the second: each at the same height in all cards of a line."""

Maps = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Answers:
    """What the runs say about one face.

    ``label``: 0..6, the label that counts in this view, or the dataset's where the view leaves the face out; None where
    nobody labelled it. ``stored``: 0..6, the dataset's. ``probabilities``: float32 (K, 7). ``in_view``: whether
    the view has the face.
    """

    row: int
    label: int | None
    stored: int
    probabilities: npt.NDArray[np.float32]
    in_view: bool

    @property
    def predicted(self) -> list[int]:
        """Each run's answer."""
        return [int(label) for label in self.probabilities.argmax(axis=1)]


def answers_of(view: View, row: int) -> Answers | None:
    """What the runs say about a row of the split; None for a row of another one."""
    whole, aligned = view.scope.whole, view.scope.aligned
    at = int(np.searchsorted(whole.rows, row))
    if at == len(whole) or whole.rows[at] != row:
        return None
    stored = int(whole.labels[at])
    here = np.flatnonzero(view.scope.position == at)
    label = int(aligned.labels[here[0]]) if len(here) else stored
    if not view.labelled:
        return Answers(row, None, stored, whole.probabilities[:, at], bool(len(here)))
    return Answers(row, label, stored, whole.probabilities[:, at], bool(len(here)))


def show(view: View, answers: Answers) -> None:
    """One card a run: its answer, how sure it is, and its maps of the label, where there is one, and of its answer.

    Without the dataset there are no maps: they are made of the pixels.
    """
    face = None if view.dataset is None else np.asarray(view.dataset.images[answers.row]).tobytes()
    cards = []
    for info, predicted, row in zip(view.runs, answers.predicted, answers.probabilities, strict=True):
        about = _says(info.display_name, predicted, float(row[predicted]), answers.label)
        maps = "" if face is None else _maps(info, face, answers.label, predicted)
        called = html.escape(info.display_name)
        cards.append(f'<div role="group" aria-label="{called}" style="{_CARD}">{about}{maps}</div>')
    told = "" if face is None else f'<div style="{_TOLD}">{BRIGHT if view.labelled else NO_LABEL}</div>'
    st.html(f'<div class="fer-answers" style="{_GRID}">{"".join(cards)}</div>{told}')


def probabilities(view: View, answers: Answers) -> None:
    """How sure each run is of each class, and how the maps are to be read."""
    with st.container(horizontal=True, gap="medium", key="each-run"):
        for info, row in zip(view.runs, answers.probabilities, strict=True):
            with st.container(width=WIDTH):
                st.markdown(f"**{info.display_name}**")
                alt = f"Probabilities by {info.display_name}, in per cent"
                st.html(probability_bars.table({info.display_name: row}, label=answers.label, alt=alt))
    if view.dataset is not None:
        both = (
            "Both maps of a run share one scale, so you can compare how strong they are; those of different runs you "
            "cannot."
            if view.labelled
            else "Each map has a scale of its own, so you cannot compare how strong they are."
        )
        st.caption(
            f"In the maps above, bright is what speaks for the class named below. {both} A map has few cells (rest on "
            "it to see how many), and is smoothed between them."
        )


def _says(name: str, predicted: int, confidence: float, label: int | None) -> str:
    emotion, called, tick = EMOTIONS[predicted], html.escape(name).replace("augmentation", "augmen&shy;tation"), ""
    if label is not None:
        mark, words, colour = ("✓", "right", GREEN) if predicted == label else ("✗", "wrong", RED)
        tick = (
            f'<span style="background:{colour};color:#fff;border-radius:4px;padding:0 4px" title="{words}" role="img" '
            f'aria-label="{words}">{mark}</span> '
        )
    return (
        f'<div><div style="font-weight:600;overflow-wrap:anywhere;hyphens:auto">{called}</div>'
        f"<div>{tick}{emotion.name}</div>"
        f'<div title="Confidence: the probability that the model gives to its answer.">'
        f"{emotion.icon} {percent(confidence, 0)}</div></div>"
    )


def _maps(info: ModelInfo, face: bytes, label: int | None, predicted: int) -> str:
    """The map of the label, where there is one, and that of the answer below it; or why there are none."""
    if not info.has_model:
        return "<div>No maps: only its answers are here.</div>"
    try:
        if label is None and (now := _answers_now(str(info.path), seals(info.folder), face)) != predicted:
            # Answered elsewhere, perhaps by another model of this name, or by the mean over a mirrored face, too.
            return f"<div>No map: {html.escape(info.display_name)} says {NAMES[now]} here.</div>"
        return _drawn(info.display_name, str(info.path), seals(info.folder), face, label, predicted)
    except RunError as error:
        st.warning(f"No maps of {plain(info.display_name)}: {messages.told(error)}", icon=":material/broken_image:")
        return "<div>No maps.</div>"


@st.cache_data(show_spinner=False, max_entries=800)
def _drawn(name: str, path: str, sealed: tuple[int, ...], face: bytes, label: int | None, predicted: int) -> str:
    """HTML. Keyed by the pixels themselves."""
    maps = _explained(path, sealed, face)
    if maps[0].size == 1:
        return "<div>No maps: there are none for this model's head.</div>"
    pixels = np.frombuffer(face, dtype=np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)
    classes = [predicted] if label in (None, predicted) else [label, predicted]
    top = float(maps[classes].max())
    figures = []
    for emotion in classes:
        roles = " and ".join(role for role, of in (("label", label), ("answer", predicted)) if of == emotion)
        alt = f"{name}, {roles}: {describe_overlay(maps[emotion], NAMES[emotion])}"
        figures.append(_figure(jpeg_uri(overlay(pixels, maps[emotion], size=SIDE, top=top)), alt, emotion, roles))
    return "".join(figures)


def _figure(uri: str, alt: str, emotion: int, roles: str) -> str:
    words = html.escape(alt)
    return (
        f'<div><img src="{uri}" alt="{words}" title="{words}" style="width:100%;max-width:{SIDE}px;aspect-ratio:1;'
        f'display:block;border-radius:4px">{NAMES[emotion]}, {roles}</div>'
    )


@st.cache_data(show_spinner=False, max_entries=400)
def _answers_now(path: str, sealed: tuple[int, ...], face: bytes) -> int:
    """What a run says of a face, 0..6. Keyed by the pixels themselves."""
    image = np.frombuffer(face, dtype=np.uint8).reshape(1, IMAGE_SIZE, IMAGE_SIZE)
    return int(open_model(path, sealed).predict(image)[0].argmax())


@st.cache_data(show_spinner=False, max_entries=400)
def _explained(path: str, sealed: tuple[int, ...], face: bytes) -> Maps:
    """The seven maps of one face by one run, float32 (7, h, w). Keyed by the pixels themselves."""
    model = open_model(path, sealed)
    if isinstance(model, VotePredictor):
        # Its members are shown beside it, or were for another visitor: nobody asks them twice.
        members = [RunFolder(member.path.parent) for member, _ in model.members]
        maps = [_explained(str(member.path), seals(member), face) for member in members]
        return model.combine_maps([one[np.newaxis] for one in maps])[0]
    image = np.frombuffer(face, dtype=np.uint8).reshape(1, IMAGE_SIZE, IMAGE_SIZE)
    return model.explain(image)[1][0]
