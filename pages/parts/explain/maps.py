"""The Maps tab: where each model looks, for its answer, the label and any other expression, and whether to trust it."""

from __future__ import annotations

import streamlit as st

from fer_core.emotions import NAMES, index_of
from fer_core.errors import DataError
from fer_core.explain.blank_maps import coarseness
from fer_core.explain.faithfulness import EFFORTS, Effort
from fer_core.explain.regions import Corners
from fer_core.explain.trust import Judgement
from fer_core.formatting import plain
from fer_core.inference.predictor import Predictor
from fer_core.plots import trust as plots
from pages.parts import linked, messages
from pages.parts.charts import drawn
from pages.parts.chosen_face import PREFIX, ChosenFace
from pages.parts.explain import cells, faithfulness, numbers, tab_memory, testing
from pages.parts.explain import trust as explain_trust
from pages.parts.explain.cells import BLOCKS, OF_ALL, OF_MAP, OF_MODEL, SMOOTH, MapStyle, Shown
from pages.parts.explain.testing import MapTest
from pages.parts.face_answers import Answer, answers

_MINE = tuple(PREFIX + name for name in ("classes", "cells", "opacity", "scale", "test", "curves", "proof", "many"))
"""Names in the address."""
CLASSES, CELLS, OPACITY, SCALE, TEST, CURVES, PROOF, MANY = _MINE
MAPS = "Maps"
ANSWER, LABEL = "each model's answer", "the label"


def show(about: ChosenFace | None, models: list[Predictor], is_open: bool) -> None:
    """The tab. Closed, it draws nothing; opened again, it is as it was left."""
    if not is_open or about is None:
        return
    tab_memory.come_back(MAPS, _is_mine)
    picture = st.container()
    wanted, chosen, look, effort = _controls()
    if not models:
        st.info("Choose at least one model above.", icon=":material/info:")
        return
    found = answers(about, models)
    traced = [_traced(wanted, about.label, answer) for answer in found]
    shown = {
        answer.name: cells.maps_to_show(answer, label, about.label, chosen)
        for answer, label in zip(found, traced, strict=True)
    }
    tests = {
        answer.name: testing.plan_test(about, answer, [one.label for one in shown[answer.name]], effort)
        for answer in found
    }
    judged = {name: _judged(test) for name, test in tests.items()}
    with picture:
        parts = [
            cells.model(
                about,
                answer,
                shown[answer.name],
                cells.top_of(look.scale, answer, found, shown),
                look,
                judged[answer.name],
            )
            for answer in found
        ]
        with st.container(key="maps-row", gap="small"):
            st.html(cells.row([cells.face(about), *parts]) + cells.legend(look, found, shown))
            if wanted == LABEL and about.label is None:
                st.caption("Nobody gave this face a label, so the maps are those of each model's answer.")
            verdicts = [(judged[one.name] or {}).get(label) for one, label in zip(found, traced, strict=True)]
            st.markdown(explain_trust.sentence(found, traced, verdicts))
            testing.panel(list(tests.values()))
    with linked.expander("Show the test", key=PROOF, icon=":material/science:") as proof:
        if proof.open:
            _proof(about, found, traced, shown, tests, effort)
    with linked.expander("And over many faces?", key=MANY, icon=":material/groups:") as many:
        if many.open:
            st.markdown(
                "One face tells little. The same test on many PublicTest faces says which kinds of maps to trust for "
                "which model."
            )
            faithfulness.show(models)
    tab_memory.remember(MAPS, _is_mine)


def _is_mine(name: str) -> bool:
    return name in _MINE


def _controls() -> tuple[str, list[int], MapStyle, Effort]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="maps-controls"):
        wanted = linked.selectbox(
            "What speaks for",
            (ANSWER, LABEL, *NAMES),
            key=CURVES,
            width=220,
            help="A map shows which parts of the face raise the model's score for one expression.",
        )
        with st.popover("Settings", icon=":material/tune:"):
            chosen = linked.several(
                st.multiselect,
                "Also show what speaks for",
                NAMES,
                key=CLASSES,
                default=(),
                says="{asked} is no expression that a map could be of. It is ignored.",
                placeholder="nothing else",
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
            opacity = linked.slider("Opacity (%)", 0, 100, 60, 5, key=OPACITY)
            test = linked.segmented_control(
                "Test",
                tuple(EFFORTS),
                key=TEST,
                help="Thorough takes about five times as long, and tells more maps from chance.",
            )
    look = MapStyle(shape == SMOOTH, opacity / 100, scale)
    return wanted, [index_of(name) for name in chosen], look, EFFORTS[test]


def _proof(
    about: ChosenFace,
    found: list[Answer],
    traced: list[int],
    shown: dict[str, list[Shown]],
    tests: dict[str, MapTest],
    effort: Effort,
) -> None:
    """Behind the verdicts: how maps are tested, the curves, the agreement, all numbers."""
    st.caption(f"Each map is tested on this face: {effort.orders} random orders, {effort.steps} steps.")
    boxes = _boxes(about)
    if boxes is not None:
        st.caption(explain_trust.pointing_rule(boxes))
    columns = st.columns(2, gap="medium")
    for at, (answer, label) in enumerate(zip(found, traced, strict=True)):
        with columns[at % 2]:
            _curves(answer, label, tests[answer.name])
    explain_trust.explain_test(effort)
    explain_trust.agreement(found, traced)
    numbers.show(found, shown, tests, boxes)


def _traced(wanted: str, label: int | None, answer: Answer) -> int:
    """The class whose map is drawn for a model."""
    if wanted == ANSWER or (wanted == LABEL and label is None):
        return answer.predicted
    return label if wanted == LABEL and label is not None else index_of(wanted)


def _boxes(about: ChosenFace) -> dict[str, Corners] | None:
    try:
        return about.boxes() or None
    except DataError as error:
        st.warning(messages.told(error), icon=":material/broken_image:")
        return None


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
    height, width = answer.grid
    coarse = coarseness(answer.grid) or ""
    st.markdown(f"**{plain(answer.name)}**: {' '.join(judged.sentences)} Its map has {height}×{width} cells. {coarse}")
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
