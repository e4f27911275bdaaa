"""The crowd's votes on one face as a table with bars: as HTML, for the reason that ``probability_bars`` gives."""

from __future__ import annotations

import html
from collections.abc import Sequence

from fer_core.data.ferplus import ANSWERS
from fer_core.emotions import COLOURS, COUNT, NAMES
from fer_core.plots.style import MUTED
from pages.parts.probability_bars import CELL, bar

WIDTH = 350
"""Pixels, the most."""


def table(votes: Sequence[int], label: int) -> str:
    """How many votes each of FER+'s ten answers got, a line an answer. HTML.

    ``votes``: int (10,), as ``ANSWERS``. ``label``: 0..6, in bold. Raises ``ValueError`` for other numbers of votes or
    another label.
    """
    if len(votes) != len(ANSWERS) or min(votes) < 0 or not any(votes) or not 0 <= label < COUNT:
        raise ValueError(f"{len(ANSWERS)} numbers of votes and a label 0..{COUNT - 1} were expected")
    rows = []
    for at, (answer, count) in enumerate(zip(ANSWERS, votes, strict=True)):
        cell = bar(count / sum(votes), COLOURS[at] if at < COUNT else MUTED, str(count))
        weight = 600 if at == label else 400
        rows.append(f'<tr><th scope="row" style="{CELL};text-align:left;font-weight:{weight}">{answer}</th>{cell}</tr>')
    called = html.escape(f"Votes of {sum(votes)} people; the label is {NAMES[label]}", quote=True)
    return (
        f'<table aria-label="{called}" style="border-collapse:collapse;width:100%;max-width:{WIDTH}px;'
        f'font-size:0.85rem">{"".join(rows)}</table>'
    )
