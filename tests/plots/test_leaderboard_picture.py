"""The leaderboard's picture: nothing crosses out its words."""

from __future__ import annotations

from fer_core.plots import leaderboard
from fer_core.plots.leaderboard import Dot

GROUPS = {
    "Fair": [Dot("ours", 0.704, (0.689, 0.718), ours=True), Dot("theirs", 0.66, (0.60, 0.71))],
    "Flattered": [Dot("a weak one", 0.414)],
}


def test_no_line_crosses_a_groups_name_or_an_accuracy() -> None:
    figure = leaderboard.system_dots(GROUPS, Dot("people", 0.65, (0.60, 0.70)))
    # Names stand beside the axis, where no line of the picture reaches.
    names = " ".join(figure.layout.yaxis.ticktext)
    assert all(f"<b>{heading}</b>" in names for heading in GROUPS)
    words = [note.text for note in figure.layout.annotations]
    assert not any(heading in text for heading in GROUPS for text in words)
    values = [note for note in figure.layout.annotations if note.name == leaderboard.VALUE]
    assert ["70.4" in values[0].text, "66.0" in values[1].text, "41.4" in values[2].text] == [True] * 3
    assert {(note.x, note.xref, note.xanchor) for note in values} == {(1, "paper", "right")}
    # On a phone the picture is some 200 pixels wide, an accuracy 30: none may reach the people's band.
    low, high = figure.layout.xaxis.range
    assert high - (high - low) * 30 / 200 > 70


def test_a_system_without_a_span_has_no_bar() -> None:
    dots = [trace.error_x.visible for trace in leaderboard.system_dots(GROUPS).data]
    assert dots == [True, True, False]
