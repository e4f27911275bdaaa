"""The ten faces of a round with everything that turns over: from the sealed evaluations, no model is asked.

Made once for all visitors who play the same round, so that a click only draws.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image

from fer_core.data.audit import Audit
from fer_core.data.dataset import Dataset
from fer_core.data.ferplus import Crowd
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import DataError, RunError
from fer_core.game import rounds
from fer_core.game.answers import mark_of
from fer_core.game.result import CROWD, LABEL, NO_CLASS, Answers
from fer_core.review import verdict as verdicts
from fer_core.review.scope import Scope
from fer_core.review.scope import scope as core_scope
from fer_core.runs.listing import ModelInfo
from pages.parts import known_data, messages
from pages.parts.data import open_dataset
from pages.parts.dataset_extras import audit_of, crowd_of, read_audit_time, read_crowd_time
from pages.parts.known_data import KnownData

MOST = 6
"""Models beside you: more make the table too long."""
SIDE = 240
"""Pixels of a face as it is sent. Eyes read smoothed pixels better than large squares."""


@dataclass(frozen=True)
class Said:
    """A model's answer, 0..6, and its probability, 0..1."""

    name: str
    answer: int
    probability: float


@dataclass(frozen=True, eq=False)
class Card:
    """A face of a round.

    Attributes:
        row, label, kind: its row number, its label 0..6, why it was chosen.
        face: uint8 (48, 48); ``picture``: the same, enlarged, as a ``data:`` address.
        said: what the models say, in their order.
        crowd: the crowd's class, or :data:`~fer_core.game.result.NO_CLASS`.
        votes: the crowd's answers in words; empty where no crowd was asked.
        verdict, because: is the label wrong, or the model? Empty where no model says anything.
        doubtful: whether that verdict is that the label is wrong.
    """

    row: int
    label: int
    kind: rounds.Kind
    face: npt.NDArray[np.uint8]
    picture: str
    said: tuple[Said, ...]
    crowd: int
    votes: str
    verdict: str
    because: str
    doubtful: bool


@dataclass(frozen=True, eq=False)
class Hand:
    """A round as it is played. ``mark``: of its faces, for links. ``asked_people``: whether there is a crowd."""

    number: int
    data: str
    split: str
    drawn: bool
    mark: str
    asked_people: bool
    cards: tuple[Card, ...]

    @property
    def labels(self) -> Answers:
        return Answers(LABEL, tuple(card.label for card in self.cards))

    @property
    def models(self) -> tuple[Answers, ...]:
        names = [said.name for said in self.cards[0].said] if self.cards else []
        return tuple(Answers(name, tuple(card.said[at].answer for card in self.cards)) for at, name in enumerate(names))

    @property
    def crowd(self) -> Answers | None:
        return Answers(CROWD, tuple(card.crowd for card in self.cards)) if self.asked_people else None


def deal(chosen: KnownData, number: int) -> Hand:
    """The round with that number on the chosen data, whose faces are here. What is damaged is said on the page, and
    the round does without it.
    """
    if chosen.info is None:
        raise ValueError(f"the faces of {chosen.name} are not here")
    dataset = open_dataset(str(chosen.info.path), chosen.fingerprint)
    runs, split = _runs(chosen, dataset)
    try:
        crowd = crowd_of(dataset)
    except DataError as error:
        st.warning(messages.told(error), icon=":material/broken_image:")
        crowd = None
    key = (
        str(chosen.info.path),
        chosen.fingerprint,
        split,
        read_audit_time(dataset),
        0 if crowd is None else read_crowd_time(dataset),
        *((str(run.path), run.display_name, run.folder.state_key()) for run in runs),
    )
    try:
        scope = _scope(key, chosen.fingerprint, split, runs) if runs else None
    except RunError as error:
        st.warning(messages.told(error), icon=":material/broken_image:")
        key, scope = (*key, "alone"), None
    is_vote = tuple(run.is_vote for run in runs)
    return _hand(key, number, chosen.name, split, dataset, scope, is_vote, crowd, audit_of(dataset))


def _runs(chosen: KnownData, dataset: Dataset) -> tuple[list[ModelInfo], str]:
    """Whose answers turn over, and on which split: what ships, so that everybody plays against the same models."""
    shipped = [run for run in chosen.runs if run.shipped]
    runs = shipped or list(chosen.runs)
    having = [split for split in (PRIVATE_TEST, PUBLIC_TEST) if bool((dataset.splits == split).any())]
    splits = [split for split in known_data.splits_of(chosen, runs) if split in having] if runs else having
    split = splits[0] if splits else str(dataset.splits[0])
    return [run for run in runs if split in known_data.splits_of(chosen, [run])][:MOST] if splits else [], split


@st.cache_resource(show_spinner=False, max_entries=4)
def _scope(key: tuple[Hashable, ...], _fingerprint: str, _split: str, _runs: Sequence[ModelInfo]) -> Scope:
    names = [run.display_name for run in _runs]
    return core_scope([run.folder for run in _runs], _split, fingerprint=_fingerprint, names=names)


@st.cache_resource(show_spinner=False, max_entries=64)
def _hand(
    key: tuple[Hashable, ...],
    number: int,
    name: str,
    split: str,
    _dataset: Dataset,
    _scope: Scope | None,
    _is_vote: Sequence[bool],
    _crowd: Crowd | None,
    _audit: Audit | None,
) -> Hand:
    drawn = _dataset.info.is_sample
    chosen = rounds.choose(number, _pool(_dataset, split, _scope, _is_vote))
    cards = []
    for row, kind in zip(chosen.rows, chosen.kinds, strict=True):
        label = int(_dataset.labels[row])
        said, words, because, doubtful = _said(_scope, row), "", "", False
        if _scope is not None:
            evidence = verdicts.evidence(_scope, row, crowd=_crowd, audit=_audit, drawn=drawn)
            found = verdicts.verdict(evidence)
            words, because, doubtful = found.words, found.because, found.kind == verdicts.LABEL
        votes = "" if _crowd is None else ", ".join(f"{count} {answer}" for answer, count in _crowd.answers(row))
        people = NO_CLASS if _crowd is None else int(_crowd.labels()[row])
        face = np.array(_dataset.images[row])
        cards.append(Card(row, label, kind, face, _picture(face), said, people, votes, words, because, doubtful))
    mark = mark_of(_dataset.info.fingerprint, chosen.rows)
    return Hand(number, name, split, drawn, mark, _crowd is not None, tuple(cards))


def _pool(dataset: Dataset, split: str, scope: Scope | None, is_vote: Sequence[bool]) -> rounds.Pool:
    if scope is None:
        rows = np.flatnonzero(dataset.splits == split)
        return rounds.Pool(rows, dataset.labels[rows], np.empty((0, len(rows)), np.int8), np.zeros(len(rows)))
    whole = scope.whole
    # Of a face with a twin in Training a model may remember the label.
    own = np.ones(len(whole), bool) if whole.near_duplicate is None else ~whole.near_duplicate
    # A vote only repeats what its members say.
    single = ~np.asarray(is_vote) if not all(is_vote) else np.ones(len(is_vote), bool)
    return rounds.Pool(
        whole.rows[own],
        whole.labels[own],
        whole.predicted[single][:, own],
        whole.probabilities[single][:, own].max(axis=2).mean(axis=0),
        None if dataset.info.is_sample else scope.whole_label_issues.score[own],
    )


def _said(scope: Scope | None, row: int) -> tuple[Said, ...]:
    if scope is None:
        return ()
    whole = scope.whole
    at = int(np.searchsorted(whole.rows, row))
    return tuple(
        Said(name, int(answers[at]), float(probabilities[at, answers[at]]))
        for name, answers, probabilities in zip(whole.names, whole.predicted, whole.probabilities, strict=True)
    )


def _picture(face: npt.NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(face).resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
