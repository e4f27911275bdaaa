"""What one face of the game shows, as HTML: a few tables, where elements of Streamlit would cost a server ten times as
much for each click.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from fer_core.emotions import EMOTIONS, NAMES
from fer_core.formatting import percent
from fer_core.plots.style import ACCENT
from pages.parts.home.cards import Card, Hand

RIGHT = f"{ACCENT}38"
"""Behind an answer that is the label; a ✓ says the same."""
_LINE = "border-bottom:1px solid rgba(127,127,143,0.3)"
STYLE = """<style>
.game-face { width: min(100%, 22.5rem); aspect-ratio: 1; border-radius: 0.4rem; display: block; }
.st-key-game-next kbd { color: inherit !important; opacity: 1 !important; }
.game-said { border-collapse: collapse; width: 100%; font-size: 0.95rem; }
.game-said th, .game-said td { padding: 3px 8px; text-align: left; font-weight: 400; }
@media (max-width: 640px) {
  .game-face { width: min(100%, 17.5rem); margin: 0 auto; }
  .st-key-game-answers { flex-direction: row !important; flex-wrap: wrap !important; }
  .st-key-game-answers > * { flex: 1 1 6.4rem !important; width: auto !important; min-width: 0 !important; }
}
/* Where fingers press, keys are no help. */
@media (hover: none) and (pointer: coarse) {
  .st-key-game-keys { display: none !important; }
}
</style>"""


def progress(hand: Hand, given: Sequence[int], at: int) -> str:
    """Which face this is, and which answers were the label's so far."""
    marks = []
    for number, card in enumerate(hand.cards):
        if number < len(given):
            marks.append("<span>✓</span>" if given[number] == card.label else '<span style="opacity:0.75">✗</span>')
        else:
            marks.append(f'<span style="opacity:0.7">{"●" if number == at else "○"}</span>')
    right = sum(answer == card.label for answer, card in zip(given, hand.cards, strict=False))
    score = f'<span title="Answers that are the label\'s">{right} right</span>' if given else ""
    return (
        '<div style="display:flex;gap:0.6em;align-items:center;flex-wrap:wrap;font-size:0.95rem">'
        f'<b>Face {at + 1} of {len(hand.cards)}</b><span aria-hidden="true" style="display:flex;gap:0.3em">'
        f"{''.join(marks)}</span>{score}</div>"
    )


def face(card: Card, at: int, of: int, *, shown: bool) -> str:
    """The face, large. Its words tell the label only once it is turned over."""
    told = f", labelled {NAMES[card.label]}" if shown else ""
    alt = html.escape(f"Face {at + 1} of {of}{told}: 48×48 grey pixels, enlarged and smoothed.", quote=True)
    return f'<img class="game-face" src="{card.picture}" alt="{alt}">'


def answers(card: Card, mine: int) -> str:
    """What turns over: you, the label, the crowd, the models, the verdict."""
    if mine == card.label:
        head = f"You and the label say <b>{_name(mine)}</b>."
    else:
        head = f"The label says <b>{_name(card.label)}</b>, you said <b>{_name(mine)}</b>."
    lines = [_said(said.name, said.answer, card.label, percent(said.probability, 0) + " sure") for said in card.said]
    if card.votes:
        lines.insert(0, _line("Ten people", html.escape(card.votes), right=card.crowd == card.label))
    table = f'<table class="game-said"><caption hidden>Who says what</caption><tbody>{"".join(lines)}</tbody></table>'
    judged = f"The label or the models: who is wrong? <b>{html.escape(card.verdict)}.</b> " if card.verdict else ""
    if card.because:
        judged = f'<p style="margin:0.6em 0 0">{judged}<small>{html.escape(card.because)}</small></p>'
    return f'<p style="font-size:1.1rem;margin:0 0 0.5em">{head}</p>{table}{judged}'


def _said(name: str, answer: int, label: int, more: str) -> str:
    return _line(html.escape(name), f"{_name(answer)} <span style='opacity:0.75'>{more}</span>", right=answer == label)


def _line(name: str, words: str, *, right: bool) -> str:
    style = f"{_LINE};background:{RIGHT}" if right else _LINE
    mark = "✓" if right else "✗"
    spoken = "as the label" if right else "not as the label"
    return (
        f'<tr style="{style}"><th scope="row">{name}</th><td>{words}</td>'
        f'<td style="text-align:right"><span role="img" aria-label="{spoken}">{mark}</span></td></tr>'
    )


def _name(label: int) -> str:
    return f"{EMOTIONS[label].icon} {NAMES[label]}"
