"""The result of a round: who was right, who agreed with whom, your confusion matrix beside a model's, a picture."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st
from PIL import Image

from fer_core.emotions import EMOTIONS, NAMES
from fer_core.game.result import NO_CLASS, PEOPLE, PEOPLE_GIVE_OR_TAKE, YOU, Answers, Result
from fer_core.zoo.registry import TITLES
from pages.parts.home.cards import Hand
from pages.parts.home.turned import RIGHT

BESIDE_YOU = TITLES["resnet50"]
"""The model whose confusion matrix stands beside yours, where it plays."""
STYLE = """<style>
.game-all { border-collapse: collapse; font-size: 0.9rem; }
.game-all th, .game-all td { padding: 2px 6px; text-align: center; font-weight: 400; min-width: 2.1rem; }
.game-all img { width: 2.75rem; height: 2.75rem; border-radius: 0.2rem; display: block; margin: auto; }
.game-all thead th { vertical-align: bottom; font-size: 0.8rem; max-width: 5.5rem; overflow-wrap: anywhere; }
@media (max-width: 640px) {
  .game-all .who { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
  .game-all th, .game-all td { padding: 2px 1px; min-width: 1.2rem; }
  .game-all tbody th { max-width: 5.5rem; overflow-wrap: anywhere; font-size: 0.8rem; }
}
.game-scroll { overflow-x: auto; }
.game-scores { display: flex; flex-wrap: wrap; gap: 0.5rem 1.6rem; margin: 0.3rem 0 0.6rem; }
.game-scores div { font-size: 0.85rem; }
.game-scores b { display: block; font-size: 1.5rem; font-weight: 600; }
</style>"""


def show(hand: Hand, answers: Sequence[int], *, by_link: bool) -> None:
    """Everything about a round that is over. ``answers``: yours, one for each face."""
    found = Result(
        Answers(YOU, tuple(answers)), hand.labels, hand.models, hand.crowd, tuple(card.doubtful for card in hand.cards)
    )
    mine = found.right(found.you)
    if by_link:
        st.caption(":material/link: A result from a link: “you” is whoever played this round.")
    else:
        st.caption(":material/link: The page's link now leads to this result. Copy it above.")
    st.header(f"{mine} of {found.faces}", anchor=False)
    st.markdown(" ".join(found.sentences()))
    st.html(STYLE + _scores(found))
    st.caption(
        f"The score counts agreement with the label. On FER-2013 as a whole people reach {PEOPLE} ± "
        f"{PEOPLE_GIVE_OR_TAKE} % ([Goodfellow and others, 2013](https://arxiv.org/abs/1307.0414)). "
        + (
            "These faces are drawn, and the models know photographs."
            if hand.drawn
            else "These faces were chosen to teach, and are harder."
        )
    )
    st.html(_faces(hand, found))
    st.download_button(
        "Keep it as a picture",
        data=partial(_png, hand, found),
        file_name=f"fer-explorer-round-{hand.number}.png",
        mime="image/png",
        icon=":material/image:",
        on_click="ignore",
        key="game.picture",
    )
    with st.expander("Who agrees with whom, and which classes are mixed up"):
        st.html(_agreement(found))
        st.html(_confusions(found))


def _png(hand: Hand, found: Result) -> bytes:
    """The picture to keep, with its faces only where they are drawn: photographs are not ours to pass on."""
    from fer_core.plots.round_picture import round_picture

    faces = np.stack([card.face for card in hand.cards]) if hand.drawn else None
    title = f"FER Explorer, round {hand.number:,}: {found.right(found.you)} of {found.faces}"
    buffer = io.BytesIO()
    Image.fromarray(round_picture(found, title, faces)).save(buffer, "PNG")
    return buffer.getvalue()


def _scores(found: Result) -> str:
    everybody = [one for one in found.everybody if one is not found.labels]
    cells = [f"<div><b>{found.right(one)}</b>{html.escape(one.name)}</div>" for one in everybody]
    return f'<div class="game-scores">{"".join(cells)}</div>'


def _faces(hand: Hand, found: Result) -> str:
    """A line a face: its picture, then what everybody says."""
    head = "".join(f'<th scope="col" class="who">{html.escape(one.name)}</th>' for one in found.everybody)
    lines = []
    for at, card in enumerate(hand.cards):
        cells = "".join(
            _cell(
                one.answers[at],
                right=one is not found.labels and one.answers[at] == card.label,
                doubtful=one is found.labels and card.doubtful,
            )
            for one in found.everybody
        )
        alt = f"Face {at + 1}, labelled {NAMES[card.label]}"
        lines.append(f'<tr><th scope="row"><img src="{card.picture}" alt="{alt}"></th>{cells}</tr>')
    return _table("What everybody says about each face", head, lines)


def _cell(answer: int, *, right: bool, doubtful: bool) -> str:
    """``doubtful``: the answer is a label that is probably wrong."""
    if answer == NO_CLASS:
        return '<td><span role="img" aria-label="no class">–</span></td>'
    emotion = EMOTIONS[answer]
    style = f' style="background:{RIGHT}"' if right else ""
    mark = "✓" if right else '<span title="probably wrong">?</span>' if doubtful else ""
    icon = f'<span role="img" aria-label="{emotion.name}">{emotion.icon}</span>'
    return f'<td{style} title="{emotion.name}">{icon}{mark}</td>'


def _agreement(found: Result) -> str:
    names = [html.escape(one.name) for one in found.everybody]
    head = "".join(f'<th scope="col" class="who">{name}</th>' for name in names)
    lines = []
    for at, name in enumerate(names):
        cells = "".join(
            _count(int(value), found.faces) if to != at else "<td></td>" for to, value in enumerate(found.agreement[at])
        )
        lines.append(f'<tr><th scope="row" style="text-align:left">{name}</th>{cells}</tr>')
    return _table(f"On how many of {found.faces} faces two say the same", head, lines)


def _confusions(found: Result) -> str:
    beside = next((one for one in found.models if one.name == BESIDE_YOU), next(iter(found.models), None))
    shown = [found.you, *([beside] if beside is not None else [])]
    tables = []
    for one in shown:
        head = "".join(f'<th scope="col" title="{emotion.name}">{emotion.icon}</th>' for emotion in EMOTIONS)
        lines = [
            f'<tr><th scope="row" style="text-align:left">{emotion.icon} {emotion.name}</th>'
            + "".join(_count(int(value), 3) for value in row)
            + "</tr>"
            for emotion, row in zip(EMOTIONS, found.confusion(one), strict=True)
        ]
        tables.append(_table(f"{html.escape(one.name)}: label (lines) and answer (columns)", head, lines))
    return f'<div style="display:flex;flex-wrap:wrap;gap:1rem 2.5rem">{"".join(tables)}</div>'


def _count(value: int, most: int) -> str:
    shade = min(1.0, value / max(1, most))
    return f'<td style="background:rgba(108,103,214,{0.65 * shade:.2f})">{value or ""}</td>'


def _table(caption: str, head: str, lines: Sequence[str]) -> str:
    """With many models it may be wider than a phone: then it is reached and scrolled by the keyboard, too."""
    return (
        f'<div class="game-scroll" tabindex="0" role="region" aria-label="{caption}"><table class="game-all">'
        f'<caption style="text-align:left;caption-side:top">{caption}</caption><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
