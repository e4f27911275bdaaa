"""The crowd's votes as a table: order, numbers, lengths, the label."""

from __future__ import annotations

import re

import pytest

from fer_core.data.ferplus import ANSWERS
from fer_core.emotions import COLOURS, NAMES
from pages.parts.mistakes.vote_table import table

VOTES = [0, 0, 3, 0, 6, 0, 0, 0, 1, 0]


def test_each_answer_has_its_line_its_votes_and_a_bar_as_long_and_the_label_is_bold() -> None:
    drawn = table(VOTES, 2)
    assert re.findall(r'scope="row"[^>]*>([^<]*)<', drawn) == list(ANSWERS)
    assert re.findall(r">(\d+)<", drawn) == [str(count) for count in VOTES]
    assert re.findall(r"width:(\d+)%;background:", drawn) == [str(10 * count) for count in VOTES]
    assert re.findall(r"background:(#\w+)", drawn)[: len(NAMES)] == list(COLOURS)
    assert re.findall(r'font-weight:600">([^<]*)<', drawn) == ["fear"]


def test_a_face_with_fewer_voters_fills_the_bar_too() -> None:
    assert "width:100%;background:" in table([0, 0, 0, 7, 0, 0, 0, 0, 0, 0], 3)


@pytest.mark.parametrize(("votes", "label"), [(VOTES[:9], 2), ([-1, *VOTES[1:]], 2), (VOTES, 7), ([0] * 10, 2)])
def test_what_cannot_be_drawn(votes: list[int], label: int) -> None:
    with pytest.raises(ValueError, match="were expected"):
        table(votes, label)
