"""The game: one face, seven buttons; then label, models and verdict turn over; after ten faces the result.

The number of the round is in the address, so that a class plays the same faces, and so are the answers: once all are
given, as the result; before, under a name that the button for links leaves out, since phones load a page again that
was out of sight. A click draws this part of the page alone.
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

ROUND, ANSWERS, SO_FAR = "round", "answers", copy_link.HALF_ROUND
"""Names in the address."""
NO_ROUND = f"There is no round {{asked}}: they have numbers from {rounds.FIRST} to {rounds.LAST:,}. Here is another."
NO_RESULT = "{asked} is no result of this round on these faces. You can play it yourself."
NO_BEGINNING = "{asked} are no answers to this round on these faces. It begins with its first face."
_STATE, _NUMBER, _KEYS, _WRITTEN = "_game", "_game_round", "_game_keys", "_game_written"
KEYS = "game.keys"


@dataclass
class Game:
    """A round as far as it has been played in this visit.

    ``answers``: yours, 0..6. ``turned``: whether the last answered face has been turned over and is still shown.
    ``by_link``: all the answers came with a link.
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
    elif played is None and (begun := _begun(hand)) and not game.answers:
        st.session_state[_STATE] = Game(number, hand.mark, begun, by_link=True)
    _play(chosen)


def _number() -> int:
    """The round that the link asks for, or that of before, or any."""
    asked = links.whole(ROUND, rounds.FIRST, rounds.LAST, NO_ROUND)
    number = asked or st.session_state.get(_NUMBER) or random.randint(rounds.FIRST, rounds.LAST)
    if asked is None:
        st.query_params[ROUND] = str(number)
    st.session_state[_NUMBER] = number
    return int(number)


def _fitting(texts: Sequence[str], hand: Hand, *, half: bool = False) -> list[int] | None:
    """The answers of a link, where they are about all faces of this round, or ``half`` of them, and no others."""
    found = answers.decode(texts[0]) if len(set(texts)) == 1 else None
    if found is None or found.mark != hand.mark:
        return None
    given, faces = len(found.answers), len(hand.cards)
    return list(found.answers) if given == faces or (half and given < faces) else None


def _begun(hand: Hand) -> list[int] | None:
    """The answers of a round that was begun before the page was loaded again."""
    texts = links.given(SO_FAR)
    if texts and texts == [st.session_state.get(_WRITTEN)] and _fitting(texts, hand, half=True) is None:
        # Our own, about the data that were chosen before: no link is at fault.
        del st.query_params[SO_FAR]
    return links.read(SO_FAR, lambda texts: _fitting(texts, hand, half=True), NO_BEGINNING)


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
        _forget(SO_FAR)
        st.query_params[ANSWERS] = answers.encode(game.answers, hand.mark)
        result.show(hand, game.answers, by_link=game.by_link)
        with st.container(horizontal=True, key="game-over"):
            label = "Play these faces yourself" if game.by_link else "Play them again"
            st.button("New faces", icon=":material/casino:", type="primary", key="game.new", on_click=_begin)
            st.button(label, icon=":material/replay:", key="game.again", on_click=_begin, args=(hand.number,))
    else:
        if game.answers:
            st.query_params[SO_FAR] = st.session_state[_WRITTEN] = answers.encode(game.answers, hand.mark)
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
        if game.by_link:
            # Whoever copied the address by hand may have sent the answers along.
            st.button(
                "Begin with the first face",
                icon=":material/replay:",
                type="tertiary",
                key="game.again",
                on_click=_begin,
                args=(hand.number,),
            )
        st.toggle("Keys 1 to 7 answer, too", by_keys, key=KEYS, on_change=_switch_keys)


def _switch_keys() -> None:
    st.session_state[_KEYS] = st.session_state[KEYS]


def _answer(at: int, label: int) -> None:
    """A click, or a key. Of two for the same face the first counts."""
    game: Game = st.session_state[_STATE]
    if len(game.answers) == at and not game.turned:
        game.answers.append(label)
        game.turned, game.by_link = True, False


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
    _forget(ANSWERS)
    _forget(SO_FAR)


def _forget(name: str) -> None:
    if name in st.query_params:
        del st.query_params[name]
