"""The crowd's votes as bars."""

from __future__ import annotations

import pytest

from fer_core.data.ferplus import ANSWERS
from fer_core.emotions import COLOURS, NAMES
from fer_core.plots import bars as plots

VOTES = [0, 0, 3, 0, 6, 0, 0, 0, 1, 0]


def test_each_answer_has_its_bar_and_the_label_is_bold() -> None:
    bar = plots.vote_bars(VOTES, 2).data[0]
    assert list(bar.x) == VOTES
    assert [name.removeprefix("<b>").removesuffix("</b>") for name in bar.y] == list(ANSWERS)
    assert [name for name in bar.y if name.startswith("<b>")] == ["<b>fear</b>"]
    assert list(bar.marker.color[: len(NAMES)]) == list(COLOURS)


def test_the_bars_in_words() -> None:
    assert plots.describe(VOTES, 2) == "Votes of 10 people: sad 6, fear 3, unknown 1. The label is fear."


@pytest.mark.parametrize(("votes", "label"), [(VOTES[:9], 2), ([-1, *VOTES[1:]], 2), (VOTES, 7)])
def test_what_cannot_be_drawn(votes: list[int], label: int) -> None:
    with pytest.raises(ValueError, match="were expected"):
        plots.vote_bars(votes, label)
