"""Live: who answers, what is drawn, how calm it is. All of it may be changed while the camera runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from fer_core.emotions import NAMES
from fer_core.errors import RunError
from fer_core.formatting import percent
from fer_core.inference.detectors import FaceDetector
from fer_core.inference.predictor import Predictor
from fer_core.inference.stream.draw import Style
from fer_core.inference.stream.live import StreamPlan
from fer_core.inference.stream.pipeline import StreamSettings
from fer_core.inference.stream.thresholds import unsure_below
from fer_core.inference.vote import VotePredictor
from fer_core.runs.listing import ModelInfo
from fer_core.runs.vote import read_vote
from pages.parts import linked, messages
from pages.parts.live.camera import Facing
from pages.parts.models import folder_of, open_info
from pages.parts.runs import MOST, first_choice
from pages.parts.vote import seals

PREFIX = "live."
"""Stands before all names in the address of Live: see ``pages/parts/scope.py`` for why pages have names of their own.
"""
MODEL, LEAD, MAP, FACE_DETAILS = PREFIX + "model", PREFIX + "lead", PREFIX + "map", PREFIX + "beside"
FACING, MIRROR, SMOOTHING, UNSURE = PREFIX + "camera", PREFIX + "mirror", PREFIX + "smoothing", PREFIX + "unsure"

ALL = "All"
MAP_OFF, MAP_SHOWN = "Off", "What it says"
BARS, ANSWERS, NOTHING = "Bars", "Every answer", "Nothing"
LIMITS = ("Never", "70 %", "75 %", "80 %", "85 %")


def choose_facing() -> Facing:
    """Which camera of a phone; another choice counts from the next start on."""
    return Facing(
        linked.segmented_control(
            "Camera",
            [str(facing) for facing in Facing],
            key=FACING,
            help="On a phone. While it runs, press Stop and start again.",
            label_visibility="collapsed",
        )
    )


@dataclass(frozen=True)
class Running:
    """The models that run, and the one whose answer stands on the frame unless another is chosen (None: no model)."""

    models: dict[str, Predictor]
    lead: str | None


def choose_live_models(infos: Sequence[ModelInfo]) -> Running:
    """The switch: one model, a vote, or all. One that cannot be opened is named, and left out."""
    if not infos:
        return Running({}, None)
    by_name = {info.name: info for info in infos}
    options = [ALL, *by_name] if len(by_name) > 1 else list(by_name)
    chosen = linked.run(
        "Who answers",
        options,
        {info.name: info.display_name for info in infos},
        draw=_pills,
        key=MODEL,
        says="There is no model called {asked} here.",
        help=f"{ALL} runs up to {MOST} models, your newest among them, and every vote that needs no others.",
    )
    if chosen is not None and chosen != ALL:
        models = _open([by_name[chosen]])
        return Running(models, next(iter(models), None))
    # Each frame waits for every one of them.
    models = _open(first_choice([info for info in infos if not info.is_vote]))
    models |= _open([info for info in infos if info.is_vote and _needs_no_other(info, models)])
    if not models:
        return Running({}, None)
    votes = [name for name, model in models.items() if isinstance(model, VotePredictor)]
    return Running(models, votes[0] if votes else next(iter(models)))


def _pills(label: str, options: Sequence[str], **more: Any) -> str:
    return str(st.pills(label, options, required=True, **more))


def _needs_no_other(info: ModelInfo, models: dict[str, Predictor]) -> bool:
    """Whether a vote asks only models that run anyway, so that it costs next to nothing."""
    try:
        return {member.name for member in read_vote(info.folder).asked} <= set(map(folder_of, models.values()))
    except RunError as error:
        st.warning(messages.told(error), icon=":material/broken_image:")
        return False


def _open(infos: Sequence[ModelInfo]) -> dict[str, Predictor]:
    predictors = {}
    for info in infos:
        try:
            predictors[info.display_name] = open_info(info).called(info.display_name)
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
    return predictors


@dataclass(frozen=True)
class LiveDisplay:
    """What is drawn. ``lead``: whose answer, map and timeline, None without a model. ``map``: one of the choices."""

    lead: str | None
    map: str
    face_details: str
    mirrored: bool


def choose_look(running: Running, facing: Facing) -> LiveDisplay:
    """What is drawn on the picture, in one row. Only the front camera is a mirror; bars stand beside the picture."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="live-look"):
        lead = running.lead
        if len(running.models) > 1:
            shows = {folder_of(model): name for name, model in running.models.items()}
            lead = linked.run(
                "Drawn on the picture",
                list(shows),
                shows,
                list(shows.values()).index(str(running.lead)),
                key=LEAD,
                width=230,
                help="Whose box, bars, map and timeline you see. The table beside the picture has all models.",
            )
            lead = shows[str(lead)]
        no_model = lead is None
        whose = linked.selectbox(
            "Map on the face",
            (MAP_OFF, MAP_SHOWN, *NAMES),
            key=MAP,
            width=170,
            disabled=no_model,
            help="Where the model sees signs of an expression (Grad-CAM). Bright: much. "
            f"“{MAP_SHOWN}” follows its answer.",
        )
        face_details = linked.segmented_control(
            "Beside each face",
            (NOTHING, BARS, ANSWERS),
            key=FACE_DETAILS,
            disabled=no_model,
        )
        mirrored = facing is Facing.FRONT and linked.toggle("Mirror", True, key=MIRROR, help="As in a mirror.")
    if lead is not None and whose != MAP_OFF and not running.models[lead].has_maps:
        st.caption(f"There are no class maps for {lead}'s head.")
    elif lead is not None and whose != MAP_OFF:
        height, width = running.models[lead].map_grid
        st.caption(
            f"{lead}'s map has {height}×{width} cells over the whole face, so it cannot point at anything smaller than "
            "one of them. Explain tests how far it can be trusted."
        )
    return LiveDisplay(lead, whose, face_details, mirrored)


def choose_plan(running: Running, look: LiveDisplay, infos: Sequence[ModelInfo], detector: FaceDetector) -> StreamPlan:
    """How calm it is, and all choices together."""
    with st.container():
        smoothing_s = linked.slider(
            "Smoothing (seconds)",
            0.0,
            2.0,
            StreamSettings.smoothing_s,
            0.1,
            key=SMOOTHING,
            help="Of a change that lasts, 63 % shows after this time, 95 % after three times as long. "
            "0 shows every frame as it is.",
        )
        aim = linked.select_slider(
            "Say “unsure” unless answers so sure were right at least this often",
            LIMITS,
            value="75 %",
            key=UNSURE,
            help="How sure that is was read off each model's answers on PublicTest, never on the camera.",
        )
        limits = _limits(running, infos, aim)
        if limits:
            thresholds_text = ", ".join(f"{name} {percent(limit, 0)}" for name, limit in limits.items())
            st.caption(f"An answer is shown from this probability on: {thresholds_text}.")
    settings = StreamSettings(
        smoothing_s=float(smoothing_s),
        unsure_below=limits,
        map_model=look.lead if look.map != MAP_OFF else None,
        map_class=NAMES.index(look.map) if look.map in NAMES else None,
    )
    style = Style(
        model=look.lead,
        bars=look.face_details == BARS,
        answers=look.face_details == ANSWERS,
        show_map=look.map != MAP_OFF,
        mirrored=look.mirrored,
    )
    return StreamPlan(running.models, detector, settings, style)


def _limits(running: Running, infos: Sequence[ModelInfo], aim: str) -> dict[str, float]:
    """Of each model, the least probability to show; a damaged table of predictions is named."""
    if aim == LIMITS[0]:
        return dict.fromkeys(running.models, 0.0)
    sealed = {info.display_name: seals(info.folder) for info in infos if info.display_name in running.models}
    limits = {}
    for name, model in running.models.items():
        try:
            limits[name] = _limit(str(model.path), sealed[name], float(aim.removesuffix(" %")) / 100, model)
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
    return limits


@st.cache_data(show_spinner=False, max_entries=128)
def _limit(path: str, sealed: tuple[int, ...], accuracy: float, _model: Predictor) -> float:
    """Keyed by model file, when its ``run.json`` was written, and aim."""
    return unsure_below(_model, accuracy=accuracy)
