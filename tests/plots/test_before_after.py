"""Bars before and after a change, in plain HTML."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fer_core.emotions import NAMES
from fer_core.plots.before_after import answer_list, change_bars

BEFORE = np.array([0.1, 0, 0.6, 0.1, 0.1, 0.1, 0])
AFTER = np.array([0.1, 0, 0.2, 0.104, 0.1, 0.496, 0])


def words_of(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ")


def test_each_class_tells_where_it_was_and_is() -> None:
    text = " ".join(words_of(change_bars(BEFORE, AFTER, label=2)).split())
    assert text == "angry 10 % disgust 0 % ▸ fear 60 → 20 % happy 10 % sad 10 % surprise 10 → 50 % neutral 0 %"
    widths = [float(value) for value in re.findall(r"width:([\d.]+)%", change_bars(BEFORE, AFTER))]
    # Filled first, then the outline of what was.
    assert widths[4:6] == [20, 60]
    assert len(widths) == 2 * len(NAMES)


def test_several_models_give_their_mean_and_a_tick_each() -> None:
    bars = change_bars([BEFORE, AFTER], [AFTER, AFTER])
    assert "fear 40 → 20 %" in " ".join(words_of(bars).split())
    assert bars.count("border-left:2px") == 2 * len(NAMES)
    assert "border-left:2px" not in change_bars(BEFORE, AFTER)


def test_a_line_for_each_model_cannot_be_broken_by_a_name() -> None:
    lines = answer_list([("<b>net</b> stays with fear, 61 %", False), ("net", True)])
    assert "&lt;b&gt;net&lt;/b&gt;" in lines
    assert "61&nbsp;%" in lines
    assert re.findall(r"font-weight:(\d+)", lines) == ["400", "600"]


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="7 probabilities"):
        change_bars(BEFORE[:3], AFTER)
