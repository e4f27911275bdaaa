"""Everything on the Maps tab as tables: for those who cannot see pictures, and for those who want the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.explain.blank_maps import why_blank
from fer_core.explain.regions import Corners
from fer_core.explain.trust import Judgement
from fer_core.plots.faces import describe_overlay
from pages.parts.explain import trust
from pages.parts.explain.cells import Shown
from pages.parts.explain.testing import MapTest
from pages.parts.face_answers import Answer

_AREAS = {
    "Map": "area",
    "Random, low": "low",
    "Random, high": "high",
    "Round blob": "centre",
    "Edges": "edges",
}


def show(
    found: Sequence[Answer],
    shown: Mapping[str, Sequence[Shown]],
    tests: Mapping[str, MapTest],
    boxes: Mapping[str, Corners] | None,
) -> None:
    """The seven probabilities, and every map that is shown with its test, as tables."""
    with st.container(key="maps-numbers"):
        st.dataframe(
            probabilities_table(found),
            hide_index=True,
            column_config={answer.name: st.column_config.NumberColumn(format="%.1f") for answer in found},
            alt="Probabilities of the seven expressions by each model, in per cent.",
        )
        table = maps_table(found, shown, tests, boxes)
        rounded = {str(name): st.column_config.NumberColumn(format="%.2f") for name in table.select_dtypes("number")}
        st.dataframe(
            table,
            hide_index=True,
            column_config={**rounded, "Probability (%)": st.column_config.NumberColumn(format="%.1f")},
            alt="Each map that is shown: where it is strongest, the verdict, and the areas (0 to 1) behind it.",
        )
        st.caption(
            "Areas are mean probabilities on the way, 0 to 1. Random, low and high: the range in which one more random "
            "order would stay 19 times out of 20. The strongest cell is on the scale of the logit; a vote's maps are "
            "pictures only, 0 to 1."
        )


def probabilities_table(found: Sequence[Answer]) -> pd.DataFrame:
    """Expression by model, in per cent."""
    table = pd.DataFrame(
        {answer.name: answer.probabilities * 100 for answer in found}, index=pd.Index(NAMES, name="Probability (%)")
    )
    return table.reset_index()


def maps_table(
    found: Sequence[Answer],
    shown: Mapping[str, Sequence[Shown]],
    tests: Mapping[str, MapTest],
    boxes: Mapping[str, Corners] | None,
) -> pd.DataFrame:
    """One line a map: model, expression, what the map marks, the verdict and its areas."""
    lines = []
    for answer in found:
        result = tests[answer.name].result
        judged = {} if result is None else trust.judgements(result)
        for one in shown[answer.name]:
            name, one_map = NAMES[one.label], answer.maps[one.label]
            reason = why_blank(one_map, model=answer.name, emotion=name)
            line: dict[str, Any] = {
                "Model": answer.name,
                "Expression": name,
                "Why it is shown": " and ".join(one.roles) or "chosen",
                "Probability (%)": float(answer.probabilities[one.label]) * 100,
                "Cells": "×".join(map(str, answer.grid)),
                "Strongest cell": float(one_map.max()),
                "In words": reason or describe_overlay(one_map, name),
            }
            if boxes is not None:
                line["Pointing game"] = "" if reason else trust.pointed(one_map, boxes)
            judgement = judged.get(one.label)
            line["Verdict"] = _verdict(tests[answer.name], judgement, blank=reason is not None)
            for which in ("deletion", "insertion"):
                for words, field in _AREAS.items():
                    value = None if judgement is None else getattr(getattr(judgement, which), field)
                    line[f"{which.capitalize()}: {words.lower()}"] = value
            lines.append(line)
    return pd.DataFrame(lines)


def _verdict(test: MapTest, judged: Judgement | None, *, blank: bool) -> str:
    if blank:
        return "says nothing"
    if judged is None:
        return "being tested" if test.waiting else "could not be tested"
    return trust.WORDS[trust.verdict_key(judged)]
