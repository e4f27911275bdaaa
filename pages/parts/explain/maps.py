"""The Maps tab: where each model looks, for its answer, the label and any other expression, and whether to trust it."""

from __future__ import annotations

import streamlit as st

from fer_core.emotions import NAMES, index_of
from fer_core.errors import DataError
from fer_core.explain.regions import Corners
from fer_core.explain.trust import Judgement
from fer_core.inference.predictor import Predictor
from fer_core.plots import trust as plots
from pages.parts import linked, messages
from pages.parts.charts import drawn
from pages.parts.chosen_face import PREFIX, ChosenFace
from pages.parts.explain import cells, faithfulness, numbers, testing
from pages.parts.explain import trust as explain_trust
from pages.parts.explain.cells import BLOCKS, OF_ALL, OF_MAP, OF_MODEL, SMOOTH, MapStyle
from pages.parts.explain.testing import EFFORTS, Effort, MapTest
from pages.parts.face_answers import Answer, answers

CLASSES, CELLS, OPACITY, SCALE, TEST, CURVES = (
    PREFIX + name for name in ("classes", "cells", "opacity", "scale", "test", "curves")
)
"""Names in the address."""
ANSWER, LABEL = "each model's answer", "the label"


def show(about: ChosenFace | None, models: list[Predictor], is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    chosen, look, effort, curves = _controls()
    if not is_open or about is None:
        return
    if not models:
        st.info("Choose at least one model above.", icon=":material/info:")
        return
    found = answers(about, models)
    if curves == LABEL and about.label is None:
        st.caption("Nobody gave this face a label, so the curves are those of each model's answer.")
    traced = [_traced(curves, about.label, answer) for answer in found]
    shown = {
        answer.name: cells.maps_to_show(answer, about.label, [*chosen, label])
        for answer, label in zip(found, traced, strict=True)
    }
    boxes = _boxes(about)
    cells.scale_legend(look, found, shown)
    tests = {
        answer.name: testing.plan_test(about, answer, [one.label for one in shown[answer.name]], effort)
        for answer in found
    }
    _said_before(effort, boxes)
    testing.panel(list(tests.values()))
    for answer, label in zip(found, traced, strict=True):
        top = cells.top_of(look.scale, answer, found, shown)
        with st.container(key=f"maps-{answer.name}"):
            left, right = st.columns(2, gap="medium")
        left.html(cells.row(about, answer, shown[answer.name], top, look, _judged(tests[answer.name]), boxes))
        with right:
            _curves(answer, label, tests[answer.name])
    explain_trust.agreement(found, traced)
    numbers.show(found, shown, tests, boxes)
    st.subheader("And over many faces?", anchor=False)
    st.markdown(
        "One face tells little. The same test on many PublicTest faces at once says which kinds of maps to trust for "
        "which model."
    )
    faithfulness.show(models)
    st.caption(
        "What to do next: look for a model whose answer is wrong and whose map passes the test. Then ask whether what "
        "it marks would mislead you, too."
    )


def _controls() -> tuple[list[int], MapStyle, Effort, str]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="maps-controls"):
        chosen = linked.several(
            st.multiselect,
            "Also show the maps of",
            NAMES,
            key=CLASSES,
            default=(),
            says="{asked} is no expression that a map could be of. It is ignored.",
            width=280,
            placeholder="label and answer alone",
            help="Each model's map of the label and of its own answer are always shown.",
        )
        scale = linked.segmented_control(
            "Full colour is the strongest of",
            (OF_MODEL, OF_MAP, OF_ALL),
            key=SCALE,
            help=f"“{OF_MODEL}”: you can compare the maps of one model. “{OF_MAP}”: you see where, not how much. "
            f"“{OF_ALL}”: the same scale for all; models count in different sizes, so some maps may look empty.",
        )
        shape = linked.segmented_control(
            "Cells",
            (SMOOTH, BLOCKS),
            key=CELLS,
            help="A map has few cells. Smooth draws between their middles; blocks shows them as they are.",
        )
        opacity = linked.slider("Opacity (%)", 0, 100, 60, 5, key=OPACITY, width=160)
        curves = linked.selectbox(
            "Curves and agreement for",
            (ANSWER, LABEL, *NAMES),
            key=CURVES,
            width=200,
        )
        test = linked.segmented_control(
            "Test",
            tuple(EFFORTS),
            key=TEST,
            help="Thorough takes about five times as long, and tells more maps from chance.",
        )
    look = MapStyle(shape == SMOOTH, opacity / 100, scale)
    return [index_of(name) for name in chosen], look, EFFORTS[test], curves


def _traced(curves: str, label: int | None, answer: Answer) -> int:
    """The class whose curves are drawn for a model."""
    if curves == ANSWER or (curves == LABEL and label is None):
        return answer.predicted
    return label if curves == LABEL and label is not None else index_of(curves)


def _boxes(about: ChosenFace) -> dict[str, Corners] | None:
    try:
        return about.boxes() or None
    except DataError as error:
        st.warning(messages.told(error), icon=":material/broken_image:")
        return None


def _said_before(effort: Effort, boxes: dict[str, Corners] | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="maps-test"):
        st.caption(
            f"Each map is tested on this face: {effort.orders} random orders, {effort.steps} steps.", width="content"
        )
        explain_trust.explain_test(effort)
    if boxes is not None:
        st.caption(explain_trust.pointing_rule(boxes))


def _judged(test: MapTest) -> dict[int, Judgement] | None:
    """The verdicts by class; None while they are still to come."""
    result = test.result
    if result is None:
        return None if test.waiting else {}
    return explain_trust.judgements(result)


def _curves(answer: Answer, label: int, test: MapTest) -> None:
    name, tested = NAMES[label], test.result
    if test.waiting:
        st.caption("The curves come with the test.")
        return
    if tested is None or name not in tested.names:
        st.caption(f"No curves of {name}: {'its map says nothing' if not test.problem else 'the test failed'}.")
        return
    judged = explain_trust.judgements(tested)[label]
    st.plotly_chart(
        drawn(plots.faithfulness_curves, tested, name, judged),
        key=f"trust-{answer.name}",
        config={"displayModeBar": False},
        alt=f"{answer.name}: {plots.describe(judged)}",
    )
    st.caption(
        f"**{name}**, areas (0 to 1). Deletion, small is good: {plots.in_words(judged.deletion)}. Insertion, large "
        f"is good: {plots.in_words(judged.insertion)}."
    )
