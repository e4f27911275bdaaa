"""Bars before and after a change, in plain HTML."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fer_core.emotions import NAMES
from fer_core.plots.before_after import card, cards, change_bars

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


def test_a_card_says_what_happened_and_cannot_be_broken_by_a_name() -> None:
    inside = card("<b>net</b> stays with fear, 61 %", change_bars(BEFORE, BEFORE), changed=False)
    assert "&lt;b&gt;net&lt;/b&gt;" in inside
    assert "61&nbsp;%" in inside
    changed = card("net", "", changed=True)
    assert "2px solid" in changed
    assert "2px solid" not in inside
    assert cards([inside, changed]).count("<section") == 2


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="7 probabilities"):
        change_bars(BEFORE[:3], AFTER)
