"""The crowd's votes on one face as bars: what ten people answered, beside the dataset's label."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from fer_core.data.ferplus import ANSWERS, MOST_VOTES
from fer_core.emotions import COLOURS, COUNT, NAMES
from fer_core.plots.style import MUTED, blank


def vote_bars(votes: Sequence[int], label: int, *, height: int = 270) -> go.Figure:
    """How many votes each of FER+'s ten answers got. ``votes``: int (10,), as ``ANSWERS``; ``label``: 0..6, in bold.

    Raises ``ValueError`` for other numbers of votes or another label.
    """
    counts = _checked(votes, label)
    figure = blank(height)
    figure.add_trace(
        go.Bar(
            x=counts,
            y=[f"<b>{answer}</b>" if answer == NAMES[label] else answer for answer in ANSWERS],
            orientation="h",
            marker_color=[*COLOURS, *[MUTED] * (len(ANSWERS) - COUNT)],
            text=[str(count) if count else "" for count in counts],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x} votes<extra></extra>",
        )
    )
    figure.update_layout(margin_t=8, showlegend=False)
    figure.update_yaxes(autorange="reversed", ticksuffix=" ")
    figure.update_xaxes(range=[0, MOST_VOTES + 1], tickvals=[0, 5, 10], title_text="votes", zeroline=False)
    return figure


def describe(votes: Sequence[int], label: int) -> str:
    """What :func:`vote_bars` shows, in words, most votes first."""
    counts = _checked(votes, label)
    order = sorted(range(len(counts)), key=lambda answer: -counts[answer])
    listed = ", ".join(f"{ANSWERS[answer]} {counts[answer]}" for answer in order if counts[answer])
    return f"Votes of {sum(counts)} people: {listed}. The label is {NAMES[label]}."


def _checked(votes: Sequence[int], label: int) -> list[int]:
    counts = [int(count) for count in votes]
    if len(counts) != len(ANSWERS) or min(counts) < 0 or not 0 <= label < COUNT:
        raise ValueError(f"{len(ANSWERS)} numbers of votes and a label 0..{COUNT - 1} were expected")
    return counts
