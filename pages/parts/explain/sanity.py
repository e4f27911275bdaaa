"""The sanity check on the page: does a method's map depend on what the model has learned?"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.errors import BusyError, ExplainError
from fer_core.explain.methods import GRADCAM, METHODS, WORKER_METHODS
from fer_core.explain.sanity import Sanity, Verdict, judge_maps
from fer_core.explain.task import DONE
from fer_core.explain.worker.messages import SanityMaps, SanityRequest, sanity_request
from fer_core.formatting import plural
from fer_core.inference.predictor import Predictor
from fer_core.plots import sanity as plots
from fer_core.plots.maps import map_on_face
from fer_core.runs.folder import RunFolder
from pages.parts import access, linked, messages, queue
from pages.parts.charts import drawn
from pages.parts.chosen_face import PREFIX, ChosenFace
from pages.parts.explain import trust, worker
from pages.parts.face_answers import Answer, picture_uri
from pages.parts.models import choose_one

MODEL, METHOD = PREFIX + "sanity.model", PREFIX + "sanity.by"
SIDE = 112
WORDS: dict[Verdict, str] = {
    "passes": "✓ passes the sanity check",
    "care": "~ partly the face, not the model",
    "no": "✗ ignores the model",
    "untestable": "? cannot be tested",
}
_COLOURS = {"passes": "trust", "care": "care", "no": "no", "untestable": "untestable"}


@dataclass(frozen=True)
class Asked:
    """``model``: its name, empty where there is none to choose. ``method``: one of the worker's."""

    model: str
    method: str


def controls(models: Sequence[Predictor]) -> Asked:
    """The heading, what the check is, and which model and method it is about."""
    st.header("Sanity check: would an untrained model get the same picture?", anchor=False)
    st.markdown(
        "The model forgets: first its head gets the weights of an untrained model, then stage after stage follows, and "
        "each time the method draws the same map again. If the picture stays, it shows the face and not the model "
        "([Adebayo et al., 2018](https://arxiv.org/abs/1810.03292))."
    )
    own = [model for model in models if not RunFolder(model.path.parent).is_vote]
    with st.container(horizontal=True, vertical_alignment="bottom", key="sanity-controls"):
        model = choose_one("Model", own, MODEL, width=240) if own else ""
        method = linked.selectbox(
            "Method",
            WORKER_METHODS,
            WORKER_METHODS.index(GRADCAM),
            format_func=lambda name: METHODS[name].title,
            key=METHOD,
            width=200,
        )
    return Asked(model, method)


def plan_check(
    about: ChosenFace, classes: Mapping[str, tuple[Answer, int]], asked: Asked, at: Mapping[str, str]
) -> SanityRequest | None:
    """The request, for the class whose maps are shown; None where it cannot be asked, with the reason on the page.

    ``classes``: each model's answer and class by the model's name.
    """
    if asked.model not in classes:
        return None
    answer, label = classes[asked.model]
    layer = at.get(asked.model, "") if METHODS[asked.method].layered else ""
    try:
        return sanity_request(RunFolder(answer.model.path.parent), about.image, label, asked.method, at=layer)
    except ExplainError as error:
        st.warning(messages.told(error), icon=":material/psychology:")
        return None


def show(about: ChosenFace, request: SanityRequest | None, asked: Asked) -> None:
    """The button, and the result once it is there."""
    if request is None:
        st.caption("Choose a model that was trained itself; a vote has no weights of its own.")
        return
    title = METHODS[asked.method].title
    task = worker.worker().find(request)
    if task is None or (task.over and task.stage != DONE):
        if task is not None:
            st.warning(messages.told(task.message), icon=":material/error:")
        if worker.worker().no_room():
            st.caption("This server has too little memory left for it: see above.")
        elif st.button(
            f"Check {title} of {asked.model} for {NAMES[request.label]}", icon=":material/psychology:", key="sanity"
        ):
            try:
                worker.worker().submit(request, access.person().token)
            except BusyError as error:
                queue.say_busy(error)
            else:
                st.rerun()
        return
    if not task.over:
        worker.progress_here(task, "cancel-sanity")
        return
    found: SanityMaps = task.result(0)
    _result(about, request, found, judge_maps(found.real, found.steps, found.maps), f"{title} of {asked.model}")


def _result(about: ChosenFace, request: SanityRequest, found: SanityMaps, result: Sanity, title: str) -> None:
    colour = trust.COLOURS[_COLOURS[result.verdict]]
    style = f"background:{colour};color:#FFFFFF;padding:0.1em 0.5em;border-radius:0.3em"
    st.html(
        f'<p style="margin:0 0 0.4em"><b>{html.escape(title)}</b> '
        f'<span style="{style}">{WORDS[result.verdict]}</span></p>'
        f"<p>{html.escape(' '.join(result.sentences))}</p>"
    )
    chart, pictures = st.columns([1, 1], gap="medium")
    with chart:
        st.plotly_chart(
            drawn(plots.curve, result), key="sanity-curve", config={"displayModeBar": False}, alt=plots.describe(result)
        )
        st.caption(
            f"{plural(len(result.steps) * request.draws, 'map')} of one face, {request.draws} draws of random weights, "
            f"{found.seconds:.0f} s. Grey band: what unrelated maps of the same grid reach 19 times out of 20, up to "
            f"{result.unrelated:.2f}."
        )
    with pictures:
        st.html(_pictures(about, found, result))


def _pictures(about: ChosenFace, found: SanityMaps, result: Sanity) -> str:
    """The real map, then the first draw of each step."""
    titles = ["nothing random", *(name if not step else f"+ {name}" for step, name in enumerate(result.steps))]
    correlations = [1.0, *result.correlations[:, 0]]
    figures = []
    for title, values, correlation in zip(titles, [found.real, *found.maps[:, 0]], correlations, strict=True):
        shown = "flat" if np.isnan(correlation) else f"{correlation:.2f}".replace("-", "−")
        alt = html.escape(f"Map with random weights in {title}: rank correlation {shown}", quote=True)
        figures.append(
            f'<figure style="margin:0;width:{SIDE}px"><img alt="{alt}" '
            f'src="{picture_uri(map_on_face(about.image, np.maximum(values, 0)))}" style="width:100%;aspect-ratio:1">'
            f'<figcaption style="font-size:0.8rem">{html.escape(title)}: {shown}</figcaption></figure>'
        )
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:0.8rem">{"".join(figures)}</div>'
        '<p style="font-size:0.8rem;margin-top:0.5em">The first draw, with its rank correlation with the real map. '
        "Each map is coloured up to its own strongest cell.</p>"
    )
