"""The strip of accuracies."""

from __future__ import annotations

import re

from fer_core.plots.accuracy_strip import Line, strip


def test_each_run_stands_where_its_accuracy_is_with_chance_and_people() -> None:
    page = strip([Line("one", 0.7, 0.68, 0.72, "without twins 66.0 %"), Line("two", 0.5, 0.4, 0.6)], people=0.65)
    assert re.findall(r'class="dot" style="left:([\d.]+)%', page) == ["70.0", "50.0"]
    assert re.findall(r'class="bar" style="left:([\d.]+)%;width:([\d.]+)%', page) == [("68.0", "4.0"), ("40.0", "20.0")]
    assert "chance 14 %" in page
    assert "people 65 %" in page
    assert "without twins 66.0 %" in page
    assert "people" not in strip([Line("one", 0.7, 0.68, 0.72)])


def test_a_name_is_shown_as_text() -> None:
    assert "<script>" not in strip([Line("<script>", 0.7, 0.68, 0.72, "<script>")])
