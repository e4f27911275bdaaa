"""The seven probabilities of a face as a table: order, numbers, the label, and names that are no HTML."""

from __future__ import annotations

import re

import numpy as np

from fer_core.emotions import COLOURS, NAMES
from pages.parts.probability_bars import table

ROW = np.array([0.1, 0.0, 0.05, 0.6, 0.2, 0.05, 0.0])


def test_each_class_has_a_line_in_label_order_with_its_colour_and_each_model_a_bar() -> None:
    drawn = table({"one": ROW, "two": ROW[::-1]})
    assert re.findall(r'scope="row"[^>]*>([^<]*)<', drawn) == list(NAMES)
    assert re.findall(r">(\d+ %)<", drawn)[::2] == [f"{100 * value:.0f} %" for value in ROW]
    assert re.findall(r">(\d+ %)<", drawn)[1::2] == [f"{100 * value:.0f} %" for value in ROW[::-1]]
    assert re.findall(r"background:(#\w+)", drawn)[::2] == list(COLOURS)


def test_the_label_alone_is_pointed_at() -> None:
    assert re.findall(r"▸ (\w+)<", table({"one": ROW}, label=2)) == ["fear"]
    assert "▸" not in table({"one": ROW})


def test_what_a_screen_reader_calls_it_cannot_be_markup() -> None:
    assert 'aria-label="&quot;&gt;&lt;b&gt;"' in table({"one": ROW}, alt='"><b>')
