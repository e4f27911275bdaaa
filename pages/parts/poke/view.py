"""The page Poke: the face with what was done to it, the tools beside it, and the models' answers that move with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.data.sample.redraw import expression_units
from fer_core.emotions import NAMES
from fer_core.explain.poke.description import answer_words, changes_mind, step_words
from fer_core.explain.poke.edit import boxes, set_muscles
from fer_core.formatting import percent, plural
from fer_core.inference.predictor import Predictor
from fer_core.plots import before_after
from fer_core.plots.maps import map_on_face
from fer_core.runs.listing import ModelInfo
from pages.parts import frame, linked
from pages.parts import models as parts_models
from pages.parts.face_answers import Answer, answers, picture_uri
from pages.parts.faces import data_uri, label_words
from pages.parts.fragments import fragment
from pages.parts.links_to_explain import ICON as EXPLAIN_ICON
from pages.parts.links_to_explain import face_query
from pages.parts.links_to_poke import MODELS, TOOLS
from pages.parts.poke import face, patch, presets, tools
from pages.parts.poke.canvas import canvas
from pages.parts.poke.face import Start
from pages.parts.poke.state import Poked, current_steps, history, make_steps, poked, show_refusal, show_state
from pages.parts.poke.tools import LIGHT, MUSCLES_TOOL, PAINT, PATCH, PLACE

MAP_OF = "_poke_map"
NOTHING = "nothing"
ZOOM = 10
_DESK = '[data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] .st-key-_poke_canvas)'
_STYLE = f"""<style>
@media {frame.PHONE} {{
  /* All tools in one row, right under the face; what the models say stands below them. */
  .st-key-poke-tools button {{ padding-inline: 0.4rem; }}
  [data-testid="stLayoutWrapper"]:has(> .st-key-poke-bars) {{ order: 1; }}
}}
@media {frame.PHONE} and (min-height: 600px) {{
  /* Else a slider would move what nobody sees. Canvas: the page's colour, where a browser does not know the other. */
  {_DESK} > [data-testid="stColumn"]:first-child {{
    position: sticky;
    top: 3.75rem;
    z-index: 2;
    background: Canvas;
    background: light-dark(LIGHT, DARK);
  }}
}}
</style>"""
_SMALL = f"""<style>
@media {frame.PHONE} {{
  .st-key-poke-face {{ flex-direction: row; align-items: center; }}
  /* Without the hint below it: it tells how to paint. */
  .st-key-poke-face .st-key-_poke_canvas {{ flex: 0 0 10rem; height: 10rem; overflow: hidden; }}
  .st-key-poke-face .st-key-poke-history {{ flex-direction: column; align-items: flex-start; gap: 0; }}
}}
</style>"""
"""Where nothing is painted, the face may be smaller: a phone has more room for the sliders then."""


def show(infos: Sequence[ModelInfo]) -> None:
    """The page below its title. The face and the models are chosen around what runs again at every change."""
    start = face.choose()
    body, below = st.container(), st.container()
    with below:
        asked = parts_models.choose(infos, MODELS, label="Who answers", default=parts_models.by_default(infos))
    with body:
        if start is None:
            show_refusal()
        elif not asked:
            st.info("Choose at least one model below.", icon=":material/info:")
        else:
            _poke(start, asked)


@fragment
def _poke(start: Start, models: list[Predictor]) -> None:
    """Alone runs again at a change, so that the bars follow at once."""
    show_refusal()
    now = poked(start.face, start.drawn)
    before = answers(now.original, models)
    after = before if now.key == now.original.key else _answers(now.image, models)
    if start.drawn is not None:
        with st.container(key="poke-presets"):
            presets.show(start.face.key, start.drawn, now.image, models, on_pick=lambda name: _express(start, name))
    picture, hands = st.columns([5, 10], gap="medium")
    with hands:
        bars = st.container(key="poke-bars", gap="small")
        group = linked.segmented_control("Tools", _groups(now), key=TOOLS, label_visibility="collapsed")
        _tools(group, now, models)
    st.html(_style(small=group != PAINT))
    with picture, st.container(key="poke-face"):
        _picture(now, after)
        _steps_back()
    with bars:
        _bars(now, before, after)
        st.markdown(_sentence(now, before, after))
        _lines(before, after)
    _more(now, after)


def _style(*, small: bool) -> str:
    """How the face stays in view on a phone, on the page's own colour."""
    light, dark = (str(st.get_option(f"theme.{kind}.backgroundColor")) for kind in ("light", "dark"))
    return _STYLE.replace("LIGHT", light).replace("DARK", dark) + (_SMALL if small else "")


def _groups(now: Poked) -> list[str]:
    return [*([MUSCLES_TOOL] if now.drawn is not None else []), PAINT, LIGHT, PLACE, PATCH]


def _express(start: Start, name: str) -> None:
    if start.drawn is not None:
        make_steps(set_muscles(current_steps(), expression_units(name), dict(start.drawn.units)))


def _tools(group: str, now: Poked, models: Sequence[Predictor]) -> None:
    if group != PAINT:
        tools.remember_brush()
    if group == LIGHT:
        tools.light(now.steps)
    elif group == PLACE:
        tools.place(now.steps)
    elif group == MUSCLES_TOOL:
        tools.muscles(now)
    elif group == PATCH:
        patch.show(now, models)
    else:
        tools.paint(now)


def _picture(now: Poked, after: Sequence[Answer]) -> None:
    by_name = {answer.name: answer for answer in after}
    if st.session_state.get(MAP_OF) not in by_name:
        st.session_state[MAP_OF] = NOTHING
    seen = by_name.get(st.session_state[MAP_OF])
    canvas(
        data_uri(now.image) if seen is None else picture_uri(_with_map(now.image, seen)),
        _alt(now, seen),
        tool=tools.tool(),
        grey=st.session_state[tools.GREY],
        width=st.session_state[tools.WIDTH],
        boxes=boxes(now.steps),
        key="_poke_canvas",
        on_strokes=tools.take_strokes,
    )


def _steps_back() -> None:
    states = history()
    with st.container(horizontal=True, gap="small", key="poke-history", width="content"):
        st.button(
            "Undo",
            icon=":material/undo:",
            disabled=not states.can_undo,
            on_click=lambda: show_state(history().undo()),
            type="tertiary",
            key="poke-undo",
            shortcut="Ctrl+Z",
        )
        st.button(
            "Redo",
            icon=":material/redo:",
            disabled=not states.can_redo,
            on_click=lambda: show_state(history().redo()),
            type="tertiary",
            key="poke-redo",
            shortcut="Ctrl+Y",
        )
        st.button(
            "Reset",
            icon=":material/restart_alt:",
            disabled=not states.text,
            on_click=lambda: show_state(history().push(())),
            type="tertiary",
            key="poke-reset",
        )


def _more(now: Poked, after: Sequence[Answer]) -> None:
    """What one may ask next: where a model looks at this face, what was done to it, the page that explains it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="poke-more"):
        st.selectbox(
            "Lay a model's map over it",
            [NOTHING, *(answer.name for answer in after)],
            key=MAP_OF,
            width=240,
            help="What speaks for the model's own answer about the face as it is now: the class map, see Explain.",
        )
        if now.original.row is not None:
            frame.link("explain", "Explain this face", icon=EXPLAIN_ICON, query=face_query(now.original))
    steps = current_steps()
    if steps:
        with st.expander(f"{plural(len(steps), 'change')}, in this order"):
            st.markdown("\n".join(f"1. {step_words(step)}" for step in steps))
    if steps and not now.original.linkable and now.drawn is None:
        st.caption("The face itself is in this visit's memory only: a link carries the changes, not the face.")


def _bars(now: Poked, before: Sequence[Answer], after: Sequence[Answer]) -> None:
    label = now.original.label
    st.html(
        before_after.change_bars(
            [old.probabilities for old in before], [new.probabilities for new in after], label=label
        )
    )
    pointed = "" if label is None else f" ▸ The label, {label_words(label)}."
    many = f"Mean of {len(after)} models, a tick for each" if len(after) > 1 else "Probability"
    st.caption(f"{many}; outlined: before.{pointed}")


def _lines(before: Sequence[Answer], after: Sequence[Answer]) -> None:
    """What each model says."""
    lines = []
    for old, new in zip(before, after, strict=True):
        words = _verdict(new) if before is after else answer_words(new.name, old.probabilities, new.probabilities)
        lines.append((words, changes_mind(old.probabilities, new.probabilities)))
    with st.container(key="poke-lines"):
        st.html(before_after.answer_list(lines))


def _sentence(now: Poked, before: Sequence[Answer], after: Sequence[Answer]) -> str:
    """What the bars show, in one sentence."""
    counted = Counter(NAMES[answer.predicted] for answer in after).most_common()
    if len(after) == 1:
        words = f"**The model says {counted[0][0]}**"
    elif len(counted) == 1:
        words = f"**All {len(after)} models say {counted[0][0]}**"
    else:
        words = "**" + ", ".join(f"{votes} of {len(after)} say {name}" for name, votes in counted) + "**"
    if before is after:
        return f"{words}."
    pairs = zip(before, after, strict=True)
    changed = [new.name for old, new in pairs if changes_mind(old.probabilities, new.probabilities)]
    after_what = f"after {plural(len(now.steps), 'change')}"
    if not changed:
        return f"{words}: {after_what} nobody has changed the answer."
    return f"{words}: {after_what} {plural(len(changed), 'model')} changed the answer."


def _verdict(answer: Answer) -> str:
    return f"{answer.name}: {NAMES[answer.predicted]}, {percent(answer.probabilities[answer.predicted], 0)}"


def _alt(now: Poked, seen: Answer | None) -> str:
    done = f", after {plural(len(now.steps), 'change')}" if now.steps else ""
    over = "" if seen is None else f", with what {seen.name} looks at for {NAMES[seen.predicted]}"
    return f"{now.original.title}, 48×48 grey pixels, enlarged{done}{over}."


def _with_map(image: npt.NDArray[np.uint8], answer: Answer) -> npt.NDArray[np.uint8]:
    return map_on_face(image, answer.maps[answer.predicted], size=image.shape[0] * ZOOM, opacity=0.5)


def _answers(image: npt.NDArray[np.uint8], models: Sequence[Predictor]) -> list[Answer]:
    """Not kept: a slider makes a new face at every move."""
    found = []
    for model in models:
        probabilities, maps = model.explain(image[np.newaxis])
        found.append(Answer(model, probabilities[0], maps[0]))
    return found
