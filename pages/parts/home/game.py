"""The game: one face, seven buttons; then label, models and verdict turn over; after ten faces the result.

The number of the round is in the address, so that a class plays the same faces, and so are the answers once all are
given. In between they are the visit's own, and a click draws this part of the page alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from fer_core.emotions import EMOTIONS
from fer_core.game import answers, rounds
from pages.parts import copy_link, frame, links, unmeasured
from pages.parts.data import current, faces_are_here, no_faces
from pages.parts.fragments import fragment
from pages.parts.home import result, turned
from pages.parts.home.cards import Hand, deal
from pages.parts.known_data import KnownData

ROUND, ANSWERS = "round", "answers"
"""Names in the address."""
NO_ROUND = f"There is no round {{asked}}: they have numbers from {rounds.FIRST} to {rounds.LAST:,}. Here is another."
NO_RESULT = "{asked} is no result of this round on these faces. You can play it yourself."
_STATE, _NUMBER, _KEYS = "_game", "_game_round", "_game_keys"
KEYS = "game.keys"


@dataclass
class Game:
    """A round as far as it has been played in this visit.

    ``answers``: yours, 0..6. ``turned``: whether the last answered face has been turned over and is still shown.
    ``by_link``: the answers came with a link.
    """

    number: int
    mark: str
    answers: list[int] = field(default_factory=list)
    turned: bool = False
    by_link: bool = False


def show() -> None:
    """The game on the chosen data; a way to faces where these have none here."""
    chosen = current() if faces_are_here() else None
    if chosen is None:
        no_faces()
        return
    if chosen.info is not None and not chosen.info.labelled:
        unmeasured.no_labels(chosen.info)
        return
    number = _number()
    hand = deal(chosen, number)
    game = _game(hand)
    played = links.read(ANSWERS, lambda texts: _fitting(texts, hand), NO_RESULT)
    if played is not None and played != game.answers:
        st.session_state[_STATE] = Game(number, hand.mark, played, by_link=True)
    _play(chosen)


def _number() -> int:
    """The round that the link asks for, or that of before, or any."""
    asked = links.whole(ROUND, rounds.FIRST, rounds.LAST, NO_ROUND)
    number = asked or st.session_state.get(_NUMBER) or random.randint(rounds.FIRST, rounds.LAST)
    if asked is None:
        st.query_params[ROUND] = str(number)
    st.session_state[_NUMBER] = number
    return int(number)


def _fitting(texts: Sequence[str], hand: Hand) -> list[int] | None:
    """The answers of a link, where they are about all faces of this round and no others."""
    found = answers.decode(texts[0]) if len(set(texts)) == 1 else None
    if found is None or found.mark != hand.mark or len(found.answers) != len(hand.cards):
        return None
    return list(found.answers)


def _game(hand: Hand) -> Game:
    game: Game | None = st.session_state.get(_STATE)
    if game is None or (game.number, game.mark) != (hand.number, hand.mark):
        game = st.session_state[_STATE] = Game(hand.number, hand.mark)
    return game


@fragment
def _play(chosen: KnownData) -> None:
    hand = deal(chosen, st.session_state[_NUMBER])
    game = _game(hand)
    if not hand.cards:
        st.info("There are no faces to play with in these data.", icon=":material/info:")
    elif len(game.answers) == len(hand.cards) and not game.turned:
        st.query_params[ANSWERS] = answers.encode(game.answers, hand.mark)
        result.show(hand, game.answers, by_link=game.by_link)
        with st.container(horizontal=True, key="game-over"):
            label = "Play these faces yourself" if game.by_link else "Play them again"
            st.button("New faces", icon=":material/casino:", type="primary", key="game.new", on_click=_begin)
            st.button(label, icon=":material/replay:", key="game.again", on_click=_begin, args=(hand.number,))
    else:
        _face(hand, game)
    # On a phone the button that leads on may lie far below what it leads to.
    copy_link.start_at_top(f"{hand.mark}, {len(game.answers) - game.turned}")


def _face(hand: Hand, game: Game) -> None:
    at = len(game.answers) - game.turned
    # They can be switched off, since they get in the way of whoever speaks to the computer.
    by_keys = bool(st.session_state.get(_KEYS, True))
    card = hand.cards[at]
    st.html(turned.STYLE + turned.progress(hand, game.answers, at))
    with st.container(key="game"):
        left, right = st.columns([5, 6], gap="medium")
        with left:
            st.html(turned.face(card, at, len(hand.cards), shown=game.turned))
        with right:
            if not game.turned:
                with st.container(key="game-answers", gap="xsmall"):
                    for emotion in EMOTIONS:
                        st.button(
                            emotion.name,
                            icon=emotion.icon,
                            key=f"game.answer.{emotion.index}",
                            shortcut=str(emotion.index + 1) if by_keys else None,
                            width="stretch",
                            on_click=_answer,
                            args=(at, emotion.index),
                        )
            else:
                last = at + 1 == len(hand.cards)
                st.button(
                    "See the result" if last else "Next face",
                    icon=":material/arrow_forward:",
                    icon_position="right",
                    type="primary",
                    shortcut="Enter" if by_keys else None,
                    key="game.next",
                    on_click=_go_on,
                    args=(at,),
                )
                st.html(turned.answers(card, game.answers[at]))
                frame.link(
                    "mistakes",
                    "Why? A closer look",
                    icon=":material/search:",
                    query={"face": str(card.row), "split": hand.split},
                )
    if not game.turned:
        st.toggle("Keys 1 to 7 answer, too", by_keys, key=KEYS, on_change=_switch_keys)


def _switch_keys() -> None:
    st.session_state[_KEYS] = st.session_state[KEYS]


def _answer(at: int, label: int) -> None:
    """A click, or a key. Of two for the same face the first counts."""
    game: Game = st.session_state[_STATE]
    if len(game.answers) == at and not game.turned:
        game.answers.append(label)
        game.turned = True


def _go_on(at: int) -> None:
    game: Game = st.session_state[_STATE]
    if len(game.answers) == at + 1:
        game.turned = False


def _begin(number: int | None = None) -> None:
    """This round from its first face, or another one."""
    new = number or random.randint(rounds.FIRST, rounds.LAST)
    st.session_state[_NUMBER] = new
    st.session_state.pop(_STATE, None)
    st.query_params[ROUND] = str(new)
    if ANSWERS in st.query_params:
        del st.query_params[ANSWERS]
